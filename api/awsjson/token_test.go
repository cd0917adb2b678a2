package awsjson

import (
	"strings"
	"testing"

	"github.com/attune-io/attune"
)

func TestTokenOpensOnlyWhereItWasMade(t *testing.T) {
	key := []byte("key of this server")
	for _, position := range []string{"a", "arn:aws:personalize:us-east-1:000000000000:solution/films", strings.Repeat("é", maxPosition/2)} {
		token, err := EncodeToken(key, "ListSolutions", position)
		if err != nil || len(token) > maxToken || strings.Contains(token, "films") {
			t.Fatalf("token %q of %d characters, %v", token, len(token), err)
		}
		if got, err := DecodeToken(key, "ListSolutions", token); got != position || err != nil {
			t.Errorf("%q came back as %q, %v", position, got, err)
		}
		flipped := []byte(token)
		flipped[len(flipped)/2] ^= 1
		for name, c := range map[string]struct {
			key          string
			scope, token string
		}{
			"other list":  {string(key), "ListCampaigns", token},
			"other key":   {"key of that server", "ListSolutions", token},
			"changed":     {string(key), "ListSolutions", string(flipped)},
			"cut":         {string(key), "ListSolutions", token[:len(token)-4]},
			"longer":      {string(key), "ListSolutions", token + "AAAA"},
			"not base64":  {string(key), "ListSolutions", "?" + token[1:]},
			"short":       {string(key), "ListSolutions", "AAAA"},
			"far too big": {string(key), "ListSolutions", strings.Repeat("A", 4000)},
		} {
			if got, err := DecodeToken([]byte(c.key), c.scope, c.token); attune.KindOf(err) != attune.InvalidNextToken || got != "" {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
	if token, err := EncodeToken(key, "x", ""); token != "" || err != nil {
		t.Errorf("no next page: %q, %v", token, err)
	}
	if position, err := DecodeToken(key, "x", ""); position != "" || err != nil {
		t.Errorf("first page: %q, %v", position, err)
	}
	if _, err := EncodeToken(key, "x", strings.Repeat("x", maxPosition+1)); err == nil {
		t.Error("a position that fits no token passes")
	}
}

func TestServersWithoutKeyRefuseEachOther(t *testing.T) {
	a, b := New(nil, nil, nil), New(nil, nil, nil)
	token, err := a.EncodeToken("ListSolutions", "films")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.DecodeToken("ListSolutions", token); got != "films" || err != nil {
		t.Errorf("own token: %q, %v", got, err)
	}
	if _, err := b.DecodeToken("ListSolutions", token); attune.KindOf(err) != attune.InvalidNextToken {
		t.Errorf("another server's token: %v", err)
	}
}
