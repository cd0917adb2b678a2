package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// webhookTimeout bounds one request, from the connection to the end of the answer.
	webhookTimeout = 10 * time.Second
	// maxReply bounds what is read of an answer, in bytes: enough for the connection
	// to be used again, and for a line that says why.
	maxReply = 16 << 10
	// maxShown bounds what is shown of it.
	maxShown = 200

	// SignatureHeader carries t=<Unix seconds>,v1=<hex>: HMAC-SHA256 with the secret
	// over "<t>.<body>".
	SignatureHeader = "Attune-Signature"
	headerID        = "Attune-Event-Id"
	headerRule      = "Attune-Rule"
	headerAttempt   = "Attune-Attempt"
)

// Sign writes a signature of a body at a time, as SignatureHeader has it.
func Sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac(secret, t+".", body))
}

func mac(secret, before string, body []byte) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(before))
	m.Write(body)
	return m.Sum(nil)
}

// newPoster is a client for webhooks. It follows nobody elsewhere: what is signed
// for one place would go to another.
func newPoster() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 2
	transport.MaxResponseHeaderBytes = maxReply
	return &http.Client{
		Transport: transport, Timeout: webhookTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post sends an event to the rule's webhook. 2xx is delivered. 410 is final, and
// switches the rule off; so is, for the event, any other 3xx and 4xx but 408, 425
// and 429, which are tried again like 5xx and what the network does.
func (w *worker) post(ctx context.Context, e Event, body []byte, attempt int) *failure {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.rule.Target.Webhook.URL, bytes.NewReader(body))
	if err != nil {
		return &failure{why: "the URL cannot be used", final: true}
	}
	h := req.Header
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", "Attune")
	h.Set(headerID, e.ID)
	h.Set(headerRule, w.rule.Name)
	h.Set(headerAttempt, strconv.Itoa(attempt))
	if w.secret != "" {
		h.Set(SignatureHeader, Sign(w.secret, time.Now(), body)) // a wall's time: the receiver compares it with its own
	}
	resp, err := w.poster.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) { // whose own text repeats the URL
			err = u.Err
		}
		return &failure{why: "no answer: " + err.Error()}
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxReply)) // what was answered counts, not whether all of it came
	if resp.StatusCode/100 == 2 {
		return nil
	}
	f := &failure{why: fmt.Sprintf("the answer is %d %s: %.*q", resp.StatusCode, http.StatusText(resp.StatusCode), maxShown, text)}
	switch code := resp.StatusCode; {
	case code == http.StatusGone:
		f.final, f.off = true, true
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		f.after = retryAfter(resp.Header.Get("Retry-After"))
	default:
		f.final = true
	}
	return f
}

// retryAfter reads how long a target asks to wait; 0 when it does not say.
func retryAfter(text string) time.Duration {
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return time.Duration(min(n, int(maxPause/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}
