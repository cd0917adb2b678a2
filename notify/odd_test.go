package notify_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/notify"
)

// TestEventRefused: what no rule could deliver, or keep, does not come on the bus.
func TestEventRefused(t *testing.T) {
	h := newHouse(t)
	for what, e := range map[string]notify.Event{
		"an id with a line break": {ID: "a\nb", Detail: []byte(`{}`)},
		"an id with a zero":       {ID: "a\x00", Detail: []byte(`{}`)},
		"a long id":               {ID: strings.Repeat("x", 300), Detail: []byte(`{}`)},
		"letters that are none":   {Detail: []byte("{\"x\":\"\xff\"}")},
	} {
		e.Source, e.DetailType = "etl", "x"
		if id, err := h.desk.Receive(t.Context(), e); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s: %q, %v", what, id, err)
		}
	}
}

// TestRefusedOnce: a rule that wants every event, that of its own refusal too, is
// refused once for each event that is another's.
func TestRefusedOnce(t *testing.T) {
	r := &runs{}
	h := newHouse(t, notify.Options{Start: r.start})
	h.put("all", `{"source":[{"exists":true}]}`, maintain("a"))
	h.run()
	h.ended("run-1", "a")
	h.until("it is refused", func() bool { return strings.Contains(h.rule("all").Note, "refused: a circle") })
	h.until("the refusal is seen to", func() bool { return h.rule("all").Delivered == 2 })
	time.Sleep(100 * time.Millisecond) // another would come at once
	if last := must[uint64](t)(h.desk.End(t.Context())); last != 2 || r.list() != "" {
		t.Errorf("%d events after one refusal, and started %q", last, r.list())
	}
}

// TestWhy: what a target answers is kept as text, however it is written.
func TestWhy(t *testing.T) {
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte("a" + strings.Repeat("語", 400)))
	}))
	t.Cleanup(target.Close)
	p := newPostbox(t, nil, "550 kein Postfach f\xfcr Sie\x00")
	h := newHouse(t, notify.Options{SMTP: "smtp://" + p.Addr().String() + "?from=a@example.com&starttls=off"})
	h.put("post", etl, notify.Target{Webhook: &notify.Webhook{URL: target.URL}})
	h.put("mail", etl, mailTo("x@example.com"))
	h.run()
	h.tell(1)
	h.until("both are dead", func() bool { return h.rule("post").Dead == 1 && h.rule("mail").Dead == 1 })
	for _, name := range []string{"post", "mail"} {
		if note := h.rule(name).Note; !utf8.ValidString(note) || strings.Contains(note, "\x00") {
			t.Errorf("the note of %s is %q", name, note)
		}
	}
}

// TestMailSome: one box that is gone does not keep the others from hearing.
func TestMailSome(t *testing.T) {
	p := newPostbox(t, nil, "550 no such box")
	p.refused = "gone@"
	h := newHouse(t, notify.Options{SMTP: "smtp://" + p.Addr().String() + "?from=a@example.com&starttls=off"})
	h.put("r", etl, mailTo("gone@example.com", "here@example.com"))
	h.run()
	h.tell(1)
	h.until("one did not hear", func() bool { return h.rule("r").Dead == 1 })
	if note := h.rule("r").Note; p.count() != 1 || !strings.Contains(note, "gone@example.com") || strings.Contains(note, "here@") {
		t.Errorf("%d mails, and the note is %q", p.count(), note)
	}
}

// TestBusAnew: a rule hears what is on a bus that lost what it had and counts
// from one again.
func TestBusAnew(t *testing.T) {
	r := &runs{}
	h := newHouse(t, notify.Options{Start: r.start})
	h.put("etl", etl, maintain("films"))
	h.run()
	for i := range 5 {
		h.tell(i)
	}
	h.until("five are seen to", func() bool { return h.rule("etl").Delivered == 5 })
	h.stop()
	h.close()
	if err := os.RemoveAll(filepath.Join(h.dir, "nats")); err != nil {
		t.Fatal(err)
	}
	h.open()
	h.tell(6)
	h.run()
	h.until("the next is seen to", func() bool { return h.rule("etl").Delivered == 6 })
	if !strings.HasSuffix(r.list(), "films full etl-6") || !strings.Contains(h.rule("etl").Note, "begins again") {
		t.Errorf("started %s, and the note is %q", r.list(), h.rule("etl").Note)
	}
}

// TestPlaceKept: a rule whose database fails while it writes an event down, and
// after, does not leave the event behind.
func TestPlaceKept(t *testing.T) {
	r := &runs{}
	h := newHouse(t, notify.Options{Start: r.start})
	if h.database() != "" {
		t.Skip("the fault is written for SQLite")
	}
	h.put("etl", etl, maintain("films"))
	h.run()
	h.tell(1)
	h.until("the rule works", func() bool { return h.rule("etl").Delivered == 1 })
	exec := func(stmt string) {
		if _, err := h.deps.Pool.ExecContext(t.Context(), stmt); err != nil {
			t.Fatal(err)
		}
	}
	r.set(true)
	exec(`CREATE TRIGGER broken BEFORE INSERT ON notify_delivery BEGIN SELECT RAISE(ABORT, 'broken'); END`)
	exec(`UPDATE notify_rule SET target = '!' || target`) // cannot be read
	h.tell(2)
	time.Sleep(1500 * time.Millisecond) // it fails, looks where it was, and begins again
	exec(`DROP TRIGGER broken`)
	exec(`UPDATE notify_rule SET target = substr(target, 2)`)
	r.set(false)
	h.until("the event is written down, or done", func() bool { s := h.rule("etl"); return s.Waiting+s.Delivered == 2 })
	h.ahead.Add(int64(time.Minute))
	h.until("it was delivered", func() bool { return r.list() == "films full etl-1, films full etl-2" })
}

// TestObjectWaits: a configuration that cannot be begun for long is told of once.
func TestObjectWaits(t *testing.T) {
	b := &bucket{failing: attune.Errorf(attune.InUse, "another apply is under way")}
	h := newHouse(t, notify.Options{Objects: notify.Objects{List: b.list, Apply: b.apply, Every: 10 * time.Millisecond}})
	b.put("train/a/config.json", "e1", time.Hour)
	var log strings.Builder
	h.deps.Logger = slog.New(slog.NewTextHandler(&log, nil))
	h.desk = must[*notify.Desk](h)(notify.Open(t.Context(), h.deps, &h.opts))
	h.run()
	h.until("it was tried", func() bool { return b.times() > 5 })
	b.fail(nil)
	h.until("it was applied", func() bool { return b.list2() != "" })
	h.stop()
	if n := strings.Count(log.String(), "a new configuration waits"); n != 1 {
		t.Errorf("said %d times:\n%s", n, &log)
	}
}

// TestDeadLettersEnd: dead letters are not kept for ever.
func TestDeadLettersEnd(t *testing.T) {
	r := &runs{}
	h := newHouse(t, notify.Options{Start: r.start})
	h.put("old", etl, maintain("unknown"))
	h.run()
	h.tell(1)
	h.until("it is dead", func() bool { return h.rule("old").Dead == 1 })
	h.stop()
	h.ahead.Add(int64(29 * 24 * time.Hour))
	h.run()
	h.tell(2)
	h.until("another is dead", func() bool { return h.rule("old").Dead == 2 })
	h.stop()
	h.ahead.Add(int64(2 * 24 * time.Hour))
	h.run()
	h.until("the old one is gone", func() bool { return h.rule("old").Dead == 1 })
}

// TestPassedOver: what a rule did not want it has not missed, when the bus has
// forgotten it before the rule is looked at again.
func TestPassedOver(t *testing.T) {
	h := newHouse(t)
	h.put("other", `{"source":["other"]}`, notify.Target{Webhook: &notify.Webhook{URL: "http://127.0.0.1:9/"}})
	h.run()
	for i := range 5 {
		h.tell(i)
	}
	h.told(0, 5)
	time.Sleep(100 * time.Millisecond) // it passes over them
	h.stop()
	if at := h.rule("other").Position; at != 5 {
		t.Errorf("it was at %d of 5 when it stopped", at)
	}
}

// TestStartWaits: a run that takes longer than all attempts does not make a dead
// letter of the event that waits for it, which begins soon after its end.
func TestStartWaits(t *testing.T) {
	r := &runs{busy: true}
	h := newHouse(t, notify.Options{Start: r.start})
	h.put("etl", etl, maintain("films"))
	h.run()
	h.tell(1)
	h.tell(2)
	for n := range notify.MaxAttempts + 2 {
		h.until("one is looked at again", func() bool { return r.times() > n })
		h.until("both wait", func() bool { return h.rule("etl").Waiting == 2 })
		h.ahead.Add(int64(time.Minute))
	}
	r.set(false)
	h.ahead.Add(int64(time.Minute))
	h.until("both started", func() bool { return h.rule("etl").Delivered == 2 })
	if r.list() != "films full etl-1, films full etl-2" {
		t.Errorf("started %s", r.list())
	}
}

// TestHookOtherKey: a hook whose secret was kept under another key lets nobody in,
// and tells no caller why.
func TestHookOtherKey(t *testing.T) {
	h := newHouse(t)
	if err := h.desk.PutHook(t.Context(), "ci", notify.ByToken, secret); err != nil {
		t.Fatal(err)
	}
	h.deps.SealKey = bytes.Repeat([]byte{7}, notify.SealBytes)
	desk := must[*notify.Desk](h)(notify.Open(t.Context(), h.deps, &h.opts))
	for _, token := range []string{secret, "", "x"} {
		_, err := desk.CallHook(t.Context(), "ci", notify.Call{Token: token, Body: []byte(`{}`)})
		_, none := desk.CallHook(t.Context(), "none", notify.Call{Token: token, Body: []byte(`{}`)})
		if attune.KindOf(err) != attune.Denied || none == nil || err.Error() != none.Error() {
			t.Errorf("with %q: %v, and of none %v", token, err, none)
		}
	}
}
