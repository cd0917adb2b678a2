package ials

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
)

const (
	// grams is into how many parts a Gram matrix is cut, whatever the number of
	// processors: the parts are added up in order, so the sum is always the same.
	grams = 16
	// rowsAtOnce is what a goroutine takes from the queue of rows; small,
	// because the heavy rows of a power law are not spread evenly.
	rowsAtOnce = 32
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
func (p parameters) halfStep(ctx context.Context, to, from matrix.Dense, pairs *pairs) error {
	f, ok := p.turned(from)
	if !ok {
		return p.diverged()
	}
	if err := each(ctx, from.Rows, rowsAtOnce, func() func(from, to int) {
		s := newSolver(p, f)
		return func(begin, end int) { s.rotate(from, begin, end) }
	}); err != nil {
		return err
	}
	if pairs.strip > 0 {
		s := &strips{parameters: p, fixed: f, pairs: pairs, to: to}
		for _, b := range pairs.batches {
			if err := s.solve(ctx, b); err != nil {
				return err
			}
		}
		return nil
	}
	return each(ctx, to.Rows, rowsAtOnce, func() func(from, to int) {
		s := newSolver(p, f)
		return func(begin, end int) {
			s.rotate(to, begin, end)
			for row := begin; row < end; row++ {
				index, weight := pairs.Of(row)
				s.solve(to.Row(row), index, weight)
			}
		}
	})
}

// turned finds the basis in which α₀YᵀY is diagonal; false when y holds numbers
// that are none.
func (p parameters) turned(y matrix.Dense) (*fixed, bool) {
	d := y.Cols
	gram := p.gram(y)
	wide := make([]float64, len(gram))
	for i, v := range gram {
		wide[i] = float64(v)
	}
	values, vectors, ok := matrix.Eigen(wide, d)
	if !ok {
		return nil, false
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
	return f, true
}

// rotate turns rows [begin, end) of m, at most rowsAtOnce, into the basis.
func (s *solver) rotate(m matrix.Dense, begin, end int) {
	rows := m.Data[begin*m.Cols : end*m.Cols]
	old := s.turn[:len(rows)]
	copy(old, rows)
	clear(rows)
	s.gemm.NNPacked(kernel.NewView(rows, m.Cols), kernel.NewView(old, m.Cols), &s.basis)
}

// gram is unobserved_weight · YᵀY, both halves.
func (p parameters) gram(y matrix.Dense) []float32 {
	d := y.Cols
	parts := make([][]float32, grams)
	size := (y.Rows + grams - 1) / grams
	var next atomic.Int64
	var done sync.WaitGroup
	for range min(grams, runtime.GOMAXPROCS(0)) {
		done.Go(func() {
			var gemm kernel.Gemm
			for {
				i := int(next.Add(1)) - 1
				if i >= grams {
					return
				}
				parts[i] = make([]float32, d*d)
				gemm.Gram(parts[i], kernel.NewView(y.Data[min(i*size, y.Rows)*d:min((i+1)*size, y.Rows)*d], d), nil)
			}
		})
	}
	done.Wait()
	sum := parts[0]
	for _, part := range parts[1:] {
		kernel.Axpy(1, part, sum)
	}
	kernel.Scale(float32(p.unobserved), sum)
	kernel.Mirror(sum, d)
	return sum
}

// each gives out rows [0, n), size at a time. Every goroutine makes its own
// worker, with its scratch.
func each(ctx context.Context, n, size int, worker func() func(from, to int)) error {
	var next atomic.Int64
	var done sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		done.Go(func() {
			do := worker()
			for ctx.Err() == nil {
				begin := int(next.Add(int64(size))) - size
				if begin >= n {
					return
				}
				do(begin, min(begin+size, n))
			}
		})
	}
	done.Wait()
	return ctx.Err()
}
