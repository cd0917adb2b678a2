package s3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	client "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/prometheus/client_golang/prometheus"
	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/access"
	"github.com/attune-io/attune/api/s3"
)

const region = "us-east-1"

var pair = access.Key{ID: "AKIATESTTESTTESTTEST", Secret: "secretsecretsecret"}

// server is a door with access verification in front, as a node has it.
type server struct {
	*httptest.Server
	dir  string // "" when in memory
	blob *blob.Bucket
	door *s3.Door
	now  time.Time // the door's clock, when set

	trailers atomic.Int64 // requests whose checksum came as a trailer
}

func start(t testing.TB, dir string, tls bool) *server {
	t.Helper()
	s := &server{dir: dir}
	if dir == "" {
		s.blob = memblob.OpenBucket(nil)
	} else {
		var err error
		if s.blob, err = fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, CreateDir: true}); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = s.blob.Close() })
	clock := func() time.Time {
		if s.now.IsZero() {
			return attune.WallClock()
		}
		return s.now
	}
	var err error
	s.door, err = s3.New(t.Context(), s.blob, slog.New(slog.NewTextHandler(t.Output(), nil)), prometheus.NewRegistry(), &s3.Options{Dir: dir, Region: region, Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	verifier := access.NewVerifier(access.NewRing(pair), region, attune.WallClock, nil)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Trailer") != "" {
			s.trailers.Add(1)
		}
		if _, err := verifier.Verify(r, s3.MaxPut); err != nil {
			s.door.WriteError(w, r, err)
			return
		}
		s.door.ServeHTTP(w, r)
	})
	if tls {
		s.Server = httptest.NewTLSServer(h)
	} else {
		s.Server = httptest.NewServer(h)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *server) client(change ...func(*client.Options)) *client.Client {
	o := client.Options{
		Region: region, BaseEndpoint: aws.String(s.URL), UsePathStyle: true, HTTPClient: s.Client(),
		Credentials: credentials.NewStaticCredentialsProvider(pair.ID, pair.Secret, ""), RetryMaxAttempts: 1,
		// What a client made from the default configuration has.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported, ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	}
	return client.New(o, change...)
}

// withBucket starts a server that has the bucket "box".
func withBucket(t testing.TB, dir string, tls bool) (*server, *client.Client) {
	t.Helper()
	s := start(t, dir, tls)
	c := s.client()
	if _, err := c.CreateBucket(t.Context(), &client.CreateBucketInput{Bucket: aws.String("box")}); err != nil {
		t.Fatal(err)
	}
	return s, c
}

func put(t testing.TB, c *client.Client, key, body string) *client.PutObjectOutput {
	t.Helper()
	out, err := c.PutObject(t.Context(), &client.PutObjectInput{Bucket: aws.String("box"), Key: aws.String(key), Body: bytes.NewReader([]byte(body))})
	if err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
	return out
}

func get(t testing.TB, c *client.Client, key string) (string, *client.GetObjectOutput) {
	t.Helper()
	out, err := c.GetObject(t.Context(), &client.GetObjectInput{Bucket: aws.String("box"), Key: aws.String(key)})
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	defer func() { _ = out.Body.Close() }()
	b, err := io.ReadAll(out.Body)
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	return string(b), out
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		t.Fatalf("got %v, want %s", err, code)
	}
}

// noise makes n bytes that are the same for the same seed.
func noise(seed uint64, n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(b) // never fails
	return b
}

// eventually polls until f says so, for things that end after their answer.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for !f() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s did not happen", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
