package embed

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune"
)

const (
	// requestTimeout bounds one request: a model without a GPU takes seconds for
	// a long text, and a request has 32.
	requestTimeout = 2 * time.Minute
	// attemptsAtMost bounds the attempts of one request, and firstPause doubles
	// between them up to mostPause: half a minute in all. A training that has
	// failed so is tried again later by whoever runs it.
	attemptsAtMost = 6
	firstPause     = time.Second
	mostPause      = 16 * time.Second
	// mostAsked bounds the pause that an endpoint asks for with Retry-After.
	mostAsked = time.Minute
	// maxAnswer bounds an answer, in bytes: a number has 26 at most.
	maxAnswer = textsAtOnce*maxDimension*26 + 1<<20
	// maxRefusal and maxShown bound what is read and shown of a refusal.
	maxRefusal = 16 << 10
	maxShown   = 300
)

// newHTTP is a client that follows nobody elsewhere: the key is meant for one place.
func newHTTP() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = requestsAtOnce
	transport.MaxResponseHeaderBytes = maxRefusal
	return &http.Client{Transport: transport, Timeout: requestTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// failed is an attempt that failed.
type failed struct {
	err   error
	again bool          // another attempt may succeed
	after time.Duration // that the endpoint asks to wait; 0 when it does not say
}

// request asks for one batch until it is answered, refused, or asked for often enough.
func (e *Client) request(ctx context.Context, texts []string) ([][]float32, error) {
	body, err := json.Marshal(map[string]any{"model": e.config.Model, "input": texts})
	if err != nil {
		return nil, err
	}
	pause := e.pause
	for attempt := 1; ; attempt++ {
		vectors, f := e.once(ctx, body, len(texts))
		if f == nil {
			return vectors, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !f.again {
			return nil, f.err
		}
		if attempt == e.attempts {
			return nil, attune.Errorf(attune.Unavailable, "%w; that was attempt %d, the last: look after the endpoint and train again", f.err, attempt)
		}
		wait := pause
		if f.after > 0 {
			wait = f.after
		}
		e.log.Debug("embeddings are asked for again", "endpoint", e.shown, "attempt", attempt, "wait", wait, "error", f.err)
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
		pause = min(2*pause, mostPause)
	}
}

// sleep waits, unless ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once asks once.
func (e *Client) once(ctx context.Context, body []byte, n int) ([][]float32, *failed) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, &failed{err: e.wrong("the URL cannot be used")}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Attune")
	if e.config.Key != "" {
		req.Header.Set("Authorization", "Bearer "+e.config.Key)
	}
	resp, err := e.http.Do(req)
	if err != nil {
		return nil, &failed{err: e.unreached(err), again: true}
	}
	defer resp.Body.Close() //nolint:errcheck // it was only read
	if resp.StatusCode != http.StatusOK {
		return nil, e.refused(resp)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, &failed{err: e.unreached(err), again: true}
	}
	if len(raw) > maxAnswer {
		return nil, &failed{err: e.wrong("its answer to %d texts is longer than %d MiB", n, maxAnswer>>20)}
	}
	vectors, err := e.parse(raw, n)
	if err != nil {
		return nil, &failed{err: err}
	}
	return vectors, nil
}

// unreached is the error of an endpoint that did not answer. Go's own text
// repeats the URL, with its query.
func (e *Client) unreached(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return fmt.Errorf("embeddings of model %q: no answer from %s: %w", e.config.Model, e.shown, err)
}

// refused reads a refusal.
func (e *Client) refused(resp *http.Response) *failed {
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // whatever came of it is shown
	said := strings.Join(strings.Fields(string(text)), " ")
	if e.config.Key != "" {
		said = strings.ReplaceAll(said, e.config.Key, "…")
	}
	if runes := []rune(said); len(runes) > maxShown {
		said = string(runes[:maxShown]) + "…"
	}
	what := fmt.Sprintf("the answer is %d %s: %q", resp.StatusCode, http.StatusText(resp.StatusCode), said)
	switch code := resp.StatusCode; {
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		return &failed{err: fmt.Errorf("embeddings of model %q at %s: %s", e.config.Model, e.shown, what), again: true, after: retryAfter(resp.Header.Get("Retry-After"))}
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return &failed{err: attune.Errorf(attune.Invalid, "embeddings of model %q at %s: %s; give a key that it takes, as ATTUNE_EMBEDDINGS_KEY", e.config.Model, e.shown, what)}
	default:
		return &failed{err: e.wrong("%s", what)}
	}
}

// retryAfter reads how long an endpoint asks to wait; 0 when it does not say.
func retryAfter(text string) time.Duration {
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return time.Duration(min(n, int(mostAsked/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(time.Until(at), 0), mostAsked)
	}
	return 0
}

// number is a float32 that has to be there: null, which servers write where a
// model computed NaN, is none.
type number float32

// UnmarshalJSON refuses what is no number, and what float32 cannot hold.
func (x *number) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseFloat(string(b), 32)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("%.20q is no number", b)
	}
	*x = number(v)
	return nil
}

// parse reads an answer to n texts: a vector for each, by its index; without
// indexes, in order.
func (e *Client) parse(raw []byte, n int) ([][]float32, error) {
	var answer struct {
		Data []struct {
			Index     *int     `json:"index"`
			Embedding []number `json:"embedding"`
		} `json:"data"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, e.wrong("its answer cannot be read: %v", err)
	}
	if len(answer.Data) != n {
		return nil, e.wrong("it answers %d texts with %d vectors", n, len(answer.Data))
	}
	vectors := make([][]float32, n)
	for i, d := range answer.Data {
		at := i
		if d.Index != nil {
			at = *d.Index
		}
		if at < 0 || at >= n || vectors[at] != nil {
			return nil, e.wrong("its answer to %d texts has index %d, of none of them or twice", n, at)
		}
		if len(d.Embedding) == 0 || len(d.Embedding) > maxDimension {
			return nil, e.wrong("it gives a vector of %d numbers: from 1 to %d can be used", len(d.Embedding), maxDimension)
		}
		v := make([]float32, len(d.Embedding))
		for k, x := range d.Embedding {
			v[k] = float32(x)
		}
		vectors[at] = v
	}
	for _, v := range vectors {
		if len(v) != len(vectors[0]) {
			return nil, e.wrong("one answer has vectors of %d and of %d numbers", len(vectors[0]), len(v))
		}
	}
	return vectors, nil
}
