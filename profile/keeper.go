package profile

import (
	"context"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/event"
)

const (
	// defaultHistory is how many touches of a user are kept: well beyond what a
	// recipe folds in or an answer excludes. With what trim keeps beyond them, at
	// 24 bytes each, a user has at most 36 KiB, and 12 KiB with one event type.
	defaultHistory = 500

	// maxReplays is how many groups read their whole log at the same time: each
	// keeps a core and the disk busy, and events of the others must still come through.
	maxReplays = 2

	// defaultRecords and defaultInterval say when a checkpoint is due: after
	// about a second's worth of replay, or when something is new for minutes.
	defaultRecords  = 1_000_000
	defaultInterval = 5 * time.Minute

	// lastCheckpoint bounds writing the checkpoint at shutdown, and removing those of a forgotten group.
	lastCheckpoint = 20 * time.Second

	// minBackoff and maxBackoff bound the pause after a failure.
	minBackoff = 100 * time.Millisecond
	maxBackoff = 15 * time.Second
)

// Options are the choices of a Keeper. Zero values are the defaults.
type Options struct {
	History  int           // touches kept per user, the newest, and more of rare event types (see trim); default 500
	Records  int           // a checkpoint after so many records; default 1,000,000
	Interval time.Duration // or after so long with something new; default 5 min
}

// Keeper keeps a View of every watched group up to date with its log. Its
// methods are safe for concurrent use.
type Keeper struct {
	log         *event.Log
	tables      tableReader
	checkpoints *artifact.Store
	clock       attune.Clock
	slog        *slog.Logger
	m           *metrics
	opts        Options
	replays     chan struct{}

	mu      sync.Mutex
	watches map[event.Group]*watch
	ctx     context.Context // of Run; nil when it is not running
	running sync.WaitGroup
}

// watch is one group being followed.
type watch struct {
	group event.Group
	view  atomic.Pointer[View]
	ready atomic.Bool
	stop  context.CancelFunc // nil while Run is not running
	done  chan struct{}      // closed when the follower has ended; nil like stop

	saving sync.WaitGroup // the one checkpoint being written
	busy   atomic.Bool    // whether there is one
	lost   atomic.Bool    // whether the last failed
	saved  time.Time      // when the last was begun; the follower's
}

// New makes a Keeper over a log, the store of the tables it names, and a store
// for checkpoints (folder profile/). reg and o may be nil. Nothing happens before Run.
func New(log *event.Log, tables, checkpoints *artifact.Store, clock attune.Clock, logger *slog.Logger, reg prometheus.Registerer, o *Options) *Keeper {
	k := &Keeper{
		log: log, checkpoints: checkpoints, clock: clock, slog: logger.With("room", "profile"),
		tables: func(ctx context.Context, table string) iter.Seq2[*dataset.Batch, error] {
			return dataset.Batches(ctx, tables, table)
		},
		replays: make(chan struct{}, maxReplays),
		watches: map[event.Group]*watch{},
	}
	if o != nil {
		k.opts = *o
	}
	if k.opts.History <= 0 {
		k.opts.History = defaultHistory
	}
	if k.opts.Records <= 0 {
		k.opts.Records = defaultRecords
	}
	if k.opts.Interval <= 0 {
		k.opts.Interval = defaultInterval
	}
	k.m = newMetrics(reg, k)
	return k
}

// Watch begins to follow a group, now or when Run starts; watching it again does nothing.
func (k *Keeper) Watch(g event.Group) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.watches[g] != nil {
		return
	}
	w := &watch{group: g}
	k.watches[g] = w
	k.start(w)
}

// Forget ends following a group, drops its View and deletes its checkpoints.
// It returns at once.
func (k *Keeper) Forget(g event.Group) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w := k.watches[g]
	delete(k.watches, g)
	if w == nil || w.stop == nil {
		return
	}
	w.stop()
	done, ctx := w.done, context.WithoutCancel(k.ctx)
	k.running.Go(func() {
		<-done
		ctx, cancel := context.WithTimeout(ctx, lastCheckpoint)
		defer cancel()
		if err := k.checkpoints.DeletePrefix(ctx, folder(g)); err != nil {
			k.slog.Warn("checkpoints of a forgotten group stay", "group", g, "error", err)
		}
	})
}

// Ready reports whether the group's View has caught up with what was in the
// log when following began.
func (k *Keeper) Ready(g event.Group) bool {
	w := k.watch(g)
	return w != nil && w.ready.Load()
}

// View is what is known of a watched group now; false for one that is not
// watched, or only just. A View that is not Ready yet answers with what it has.
// The View of a group may be replaced by another, which knows more: ask again
// for every request, and use one for all of it.
func (k *Keeper) View(g event.Group) (*View, bool) {
	w := k.watch(g)
	if w == nil {
		return nil, false
	}
	v := w.view.Load()
	return v, v != nil
}

// watch is on the way of every recommendation; the lock is held for a map look-up.
func (k *Keeper) watch(g event.Group) *watch {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.watches[g]
}

// Run follows the watched groups, each by itself, until ctx ends; then it
// writes their checkpoints. Failures of a group are logged and tried again for
// ever. It returns nil.
func (k *Keeper) Run(ctx context.Context) error {
	k.mu.Lock()
	k.ctx = ctx
	for _, w := range k.watches {
		k.start(w)
	}
	k.mu.Unlock()
	<-ctx.Done()
	k.mu.Lock()
	k.ctx = nil
	for _, w := range k.watches {
		w.stop, w.done = nil, nil
	}
	k.mu.Unlock()
	k.running.Wait()
	return nil
}

// start runs a group's follower if Run is running. The caller holds mu.
func (k *Keeper) start(w *watch) {
	if k.ctx == nil || k.ctx.Err() != nil {
		return
	}
	ctx, stop := context.WithCancel(k.ctx)
	done := make(chan struct{})
	w.stop, w.done = stop, done
	k.running.Go(func() {
		defer close(done)
		defer stop()
		defer w.saving.Wait()
		k.supervise(ctx, w)
	})
}

// supervise keeps a group followed, whatever happens.
func (k *Keeper) supervise(ctx context.Context, w *watch) {
	pause := minBackoff
	for fresh := false; ctx.Err() == nil; fresh = true {
		began := k.clock()
		err := k.keep(ctx, w, fresh)
		if ctx.Err() != nil {
			return
		}
		if k.clock().Sub(began) > maxBackoff {
			pause = minBackoff
		}
		k.m.failures.Inc()
		k.slog.Error("following a group failed and starts again", "group", w.group, "pause", pause, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, maxBackoff)
	}
}
