package notify

import (
	"context"
	"database/sql"
	"log/slog"
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
}

// Options are the choices of a Desk; the zero value is all defaults.
type Options struct {
	// Source is that of changes of state. Default: SourceState.
	Source string
}

// Desk is the room. It is safe for concurrent use.
type Desk struct {
	Deps
	source  string
	log     *slog.Logger
	metrics *metrics
	kick    chan struct{}
}

// Open makes the room over its tables, which it brings up to date. o may be nil.
func Open(_ context.Context, deps Deps, o *Options) (*Desk, error) {
	if o == nil {
		o = &Options{}
	}
	d := &Desk{Deps: deps, source: o.Source, log: deps.Logger.With("room", "notify"), metrics: newMetrics(deps.Metrics), kick: make(chan struct{}, 1)}
	if d.source == "" {
		d.source = SourceState
	}
	return d, nil
}

// Run tells what is to be told until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.relay(ctx) })
	g.Go(func() error { return d.prune(ctx) })
	return g.Wait()
}
