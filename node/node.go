package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/access"
	"github.com/attune-io/attune/api"
	"github.com/attune-io/attune/api/s3"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/double"
	"github.com/attune-io/attune/embed"
	"github.com/attune-io/attune/engine/bucket"
	"github.com/attune-io/attune/engine/nats"
	"github.com/attune-io/attune/engine/sql"
	"github.com/attune-io/attune/engine/temporal"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/job"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/notify"
	"github.com/attune-io/attune/profile"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
)

const (
	// drainTimeout is how long requests under way may take after a stop was asked for.
	drainTimeout = 5 * time.Second
	// headerTimeout bounds how long a client may take over its request headers.
	headerTimeout = 10 * time.Second
	// idleTimeout closes connections that nobody uses.
	idleTimeout = 2 * time.Minute
	// maxHeaderBytes is far above what a signed request carries.
	maxHeaderBytes = 64 << 10
)

// Node is one running process.
type Node struct {
	cfg      Config
	wall     attune.Clock // what clients sign by; cfg.Clock may run ahead of it
	log      *slog.Logger
	metrics  *prometheus.Registry
	listener net.Listener
	root     access.Key
	fresh    bool // whether root was made by this start

	nats     *nats.Engine
	temporal *temporal.Engine
	sql      *sql.Engine
	bucket   *bucket.Engine

	artifacts *artifact.Store
	objects   *s3.Door
	registry  *resource.Registry
	events    *event.Log
	notices   *notify.Desk
	profiles  *profile.Keeper
	serve     *serve.Server
	jobs      *job.Manager
	schedules *maintain.Schedules
	maintain  *maintain.Manager
	runtime   *api.Runtime
	clock     *double.Clock  // nil unless strict
	faults    *double.Faults // nil unless strict

	mu      sync.Mutex     // guards closers while engines start side by side
	closers []func() error // in start order; run in reverse
}

// Open starts or dials the engines and builds the rooms. The listener is open
// when it returns, and answers once Run is called. Close what it returns.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Node, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if cfg.Clock == nil {
		cfg.Clock = attune.WallClock
	}
	n := &Node{cfg: cfg, wall: cfg.Clock, log: log, metrics: prometheus.NewRegistry()}
	n.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := n.open(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// open takes the folder and the port first: what another process holds is
// refused before anything is started.
func (n *Node) open(ctx context.Context) error {
	held, err := lock(n.cfg.Data)
	if err != nil {
		return err
	}
	n.closing(held.Close)
	if err := n.openDouble(); err != nil {
		return err
	}
	if n.root, n.fresh, err = access.OpenRoot(n.cfg.Data); err != nil {
		return err
	}
	if n.listener, err = net.Listen("tcp", n.cfg.Listen); err != nil {
		return attune.Errorf(attune.Invalid, "listen on %s: %w; say another --listen", n.cfg.Listen, err)
	}
	n.closing(func() error {
		if err := n.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	if err := n.openEngines(ctx); err != nil {
		return err
	}
	return n.openRooms(ctx)
}

// openDouble makes what strict mode adds, and puts its clock in the place of the
// node's. A folder whose clock was put forward has rows of the future: they are
// for strict mode only.
func (n *Node) openDouble() error {
	clock, err := double.OpenClock(n.cfg.Data, n.cfg.Clock)
	switch {
	case err != nil:
		return err
	case n.cfg.Strict:
		n.clock, n.faults = clock, double.NewFaults(clock.Now)
		n.cfg.Clock = clock.Now
	case clock.Ahead() > 0:
		return attune.Errorf(attune.Invalid, "the clock of %s was put forward by %s in strict mode: start it with --mode=strict, or name another --data folder", n.cfg.Data, clock.Ahead())
	}
	return nil
}

// openEngines starts or dials the four engines side by side: together they
// take as long as the slowest.
func (n *Node) openEngines(ctx context.Context) error {
	var g errgroup.Group
	g.Go(starting(ctx, n, "nats", n.cfg.NATS, nats.Open, &n.nats))
	g.Go(starting(ctx, n, "temporal", n.cfg.Temporal, temporal.Open, &n.temporal))
	g.Go(starting(ctx, n, "sql", n.cfg.SQL, sql.Open, &n.sql))
	g.Go(starting(ctx, n, "bucket", n.cfg.Bucket, bucket.Open, &n.bucket))
	return g.Wait()
}

// starting is the start of one engine: it puts the engine into place, and its
// Close among what the node closes.
func starting[E io.Closer](ctx context.Context, n *Node, name, url string,
	open func(ctx context.Context, url, dir string, log *slog.Logger, reg prometheus.Registerer) (E, error), into *E) func() error {
	return func() error {
		began := time.Now()
		e, err := open(ctx, url, filepath.Join(n.cfg.Data, name), n.log, n.metrics)
		if err != nil {
			return fmt.Errorf("start %s: %w", name, err)
		}
		n.log.Debug("engine started", "engine", name, "took", time.Since(began))
		*into = e
		n.closing(e.Close)
		return nil
	}
}

// openRooms builds the rooms in the order of the line.
func (n *Node) openRooms(ctx context.Context) (err error) {
	n.artifacts = artifact.New(n.bucket.Client(), n.bucket.Dir(), "attune/")
	uploads := artifact.New(n.bucket.Client(), n.bucket.Dir(), "s3/")

	objects := &s3.Options{Dir: n.bucket.Dir(), Region: n.cfg.Region, Clock: n.wall, // its dates are those of files
		OnWrite: func(bucket, key string) { n.notices.ObjectWritten(bucket, key) }}
	if n.clock != nil { // files are newer than an import by the clock that dates imports
		objects.Dated = n.clock.Dated
	}
	n.objects, err = s3.New(ctx, n.bucket.Client(), n.log, n.metrics, objects)
	if err != nil {
		return err
	}
	store, err := resource.OpenStore(ctx, n.sql.Client(), ledger.Dialect(n.sql.Dialect()))
	if err != nil {
		return err
	}
	n.registry = resource.New(store, attune.Namer{Region: n.cfg.Region, Account: n.cfg.Account}, n.cfg.Clock,
		&resource.Options{OnChange: n.changed, Limits: n.cfg.limits()})
	if n.events, err = event.Open(ctx, n.nats.Client(), n.cfg.Clock, n.log, n.metrics, nil); err != nil {
		return err
	}
	if err := n.openNotices(ctx, store); err != nil {
		return err
	}
	n.profiles = profile.New(n.events, n.artifacts, n.artifacts, n.cfg.Clock, n.log, n.metrics, nil)
	n.serve = serve.New(n.profiles.View, n.log, n.metrics, &serve.Options{Clock: n.cfg.Clock, Filters: n.cfg.limits().Filter})
	n.runtime = api.NewRuntime(n.registry, n.serve, n.events, n.cfg.Clock)
	seed, err := n.secret("receipt.key")
	if err != nil {
		return err
	}
	recipes, err := n.recipes()
	if err != nil {
		return err
	}
	n.jobs = job.New(job.Deps{
		Registry: n.registry, Log: n.events, Artifacts: n.artifacts, Objects: uploads, HasBucket: n.objects.HasBucket,
		Profiles: n.profiles, Serve: n.serve, Recipes: recipes, Temporal: n.temporal.Client(),
		Clock: n.cfg.Clock, Logger: n.log, Metrics: n.metrics, ReceiptKey: ed25519.NewKeyFromSeed(seed), Settle: n.settle,
		TrainMemory: n.cfg.trainMemory(),
	})
	return n.openMaintain(ctx)
}

// recipes are all of this build, with the language model that the node was given.
func (n *Node) recipes() ([]recipe.Recipe, error) {
	if n.cfg.Embeddings.URL == "" {
		return all.List(), nil
	}
	e, err := embed.New(n.cfg.Embeddings, n.artifacts, n.log)
	if err != nil {
		return nil, err
	}
	return all.ListWith(e), nil
}

// openNotices builds the room that tells what happens.
func (n *Node) openNotices(ctx context.Context, store *resource.SQL) error {
	bus, err := event.OpenNotices(ctx, n.events)
	if err != nil {
		return err
	}
	seal, err := n.secret("notify.key")
	if err != nil {
		return err
	}
	n.notices, err = notify.Open(ctx, notify.Deps{
		Notices: bus, Outbox: store, Pool: n.sql.Client(), Dialect: ledger.Dialect(n.sql.Dialect()),
		Clock: n.cfg.Clock, Logger: n.log, Metrics: n.metrics, Account: n.cfg.Account, Region: n.cfg.Region, SealKey: seal,
	}, &notify.Options{SMTP: n.cfg.SMTP, Start: n.startRun, Purposes: triggers,
		Objects: notify.Objects{List: n.configurations, Apply: n.dropped, Every: n.objectsEvery()}})
	return err
}

// remoteObjectsEvery is how often a bucket of a cloud is looked through, which
// costs a request for each of ours.
const remoteObjectsEvery = time.Minute

func (n *Node) objectsEvery() time.Duration {
	if n.bucket.Dir() == "" {
		return remoteObjectsEvery
	}
	return 0
}

// configurations are the objects of all buckets that may be configurations.
func (n *Node) configurations(ctx context.Context, f func(notify.Object) error) error {
	return n.objects.Objects(ctx, notify.ObjectPrefix, notify.WantsObject, func(o s3.Seen) error {
		return f(notify.Object{Bucket: o.Bucket, Key: o.Key, ETag: o.ETag, Size: o.Size, Modified: o.Modified})
	})
}

// changed tells those who keep pictures of the rows that one is different.
func (n *Node) changed() {
	n.runtime.Changed()
	n.jobs.Kick()
	n.notices.Kick()
}

// Run serves until ctx ends or a part fails, then drains.
func (n *Node) Run(ctx context.Context) error {
	handler, err := n.doors()
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.events.Run(ctx) })
	g.Go(func() error { return n.profiles.Run(ctx) })
	g.Go(func() error { return n.jobs.Run(ctx) })
	g.Go(func() error { return n.schedules.Run(ctx) })
	g.Go(func() error { return n.objects.Run(ctx) })
	g.Go(func() error { return n.notices.Run(ctx) })
	g.Go(func() error { return n.maintain.Run(ctx) })
	g.Go(func() error {
		if err := server.Serve(n.listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
		defer cancel()
		if err := server.Shutdown(drain); err != nil {
			return server.Close()
		}
		return nil
	})
	if err := g.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Close stops what Open started, last first. Call it after Run has returned.
func (n *Node) Close() error {
	var errs []error
	for _, stop := range slices.Backward(n.closers) {
		errs = append(errs, stop())
	}
	n.closers = nil
	return errors.Join(errs...)
}

// closing adds to what Close does.
func (n *Node) closing(f func() error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closers = append(n.closers, f)
}

// URL is where the node listens, e.g. http://127.0.0.1:8787.
func (n *Node) URL() string { return "http://" + n.listener.Addr().String() }

// Data is the folder for everything this process keeps.
func (n *Node) Data() string { return n.cfg.Data }

// RootKey is the key pair that may do everything; fresh tells that this start made it.
func (n *Node) RootKey() (key access.Key, fresh bool) { return n.root, n.fresh }

// Ready names every part that does not work yet; empty when all do.
func (n *Node) Ready(ctx context.Context) map[string]string {
	waits := map[string]string{}
	for name, ready := range map[string]func(context.Context) error{
		"nats": n.nats.Ready, "temporal": n.temporal.Ready, "sql": n.sql.Ready, "bucket": n.bucket.Ready,
	} {
		if err := ready(ctx); err != nil {
			waits[name] = err.Error()
		}
	}
	if !n.jobs.Ready() {
		waits["jobs"] = "deployments of the last run are being loaded"
	}
	return waits
}

// settle waits until no engine of this process has a file any more of what was
// deleted from it.
func (n *Node) settle(ctx context.Context) error {
	return errors.Join(n.nats.Settle(ctx), n.sql.Settle(ctx), n.bucket.Settle(ctx))
}

// tokenKey is the secret that page tokens are bound to. It lives as long as the
// data folder, so that a walk through pages survives a restart.
func (n *Node) tokenKey() ([]byte, error) { return n.secret("token.key") }

// secret reads 32 random bytes that live as long as the data folder; the first
// to ask makes them.
func (n *Node) secret(name string) ([]byte, error) {
	path := filepath.Join(n.cfg.Data, name)
	key, err := os.ReadFile(path)
	if err == nil && len(key) == 32 {
		return key, nil
	}
	key = make([]byte, 32)
	_, _ = rand.Read(key) // never fails: crypto/rand ends the process instead
	return key, os.WriteFile(path, key, 0o600)
}
