package event

import (
	"context"
	"time"
)

const (
	// maxOffers bounds the impressions that wait for the log, over all groups:
	// a second or two of a busy server's answers, some MiB of memory.
	maxOffers = 16384

	// offerBatch and offerWait bound a flush: whichever comes first.
	offerBatch = 1024
	offerWait  = 50 * time.Millisecond

	// flushTimeout bounds one flush, and so how long Run goes on after its
	// context has ended.
	flushTimeout = 3 * time.Second
)

type offer struct {
	group      Group
	impression *Impression
}

// Offer hands an impression over without ever waiting: Run appends it soon
// after. When the queue is full or the log does not take it, it is dropped and
// counted (attune_event_impressions_dropped_total). i belongs to the log from here on.
func (l *Log) Offer(g Group, i *Impression) {
	if i == nil {
		return
	}
	select {
	case l.offers <- offer{g, i}:
		l.offered.Add(1)
	default:
		l.m.dropped.WithLabelValues("queue").Inc()
	}
}

// Settle waits until the impressions that were offered before the call are in
// the log or dropped. It needs Run to be running.
func (l *Log) Settle(ctx context.Context) error {
	for want := l.offered.Load(); l.settled.Load() < want; {
		select {
		case <-time.After(offerWait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// Run appends what was offered until ctx ends, and then what is still queued.
// It always returns nil: an impression that cannot be written is dropped and counted.
func (l *Log) Run(ctx context.Context) error {
	pending := map[Group][]Body{}
	for {
		var first offer
		select {
		case first = <-l.offers:
		case <-ctx.Done():
			return l.drain(ctx, pending)
		}
		pending[first.group] = append(pending[first.group], first.impression)
		timer := time.NewTimer(offerWait)
		for n, full := 1, false; !full && n < offerBatch; n++ {
			select {
			case o := <-l.offers:
				pending[o.group] = append(pending[o.group], o.impression)
			case <-timer.C:
				full = true
			case <-ctx.Done():
				timer.Stop()
				return l.drain(ctx, pending)
			}
		}
		timer.Stop()
		l.flush(ctx, pending)
	}
}

// drain writes what is left after ctx has ended.
func (l *Log) drain(ctx context.Context, pending map[Group][]Body) error {
	for {
		select {
		case o := <-l.offers:
			pending[o.group] = append(pending[o.group], o.impression)
		default:
			l.flush(ctx, pending)
			return nil
		}
	}
}

// flush appends what is pending, also when ctx has ended meanwhile.
func (l *Log) flush(ctx context.Context, pending map[Group][]Body) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
	defer cancel()
	for g, bodies := range pending {
		_, err := l.Append(ctx, g, bodies...)
		l.settled.Add(int64(len(bodies)))
		if err != nil {
			l.m.dropped.WithLabelValues("append").Add(float64(len(bodies)))
			l.log.Warn("impressions are dropped", "group", g, "count", len(bodies), "error", err)
		}
	}
	clear(pending)
}
