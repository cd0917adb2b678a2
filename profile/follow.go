package profile

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/attune-io/attune/event"
)

// errReached ends a finite piece of following.
var errReached = errors.New("reached")

// keep brings a group's view up to the end of its log and then follows it,
// until ctx ends or something fails. fresh is for after a failure: the view at
// hand may hold half a table, and a checkpoint may lead to the same trouble.
func (k *Keeper) keep(ctx context.Context, w *watch, fresh bool) error {
	v, err := k.begin(ctx, w, fresh)
	if err != nil {
		return err
	}
	w.view.Store(v)
	w.ready.Store(true)
	w.saved = k.clock()
	k.slog.Info("group is followed", "group", w.group, "profile", v.String())
	for ctx.Err() == nil {
		k.checkpoint(ctx, w, v)
		next, err := k.follow(ctx, w, v)
		if err != nil && ctx.Err() == nil {
			return err
		}
		if next != nil {
			v = next
			w.view.Store(v)
			w.saved = time.Time{} // a start from an older checkpoint would have to rebuild again
			k.slog.Info("group was rebuilt for an import or a deletion", "group", w.group, "profile", v.String())
		}
	}
	k.lastCheckpoint(ctx, w, v)
	return ctx.Err()
}

// begin makes a view that has caught up with the log: from a checkpoint, or
// from the start. While a group is new to us its unfinished view is shown;
// after a failure the old one stays until this is done.
func (k *Keeper) begin(ctx context.Context, w *watch, fresh bool) (*View, error) {
	select {
	case k.replays <- struct{}{}:
		defer func() { <-k.replays }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	end, err := k.log.End(ctx, w.group)
	if err != nil {
		return nil, err
	}
	if !fresh {
		if v := k.load(ctx, w.group, end); v != nil {
			w.view.CompareAndSwap(nil, v)
			if err := k.reach(ctx, w.group, v, end); err != nil {
				return nil, err
			}
			if !v.w.stale {
				return v, nil
			}
		}
	}
	return k.build(ctx, w)
}

// build folds the whole log into a new view, again if an import comes meanwhile
// that this one did not plan for.
func (k *Keeper) build(ctx context.Context, w *watch) (*View, error) {
	for {
		end, err := k.log.End(ctx, w.group)
		if err != nil {
			return nil, err
		}
		names := newVocabulary()
		if old := w.view.Load(); old != nil {
			names = old.names
		}
		v := newView(k.opts.History, names)
		planner := newPlanner(end)
		for r, err := range k.log.Read(ctx, w.group, event.Seq{}, end) {
			if err != nil {
				return nil, err
			}
			if b, ok := r.Body.(*event.Imported); ok {
				planner.add(r.Seq, b)
			}
		}
		v.w.plan = planner.plan
		w.view.CompareAndSwap(nil, v)
		if err := k.reach(ctx, w.group, v, end); err != nil || !v.w.stale {
			return v, err
		}
	}
}

// reach folds the log up to a place, and what lies just behind it.
func (k *Keeper) reach(ctx context.Context, g event.Group, v *View, to event.Seq) error {
	if !v.w.at.Less(to) {
		return nil
	}
	err := k.log.Follow(ctx, g, v.w.at, func(records []event.Record) error {
		if err := v.fold(ctx, k.tables, records); err != nil {
			return err
		}
		k.m.applied.Add(float64(len(records)))
		if v.w.stale || !v.w.at.Less(to) {
			return errReached
		}
		return nil
	})
	if errors.Is(err, errReached) {
		return nil
	}
	return err
}

// follow folds what comes until ctx ends. When the view becomes stale a new one
// is built beside it, and follow returns that once it knows as much.
func (k *Keeper) follow(ctx context.Context, w *watch, v *View) (*View, error) {
	inner, stop := context.WithCancel(ctx)
	var (
		building sync.WaitGroup
		started  bool
		built    *View
	)
	renew := func() {
		if v.w.stale && !started {
			started = true
			building.Go(func() {
				built = k.rebuild(inner, w)
				stop()
			})
		}
	}
	renew()
	err := k.log.Follow(inner, w.group, v.w.at, func(records []event.Record) error {
		if err := v.fold(inner, k.tables, records); err != nil {
			return err
		}
		k.observe(records)
		renew()
		k.checkpoint(ctx, w, v)
		return nil
	})
	stop()
	building.Wait()
	if built == nil || ctx.Err() != nil {
		return nil, err
	}
	return built, k.reach(ctx, w.group, built, v.w.at)
}

// rebuild builds until it succeeds; nil when ctx ended first.
func (k *Keeper) rebuild(ctx context.Context, w *watch) *View {
	for pause := minBackoff; ; pause = min(2*pause, maxBackoff) {
		select {
		case k.replays <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		v, err := k.build(ctx, w)
		<-k.replays
		if err == nil {
			return v
		}
		if ctx.Err() != nil {
			return nil
		}
		k.m.failures.Inc()
		k.slog.Error("rebuilding a group failed and starts again; it is served without its newest import", "group", w.group, "pause", pause, "error", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// observe counts records that were folded as they came, and how late the last one was.
func (k *Keeper) observe(records []event.Record) {
	k.m.applied.Add(float64(len(records)))
	if n := len(records); n > 0 {
		k.m.lag.Observe(max(0, k.clock().Sub(records[n-1].Received).Seconds()))
	}
}
