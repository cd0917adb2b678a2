package maintain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"golang.org/x/sync/errgroup"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
	"github.com/attune-io/attune/notify"
)

const (
	// Queue runs what maintains.
	Queue = "attune-maintain"
	// looksAtOnce bounds how many steps look at the service at once: they wait
	// for it, and it counts requests; and those with short pauses between.
	looksAtOnce = 32
	// reconcileEvery is how soon a run that lost its workflow is found.
	reconcileEvery = 10 * time.Second
	// forgetEvery is how soon one is found whose workflow was there and is not any
	// more, because somebody ended it: asking Temporal for each run each time would
	// cost more than the runs.
	forgetEvery = 5 * time.Minute
	// stopTimeout is how long a stopping process waits for looks under way.
	stopTimeout = 5 * time.Second
	// stickyTimeout is how long a workflow waits for the process that has it in
	// its cache: a killed one never comes.
	stickyTimeout = time.Second
)

// Target is the place that is maintained.
type Target interface {
	// Advance takes one look at what a step is about and at most one call that
	// changes it. have are the results of the steps before, by path.
	Advance(ctx context.Context, step plan.Step, have map[string]plan.Result) (plan.Result, error)
}

// Deps is what the manager works with; all fields but Judge, Notify, Schedules,
// Build and Metrics are required.
type Deps struct {
	Store    *Store
	Temporal client.Client
	Place    Place // what is maintained
	Clock    attune.Clock
	Logger   *slog.Logger
	Judge    plan.Judge // who lets a version go live; nil for the one of plan.Open
	// Notify puts an event on the bus; the same id may come twice, and is then
	// the same event. nil: nobody listens.
	Notify    func(ctx context.Context, e notify.Event) (id string, err error)
	Schedules *Schedules // nil: what configurations schedule is not done
	Build     string     // version of this build, for the user agent
	Metrics   prometheus.Registerer
}

// Manager takes runs through to their end.
type Manager struct {
	Deps
	known  sync.Map // ids of runs that have a workflow, as far as this process knows
	paths  paths
	places places
	// orders and opened are plan and target, but for tests.
	orders func(ctx context.Context, r *Run, cfg *config.Config, in StartInput, source string) ([]plan.Step, map[string]plan.Result, error)
	opened func(ctx context.Context, replace bool) (Target, error)
	ended  *prometheus.CounterVec
	looks  prometheus.Counter
}

// New makes a manager; Run starts it.
func New(d Deps) *Manager {
	m := &Manager{Deps: d}
	m.orders = m.plan
	m.opened = func(ctx context.Context, replace bool) (Target, error) { return m.target(ctx, replace) }
	m.ended = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "attune_maintain_runs_total", Help: "Maintenance runs that ended, by purpose and status."},
		[]string{"purpose", "status"})
	m.looks = prometheus.NewCounter(prometheus.CounterOpts{Name: "attune_maintain_looks_total", Help: "Looks that steps of runs took at what they maintain."})
	if d.Metrics != nil {
		d.Metrics.MustRegister(m.ended, m.looks)
	}
	return m
}

// Run works until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	w := worker.New(m.Temporal, Queue, worker.Options{
		MaxConcurrentActivityExecutionSize: looksAtOnce,
		MaxHeartbeatThrottleInterval:       heartbeatEvery,
		DefaultHeartbeatThrottleInterval:   heartbeatEvery,
		StickyScheduleToStartTimeout:       stickyTimeout,
		WorkerStopTimeout:                  stopTimeout,
	})
	w.RegisterActivity(&activities{m})
	w.RegisterWorkflow(RunWorkflow)
	w.RegisterWorkflow(TaskWorkflow)
	if err := w.Start(); err != nil {
		return fmt.Errorf("start the worker of maintenance: %w", err)
	}
	defer w.Stop()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return m.reconcileLoop(ctx) })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// reconcileLoop starts the workflows of runs that have none: a process may be
// killed between a row and its workflow.
func (m *Manager) reconcileLoop(ctx context.Context) error {
	tick, forget := time.NewTicker(reconcileEvery), time.NewTicker(forgetEvery)
	defer tick.Stop()
	defer forget.Stop()
	for {
		if err := m.reconcile(ctx); err != nil && ctx.Err() == nil {
			m.Logger.Error("look for runs without a workflow", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case <-forget.C:
			m.known.Clear()
		}
	}
}

func (m *Manager) reconcile(ctx context.Context) error {
	open, err := m.Store.open(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for i := range open {
		if _, known := m.known.Load(open[i].ID); !known && ctx.Err() == nil {
			errs = append(errs, m.launch(ctx, &open[i]))
		}
	}
	return errors.Join(errs...)
}

// launch begins the workflow of a run, or finds that it is running already.
func (m *Manager) launch(ctx context.Context, r *Run) error {
	_, err := m.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: r.workflow, TaskQueue: Queue,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowTaskTimeout:      heartbeatTimeout,
	}, RunWorkflow, r.ID)
	if err != nil {
		return attune.Errorf(attune.Unavailable, "start the workflow of run %s: %w", r.ID, err)
	}
	m.known.Store(r.ID, nil)
	return nil
}

// paths lets one look at a time be taken at one place of a configuration: two
// runs that both miss the same thing would else both make it.
type paths struct {
	mu   sync.Mutex
	held map[string]*held
}

type held struct {
	sync.Mutex
	users int // who hold it or wait for it
}

// lock waits for the place and returns what frees it.
func (p *paths) lock(place string) (unlock func()) {
	p.mu.Lock()
	if p.held == nil {
		p.held = map[string]*held{}
	}
	h := p.held[place]
	if h == nil {
		h = &held{}
		p.held[place] = h
	}
	h.users++
	p.mu.Unlock()
	h.Lock()
	return func() {
		h.Unlock()
		p.mu.Lock()
		defer p.mu.Unlock()
		if h.users--; h.users == 0 {
			delete(p.held, place)
		}
	}
}
