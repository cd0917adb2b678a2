package embed

import (
	"net/url"
	"strings"

	"github.com/attune-io/attune"
)

// path is what the endpoint is called below the URL of an API.
const path = "/embeddings"

// Config says who is asked. The zero value asks nobody.
type Config struct {
	URL   string // of the API, e.g. https://models.example.com/v1, or of the endpoint itself, which ends with /embeddings
	Model string // its name there
	Key   string // sent as a bearer token; "" for none
}

// Check refuses what cannot work, in the words of the flags of 'attune serve'.
func (c Config) Check() error {
	if c.URL == "" {
		if c.Model != "" || c.Key != "" {
			return attune.Errorf(attune.Invalid, "a model or a key of embeddings is given and no endpoint: say --embeddings-url https://host/v1 too, or leave them out")
		}
		return nil
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" { // the URL is not shown: it may hold what is secret
		return attune.Errorf(attune.Invalid, "--embeddings-url is no URL of an API: say one like https://models.example.com/v1 or http://127.0.0.1:8080/v1")
	}
	if u.User != nil || u.Fragment != "" {
		return attune.Errorf(attune.Invalid, "--embeddings-url of %s has a user, a password or a fragment: leave it out, and give the key by the environment, as ATTUNE_EMBEDDINGS_KEY", u.Host)
	}
	if c.Model == "" {
		return attune.Errorf(attune.Invalid, "--embeddings-url without a model: say --embeddings-model NAME, as %s calls it", u.Host)
	}
	if strings.ContainsFunc(c.Key, func(x rune) bool { return x < ' ' || x > '~' }) {
		return attune.Errorf(attune.Invalid, "ATTUNE_EMBEDDINGS_KEY has signs that no header can carry: look for a line break at its end")
	}
	return nil
}

// endpoint is the URL that is asked, and how it is shown to people: without its
// query, which may hold what is secret.
func (c Config) endpoint() (ask, shown string) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return "", ""
	}
	if u.Path = strings.TrimRight(u.Path, "/"); !strings.HasSuffix(u.Path, path) {
		u.Path += path
	}
	u.RawPath = ""
	ask = u.String()
	u.RawQuery = ""
	return ask, u.String()
}
