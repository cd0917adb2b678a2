package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/prometheus/client_golang/prometheus"
	"gocloud.dev/blob/memblob"

	"github.com/attune-io/attune/access"
	"github.com/attune-io/attune/api"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/api/s3"
)

var doorNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newDoors makes the doors over nothing but an empty bucket; who counts what
// came through to the verbs.
func newDoors(t *testing.T, verbs http.Handler) (*api.Doors, aws.Credentials) {
	t.Helper()
	bucket := memblob.OpenBucket(nil)
	t.Cleanup(func() { _ = bucket.Close() })
	objects, err := s3.New(t.Context(), bucket, slog.New(slog.DiscardHandler), prometheus.NewRegistry(), nil)
	if err != nil {
		t.Fatal(err)
	}
	key := access.NewKey()
	clock := func() time.Time { return doorNow }
	personalize := awsjson.New(nil, nil, &awsjson.Options{Clock: clock})
	return &api.Doors{
		Verifier:    access.NewVerifier(access.NewRing(key), "us-east-1", clock, nil),
		Personalize: personalize, Objects: objects, Verbs: verbs,
		Query: &api.Query{Account: "000000000000", Server: personalize},
	}, aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret}
}

// connection is an answer that remembers its read deadlines.
type connection struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (c *connection) SetReadDeadline(t time.Time) error {
	c.deadlines = append(c.deadlines, t)
	return nil
}

// TestDoorsBoundTheWaitForABody: nobody without a key holds a connection for
// long, and whoever has one may take their time.
func TestDoorsBoundTheWaitForABody(t *testing.T) {
	came := 0
	doors, creds := newDoors(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came++ }))
	request := func() *http.Request {
		return httptest.NewRequest("POST", "http://127.0.0.1/attune/v1/X", strings.NewReader("{}"))
	}
	unsigned := &connection{ResponseRecorder: httptest.NewRecorder()}
	doors.ServeHTTP(unsigned, request())
	if n := len(unsigned.deadlines); unsigned.Code != 403 || n != 1 || unsigned.deadlines[0].IsZero() {
		t.Errorf("unsigned: status %d, deadlines %v", unsigned.Code, unsigned.deadlines)
	}
	r := request()
	sum := sha256.Sum256([]byte("{}"))
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hex.EncodeToString(sum[:]), "attune", "us-east-1", doorNow); err != nil {
		t.Fatal(err)
	}
	signed := &connection{ResponseRecorder: httptest.NewRecorder()}
	doors.ServeHTTP(signed, r)
	if n := len(signed.deadlines); came != 1 || n != 2 || signed.deadlines[0].IsZero() || !signed.deadlines[1].IsZero() {
		t.Errorf("signed: status %d, %d calls, deadlines %v", signed.Code, came, signed.deadlines)
	}
}

// TestDoorsBoundWhatIsHeld: a JSON body is held before its signature is known,
// so no way of hiding the service may get it the limit of an object.
func TestDoorsBoundWhatIsHeld(t *testing.T) {
	doors, creds := newDoors(t, nil)
	r := httptest.NewRequest("PUT", "http://127.0.0.1/bucket/key", strings.NewReader("{}"))
	signedURL, _, err := v4.NewSigner().PresignHTTP(context.Background(), creds, r, "UNSIGNED-PAYLOAD", "personalize", "us-east-1", doorNow)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(signedURL)
	if err != nil {
		t.Fatal(err)
	}
	hidden := strings.Replace(u.RawQuery, "X-Amz-Credential=", "X%2DAmz-Credential=", 1) + "&X-Amz-Expires=60"
	r = httptest.NewRequest("PUT", "http://127.0.0.1/bucket/key?"+hidden, strings.NewReader("{}"))
	r.ContentLength = awsjson.MaxBody + 1
	w := httptest.NewRecorder()
	doors.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}
