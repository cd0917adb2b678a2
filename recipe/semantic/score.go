package semantic

import (
	"context"
	"math"
	"sync"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// scorer holds the sparse part from both sides, and the dense one.
type scorer struct {
	terms   matrix.CSR // items × terms
	items   matrix.CSR // its transpose
	vectors matrix.Dense
	rest    []float32 // by item, below 0: the order, by popularity, of what has nothing in common
	scratch sync.Pool // of *profile
}

// profile is what a history is about, and what that has in common with items.
type profile struct {
	weight []float32 // by term; zero between queries
	terms  []int32   // with a weight, as they came
	vector []float32
	scores []float32 // by item
}

// Decode turns the sparse part around, so that a query touches only items that
// share a term with it.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	vectors, err := recipe.CheckTensor(m, tensorVector, len(m.Items), -1)
	if err != nil {
		return nil, err
	}
	count, err := recipe.CheckTensor(m, tensorCount, len(m.Items))
	if err != nil {
		return nil, err
	}
	if len(vectors.I32)+len(count.F32) > 0 {
		return nil, wrongType()
	}
	s := &scorer{vectors: matrix.Dense{Rows: len(m.Items), Cols: vectors.Shape[1], Data: vectors.F32}, rest: make([]float32, len(m.Items)),
		terms: matrix.CSR{Rows: len(m.Items), Start: make([]int, len(m.Items)+1)}}
	if m.Manifest.Parameters[paramModel] == "" {
		if err := s.readTerms(m); err != nil {
			return nil, err
		}
	}
	s.items = s.terms.Transpose()
	for i, n := range count.I32 {
		s.rest[i] = -1 / float32(1+max(n, 0))
	}
	s.scratch.New = func() any {
		return &profile{weight: make([]float32, s.terms.Cols), vector: make([]float32, s.vectors.Cols), scores: make([]float32, len(s.rest))}
	}
	return s, nil
}

func wrongType() error {
	return attune.Errorf(attune.Invalid, "semantic model: a tensor has the wrong type of element")
}

// readTerms finds the sparse part.
func (s *scorer) readTerms(m *model.Model) error {
	start, err := recipe.CheckTensor(m, tensorStart, len(m.Items)+1)
	if err != nil {
		return err
	}
	terms, err := recipe.CheckTensor(m, tensorTerm, -1)
	if err != nil {
		return err
	}
	weight, err := recipe.CheckTensor(m, tensorWeight, len(terms.I32))
	if err != nil {
		return err
	}
	if len(terms.F32)+len(weight.I32) > 0 || start.I32 == nil {
		return wrongType()
	}
	s.terms.Col, s.terms.Value = terms.I32, weight.F32
	for i, at := range start.I32 {
		s.terms.Start[i] = int(at)
	}
	return s.check()
}

// check counts the terms, and refuses rows that do not fit together.
func (s *scorer) check() error {
	start := s.terms.Start
	if start[0] != 0 || start[len(start)-1] != len(s.terms.Col) {
		return attune.Errorf(attune.Invalid, "semantic model: %s does not span %s", tensorStart, tensorTerm)
	}
	for i := range len(start) - 1 {
		if start[i] > start[i+1] {
			return attune.Errorf(attune.Invalid, "semantic model: %s falls at item %d", tensorStart, i)
		}
	}
	for at, p := range s.terms.Col {
		if p < 0 || p >= places {
			return attune.Errorf(attune.Invalid, "semantic model: term %d has number %d of at most %d", at, p, places)
		}
		s.terms.Cols = max(s.terms.Cols, int(p)+1)
	}
	return nil
}

// Score gives every item that has something in common with the item in focus
// the cosine of the two, and the item itself -Inf. With no item in focus the
// cosines to all items of the history add up, which is one inner product with
// the sum of their vectors: the profile of who asks. What is not above 0 follows
// by popularity, below zero.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	x := s.scratch.Get().(*profile)
	defer s.scratch.Put(x)
	clear(x.vector)
	err := recipe.ScoreRelated(ctx, q, s.rest, dst, func(_ []float32, row int32, weight float32) { s.describe(x, row, weight) })
	if err != nil {
		return err
	}
	kernel.Gemv(x.scores, s.vectors.Data, x.vector)
	for _, p := range x.terms {
		s.add(x.scores, p, x.weight[p])
		x.weight[p] = 0
	}
	x.terms = x.terms[:0]
	for i, v := range x.scores {
		if v > 0 && v <= math.MaxFloat32 && i != int(q.Item) {
			dst[i] = v
		}
	}
	return nil
}

// describe adds an item's vector to a profile.
func (s *scorer) describe(x *profile, row int32, weight float32) {
	cols, values := s.terms.Of(int(row))
	for k, p := range cols {
		if x.weight[p] == 0 {
			x.terms = append(x.terms, p)
		}
		x.weight[p] += weight * values[k]
	}
	kernel.Axpy(weight, s.vectors.Row(int(row)), x.vector)
}

// add gives every item that has a term the product of the two weights.
func (s *scorer) add(scores []float32, p int32, weight float32) {
	items, values := s.items.Of(int(p))
	for k, i := range items {
		scores[i] += float32(weight * values[k])
	}
}
