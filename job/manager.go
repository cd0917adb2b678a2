package job

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"golang.org/x/sync/errgroup"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/profile"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
)

const (
	// queueLight runs what is short or waits for disks: imports, deployments, commits.
	queueLight = "attune"
	// queueTrain runs training, one at a time, so that serving keeps its cores.
	queueTrain = "attune-train"

	// queueBatch answers the lines of batch jobs, as many parts at once as there
	// are cores: every part keeps one busy, and lets live requests go first.
	queueBatch = "attune-batch"

	// importsAtOnce bounds concurrent imports and other light work of one process.
	importsAtOnce = 4
	// trainingsAtOnce is one: a trainer uses every core it may have.
	trainingsAtOnce = 1

	// reconcileEvery is how soon a row that nobody announced is found.
	reconcileEvery = 10 * time.Second

	// standEvery paces standing orders, which read every solution, campaign and
	// recommender: many changes in a moment are one look at them.
	standEvery = 200 * time.Millisecond
)

// Deps is what the manager works with; all fields but Metrics, Settle and TrainMemory are required.
type Deps struct {
	Registry  *resource.Registry
	Log       *event.Log
	Artifacts *artifact.Store                                        // tables, snapshots, models
	Objects   *artifact.Store                                        // what customers uploaded, named bucket/key
	HasBucket func(ctx context.Context, bucket string) (bool, error) // whether customers made it, so that they see what is written there
	Profiles  *profile.Keeper
	Serve     *serve.Server
	Recipes   []recipe.Recipe // every algorithm this build knows
	Temporal  client.Client
	Clock     attune.Clock
	Logger    *slog.Logger
	// ReceiptKey signs what deletions of users leave for evidence.
	ReceiptKey ed25519.PrivateKey
	// Settle waits until engines have let go of what was deleted from them, so
	// that no file below the data folder holds it. nil: there is nothing to wait for.
	Settle  func(context.Context) error
	Metrics prometheus.Registerer
	// TrainMemory is how many bytes a training may take; 0 for recipe.DefaultMemory(0).
	TrainMemory int64
}

// Manager takes rows that ask for work through to their end.
type Manager struct {
	Deps
	kick       chan struct{}
	ready      atomic.Bool
	recipes    map[string]recipe.Recipe
	took       *prometheus.HistogramVec
	busy       prometheus.Gauge
	starts     prometheus.Counter
	attributed *prometheus.GaugeVec // what metric attributions reported since this process began
	failures   int32                // failuresAtMost, but for tests
	started    map[string]bool      // workflows that reconcile started since its last full look; only reconcileLoop uses it
	// failed is which renewals failed, by workflow id, while their rows still ask
	// for them, and failedBefore at the look before; only reconcileLoop uses them.
	failed, failedBefore map[string]failedRun
	// live is how far the steps of this process came last, by workflow id, while
	// their rows are busy: heartbeats tell other processes, up to heartbeatEvery later.
	live sync.Map

	batches batches
}

// New makes a manager; Run starts it.
func New(d Deps) *Manager {
	m := &Manager{Deps: d, kick: make(chan struct{}, 1), recipes: map[string]recipe.Recipe{}, failures: failuresAtMost, started: map[string]bool{}}
	for _, r := range d.Recipes {
		m.recipes[r.Name()] = r
	}
	m.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "attune_job_seconds", Help: "Time a job's main step took, by kind and outcome.",
		Buckets: prometheus.ExponentialBuckets(0.1, 3, 10),
	}, []string{"kind", "outcome"})
	m.busy = prometheus.NewGauge(prometheus.GaugeOpts{Name: "attune_job_busy", Help: "Resources that asked for work when last looked at."})
	m.starts = prometheus.NewCounter(prometheus.CounterOpts{Name: "attune_job_starts_total", Help: "Workflows that Temporal was asked to start, or to find running."})
	m.attributed = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "attune_attribution_sum", Help: "What metric attributions have reported of events since this process began, added up.",
	}, []string{"attribution", "metric", "event_type", "function", "source"})
	if d.Metrics != nil {
		d.Metrics.MustRegister(m.took, m.busy, m.starts, m.attributed)
	}
	return m
}

// Kick asks for a look at the rows soon. It never blocks; many kicks are one look.
func (m *Manager) Kick() {
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

// Ready reports whether every active campaign and recommender of the last run is served again.
func (m *Manager) Ready() bool { return m.ready.Load() }

// Run serves what was deployed before, then works until ctx ends.
func (m *Manager) Run(ctx context.Context) error {
	if err := m.resume(ctx); err != nil {
		return fmt.Errorf("resume deployments: %w", err)
	}
	m.ready.Store(true)

	light := worker.New(m.Temporal, queueLight, worker.Options{
		MaxConcurrentActivityExecutionSize: importsAtOnce,
		MaxHeartbeatThrottleInterval:       heartbeatEvery,
		DefaultHeartbeatThrottleInterval:   heartbeatEvery,
		// A killed process leaves workflows bound to a cache that is gone; look elsewhere soon.
		StickyScheduleToStartTimeout: time.Second,
		WorkerStopTimeout:            stopTimeout,
	})
	train := worker.New(m.Temporal, queueTrain, worker.Options{
		DisableWorkflowWorker:              true,
		MaxConcurrentActivityExecutionSize: trainingsAtOnce,
		MaxHeartbeatThrottleInterval:       heartbeatEvery,
		DefaultHeartbeatThrottleInterval:   heartbeatEvery,
		WorkerStopTimeout:                  stopTimeout,
	})
	batch := worker.New(m.Temporal, queueBatch, worker.Options{
		DisableWorkflowWorker:              true,
		MaxConcurrentActivityExecutionSize: runtime.GOMAXPROCS(0),
		MaxHeartbeatThrottleInterval:       heartbeatEvery,
		DefaultHeartbeatThrottleInterval:   heartbeatEvery,
		WorkerStopTimeout:                  stopTimeout,
	})
	workers := []worker.Worker{light, train, batch}
	for _, w := range workers {
		w.RegisterActivity(&activities{m})
	}
	for _, w := range works() {
		light.RegisterWorkflow(w.workflow)
	}
	light.RegisterWorkflow(RefreshWorkflow)

	g, ctx := errgroup.WithContext(ctx)
	for _, w := range workers {
		if err := w.Start(); err != nil {
			return fmt.Errorf("start worker: %w", err)
		}
		defer w.Stop()
	}
	g.Go(func() error { return m.reconcileLoop(ctx) })
	g.Go(func() error { return m.attributeLoop(ctx) })
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// work is the workflow behind a kind of resource. purpose is in its id, and
// must never change: running workflows are found by it.
type work struct {
	purpose  string
	workflow any
}

// works lists the kinds whose creation or change is durable work; the others
// are settled in the reconciler.
func works() map[resource.Kind]work {
	return map[resource.Kind]work{
		resource.ImportJob:       {"import", ImportWorkflow},
		resource.SolutionVersion: {"train", TrainWorkflow},
		resource.Campaign:        {"deploy", DeployWorkflow},
		resource.Recommender:     {"recommend", RecommendWorkflow},

		resource.BatchInferenceJob: {"batch", BatchWorkflow},
		resource.BatchSegmentJob:   {"batch", SegmentWorkflow},
		resource.ExportJob:         {"export", ExportWorkflow},
		resource.DataDeletionJob:   {"delete", DataDeletionWorkflow},
	}
}

// activities carries the manager into Temporal: its exported methods are the activities.
type activities struct{ m *Manager }
