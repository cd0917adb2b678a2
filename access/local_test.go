package access_test

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/attune-io/attune/access"
)

func TestTrustAnswersThisMachineOnly(t *testing.T) {
	for _, c := range []struct {
		method, host, name, value string
		ok                        bool
	}{
		{"POST", "127.0.0.1:8787", "", "", true},
		{"POST", "[::1]:8787", "", "", true},
		{"POST", "localhost:8787", "", "", true},
		{"PUT", "shop.localhost:8787", "", "", true}, // how S3 clients name a bucket
		{"POST", "LOCALHOST", "", "", true},
		{"POST", "", "", "", true}, // HTTP 1.0
		{"POST", "127.0.0.1:8787", "Origin", "http://127.0.0.1:8787", true},
		{"GET", "127.0.0.1:8787", "Sec-Fetch-Site", "cross-site", true}, // the page cannot read the answer
		{"POST", "rebound.example:8787", "", "", false},
		{"GET", "rebound.example:8787", "", "", false},
		{"POST", "127.0.0.1.example", "", "", false},
		{"POST", "10.0.0.1:8787", "", "", false},
		{"POST", "127.0.0.1:8787", "Origin", "https://example.com", false},
		{"POST", "127.0.0.1:8787", "Origin", "null", false},
		{"DELETE", "127.0.0.1:8787", "Sec-Fetch-Site", "cross-site", false},
	} {
		r := httptest.NewRequest(c.method, "/bucket?delete", nil)
		r.Host = c.host
		if c.name != "" {
			r.Header.Set(c.name, c.value)
		}
		_, err := access.Trust(r, maxBody)
		if (err == nil) != c.ok {
			t.Errorf("%s to %q with %s %s: %v", c.method, c.host, c.name, c.value, err)
		}
		var refusal *access.Error
		if err != nil && (!errors.As(err, &refusal) || refusal.Status != 403) {
			t.Errorf("%q is refused with %v", c.host, err)
		}
	}
}
