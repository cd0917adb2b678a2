package session

import (
	"context"
	"math"
	"sync"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
)

const (
	// historyAtMost is how many of the newest touches ask.
	historyAtMost = 50
	// reach is how many places from an item in common votes go.
	reach = 12
	// before is the weight of what stands before an item in common, beside 1
	// for the item and for what follows it.
	before = 0.5
)

// scorer holds the sessions from both sides. What it keeps besides are places
// to count in, which are zero between queries.
type scorer struct {
	parameters
	start, item   []int32   // by session
	from, session []int32   // by item: the sessions that have it, oldest first
	rare, voted   []float32 // by item: weight of having it in common, and of votes for it
	near          [reach + 1]float32
	rest          []float32 // by item, below 0: the order, by popularity, of what no neighbour has
	scratch       sync.Pool // of *scratch
}

// scratch is what one query counts in.
type scratch struct {
	common  []float32 // by session: what it has in common; zero between queries
	found   []int32   // sessions with something in common
	similar []float32 // by place in found
	best    []int32   // places in found
	mine    []float32 // by item: weight in the session that asks; zero between queries
	asked   []int32   // items with a weight, newest first
	sum     []float32 // by item: votes; zero between queries
	voted   []int32   // items with votes
}

// Score gives an item the votes of the nearest sessions. With an item in focus
// that is the session that asks, and the item itself gets -Inf. Everything else
// follows by popularity, below zero.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(dst) != len(s.rest) {
		return attune.Errorf(attune.Internal, "%d scores asked for of a model with %d items", len(dst), len(s.rest))
	}
	x := s.scratch.Get().(*scratch)
	defer s.scratch.Put(x)
	x.ask(q, s.decay, len(dst))
	s.nearest(x)
	x.voted = x.voted[:0]
	for _, at := range x.best {
		s.vote(x, x.found[at], x.similar[at])
	}
	copy(dst, s.rest)
	for _, j := range x.voted {
		v := x.sum[j] * s.voted[j]
		if x.mine[j] > 0 {
			v *= float32(s.repeat)
		}
		x.sum[j] = 0
		if v > 0 { // else a second time, or next to nothing
			dst[j] = v
		}
	}
	for _, i := range x.asked {
		x.mine[i] = 0
	}
	if q.Item >= 0 && int(q.Item) < len(dst) {
		dst[q.Item] = float32(math.Inf(-1))
	}
	return nil
}

// ask weighs the items of the session that asks: exp(-d/decay) for the d
// touches after the newest of an item, times its weight beside the greatest.
func (x *scratch) ask(q model.Query, decay float64, items int) {
	x.asked = x.asked[:0]
	if q.Item != model.NoItem {
		if q.Item >= 0 && int(q.Item) < items {
			x.asked, x.mine[q.Item] = append(x.asked, q.Item), 1
		}
		return
	}
	counts := func(h model.Touch) bool {
		return h.Item >= 0 && int(h.Item) < items && h.Weight > 0 && !math.IsInf(float64(h.Weight), 0)
	}
	most, d := float32(0), 0
	for t := len(q.History) - 1; t >= 0 && d < historyAtMost; t-- {
		if h := q.History[t]; counts(h) {
			most = max(most, h.Weight)
			d++
		}
	}
	d = 0
	for t := len(q.History) - 1; t >= 0 && d < historyAtMost; t-- {
		h := q.History[t]
		if !counts(h) {
			continue
		}
		if w := h.Weight / most * float32(math.Exp(-float64(d)/decay)); w > 0 && x.mine[h.Item] == 0 {
			x.asked, x.mine[h.Item] = append(x.asked, h.Item), w
		}
		d++
	}
}

// nearest finds the sessions that vote: Σ mine·rare over items in common, by
// the root of their length, and exp(-a/age) with a the share of sessions that
// are newer (STAN has days there, which not all data tell).
func (s *scorer) nearest(x *scratch) {
	x.found, x.similar = x.found[:0], x.similar[:0]
	for _, i := range x.asked {
		w := x.mine[i] * s.rare[i]
		for _, k := range s.session[s.from[i]:s.from[i+1]] {
			if x.common[k] == 0 {
				x.found = append(x.found, k)
			}
			x.common[k] += w
		}
	}
	sessions := float64(len(s.start) - 1)
	for _, k := range x.found {
		length := float64(s.start[k+1] - s.start[k])
		age := (sessions - 1 - float64(k)) / sessions
		x.similar = append(x.similar, float32(float64(x.common[k])/math.Sqrt(length)*math.Exp(-age/s.age)))
		x.common[k] = 0
	}
	x.best = kernel.TopK(x.best[:0], x.similar, s.neighbours, nil)
}

// vote gives what stands near each item in common its share.
func (s *scorer) vote(x *scratch, session int32, similar float32) {
	items := s.item[s.start[session]:s.start[session+1]]
	for at, i := range items {
		w := similar * x.mine[i]
		if w == 0 {
			continue
		}
		for k := max(0, at-reach); k < min(len(items), at+reach+1); k++ {
			v := w
			if d := k - at; d < 0 {
				v *= before * s.near[-d-1]
			} else if d > 0 {
				v *= s.near[d-1]
			}
			if x.sum[items[k]] == 0 {
				x.voted = append(x.voted, items[k])
			}
			x.sum[items[k]] += v
		}
	}
}
