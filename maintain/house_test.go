package maintain

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/engine/enginetest"
	"github.com/attune-io/attune/engine/sql"
	"github.com/attune-io/attune/engine/temporal"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
	"github.com/attune-io/attune/notify"
)

// shop is a configuration with two solutions.
const shop = `{"datasetGroup": {"serviceConfig": {"name": "shop"}}, "solutions": [
	{"serviceConfig": {"name": "taste", "recipeArn": "arn:aws:personalize:::recipe/aws-user-personalization"}},
	{"serviceConfig": {"name": "smell", "recipeArn": "arn:aws:personalize:::recipe/aws-user-personalization"}}]}`

// house is a manager on real engines. Only what is maintained is a script: the
// tests are about its failures.
type house struct {
	*testing.T
	store     *Store
	temporal  client.Client
	log       *slog.Logger
	target    *script
	m         *Manager
	stop      func()
	schedules *Schedules // nil: none

	mu      sync.Mutex
	notices []notify.Event
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// newHouse opens the engines and runs a manager. Tests mostly wait for it and
// run beside each other, but those of the schedules that are due in seconds.
func newHouse(t *testing.T) *house {
	t.Helper()
	out := io.Discard
	if testing.Verbose() {
		out = os.Stderr
	}
	h := &house{T: t, log: slog.New(slog.NewTextHandler(out, nil)), target: &script{looks: map[string]int{}}}
	te := must[*temporal.Engine](t)(temporal.Open(t.Context(), "", filepath.Join(t.TempDir(), "temporal"), h.log, nil))
	t.Cleanup(func() { _ = te.Close() })
	h.temporal = te.Client()
	h.store = openStore(t)
	h.start()
	return h
}

// openStore is a store in a database of its own: PostgreSQL where the environment
// names one, else a file.
func openStore(t *testing.T) *Store {
	t.Helper()
	return openStoreAt(t, enginetest.Schema(t, sql.Open))
}

func openStoreAt(t *testing.T, url string) *Store {
	t.Helper()
	e := must[*sql.Engine](t)(sql.Open(t.Context(), url, filepath.Join(t.TempDir(), "sql"), slog.New(slog.DiscardHandler), nil))
	t.Cleanup(func() { _ = e.Close() })
	return must[*Store](t)(OpenStore(t.Context(), e.Client(), ledger.Dialect(e.Dialect())))
}

// start runs a manager, as a process that has just begun would.
func (h *house) start() {
	h.m = New(Deps{Store: h.store, Temporal: h.temporal, Clock: attune.WallClock, Logger: h.log, Place: Place{Itself: true}, Schedules: h.schedules,
		Notify: func(_ context.Context, n notify.Event) (string, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.notices = append(h.notices, n)
			return n.ID, nil
		}})
	h.m.opened = func(context.Context, bool) (Target, error) { return h.target, nil }
	h.m.orders = h.target.orders
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.m.Run(ctx) }()
	var once sync.Once
	h.stop = func() { once.Do(func() { cancel(); <-done }) }
	h.Cleanup(h.stop)
}

// apply starts a run of these steps.
func (h *house) apply(steps ...plan.Step) *Run {
	h.Helper()
	h.target.set(steps)
	return must[*Run](h)(h.m.Apply(h.Context(), ApplyInput{Text: shop, Cause: Cause{Kind: ByHand}}))
}

// ended waits for the end of a run.
func (h *house) ended(id string) *Run {
	h.Helper()
	var r *Run
	h.eventually("the end of "+id, func() bool {
		r = must[*Run](h)(h.store.Run(h.Context(), id))
		return r.told
	})
	return r
}

func (h *house) eventually(what string, ok func() bool) {
	h.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			h.Fatalf("not in time: %s", what)
		}
	}
}

// script is a service whose answers a test writes, and the order of steps.
type script struct {
	mu     sync.Mutex
	steps  []plan.Step
	looks  map[string]int // by path
	answer func(ctx context.Context, step plan.Step, look int, have map[string]plan.Result) (plan.Result, error)
}

func (s *script) set(steps []plan.Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.steps = steps
}

func (s *script) orders(context.Context, *Run, *config.Config, StartInput, string) ([]plan.Step, map[string]plan.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.steps, nil, nil
}

func (s *script) Advance(ctx context.Context, step plan.Step, have map[string]plan.Result) (plan.Result, error) {
	s.mu.Lock()
	n := s.looks[step.Path]
	s.looks[step.Path]++
	answer := s.answer
	s.mu.Unlock()
	for _, need := range step.Needs {
		if !have[need].Done {
			return plan.Result{}, errors.New(step.Path + " was taken before " + need)
		}
	}
	if answer == nil {
		return made(step, n, 2), nil
	}
	return answer(ctx, step, n, have)
}

func (s *script) taken(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looks[path]
}

// made is the answer about a thing that takes some looks to be ACTIVE.
func made(step plan.Step, look, takes int) plan.Result {
	r := plan.Result{Path: step.Path, ARN: "arn:" + step.Name, Action: plan.Wait, Status: "CREATE IN_PROGRESS"}
	switch {
	case look == 0:
		r.Action, r.Status = plan.Create, "CREATE PENDING"
	case look >= takes:
		r.Action, r.Status, r.Done = plan.Keep, "ACTIVE", true
	}
	return r
}

// detail reads what a notice says of a run.
func (h *house) detail(n int) (d RunDetail) {
	h.Helper()
	if err := json.Unmarshal(h.notices[n].Detail, &d); err != nil {
		h.Fatal(err)
	}
	return d
}
