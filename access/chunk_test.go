package access_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune/access"
)

// The worked examples of AWS's "Signature calculations for the Authorization
// header: transferring payload in multiple chunks" (and its variant with
// trailers): key, date, headers, chunk sizes and signatures are theirs.
const (
	exampleHead    = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=%s,Signature=%s"
	exampleSigned  = "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class"
	exampleSeed    = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
	trailerSigned  = "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer"
	trailerSeed    = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
	exampleDecoded = 66560
)

func exampleVerifier() *access.Verifier {
	key := access.Key{ID: "AKIAIOSFODNN7EXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	return access.NewVerifier(access.NewRing(key), "us-east-1", func() time.Time { return at }, nil)
}

func exampleRequest(body []byte, form, signedHeaders, seed string) *http.Request {
	r := httptest.NewRequest("PUT", "http://s3.amazonaws.com/examplebucket/chunkObject.txt", bytes.NewReader(body))
	r.RequestURI = "/examplebucket/chunkObject.txt"
	r.Header.Set("X-Amz-Date", "20130524T000000Z")
	r.Header.Set("X-Amz-Storage-Class", "REDUCED_REDUNDANCY")
	r.Header.Set("X-Amz-Content-Sha256", form)
	r.Header.Set("Content-Encoding", "aws-chunked")
	r.Header.Set("X-Amz-Decoded-Content-Length", fmt.Sprint(exampleDecoded))
	r.Header.Set("Content-Length", "66824")
	r.Header.Set("Authorization", fmt.Sprintf(exampleHead, signedHeaders, seed))
	return r
}

func exampleBody() []byte {
	a := strings.Repeat("a", 65536)
	return []byte("10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n" + a + "\r\n" +
		"400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n" + a[:1024] + "\r\n" +
		"0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n")
}

func exampleTrailerBody() []byte {
	a := strings.Repeat("a", 65536)
	return []byte("10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n" + a + "\r\n" +
		"400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n" + a[:1024] + "\r\n" +
		"0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n" +
		"x-amz-checksum-crc32c:sOO8/Q==\r\n" +
		"x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n")
}

func exampleTrailerRequest(body []byte) *http.Request {
	r := exampleRequest(body, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", trailerSigned, trailerSeed)
	r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32c")
	return r
}

func TestSignedChunks(t *testing.T) {
	r := exampleRequest(exampleBody(), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", exampleSigned, exampleSeed)
	if _, err := exampleVerifier().Verify(r, maxBody); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r.Body)
	if err != nil || string(got) != strings.Repeat("a", exampleDecoded) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if r.ContentLength != exampleDecoded || r.Header.Get("Content-Length") != fmt.Sprint(exampleDecoded) || r.Header["Content-Encoding"] != nil {
		t.Errorf("framing still shows: length %d, headers %v", r.ContentLength, r.Header)
	}
}

func TestSignedTrailers(t *testing.T) {
	r := exampleTrailerRequest(exampleTrailerBody())
	if _, err := exampleVerifier().Verify(r, maxBody); err != nil {
		t.Fatal(err)
	}
	shallow := r.WithContext(context.Background()) // what middleware does
	got, err := io.ReadAll(r.Body)
	if err != nil || len(got) != exampleDecoded {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if c := shallow.Trailer.Get("X-Amz-Checksum-Crc32c"); c != "sOO8/Q==" {
		t.Errorf("trailer %q", c)
	}
}

func TestUnsignedTrailers(t *testing.T) {
	body := "5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
	open := func(body, decoded string) *http.Request {
		r := signed(t, "PUT", "/b/k", "s3", body, now, func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
			r.Header.Set("X-Amz-Decoded-Content-Length", decoded)
			r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
			r.Header.Set("Content-Encoding", "gzip, aws-chunked")
		})
		if _, err := verifier().Verify(r, maxBody); err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := open(body, "11")
	if got, err := io.ReadAll(r.Body); err != nil || string(got) != "hello world" {
		t.Fatalf("%q, %v", got, err)
	}
	if c := r.Trailer.Get("X-Amz-Checksum-Crc32"); c != "DUoRhQ==" || r.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("trailer %q, headers %v", c, r.Header)
	}
	for name, bad := range map[string]string{
		"cut in a chunk":      body[:6],
		"cut before the end":  body[:20],
		"cut in the size":     "5",
		"empty":               "",
		"longer chunk":        strings.Replace(body, "5\r\nhello", "5\r\nhello!", 1),
		"not hex":             strings.Replace(body, "5\r\n", "g\r\n", 1),
		"signed size":         strings.Replace(body, "5\r\n", "+5\r\n", 1),
		"huge size":           strings.Replace(body, "5\r\n", "ffffffffffffffff\r\n", 1),
		"more than announced": strings.Replace(body, "0\r\n", "1\r\nx\r\n0\r\n", 1),
		"less than announced": strings.Replace(body, "6\r\n world\r\n", "", 1),
		"unknown trailer":     strings.Replace(body, "crc32", "sha1", 1),
		"no colon":            strings.Replace(body, "crc32:", "crc32", 1),
		"long line":           strings.Repeat("0", 300) + body,
		"long trailer":        strings.Replace(body, "DUoRhQ==", strings.Repeat("x", 2000), 1),
		"endless trailer":     strings.Replace(body, "DUoRhQ==", strings.Repeat("x", 100000), 1),
		"more after":          body + "x",
		"unknown extension":   strings.Replace(body, "5\r\n", "5;x=y\r\n", 1),
	} {
		_, err := io.ReadAll(open(bad, "11").Body)
		var e *access.Error
		if !errors.As(err, &e) || e.Status != 400 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChunkTampering(t *testing.T) {
	for name, c := range map[string]struct {
		body []byte
		req  func([]byte) *http.Request
	}{
		"chunks": {exampleBody(), func(b []byte) *http.Request {
			return exampleRequest(b, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", exampleSigned, exampleSeed)
		}},
		"trailers": {exampleTrailerBody(), exampleTrailerRequest},
	} {
		// Every byte but those deep inside the long runs of a, where one stands for all.
		for i := range c.body {
			if i > 200 && i < 65500 || i > 65800 && i < 66600 {
				continue
			}
			b := bytes.Clone(c.body)
			b[i] ^= 1
			if b[i] == '\n' || c.body[i] == '\r' || c.body[i] == '\n' {
				continue // line ends are framing, not content
			}
			r := c.req(b)
			if _, err := exampleVerifier().Verify(r, maxBody); err != nil {
				continue
			}
			if _, err := io.Copy(io.Discard, r.Body); err == nil {
				t.Errorf("%s: byte %d (%q) changed and nobody noticed", name, i, c.body[i])
			}
		}
	}
}

func TestTrustDecodes(t *testing.T) {
	r := httptest.NewRequest("PUT", "http://127.0.0.1/b/k", strings.NewReader("3\r\nabc\r\n0\r\n\r\n"))
	r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
	r.Header.Set("X-Amz-Decoded-Content-Length", "3")
	if _, err := access.Trust(r, maxBody); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r.Body); err != nil || string(got) != "abc" {
		t.Fatalf("%q, %v", got, err)
	}
	r = httptest.NewRequest("PUT", "http://127.0.0.1/b/k", strings.NewReader("abcd"))
	r.ContentLength = -1
	if _, err := access.Trust(r, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r.Body); err == nil {
		t.Fatal("a body over the bound was read")
	}
}

func FuzzChunkReader(f *testing.F) {
	f.Add([]byte("5\r\nhello\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"), int64(5))
	f.Add(exampleBody(), int64(exampleDecoded))
	f.Add([]byte("0;chunk-signature=\r\n"), int64(0))
	f.Fuzz(func(t *testing.T, body []byte, decoded int64) {
		r := httptest.NewRequest("PUT", "http://127.0.0.1/b/k", bytes.NewReader(body))
		r.Header.Set("X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
		r.Header.Set("X-Amz-Decoded-Content-Length", fmt.Sprint(decoded))
		r.Header.Set("X-Amz-Trailer", "x-amz-checksum-crc32")
		if _, err := access.Trust(r, maxBody); err != nil {
			return
		}
		got, err := io.ReadAll(r.Body)
		if int64(len(got)) > decoded || len(got) > len(body) {
			t.Fatalf("%d bytes out of %d, %d announced", len(got), len(body), decoded)
		}
		if err == nil && int64(len(got)) != decoded {
			t.Fatalf("ended well after %d of %d bytes", len(got), decoded)
		}
	})
}

func FuzzAuthorization(f *testing.F) {
	f.Add(fmt.Sprintf(exampleHead, exampleSigned, exampleSeed), "")
	f.Add("", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/b/c/s3/aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature="+exampleSeed)
	f.Add("AWS4-HMAC-SHA256 Credential=////aws4_request,SignedHeaders=host;;,Signature=", "a=%zz&&=")
	v := verifier()
	f.Fuzz(func(t *testing.T, header, query string) {
		for _, hash := range []string{"", "UNSIGNED-PAYLOAD"} {
			r := httptest.NewRequest("GET", "/", nil)
			r.URL.RawQuery = query
			if header != "" {
				r.Header.Set("Authorization", header)
			}
			r.Header.Set("X-Amz-Date", "20260301T120000Z")
			if hash != "" {
				r.Header.Set("X-Amz-Content-Sha256", hash)
			}
			access.Scope(r)
			var e *access.Error
			if _, err := v.Verify(r, maxBody); !errors.As(err, &e) || e.Status < 400 || e.Status > 499 {
				t.Fatalf("%q %q: %v", header, query, err)
			}
		}
	})
}
