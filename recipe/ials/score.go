package ials

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

const (
	// foldTolerance is the residual at which a user's factors are as good as
	// exact: far below what could change the order of two items.
	foldTolerance = 1e-4
	// foldSteps bounds the solver on ill-conditioned histories.
	foldSteps = 64
)

// scorer folds users in. It is safe for concurrent use.
type scorer struct {
	p       parameters
	items   matrix.Dense
	newborn []float32 // scores for an empty history: the logarithm of popularity
	folds   sync.Pool // *fold
}

// fold is the scratch of one query.
type fold struct {
	solver *solver
	x      []float32
	index  []int32
	weight []float32
	touch  []model.Touch
}

// Decode computes what every query shares: the Gram matrix of the item factors.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	p, err := resolve(recipe.Input{Params: m.Manifest.Parameters})
	if err != nil {
		return nil, err
	}
	factors, err := recipe.CheckTensor(m, tensorFactors, len(m.Items), p.dimension)
	if err != nil {
		return nil, err
	}
	count, err := recipe.CheckTensor(m, tensorCount, len(m.Items))
	if err != nil {
		return nil, err
	}
	if factors.F32 == nil && len(factors.I32) > 0 || count.I32 == nil && len(count.F32) > 0 {
		return nil, attune.Errorf(attune.Invalid, "ials model: %s must be float32 and %s int32", tensorFactors, tensorCount)
	}
	s := &scorer{p: p, items: matrix.Dense{Rows: len(m.Items), Cols: p.dimension, Data: factors.F32}}
	s.newborn = make([]float32, len(m.Items))
	for i, n := range count.I32 {
		s.newborn[i] = float32(math.Log(float64(max(n, 0)) + 0.5)) // half a user for those nobody has: less than one, more than none
	}
	f, err := p.standing(s.items)
	if err != nil {
		return nil, err
	}
	s.folds.New = func() any {
		return &fold{solver: newSolver(p, f), x: make([]float32, p.dimension)}
	}
	return s, nil
}

// Score is the inner product of every item with the asker, whose factors are
// solved for from the history; without a history it is popularity.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(dst) != s.items.Rows {
		return attune.Errorf(attune.Internal, "%d scores asked for of a model with %d items", len(dst), s.items.Rows)
	}
	f := s.folds.Get().(*fold)
	defer s.folds.Put(f)
	if !s.fold(f, q.History) {
		copy(dst, s.newborn)
		return nil
	}
	kernel.Gemv(dst, s.items.Data, f.x)
	return nil
}

// ScoreMany folds everybody in first, and then goes over the item factors once.
func (s *scorer) ScoreMany(ctx context.Context, queries []model.Query, dst [][]float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f := s.folds.Get().(*fold)
	defer s.folds.Put(f)
	known := make([][]float32, 0, len(queries))
	factors := make([]float32, 0, len(queries)*s.items.Cols)
	for i, q := range queries {
		if len(dst[i]) != s.items.Rows {
			return attune.Errorf(attune.Internal, "%d scores asked for of a model with %d items", len(dst[i]), s.items.Rows)
		}
		if !s.fold(f, q.History) {
			copy(dst[i], s.newborn)
			continue
		}
		known, factors = append(known, dst[i]), append(factors, f.x...)
	}
	kernel.GemvMany(known, s.items.Data, factors)
	return nil
}

// Dim is the number of factors.
func (s *scorer) Dim() int { return s.items.Cols }

// Item is the factors of an item.
func (s *scorer) Item(row int32) []float32 { return s.items.Row(int(row)) }

// Fold solves for the factors of who has a history.
func (s *scorer) Fold(ctx context.Context, history []model.Touch, dst []float32) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	f := s.folds.Get().(*fold)
	defer s.folds.Put(f)
	if !s.fold(f, history) {
		return false, nil
	}
	copy(dst, f.x)
	return true, nil
}

// fold solves for the factors of who has a history, into f.x; false says that
// there is nothing to solve from.
func (s *scorer) fold(f *fold, history []model.Touch) bool {
	f.gather(history, s.items.Rows, s.p.recency)
	if len(f.index) == 0 {
		return false
	}
	f.solver.fold(f.x, f.index, f.weight)
	kernel.Scale(float32(s.p.scale), f.x)
	return true
}

// standing is the item side as it is stored. Turning it would take another copy
// of the factors, so its Gram matrix is kept whole; training leaves it diagonal
// but for the last half step, so the preconditioner is nearly as good.
func (p parameters) standing(items matrix.Dense) (*fixed, error) {
	whole, err := p.gram(context.Background(), recipe.Run, items)
	if err != nil {
		return nil, err
	}
	f := &fixed{from: items, whole: whole, spectrum: make([]float32, items.Cols)}
	for j := range f.spectrum {
		f.spectrum[j] = f.whole[j*items.Cols+j]
	}
	return f, nil
}

// fold finds the exact factors of who has the given rows, from nothing.
func (s *solver) fold(x []float32, index []int32, weight []float32) {
	clear(x)
	if s.start(s.parameters, &s.system, x, index, weight) {
		s.conjugate(foldSteps, foldTolerance)
	}
}

// gather turns a history into distinct items with confidences. With a recency
// half-life h the newest interaction weighs 1 and the one k before it h/(h+k):
// forgetting is quick at first and slow later, which did better on validation
// slices than an exponential.
func (f *fold) gather(history []model.Touch, items int, halfLife float64) {
	f.touch = f.touch[:0]
	for age := range history {
		t := history[len(history)-1-age]
		if t.Item < 0 || int(t.Item) >= items || !(t.Weight > 0) || math.IsInf(float64(t.Weight), 0) {
			continue
		}
		if halfLife > 0 {
			t.Weight *= float32(halfLife / (halfLife + float64(age)))
		}
		f.touch = append(f.touch, t)
	}
	slices.SortStableFunc(f.touch, func(a, b model.Touch) int { return int(a.Item) - int(b.Item) })
	f.index, f.weight = f.index[:0], f.weight[:0]
	for _, t := range f.touch {
		if n := len(f.index); n > 0 && f.index[n-1] == t.Item {
			f.weight[n-1] += t.Weight
			continue
		}
		f.index, f.weight = append(f.index, t.Item), append(f.weight, t.Weight)
	}
	for i, n := range f.weight {
		f.weight[i] = confidence(n)
	}
}
