package notify

import (
	"context"
	"errors"
	"time"

	"github.com/attune-io/attune/resource"
)

const (
	// relayEvery is how often the outbox is looked at without being asked: rows of
	// another process, and those of a kick that failed.
	relayEvery = time.Second
	// pruneEvery is how often what is over is forgotten.
	pruneEvery = 10 * time.Minute
)

// relay takes changes of state from the outbox to the bus until ctx ends.
func (d *Desk) relay(ctx context.Context) error {
	tick := time.NewTicker(relayEvery)
	defer tick.Stop()
	failing := false
	for {
		_, err := d.Outbox.Drain(ctx, d.Clock, d.publish)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil && !failing { // once, not every second
			d.log.Warn("changes of state wait to be told", "error", err)
		}
		if failing = err != nil; failing {
			d.metrics.relayFailures.Inc()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-d.kick:
		case <-tick.C:
		}
	}
}

// publish puts changes on the bus, each under its own id.
func (d *Desk) publish(ctx context.Context, changes []resource.Change) error {
	for _, c := range changes {
		e, err := stateEvent(c, d.source)
		if err != nil {
			return err
		}
		if _, err := d.Put(ctx, e); err != nil {
			return err
		}
		d.metrics.published.Inc()
	}
	return nil
}

// Kick has the outbox looked at now. It never blocks.
func (d *Desk) Kick() {
	select {
	case d.kick <- struct{}{}:
	default: // one is asked for already
	}
}

// prune forgets what is over until ctx ends.
func (d *Desk) prune(ctx context.Context) error {
	for {
		if err := errors.Join(d.Outbox.Prune(ctx, d.Clock()), d.pruneDeliveries(ctx)); err != nil && ctx.Err() == nil {
			d.log.Warn("forgetting what is over failed", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pruneEvery):
		}
	}
}
