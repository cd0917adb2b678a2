package access_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/attune-io/attune/access"
)

const (
	region  = "us-east-1"
	maxBody = 1 << 20
)

var (
	now  = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	pair = access.Key{ID: "AKIATESTTESTTESTTEST", Secret: "secret/secret+secret"}
)

func verifier() *access.Verifier { return verifierAt(now) }

func verifierAt(t time.Time) *access.Verifier {
	return access.NewVerifier(access.NewRing(pair), region, func() time.Time { return t }, nil)
}

func hashOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// signed makes a request, signs it with the SDK's signer, and passes it through
// net/http's wire format, as a server would see it.
func signed(t testing.TB, method, target, service, body string, at time.Time, change func(*http.Request)) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, "http://127.0.0.1:8787"+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	hash := hashOf(body)
	if service == access.ServiceS3 {
		r.Header.Set("X-Amz-Content-Sha256", hash)
	}
	if change != nil {
		change(r)
		if h := r.Header.Get("X-Amz-Content-Sha256"); h != "" {
			hash = h
		}
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == access.ServiceS3 })
	creds := aws.Credentials{AccessKeyID: pair.ID, SecretAccessKey: pair.Secret}
	if err := signer.SignHTTP(context.Background(), creds, r, hash, service, region, at); err != nil {
		t.Fatal(err)
	}
	return received(t, r)
}

// received gives r as a handler sees it, through a real listener.
func received(t testing.TB, r *http.Request) *http.Request {
	t.Helper()
	got := make(chan *http.Request, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(b))
		got <- r.WithContext(context.Background())
	}))
	defer srv.Close()
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	r.Host = host
	r.URL.Host = strings.TrimPrefix(srv.URL, "http://")
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return <-got
}

func wantRefusal(t testing.TB, err error, code string, status int) {
	t.Helper()
	var e *access.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want the refusal %s", err, code)
	}
	if e.Code != code || e.Status != status {
		t.Fatalf("got %s with status %d (%s), want %s with %d", e.Code, e.Status, e.Message, code, status)
	}
}

var oddTargets = []string{
	"/", "/recommendations", "/events?x=1", "/a/b%20c/d+e", "/f%C3%BCr/%E2%82%AC", "/a//b/", "/a/./b/../c",
	"/a%2Fb", "/star*tilde~excl!quote'paren()", "/?b=2&a=1&a=0&A=3", "/?x=%20&y=%2B&z=%C3%A9", "/?policy", "/?a-b=1&a=2&a.b=3",
	"/k?list-type=2&prefix=a%2Fb&delimiter=%2F", "/k?empty=&noeq", "/%25/%3F?q=%26%3D",
}

func TestVerifyHeaderForm(t *testing.T) {
	for _, service := range []string{access.ServicePersonalize, access.ServiceAttune, access.ServiceS3} {
		for _, target := range oddTargets {
			for _, body := range []string{"", `{"a":1}`} {
				r := signed(t, "POST", target, service, body, now, func(r *http.Request) {
					r.Header.Set("X-Amz-Target", "AmazonPersonalize.ListSchemas")
					r.Header.Set("X-Amz-Meta-Spaces", "  a   b  ")
					r.Header["X-Amz-Meta-Many"] = []string{"one", "two  three"}
					r.Header.Set("Content-Type", "application/x-amz-json-1.1")
				})
				id, err := verifier().Verify(r, maxBody)
				if err != nil {
					t.Fatalf("%s %s: %v", service, target, err)
				}
				if id.KeyID != pair.ID || id.Service != service || id.Region != region || !id.Time.Equal(now) || id.Presigned {
					t.Fatalf("%s %s: identity %+v", service, target, id)
				}
				got, err := io.ReadAll(r.Body)
				if err != nil || string(got) != body {
					t.Fatalf("%s %s: body %q, %v", service, target, got, err)
				}
			}
		}
	}
}

func presigned(t testing.TB, method, target, service, expires string, at time.Time) *http.Request {
	t.Helper()
	sep := "?"
	if strings.Contains(target, "?") {
		sep = "&"
	}
	r, err := http.NewRequest(method, "http://127.0.0.1:8787"+target+sep+"X-Amz-Expires="+expires, nil)
	if err != nil {
		t.Fatal(err)
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = service == access.ServiceS3 })
	hash := "UNSIGNED-PAYLOAD"
	if service != access.ServiceS3 {
		hash = hashOf("")
	}
	uri, _, err := signer.PresignHTTP(context.Background(), aws.Credentials{AccessKeyID: pair.ID, SecretAccessKey: pair.Secret}, r, hash, service, region, at)
	if err != nil {
		t.Fatal(err)
	}
	out, err := http.NewRequest(method, uri, nil)
	if err != nil {
		t.Fatal(err)
	}
	return received(t, out)
}

func TestVerifyPresigned(t *testing.T) {
	for _, service := range []string{access.ServicePersonalize, access.ServiceS3} {
		for _, target := range oddTargets {
			r := presigned(t, "GET", target, service, "600", now)
			id, err := verifierAt(now.Add(9*time.Minute)).Verify(r, maxBody)
			if err != nil || !id.Presigned {
				t.Fatalf("%s %s: %+v, %v", service, target, id, err)
			}
		}
	}
	_, err := verifierAt(now.Add(11*time.Minute)).Verify(presigned(t, "GET", "/b/k", "s3", "600", now), maxBody)
	wantRefusal(t, err, "AccessDenied", 403)
	_, err = verifierAt(now.Add(-16*time.Minute)).Verify(presigned(t, "GET", "/b/k", "s3", "600", now), maxBody)
	wantRefusal(t, err, "RequestTimeTooSkewed", 403)
	for _, bad := range []string{"0", "-1", "604801", "x", "99999999999999999999"} {
		_, err = verifier().Verify(presigned(t, "GET", "/b/k", "s3", bad, now), maxBody)
		wantRefusal(t, err, "AuthorizationQueryParametersError", 400)
	}
}

func TestTamperingFails(t *testing.T) {
	fresh := func() *http.Request {
		return signed(t, "POST", "/b/k?x=1&y=2", access.ServicePersonalize, `{"user":"u1"}`, now, func(r *http.Request) {
			r.Header.Set("X-Amz-Target", "AmazonPersonalize.ListSchemas")
		})
	}
	base := fresh()
	body, err := io.ReadAll(base.Body)
	if err != nil {
		t.Fatal(err)
	}
	copyOf := func() *http.Request {
		r := base.Clone(context.Background())
		r.Body = io.NopCloser(bytes.NewReader(body))
		return r
	}
	if _, err := verifier().Verify(copyOf(), maxBody); err != nil {
		t.Fatal(err)
	}
	refuse := func(what string, change func(*http.Request)) {
		t.Helper()
		r := copyOf()
		change(r)
		if id, err := verifier().Verify(r, maxBody); err == nil {
			t.Errorf("%s: accepted as %+v", what, id)
		}
	}
	for i := range body {
		refuse("body", func(r *http.Request) {
			b := bytes.Clone(body)
			b[i] ^= 1
			r.Body = io.NopCloser(bytes.NewReader(b))
		})
	}
	auth := base.Header.Get("Authorization")
	for i := range auth {
		for _, bit := range []byte{1, 0x20} {
			b := []byte(auth)
			b[i] ^= bit
			refuse("authorization "+string(b), func(r *http.Request) { r.Header.Set("Authorization", string(b)) })
		}
	}
	for name := range base.Header {
		if name == "User-Agent" || name == "Accept-Encoding" { // added by the transport, after signing
			continue
		}
		refuse("header "+name, func(r *http.Request) { r.Header.Set(name, r.Header.Get(name)+"0") })
		refuse("repeated header "+name, func(r *http.Request) { r.Header.Add(name, "0") })
	}
	uri := base.RequestURI
	for i := 1; i < len(uri); i++ {
		b := []byte(uri)
		b[i] ^= 1
		u, err := url.ParseRequestURI(string(b))
		if err != nil {
			continue
		}
		refuse("uri "+string(b), func(r *http.Request) { r.RequestURI, r.URL = string(b), u })
	}
	refuse("method", func(r *http.Request) { r.Method = "PUT" })
	refuse("host", func(r *http.Request) { r.Host = "evil:8787" })
	refuse("added x-amz header", func(r *http.Request) { r.Header.Set("X-Amz-Copy-Source", "/b/secret") })
	refuse("added query", func(r *http.Request) { r.URL.RawQuery += "&z=1" })
}

func TestRefusals(t *testing.T) {
	other := access.NewVerifier(access.NewRing(access.Key{ID: "AKIAOTHER", Secret: "x"}), region, func() time.Time { return now }, nil)
	wrongSecret := access.NewVerifier(access.NewRing(access.Key{ID: pair.ID, Secret: "x"}), region, func() time.Time { return now }, nil)
	elsewhere := access.NewVerifier(access.NewRing(pair), "eu-west-1", func() time.Time { return now }, nil)
	for _, c := range []struct {
		name, service string
		v             *access.Verifier
		change        func(*http.Request)
		code          string
		status        int
	}{
		{"unsigned", "personalize", verifier(), func(r *http.Request) { r.Header.Del("Authorization") }, "MissingAuthenticationTokenException", 403},
		{"unknown key", "personalize", other, nil, "UnrecognizedClientException", 403},
		{"unknown key", "s3", other, nil, "InvalidAccessKeyId", 403},
		{"wrong secret", "personalize", wrongSecret, nil, "InvalidSignatureException", 403},
		{"wrong secret", "s3", wrongSecret, nil, "SignatureDoesNotMatch", 403},
		{"late", "personalize", verifierAt(now.Add(15*time.Minute + time.Second)), nil, "InvalidSignatureException", 403},
		{"early", "personalize", verifierAt(now.Add(-15*time.Minute - time.Second)), nil, "InvalidSignatureException", 403},
		{"late", "s3", verifierAt(now.Add(15*time.Minute + time.Second)), nil, "RequestTimeTooSkewed", 403},
		{"wrong region", "personalize", elsewhere, nil, "InvalidSignatureException", 403},
		{"wrong region", "s3", elsewhere, nil, "AuthorizationHeaderMalformed", 400},
		{"unknown service", "dynamodb", verifier(), nil, "InvalidSignatureException", 403},
		{"no date", "personalize", verifier(), func(r *http.Request) { r.Header.Del("X-Amz-Date") }, "IncompleteSignatureException", 400},
		{"other day", "personalize", verifier(), func(r *http.Request) { r.Header.Set("X-Amz-Date", "20260228T235959Z") }, "IncompleteSignatureException", 400},
		{"basic", "personalize", verifier(), func(r *http.Request) { r.Header.Set("Authorization", "Basic YTpi") }, "IncompleteSignatureException", 400},
		{"version 2", "s3", verifier(), func(r *http.Request) { r.Header.Set("Authorization", "AWS AKIA:sig=") }, "InvalidRequest", 400},
		{"version 2 URL", "s3", verifier(), func(r *http.Request) {
			r.Header.Del("Authorization")
			r.URL.RawQuery = "AWSAccessKeyId=AKIA&Signature=x&Expires=1"
		}, "AccessDenied", 403},
		{"no signature", "s3", verifier(), func(r *http.Request) {
			a, _, _ := strings.Cut(r.Header.Get("Authorization"), ", Signature=")
			r.Header.Set("Authorization", a)
		}, "AuthorizationHeaderMalformed", 400},
		{"two signatures", "personalize", verifier(), func(r *http.Request) { r.Header.Add("Authorization", "AWS4-HMAC-SHA256 x") }, "IncompleteSignatureException", 400},
		{"no hash", "s3", verifier(), func(r *http.Request) { r.Header.Del("X-Amz-Content-Sha256") }, "InvalidRequest", 400},
		{"odd hash", "s3", verifier(), func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "nonsense") }, "InvalidArgument", 400},
	} {
		r := signed(t, "POST", "/", c.service, "{}", now, nil)
		if c.change != nil {
			c.change(r)
		}
		_, err := c.v.Verify(r, maxBody)
		t.Log(c.name, err)
		wantRefusal(t, err, c.code, c.status)
	}
}

func TestClockEdges(t *testing.T) {
	for _, d := range []time.Duration{-15 * time.Minute, 0, 15 * time.Minute} {
		if _, err := verifierAt(now.Add(d)).Verify(signed(t, "POST", "/", "personalize", "{}", now, nil), maxBody); err != nil {
			t.Errorf("clock off by %s: %v", d, err)
		}
	}
}

func TestBodyBounds(t *testing.T) {
	long := strings.Repeat("x", 101)
	_, err := verifier().Verify(signed(t, "POST", "/", "personalize", long, now, nil), 100)
	wantRefusal(t, err, "RequestEntityTooLargeException", 413)
	_, err = verifier().Verify(signed(t, "PUT", "/b/k", "s3", long, now, nil), 100)
	wantRefusal(t, err, "EntityTooLarge", 400)

	r := signed(t, "POST", "/", "personalize", long, now, nil)
	r.ContentLength = -1 // the length may be unknown: the bytes still count
	_, err = verifier().Verify(r, 100)
	wantRefusal(t, err, "RequestEntityTooLargeException", 413)

	r = signed(t, "PUT", "/b/k", "s3", "hello", now, nil)
	r.Body = io.NopCloser(strings.NewReader("hellO"))
	if _, err := verifier().Verify(r, 100); err != nil {
		t.Fatal(err)
	}
	_, err = io.ReadAll(r.Body)
	wantRefusal(t, err, "XAmzContentSHA256Mismatch", 400)
}

func TestScope(t *testing.T) {
	for _, service := range []string{"personalize", "attune", "s3", "sts"} {
		if got, ok := access.Scope(signed(t, "POST", "/", service, "", now, nil)); got != service || !ok {
			t.Errorf("header: got %q %v, want %q", got, ok, service)
		}
		if got, ok := access.Scope(presigned(t, "GET", "/x", service, "60", now)); got != service || !ok {
			t.Errorf("presigned: got %q %v, want %q", got, ok, service)
		}
	}
	for _, h := range []string{"", "Basic x", "AWS4-HMAC-SHA256 Credential=a/b, x", "Credential=a/20260301/r/s3/aws4"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Authorization", h)
		if s, ok := access.Scope(r); ok {
			t.Errorf("%q: got %q", h, s)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	const body = `{"campaignArn":"arn:aws:personalize:us-east-1:000000000000:campaign/films","userId":"u1","numResults":10}`
	r := signed(b, "POST", "/recommendations", "personalize", body, now, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") })
	v := verifier()
	b.ReportAllocs()
	for b.Loop() {
		r.Body = io.NopCloser(strings.NewReader(body))
		if _, err := v.Verify(r, maxBody); err != nil {
			b.Fatal(err)
		}
	}
}
