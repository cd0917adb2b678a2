package notify_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/notify"
)

const secret = "0123456789abcdef-secret"

// receiver is a webhook that answers as it is told.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	answer func(n int, id string) int // status of the n-th request, from 1
	got    []string                   // ids, in order
	heads  []http.Header
	bodies []string
}

func newReceiver(t *testing.T, answer func(n int, id string) int) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		id := q.Header.Get("Attune-Event-Id")
		r.got, r.heads, r.bodies = append(r.got, id), append(r.heads, q.Header), append(r.bodies, string(body))
		if q.URL.Path == "/elsewhere" {
			t.Error("a redirect was followed")
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(r.answer(len(r.got), id))
		fmt.Fprintf(w, "answer %d", len(r.got))
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ids() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.got, " ")
}

func always(status int) func(int, string) int { return func(int, string) int { return status } }

func hook(url string) notify.Target {
	return notify.Target{Webhook: &notify.Webhook{URL: url, Secret: secret}}
}

// TestWebhook: matching events come signed, in order, and with their ids.
func TestWebhook(t *testing.T) {
	h := newHouse(t)
	r := newReceiver(t, always(200))
	h.tell(0) // before the rule
	h.put("etl", `{"source":["etl"],"detail":{"n":[{"numeric":["<",4]}]}}`, hook(r.URL))
	h.run()
	for i := 1; i <= 5; i++ {
		h.tell(i)
	}
	h.until("three events came", func() bool { return h.rule("etl").Delivered == 3 })
	if r.ids() != "etl-1 etl-2 etl-3" {
		t.Fatalf("came %s", r.ids())
	}
	head, body := r.heads[0], r.bodies[0]
	if !strings.Contains(body, `"detail":{"state":"SUCCEEDED","n":1}`) || head.Get("Attune-Rule") != "etl" || head.Get("Attune-Attempt") != "1" || head.Get("Content-Type") != "application/json" {
		t.Errorf("%v %s", head, body)
	}
	stamp, _, _ := strings.Cut(strings.TrimPrefix(head.Get("Attune-Signature"), "t="), ",")
	unix, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || time.Since(time.Unix(unix, 0)).Abs() > time.Minute || notify.Sign(secret, time.Unix(unix, 0), []byte(body)) != head.Get("Attune-Signature") {
		t.Errorf("the signature is %s", head.Get("Attune-Signature"))
	}
	if s := text(t, h.rule("etl")); strings.Contains(s, secret) || !strings.Contains(s, `"signed":true`) {
		t.Errorf("the rule shows %s", s)
	}
}

// TestWebhookRetries: what fails is tried again with pauses, others do not wait
// for it, and what never succeeds can be redriven.
func TestWebhookRetries(t *testing.T) {
	h := newHouse(t)
	bad := newReceiver(t, always(503))
	good := newReceiver(t, always(204))
	h.put("bad", etl, hook(bad.URL))
	h.put("good", etl, hook(good.URL))
	h.run()
	h.tell(1)
	h.tell(2)
	h.until("the good one has all", func() bool { return good.ids() == "etl-1 etl-2" })
	h.until("two wait", func() bool { return h.rule("bad").Waiting == 2 })
	if note := h.rule("bad").Note; bad.ids() != "etl-1" || !strings.Contains(note, "behind deliveries that failed") {
		t.Errorf("came %s, and the note is %q", bad.ids(), note)
	}
	for h.rule("bad").Dead < 2 {
		h.ahead.Add(int64(2 * time.Hour))
		n := len(bad.ids())
		h.until("it is tried again", func() bool { return len(bad.ids()) > n || h.rule("bad").Dead == 2 })
	}
	letters := must[[]notify.DeadLetter](t)(h.desk.DeadLetters(t.Context(), "bad"))
	if len(letters) != 2 || letters[0].Attempts != notify.MaxAttempts || !strings.Contains(letters[0].Why, "503 Service Unavailable") || !strings.Contains(string(letters[0].Event), `"source":"etl"`) {
		t.Fatalf("dead letters %s", text(t, letters))
	}
	bad.mu.Lock()
	bad.got, bad.answer = nil, always(200)
	bad.mu.Unlock()
	if n, err := h.desk.Redrive(t.Context(), "bad", "etl-2"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	h.until("it was delivered", func() bool { return h.rule("bad").Delivered == 1 })
	if n, err := h.desk.Drop(t.Context(), "bad", ""); n != 1 || err != nil || bad.ids() != "etl-2" {
		t.Errorf("dropped %d, %v, came %s", n, err, bad.ids())
	}
	if _, err := h.desk.Redrive(t.Context(), "bad", "etl-9"); attune.KindOf(err) != attune.NotFound {
		t.Errorf("one that is not there: %v", err)
	}
}

// TestWebhookAnswers: which answers end a delivery.
func TestWebhookAnswers(t *testing.T) {
	for status, want := range map[int]string{
		200: "delivered", 299: "delivered", 301: "dead", 307: "dead", 400: "dead", 401: "dead", 404: "dead", 410: "dead off",
		408: "waiting", 425: "waiting", 429: "waiting", 500: "waiting", 599: "waiting",
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			h := newHouse(t)
			r := newReceiver(t, always(status))
			h.put("r", etl, hook(r.URL))
			h.run()
			h.tell(1)
			var s *notify.RuleState
			h.until("it is settled", func() bool { s = h.rule("r"); return s.Delivered+s.Dead+s.Waiting == 1 })
			got := map[bool]string{true: "delivered"}[s.Delivered == 1] + map[bool]string{true: "dead"}[s.Dead == 1] + map[bool]string{true: "waiting"}[s.Waiting == 1]
			if s.Disabled {
				got += " off"
			}
			if got != want {
				t.Errorf("%d: %s, want %s", status, got, want)
			}
		})
	}
}

// TestRuleRestart: what happens while the node is down, or was not delivered when
// it went, is delivered after, and nothing twice.
func TestRuleRestart(t *testing.T) {
	h := newHouse(t)
	down := true
	r := newReceiver(t, func(int, string) int {
		if down {
			return 500
		}
		return 200
	})
	h.put("r", etl, hook(r.URL))
	h.run()
	h.tell(1)
	h.until("it failed", func() bool { return h.rule("r").Waiting == 1 })
	h.restart()
	h.tell(2) // while nobody runs
	r.mu.Lock()
	down, r.got = false, nil
	r.mu.Unlock()
	h.run()
	h.until("the second came", func() bool { return h.rule("r").Delivered == 1 })
	h.ahead.Add(int64(time.Minute))
	h.until("the first came", func() bool { return h.rule("r").Delivered == 2 })
	h.restart()
	h.run()
	h.tell(3)
	h.until("the third came", func() bool { return h.rule("r").Delivered == 3 })
	if r.ids() != "etl-2 etl-1 etl-3" {
		t.Errorf("came %s", r.ids())
	}
}

// TestRuleChanges: a replaced rule goes on where it was with its secret; a deleted
// one tells nobody.
func TestRuleChanges(t *testing.T) {
	h := newHouse(t)
	a, b := newReceiver(t, always(200)), newReceiver(t, always(200))
	h.put("r", etl, hook(a.URL))
	h.run()
	h.tell(1)
	h.until("it came, and that is known", func() bool { return a.ids() == "etl-1" && h.rule("r").Delivered == 1 })
	h.put("r", etl, notify.Target{Webhook: &notify.Webhook{URL: b.URL}})
	h.tell(2)
	h.until("the next goes to the other", func() bool { return b.ids() == "etl-2" })
	if b.heads[0].Get("Attune-Signature") == "" {
		t.Error("the secret is gone")
	}
	if err := h.desk.PutRule(t.Context(), notify.Rule{Name: "r", Pattern: []byte(etl), Target: hook(b.URL), Disabled: true}); err != nil {
		t.Fatal(err)
	}
	h.tell(3)
	h.put("r", etl, hook(b.URL))
	h.tell(4)
	h.until("it goes on after a rest", func() bool { return b.ids() == "etl-2 etl-4" })
	if err := h.desk.DeleteRule(t.Context(), "r"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.desk.Rule(t.Context(), "r"); attune.KindOf(err) != attune.NotFound {
		t.Errorf("after its deletion: %v", err)
	}
	if err := h.desk.DeleteRule(t.Context(), "r"); attune.KindOf(err) != attune.NotFound {
		t.Errorf("a second deletion: %v", err)
	}
}

func TestRuleRefused(t *testing.T) {
	h := newHouse(t)
	for want, r := range map[string]notify.Rule{
		"a rule cannot be called":     {Name: "a b", Pattern: []byte(etl), Target: hook("http://x/")},
		"pattern: source":             {Name: "a", Pattern: []byte(`{"source":"x"}`), Target: hook("http://x/")},
		"one target, not 0":           {Name: "a", Pattern: []byte(etl)},
		"cannot be used":              {Name: "a", Pattern: []byte(etl), Target: hook("ftp://x/")},
		"has a password":              {Name: "a", Pattern: []byte(etl), Target: hook("http://u:p@x/")},
		"16 to 512":                   {Name: "a", Pattern: []byte(etl), Target: notify.Target{Webhook: &notify.Webhook{URL: "http://x/", Secret: "short"}}},
		"sends no mail":               {Name: "a", Pattern: []byte(etl), Target: notify.Target{Email: &notify.Email{To: []string{"a@b"}}}},
		"this node maintains nothing": {Name: "a", Pattern: []byte(etl), Target: notify.Target{Maintain: &notify.Maintain{Config: "c", Purpose: "full"}}},
	} {
		if err := h.desk.PutRule(t.Context(), r); attune.KindOf(err) != attune.Invalid || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	for i := range notify.MaxRules {
		h.put(fmt.Sprintf("r%d", i), etl, hook("http://127.0.0.1:1/"))
	}
	if err := h.desk.PutRule(t.Context(), notify.Rule{Name: "more", Pattern: []byte(etl), Target: hook("http://x/")}); attune.KindOf(err) != attune.LimitExceeded {
		t.Errorf("one more: %v", err)
	}
}
