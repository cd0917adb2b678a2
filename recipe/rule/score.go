package rule

import (
	"context"
	"math"
	"sync"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

const (
	// historyAtMost is how many of the newest touches are looked at.
	historyAtMost = 50
	// secondFrom is from how many of the items found rules are followed once
	// more, the best first, and secondRules how many of each: more of either
	// finds more items, but no better ones.
	secondFrom, secondRules = 100, 50
)

// scorer reads the stored rules. What it keeps are places to count in, which are zero between queries.
type scorer struct {
	parameters
	start, item []int32
	weight      []float32
	rest        []float32 // by item, below 0: the order, by popularity, of items to which nothing leads
	scratch     sync.Pool // of *scratch
}

// scratch is what one query counts in.
type scratch struct {
	sum   []float32 // by item; zero between queries
	found []int32   // items with a sum, in the order of finding
	value []float32 // by place in found: the sum after one step
	best  []int32   // places in found
	asked []asked
}

// asked is an item of the history.
type asked struct {
	item   int32
	weight float32
}

// Decode checks that the lists fit together.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	p, err := resolve(recipe.Input{Params: m.Manifest.Parameters})
	if err != nil {
		return nil, err
	}
	l, err := recipe.ReadLists(m, tensorStart, tensorItem, tensorWeight, tensorCount)
	if err != nil {
		return nil, err
	}
	s := &scorer{parameters: p, start: l.Start, item: l.Item, weight: l.Weight, rest: l.Rest(1)}
	s.scratch.New = func() any { return &scratch{sum: make([]float32, len(s.rest))} }
	return s, nil
}

// Score gives an item the sum of the rules that lead to it from the newest
// items of the history, in one step and in two, and an item of the history what
// coming back is worth. With an item in focus that is all the history there is,
// and the item itself gets -Inf. Everything else follows by popularity, below zero.
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
	s.follow(x)
	copy(dst, s.rest)
	for _, j := range x.found {
		if x.sum[j] > 0 { // a second time, or next to nothing
			dst[j], x.sum[j] = x.sum[j], 0
		}
	}
	if q.Item >= 0 && int(q.Item) < len(dst) {
		dst[q.Item] = float32(math.Inf(-1))
	}
	return nil
}

// ask lists the items asked about, newest first, each once, with exp(-d/decay)
// for the d touches after it; weights are those beside the greatest, which makes
// them safe to add.
func (x *scratch) ask(q model.Query, decay float64, items int) {
	x.asked = x.asked[:0]
	if q.Item != model.NoItem {
		if q.Item >= 0 && int(q.Item) < items {
			x.asked = append(x.asked, asked{q.Item, 1})
		}
		return
	}
	most := float32(0)
	for d, t := 0, len(q.History)-1; t >= 0 && d < historyAtMost; t-- {
		h := q.History[t]
		if h.Item < 0 || int(h.Item) >= items || !(h.Weight > 0) || math.IsInf(float64(h.Weight), 0) {
			continue
		}
		most = max(most, h.Weight)
		x.asked = append(x.asked, asked{h.Item, h.Weight})
		d++
	}
	kept := x.asked[:0]
	for d, a := range x.asked {
		if x.sum[a.item] == 0 { // marks what is listed
			x.sum[a.item] = 1
			kept = append(kept, asked{a.item, a.weight / most * float32(math.Exp(-float64(d)/decay))})
		}
	}
	for _, a := range kept {
		x.sum[a.item] = 0
	}
	x.asked = kept
}

// follow adds up the rules of what is asked about, and of the best that they lead to.
func (s *scorer) follow(x *scratch) {
	x.found = x.found[:0]
	for _, a := range x.asked {
		s.add(x, a.item, a.weight, math.MaxInt32)
	}
	if s.another > 0 {
		x.value = x.value[:0]
		for _, j := range x.found {
			x.value = append(x.value, x.sum[j])
		}
		x.best = kernel.TopK(x.best[:0], x.value, secondFrom, nil)
		for _, at := range x.best {
			s.add(x, x.found[at], float32(s.another)*x.value[at], secondRules)
		}
	}
	for _, a := range x.asked {
		x.gain(a.item, a.weight*float32(s.comeBack))
	}
}

// add follows at most n rules of an item.
func (s *scorer) add(x *scratch, i int32, weight float32, n int32) {
	from, to := s.start[i], s.start[i+1]
	if to-from > n {
		to = from + n
	}
	rules := s.weight[from:to]
	for k, j := range s.item[from:to] {
		x.gain(j, weight*rules[k])
	}
}

func (x *scratch) gain(j int32, much float32) {
	if x.sum[j] == 0 {
		x.found = append(x.found, j)
	}
	x.sum[j] += much
}
