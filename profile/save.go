package profile

import (
	"context"
	"slices"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
)

// cleanPoll is how often Clean looks whether the View is far enough.
const cleanPoll = 20 * time.Millisecond

// checkpoint begins one when it is due. What changes is copied here, by the
// one who changes it; writing goes on beside the following.
func (k *Keeper) checkpoint(ctx context.Context, w *watch, v *View) {
	due := v.w.since >= k.opts.Records || v.w.since > 0 && k.clock().Sub(w.saved) >= k.opts.Interval
	if !due || v.w.stale || !w.busy.CompareAndSwap(false, true) {
		return
	}
	c := v.capture(w.group)
	v.w.since = 0
	w.saved = k.clock()
	w.saving.Go(func() {
		defer w.busy.Store(false)
		// One that has begun is finished when following ends, unless that takes long.
		own, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(ctx, func() {
			select {
			case <-time.After(lastCheckpoint):
				cancel()
			case <-own.Done():
			}
		})()
		w.lost.Store(!k.save(own, c))
	})
}

// lastCheckpoint writes one before the process ends, so that the next start is quick.
func (k *Keeper) lastCheckpoint(ctx context.Context, w *watch, v *View) {
	w.saving.Wait()
	if v.w.since == 0 && !w.lost.Load() || v.w.stale || k.watch(w.group) != w {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastCheckpoint)
	defer cancel()
	k.save(ctx, v.capture(w.group))
}

// save reports whether the checkpoint is there.
func (k *Keeper) save(ctx context.Context, c *checkpoint) bool {
	if err := c.save(ctx, k.checkpoints); err != nil {
		k.slog.Warn("checkpoint was not written; the next start reads more of the log", "group", c.group, "seq", c.seq.String(), "error", err)
		return false
	}
	k.m.checkpoints.Inc()
	return true
}

// load makes a view of the newest checkpoint that can be used, nil when there
// is none. A checkpoint is never needed: what is wrong with one is only logged.
func (k *Keeper) load(ctx context.Context, g event.Group, end event.Seq) *View {
	names, err := saved(ctx, k.checkpoints, g)
	if err != nil {
		k.slog.Warn("checkpoints cannot be listed; the whole log is read", "group", g, "error", err)
		return nil
	}
	for _, name := range slices.Backward(names) {
		c, err := open(ctx, k.checkpoints, name)
		switch {
		case err != nil:
			k.slog.Warn("checkpoint is not used", "name", name, "error", err)
		case c.group != g || end.Less(c.seq):
			k.slog.Warn("checkpoint is not used: it is of another log", "name", name, "end", end.String())
		case c.limit != k.opts.History:
			k.slog.Info("checkpoint is not used: it keeps histories of another length", "name", name, "history", c.limit)
		default:
			return c.restore()
		}
	}
	return nil
}

// Clean removes the group's checkpoints from before a place in the log, once its
// View is beyond that place: after a deletion of users nothing of them is left
// here. It waits for the View.
func (k *Keeper) Clean(ctx context.Context, g event.Group, before event.Seq) error {
	for {
		w := k.watch(g)
		if w == nil {
			return attune.Errorf(attune.Unavailable, "the profiles of group %s are not followed here", g)
		}
		// A checkpoint of the View before this one may still be on its way to the disk.
		if v := w.view.Load(); v != nil && !v.Seq().Less(before) && !w.busy.Load() {
			break
		}
		select {
		case <-time.After(cleanPoll):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	names, err := saved(ctx, k.checkpoints, g)
	if err != nil {
		return err
	}
	oldest := (&checkpoint{group: g, seq: before}).name()
	for _, name := range names {
		if name >= oldest {
			break
		}
		// One that is gone meanwhile was one too many for the newest.
		if err := k.checkpoints.Delete(ctx, name); err != nil && attune.KindOf(err) != attune.NotFound {
			return err
		}
	}
	return nil
}
