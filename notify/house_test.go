package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/engine/enginetest"
	"github.com/attune-io/attune/engine/nats"
	"github.com/attune-io/attune/engine/sql"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/notify"
	"github.com/attune-io/attune/resource"
)

// house is the room with the real engines that it works with, below one folder.
type house struct {
	*testing.T
	dir     string
	store   *resource.SQL
	deps    notify.Deps
	opts    notify.Options
	desk    *notify.Desk
	ahead   atomic.Int64 // nanoseconds that the clock is ahead
	url     string       // of the database, when it is PostgreSQL
	close   func()
	stopRun func()
}

func must[V any](t testing.TB) func(V, error) V {
	return func(v V, err error) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newHouse(t *testing.T, opts ...notify.Options) *house {
	t.Helper()
	t.Parallel()
	h := &house{T: t, dir: t.TempDir()}
	if len(opts) > 0 {
		h.opts = opts[0]
	}
	h.open()
	t.Cleanup(func() { h.stop(); h.close() })
	return h
}

// database is the URL of a schema of the test's own, or "" for SQLite.
func (h *house) database() string {
	if h.url == "" {
		h.url = enginetest.Schema(h, sql.Open)
	}
	return h.url
}

func (h *house) now() time.Time { return time.Now().UTC().Add(time.Duration(h.ahead.Load())) }

// open starts the engines on the folder, and the room.
func (h *house) open() {
	h.Helper()
	ctx, log := h.Context(), slog.New(slog.NewTextHandler(io.Discard, nil))
	n := must[*nats.Engine](h)(nats.Open(ctx, "", filepath.Join(h.dir, "nats"), log, nil))
	s := must[*sql.Engine](h)(sql.Open(ctx, h.database(), filepath.Join(h.dir, "sql"), log, nil))
	dialect := ledger.Dialect(s.Dialect())
	h.store = must[*resource.SQL](h)(resource.OpenStore(ctx, s.Client(), dialect))
	l := must[*event.Log](h)(event.Open(ctx, n.Client(), attune.WallClock, log, nil, nil))
	h.deps = notify.Deps{Notices: must[*event.Notices](h)(event.OpenNotices(ctx, l)), Outbox: h.store, Pool: s.Client(), Dialect: dialect,
		Clock: h.now, Logger: log, Account: "000000000000", Region: "us-east-1", SealKey: make([]byte, notify.SealBytes)}
	h.desk = must[*notify.Desk](h)(notify.Open(ctx, h.deps, &h.opts))
	h.close = func() {
		if err := n.Close(); err != nil {
			h.Error(err)
		}
		if err := s.Close(); err != nil {
			h.Error(err)
		}
	}
	h.stopRun = func() {}
}

// run runs the room until stop.
func (h *house) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	desk := h.desk
	go func() { defer close(done); _ = desk.Run(ctx) }()
	h.stopRun = func() { cancel(); <-done }
}

func (h *house) stop() { h.stopRun(); h.stopRun = func() {} }

// restart closes all and opens it again.
func (h *house) restart() {
	h.Helper()
	h.stop()
	h.close()
	h.open()
}

// campaign makes a row.
func (h *house) campaign(name string) *resource.Resource {
	h.Helper()
	at := h.now().Truncate(time.Millisecond)
	r := &resource.Resource{ID: "id-" + name, Kind: resource.Campaign, Name: name, ARN: attune.ARN("arn:aws:personalize:us-east-1:000000000000:campaign/" + name),
		Status: resource.CreatePending, Body: []byte(`{}`), Created: at, Updated: at}
	if err := h.store.Create(h.Context(), r); err != nil {
		h.Fatal(err)
	}
	return r
}

func (h *house) become(r *resource.Resource, s resource.Status, after time.Duration) {
	h.Helper()
	r.Status, r.Updated = s, r.Updated.Add(after)
	if err := h.store.Update(h.Context(), r); err != nil {
		h.Fatal(err)
	}
}

// told waits until n events are behind a place of the bus.
func (h *house) told(after uint64, n int) (all []notify.Event) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), 10*time.Second)
	defer cancel()
	for len(all) < n {
		page, err := h.desk.Page(ctx, after, 100)
		if err != nil || ctx.Err() != nil {
			h.Fatalf("%d events of %d were told: %v", len(all), n, err)
		}
		for _, t := range page {
			all, after = append(all, t.Event), t.Seq
		}
	}
	return all
}

func text(t testing.TB, v any) string {
	t.Helper()
	return string(must[[]byte](t)(json.Marshal(v)))
}

// put makes a rule.
func (h *house) put(name, pattern string, t notify.Target) {
	h.Helper()
	if err := h.desk.PutRule(h.Context(), notify.Rule{Name: name, Pattern: []byte(pattern), Target: t}); err != nil {
		h.Fatal(err)
	}
}

// tell puts an event of the ETL.
func (h *house) tell(n int) string {
	h.Helper()
	return must[string](h)(h.desk.Receive(h.Context(), notify.Event{ID: fmt.Sprintf("etl-%d", n), Source: "etl", DetailType: "Job State Change",
		Detail: fmt.Appendf(nil, `{"state":"SUCCEEDED","n":%d}`, n)}))
}

// until waits for something to become true.
func (h *house) until(what string, ok func() bool) {
	h.Helper()
	for began := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			h.Fatalf("it never came about that %s", what)
		}
	}
}

// rule is how a rule fares.
func (h *house) rule(name string) *notify.RuleState {
	h.Helper()
	return must[*notify.RuleState](h)(h.desk.Rule(h.Context(), name))
}

const etl = `{"source":["etl"]}`
