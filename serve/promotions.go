package serve

import (
	"math/rand/v2"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/kernel"
)

// Promotion gives a share of an answer to the items that a filter of its own
// lets through.
type Promotion struct {
	Name         string
	Percent      int          // of the items asked for, 1 to 100
	Filter       *filter.Expr // must have passed Check
	FilterValues map[string]string
}

func (p *Promotion) check() error {
	switch {
	case p.Percent < 1 || p.Percent > 100:
		return attune.Errorf(attune.Invalid, "promotion %q has percentPromotedItems %d: it must be from 1 to 100", p.Name, p.Percent)
	case p.Filter == nil:
		return attune.Errorf(attune.Invalid, "promotion %q has no filterArn: give the filter that says which items are promoted", p.Name)
	}
	return nil
}

// places is how many of n items are promoted: the nearest whole number, but at
// least one.
func (p *Promotion) places(n int) int { return max(1, (n*p.Percent+50)/100) }

// promotable finds out what may be promoted: what the promotion's filter lets
// through, whatever the request's filter will say. Of that too, what is left out
// on purpose stays out.
func (w *space) promotable(r *release, v view, q *Request) error {
	p := q.Promotion
	w.unpromoted = append(w.unpromoted[:0], w.left...)
	if err := w.filtered(r, v, p.Filter, p.FilterValues, q.User, q.Item); err != nil {
		return attune.Errorf(attune.KindOf(err), "promotion %q: %w", p.Name, err)
	}
	w.promotes = append(w.promotes[:0], w.allowed...)
	for i := range w.left { // in place: each keeps its own memory
		w.left[i], w.unpromoted[i] = w.unpromoted[i], w.left[i]
	}
	return nil
}

// promote takes the promoted items out of the request, the best of those that
// may be. New items that the model does not know come after the others, without
// a score.
func (w *space) promote(r *release, v view, q *Request) {
	want := q.Promotion.places(q.N)
	w.best = kernel.TopK(w.best[:0], w.scores, want, w.unpromoted)
	for _, row := range w.best {
		w.promoted = append(w.promoted, pick{row: row, score: w.scores[row], propensity: 1, reason: event.Promoted})
	}
	if len(w.promoted) < want {
		for _, number := range w.strangers(r, v, q, w.promotes, w.unpromoted, want-len(w.promoted)) {
			w.promoted = append(w.promoted, pick{row: w.table.rows[number], number: number, score: unscored, propensity: 1, reason: event.Promoted})
		}
	}
	for _, p := range w.promoted {
		if p.row != noRow {
			w.left.Set(p.row)
		} else {
			w.met.Add(p.number)
		}
	}
}

// scatter puts the promoted items among the picks, at places drawn without
// replacement, both in their own order. It goes from the front: with p
// promoted and q other items to come, the next place is a promoted one's with
// probability p/(p+q), which makes every choice of places as likely. That
// probability goes into the propensities.
func (w *space) scatter(d *rand.Rand) {
	promoted, rest := w.promoted, w.picks
	mixed := w.mixed[:0]
	for len(promoted) > 0 || len(rest) > 0 {
		var next pick
		share := float64(len(promoted)) / float64(len(promoted)+len(rest))
		if d.Float64() < share {
			next, promoted = promoted[0], promoted[1:]
		} else {
			next, rest, share = rest[0], rest[1:], 1-share
		}
		next.propensity *= float32(share)
		mixed = append(mixed, next)
	}
	w.picks, w.mixed = mixed, w.picks
}
