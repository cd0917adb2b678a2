package content

import (
	"context"
	"math"
	"sync"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// scorer holds the vectors from both sides. What it keeps besides are places to
// add in, which are zero between queries.
type scorer struct {
	start, term []int32 // by item
	weight      []float32
	from        []int32 // by place: its items are at [from[p], from[p+1])
	item        []int32
	share       []float32 // weight of the place in the item
	rest        []float32 // by item, below 0: the order, by popularity, of what has nothing in common
	scratch     sync.Pool // of *profile
}

// Decode turns the vectors around, so that a query touches only items that
// share a term with it.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	start, err := recipe.CheckTensor(m, tensorStart, len(m.Items)+1)
	if err != nil {
		return nil, err
	}
	terms, err := recipe.CheckTensor(m, tensorTerm, -1)
	if err != nil {
		return nil, err
	}
	weight, err := recipe.CheckTensor(m, tensorWeight, len(terms.I32))
	if err != nil {
		return nil, err
	}
	count, err := recipe.CheckTensor(m, tensorCount, len(m.Items))
	if err != nil {
		return nil, err
	}
	if len(terms.F32) > 0 || len(weight.I32) > 0 || len(count.F32) > 0 || start.I32 == nil {
		return nil, attune.Errorf(attune.Invalid, "content model: a tensor has the wrong type of element")
	}
	s := &scorer{start: start.I32, term: terms.I32, weight: weight.F32, rest: make([]float32, len(m.Items))}
	if err := s.check(); err != nil {
		return nil, err
	}
	s.turn()
	for i, n := range count.I32 {
		s.rest[i] = -1 / float32(1+max(n, 0))
	}
	s.scratch.New = func() any { return &profile{weight: make([]float32, places)} }
	return s, nil
}

func (s *scorer) check() error {
	if s.start[0] != 0 || int(s.start[len(s.start)-1]) != len(s.term) {
		return attune.Errorf(attune.Invalid, "content model: %s does not span %s", tensorStart, tensorTerm)
	}
	for i := range len(s.start) - 1 {
		if s.start[i] > s.start[i+1] {
			return attune.Errorf(attune.Invalid, "content model: %s falls at item %d", tensorStart, i)
		}
	}
	for at, p := range s.term {
		if p < 0 || p >= places {
			return attune.Errorf(attune.Invalid, "content model: term %d is at place %d of %d", at, p, places)
		}
	}
	return nil
}

// turn makes the lists by place from those by item.
func (s *scorer) turn() {
	s.from = make([]int32, places+1)
	for _, p := range s.term {
		s.from[p+1]++
	}
	for p := range places {
		s.from[p+1] += s.from[p]
	}
	next := append([]int32(nil), s.from[:places]...)
	s.item, s.share = make([]int32, len(s.term)), make([]float32, len(s.term))
	for i := range len(s.start) - 1 {
		for at := s.start[i]; at < s.start[i+1]; at++ {
			p := s.term[at]
			s.item[next[p]], s.share[next[p]] = int32(i), s.weight[at]
			next[p]++
		}
	}
}

// Score gives every item that has something in common with the item in focus
// the cosine of the two, and the item itself -Inf. With no item in focus the
// cosines to all items of the history add up, which is one inner product with
// the sum of their vectors: the profile of who asks. Everything else follows by
// popularity, below zero.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	x := s.scratch.Get().(*profile)
	defer s.scratch.Put(x)
	err := recipe.ScoreRelated(ctx, q, s.rest, dst, func(_ []float32, row int32, weight float32) { s.describe(x, row, weight) })
	if err != nil {
		return err
	}
	for _, p := range x.terms {
		s.add(dst, p, x.weight[p])
		x.weight[p] = 0
	}
	x.terms = x.terms[:0]
	if q.Item >= 0 && int(q.Item) < len(dst) {
		dst[q.Item] = float32(math.Inf(-1)) // once more: terms are shared with itself
	}
	return nil
}

// profile is what a history is about.
type profile struct {
	weight []float32 // by place; zero between queries
	terms  []int32   // places with a weight, as they came
}

// describe adds an item's vector to a profile.
func (s *scorer) describe(x *profile, row int32, weight float32) {
	for at := s.start[row]; at < s.start[row+1]; at++ {
		p := s.term[at]
		if x.weight[p] == 0 {
			x.terms = append(x.terms, p)
		}
		x.weight[p] += weight * s.weight[at]
	}
}

// add gives every item that has a term the product of the two weights. The first
// one that an item gets replaces its place among the rest.
func (s *scorer) add(dst []float32, p int32, weight float32) {
	if weight == 0 {
		return
	}
	for k := s.from[p]; k < s.from[p+1]; k++ {
		j := s.item[k]
		dst[j] = max(dst[j], 0) + float32(weight*s.share[k])
	}
}
