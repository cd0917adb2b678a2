package notify

import (
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/resource"
)

// Outbox is where changes of state wait to be told: a *resource.SQL.
type Outbox interface {
	Drain(ctx context.Context, now func() time.Time, publish func(context.Context, []resource.Change) error) (int, error)
	Prune(ctx context.Context, now time.Time) error
}

// Deps are what a Desk works with; all but Metrics are required.
type Deps struct {
	Notices *event.Notices
	Outbox  Outbox
	Pool    *sql.DB // for the rules and what they have yet to deliver
	Dialect ledger.Dialect
	Clock   attune.Clock
	Logger  *slog.Logger
	Metrics prometheus.Registerer

	Account, Region string // of every event

	// SealKey is what secrets are kept under: SealBytes of chance that live as long
	// as the tables.
	SealKey []byte
}

// Options are the choices of a Desk; the zero value is all defaults.
type Options struct {
	// Source is that of changes of state. Default: SourceState.
	Source string
	// SMTP is the mail server, smtp://user:password@host:587?from=…. Default: no
	// rule can send mail.
	SMTP string
	// Start starts runs. Default: no rule can start one.
	Start Starter
	// Purposes are those of runs that a rule may start. Default: Start decides.
	Purposes []string
	// Objects watches the bucket for configurations. Default: nobody does.
	Objects Objects
}

// Desk is the room. It is safe for concurrent use.
type Desk struct {
	Deps
	sealer
	db         *ledger.DB
	source     string
	log        *slog.Logger
	metrics    *metrics
	kick       chan struct{} // has the outbox looked at
	ruleKick   chan struct{} // has the rules looked at
	poster     *http.Client
	objects    Objects
	objectKick chan struct{} // has the bucket looked through
	mailer     *mailer       // nil: no mail
	redriven   atomic.Int64  // grows when dead letters are delivered again
	starter    Starter       // nil: no runs
	purposes   []string
	starting   sync.RWMutex // read-locked while a run is started and written down
}

// Open makes the room over its tables, which it brings up to date. o may be nil.
func Open(ctx context.Context, deps Deps, o *Options) (*Desk, error) {
	if o == nil {
		o = &Options{}
	}
	d := &Desk{
		Deps: deps, source: o.Source, starter: o.Start, purposes: o.Purposes, log: deps.Logger.With("room", "notify"), metrics: newMetrics(deps.Metrics),
		kick: make(chan struct{}, 1), ruleKick: make(chan struct{}, 1), poster: newPoster(),
		objects: o.Objects, objectKick: make(chan struct{}, 1),
	}
	if d.source == "" {
		d.source = SourceState
	}
	var err error
	if d.sealer, err = newSealer(deps.SealKey); err != nil {
		return nil, err
	}
	if o.SMTP != "" {
		if d.mailer, err = newMailer(o.SMTP, deps.Clock); err != nil {
			return nil, err
		}
	}
	d.db, err = ledger.Open(ctx, deps.Pool, deps.Dialect, "notify", migrations())
	return d, wrap("open notify store", err)
}

// Run tells what is to be told until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.relay(ctx) })
	g.Go(func() error { return d.deliver(ctx) })
	g.Go(func() error { return d.watchObjects(ctx) })
	g.Go(func() error { return d.prune(ctx) })
	return g.Wait()
}
