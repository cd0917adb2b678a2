package embed

import (
	"strings"
	"testing"

	"github.com/attune-io/attune"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		config Config
		says   string // "" when it is fine
	}{
		{Config{}, ""},
		{Config{URL: "https://host/v1", Model: "m"}, ""},
		{Config{URL: "http://127.0.0.1:8080/v1/embeddings?version=2", Model: "m", Key: "k"}, ""},
		{Config{Model: "m"}, "--embeddings-url"},
		{Config{Key: "k"}, "--embeddings-url"},
		{Config{URL: "https://host/v1"}, "--embeddings-model"},
		{Config{URL: "host:8080", Model: "m"}, "no URL"},
		{Config{URL: "ftp://host/v1", Model: "m"}, "no URL"},
		{Config{URL: "https://user:hidden@host/v1", Model: "m"}, "ATTUNE_EMBEDDINGS_KEY"},
		{Config{URL: "https://host/v1", Model: "m", Key: "hidden\n"}, "line break"},
	} {
		err := c.config.Check()
		if (err == nil) != (c.says == "") || err != nil && (attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hidden")) {
			t.Errorf("%+v: %v, want %q", c.config, err, c.says)
		}
	}
}

func TestEndpoint(t *testing.T) {
	for given, want := range map[string][2]string{
		"http://host/v1":                          {"http://host/v1/embeddings", "http://host/v1/embeddings"},
		"http://host":                             {"http://host/embeddings", "http://host/embeddings"},
		"http://host/v1/embeddings":               {"http://host/v1/embeddings", "http://host/v1/embeddings"},
		"http://host/x/embeddings/?key=secret":    {"http://host/x/embeddings?key=secret", "http://host/x/embeddings"},
		"http://host/deployments/d?api-version=1": {"http://host/deployments/d/embeddings?api-version=1", "http://host/deployments/d/embeddings"},
	} {
		if ask, shown := (Config{URL: given}).endpoint(); ask != want[0] || shown != want[1] {
			t.Errorf("%s: %s, shown as %s", given, ask, shown)
		}
	}
}
