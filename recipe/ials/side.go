package ials

import (
	"context"

	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/recipe"
)

const (
	// grams is into how many parts a Gram matrix is cut, whatever the number of
	// processors: the parts are added up in order, so the sum is always the same.
	grams = 16
	// rowsAtOnce is a block of rows; small, because the heavy rows of a power law
	// are not spread evenly.
	rowsAtOnce = 32
)

// The stages: what is in blocks. Those of half a sweep are "users" or "items".
const (
	stageGram  = "gram"  // parts of a sum over rows
	stageTurn  = "turn"  // rows of either side
	stageUsers = "users" // batches of rows, where there are strips
	stageItems = "items"
	stageShort = "short rows" // of a batch, by their places
	stageLong  = "long rows"
)

// fixed is the side that stands still in half a step.
type fixed struct {
	from     matrix.Dense
	spectrum []float32 // α₀YᵀY: its diagonal
	whole    []float32 // α₀YᵀY, d×d, where it is not diagonal; otherwise nil
	basis    kernel.Packed
}

// halfStep solves all rows of to, whose pairs with rows of from are given, while
// from stands still. Rows are independent of each other, so their order does not matter.
//
// First it turns both sides so that YᵀY is diagonal. No inner product and no
// length changes by that, and what had cost d² operations in every step of
// every row is d.
func (p parameters) halfStep(ctx context.Context, run recipe.Runner, to, from matrix.Dense, pairs *pairs) error {
	f, err := p.turned(ctx, run, from)
	if err != nil {
		return err
	}
	err = run(ctx, recipe.Stage{Name: stageTurn, Blocks: recipe.Cut(from.Rows, rowsAtOnce)}, func() func(recipe.Block) {
		s := newSolver(p, f)
		return func(b recipe.Block) { s.rotate(rows(from, b)) }
	}, nil)
	switch {
	case err != nil:
		return err
	case pairs.strip > 0:
		return p.halfStepInStrips(ctx, run, to, f, pairs)
	}
	return run(ctx, recipe.Stage{Name: pairs.name, Blocks: recipe.Cut(to.Rows, rowsAtOnce)}, func() func(recipe.Block) {
		s := newSolver(p, f)
		return func(b recipe.Block) { s.block(b, &pairs.CSR, rows(to, b)) }
	}, nil)
}

// rows are those of a block; shared memory.
func rows(m matrix.Dense, b recipe.Block) []float32 { return m.Data[b.From*m.Cols : b.To*m.Cols] }

// block improves the factors of the rows of a block, at most rowsAtOnce, which are
// in to as they were before. It reads what the solver was made of, parameters and
// the side that stands still, and of the observations those of its rows.
func (s *solver) block(b recipe.Block, observed *matrix.CSR, to []float32) {
	s.rotate(to)
	d := len(s.spectrum)
	for k := range b.Len() {
		index, weight := observed.Of(b.From + k)
		s.solve(to[k*d:(k+1)*d], index, weight)
	}
}

// turned finds the basis in which α₀YᵀY is diagonal. The error is ctx's, or says
// that y holds numbers that are none.
func (p parameters) turned(ctx context.Context, run recipe.Runner, y matrix.Dense) (*fixed, error) {
	d := y.Cols
	gram, err := p.gram(ctx, run, y)
	if err != nil {
		return nil, err
	}
	wide := make([]float64, len(gram))
	for i, v := range gram {
		wide[i] = float64(v)
	}
	values, vectors, ok := matrix.Eigen(wide, d)
	if !ok {
		return nil, p.diverged()
	}
	f := &fixed{from: y, spectrum: make([]float32, d)}
	basis := kernel.NewView(make([]float32, d*d), d)
	for k, v := range values {
		f.spectrum[k] = float32(max(0, v)) // below 0 it is rounding
	}
	for i, x := range vectors {
		basis.Data[i] = float32(x)
	}
	f.basis.PackT(basis)
	return f, nil
}

// rotate turns rows, at most rowsAtOnce, into the basis.
func (s *solver) rotate(rows []float32) {
	old, d := s.turn[:len(rows)], len(s.spectrum)
	copy(old, rows)
	clear(rows)
	s.gemm.NNPacked(kernel.NewView(rows, d), kernel.NewView(old, d), &s.basis)
}

// gram is unobserved_weight · YᵀY, both halves. The error is ctx's.
func (p parameters) gram(ctx context.Context, run recipe.Runner, y matrix.Dense) ([]float32, error) {
	d := y.Cols
	sum := make([]float32, d*d)
	size := max(1, (y.Rows+grams-1)/grams)
	parts := make([][]float32, grams)
	err := run(ctx, recipe.Stage{Name: stageGram, Blocks: recipe.Cut(y.Rows, size)}, func() func(recipe.Block) {
		var gemm kernel.Gemm
		return func(b recipe.Block) {
			part := make([]float32, d*d)
			gemm.Gram(part, kernel.NewView(rows(y, b), d), nil)
			parts[b.From/size] = part
		}
	}, nil)
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		if part != nil {
			kernel.Axpy(1, part, sum)
		}
	}
	kernel.Scale(float32(p.unobserved), sum)
	kernel.Mirror(sum, d)
	return sum, nil
}
