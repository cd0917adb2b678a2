package serve

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/profile"
)

// pick is one item of an answer in the making.
type pick struct {
	row        int32   // in the model; noRow for an item it does not know
	number     int32   // in the profile, of an item the model does not know
	score      float32 // as the scorer's; NaN for none
	propensity float32 // of the item at its place, given those before it
	reason     event.Reason
}

// unscored stands for the score of an item that nobody scored.
var unscored = float32(math.NaN())

// items writes the picks as the answer has them.
func (w *space) items(r *release, v view) []Scored {
	out := make([]Scored, len(w.picks))
	shares := make([]float64, len(w.picks))
	for i := range w.picks {
		p := &w.picks[i]
		out[i].Reason = p.reason
		if p.row == noRow {
			out[i].ID = v.Item(p.number)
		} else {
			out[i].ID = r.Model.Items[p.row]
		}
		if r.scored() && p.score == p.score { // not NaN
			shares[i] = share(p.score, w.norm)
			out[i].Score = &shares[i]
		}
	}
	return out
}

// propensities are those of the picks; nil when nothing was left to chance.
func (w *space) propensities() []float32 {
	if !slices.ContainsFunc(w.picks, func(p pick) bool { return p.propensity != 1 }) {
		return nil
	}
	out := make([]float32, len(w.picks))
	for i := range w.picks {
		out[i] = w.picks[i].propensity
	}
	return out
}

// fillUp adds placeholders until there are n picks: items that the request's
// filter lets through and nobody scored, the most touched first. What was left
// out on purpose (seen, promoted, the item in focus) stays out.
func (w *space) fillUp(r *release, v view, q *Request, n int) {
	for _, number := range w.strangers(r, v, q, w.allowed, w.left, n-len(w.picks)) {
		w.picks = append(w.picks, pick{row: w.table.rows[number], number: number, score: unscored, propensity: 1, reason: event.Placeholder})
	}
}

// strangers are at most n of the allowed items that have no score, because the
// model does not know them or its scorer has nothing to say of them: the most
// touched first. None has been picked, none has a row that is left out, and none
// is unknown and one that the asker has touched.
func (w *space) strangers(r *release, v view, q *Request, allowed filter.Bitmap, left kernel.Bitmap, n int) []int32 {
	w.meet(r, v, q)
	w.unknown = w.unknown[:0]
	for i, word := range allowed {
		for ; word != 0; word &= word - 1 {
			number := int32(i<<6 + bits.TrailingZeros64(word))
			row := w.row(r, v, number)
			if row == noRow && !w.met.Has(number) || row != noRow && !left.Has(row) && !scorable(w.scores[row]) {
				w.unknown = append(w.unknown, number)
			}
		}
	}
	if len(w.unknown) == 0 {
		return nil
	}
	w.counts, _ = v.Counts(w.counts)
	touched := func(number int32) uint32 { return countOf(w.counts, number).Touched }
	for _, p := range w.picks { // an explored one has no row that could be left out
		w.unknown = slices.DeleteFunc(w.unknown, func(number int32) bool { return p.row == noRow && p.number == number })
	}
	slices.SortFunc(w.unknown, func(a, b int32) int {
		return cmp.Or(cmp.Compare(touched(b), touched(a)), cmp.Compare(a, b))
	})
	return w.unknown[:min(n, len(w.unknown))]
}

// meet finds the numbers of the items that the asker has touched or asks
// about. Of items that the model does not know nothing else says so.
func (w *space) meet(r *release, v view, q *Request) {
	if w.knows {
		return
	}
	w.knows = true
	w.met = w.met.Resize(max(len(w.table.rows), v.NumItems()))
	if w.past == nil && q.User != "" {
		w.past = v.History(q.User)
	}
	for i := range w.past {
		w.met.Add(w.past[i].Item)
	}
	if number, ok := v.ItemNumber(q.Item); ok && r.Kind == Related {
		w.met.Add(number)
	}
}

// scorable says whether a score is one: not NaN and not -Inf.
func scorable(x float32) bool { return x > float32(math.Inf(-1)) }

// countOf is the count of an item; zeros when it was never met.
func countOf(counts []profile.Count, number int32) profile.Count {
	if int(number) >= len(counts) {
		return profile.Count{}
	}
	return counts[number]
}
