package matrix

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
)

const (
	// pivotBlock is how many unknowns one step of Invert takes out of a big
	// matrix. Every step reads and writes half the matrix, so it must be large
	// for the arithmetic to outweigh the memory; its own inverse is made by one
	// goroutine, so it must not be larger.
	pivotBlock = 512
	// fewBlocks is below how many blocks of that size smaller ones are used, so
	// that there is something to share out.
	fewBlocks = 8
	// smallBlock is the step inside a block, and smallest what is inverted element by element.
	smallBlock = 64
	smallest   = 16
)

// Invert replaces the symmetric positive definite a by its inverse. It reads the
// lower half (with the diagonal) and writes both. It takes n³ multiplications
// and additions, about n·1024 floats beside a, and every processor; the result
// does not depend on how many there are. precision is that of the products: Split is
// enough where the condition number is far below 2¹⁶. told is called after each step, may
// be nil. a is spoilt when an error comes back: ctx's, or attune.Invalid when a
// is not positive definite in the precision of float32.
//
// Block by block, a pivot block D with panel W (the other rows of its columns)
// is swept:
//
//	A ← A - W·D⁻¹·Wᵀ,  W ← W·D⁻¹,  D ← -D⁻¹
//
// which leaves -A⁻¹ after the last. That is Gauss–Jordan elimination of a
// symmetric matrix (A. E. Beaton, The use of special matrix operators in
// statistical calculus, ETS 1964), by blocks. It does as much work as a Cholesky
// factorisation followed by an inversion, nearly all of it in one kind of
// product over tiles that do not depend on each other. Without a search for
// pivots it is stable for positive definite matrices.
func Invert(ctx context.Context, a Dense, precision kernel.Precision, told func(done, total int)) error {
	if a.Rows != a.Cols {
		return attune.Errorf(attune.Internal, "inverse of a matrix of %d × %d", a.Rows, a.Cols)
	}
	block := pivotBlock
	for block > smallBlock && a.Rows < fewBlocks*block {
		block /= 2
	}
	v := kernel.View{Data: a.Data, Rows: a.Rows, Cols: a.Cols, Stride: a.Cols}
	s := newInversion(ctx, v, block, runtime.GOMAXPROCS(0))
	for i := range s.gemm {
		s.gemm[i].Precision = precision
	}
	if err := s.all(told); err != nil {
		return err
	}
	return s.finish()
}

// inversion is one inversion under way.
type inversion struct {
	ctx   context.Context
	a     kernel.View
	block int
	gemm  []kernel.Gemm // of each goroutine
	w, v  kernel.View   // n × block: W, and -W·D⁻¹
	d     kernel.View   // block × block: D⁻¹
	inner *inversion    // of d; nil where it is small enough
}

func newInversion(ctx context.Context, a kernel.View, block, workers int) *inversion {
	s := &inversion{ctx: ctx, a: a, block: min(block, max(1, a.Rows)), gemm: make([]kernel.Gemm, workers)}
	view := func(rows int) kernel.View { return kernel.NewView(make([]float32, rows*s.block), s.block) }
	s.w, s.v, s.d = view(a.Rows), view(a.Rows), view(s.block)
	if s.block > smallest {
		next := smallBlock
		if s.block <= smallBlock {
			next = smallest
		}
		s.inner = newInversion(ctx, s.d, next, 1)
	}
	return s
}

// all sweeps block after block: a becomes -a⁻¹, lower half.
func (s *inversion) all(told func(done, total int)) error {
	steps := (s.a.Rows + s.block - 1) / s.block
	for step := range steps {
		from := step * s.block
		to := min(from+s.block, s.a.Rows)
		if err := s.pivot(from, to); err != nil {
			return err
		}
		if told != nil {
			told(step+1, steps)
		}
	}
	return nil
}

// pivot sweeps the rows [from, to).
func (s *inversion) pivot(from, to int) error {
	b := to - from
	d := s.d.Part(0, b, 0, b)
	for i := range b {
		copy(d.Row(i)[:i+1], s.a.Row(from + i)[from:from+i+1])
	}
	if !s.invertPivot(d) {
		if err := s.ctx.Err(); err != nil {
			return err
		}
		return attune.Errorf(attune.Invalid, "the matrix of %d rows is not positive definite near row %d: add more to its diagonal", s.a.Rows, from)
	}
	bands := (s.a.Rows + s.block - 1) / s.block
	if err := s.share(bands, func(t int, g *kernel.Gemm) { s.panel(g, from, to, t*s.block, min((t+1)*s.block, s.a.Rows)) }); err != nil {
		return err
	}
	return s.share(bands*(bands+1)/2, func(t int, g *kernel.Gemm) {
		i := 0
		for (i+1)*(i+2)/2 <= t {
			i++
		}
		s.tile(g, from, to, i*s.block, (t-i*(i+1)/2)*s.block)
	})
}

// invertPivot makes d its inverse, both halves, from its lower half.
func (s *inversion) invertPivot(d kernel.View) bool {
	if s.inner == nil {
		return invertSmall(d)
	}
	in := *s.inner
	in.a = d
	return in.all(nil) == nil && in.finish() == nil
}

// panel fills rows [top, bottom) of w and v, those of the pivot with zeros so
// that tiles need not look out for them.
func (s *inversion) panel(g *kernel.Gemm, from, to, top, bottom int) {
	b := to - from
	w, v := s.w.Part(top, bottom, 0, b), s.v.Part(top, bottom, 0, b)
	for i := range w.Rows {
		switch row := top + i; {
		case row >= to:
			copy(w.Row(i), s.a.Row(row)[from:to])
		case row >= from:
			clear(w.Row(i))
		}
		clear(v.Row(i))
	}
	for k := range b { // the part above the pivot lies in the pivot's own rows
		for row, x := range s.a.Row(from + k)[top:max(top, min(bottom, from))] {
			w.Data[row*w.Stride+k] = x
		}
	}
	g.NN(v, w, s.d.Part(0, b, 0, b))
	for i := range v.Rows {
		kernel.Scale(-1, v.Row(i))
	}
}

// tile updates the tile at (i, j) of the lower half and puts in what the pivot leaves.
func (s *inversion) tile(g *kernel.Gemm, from, to, i, j int) {
	b := to - from
	bottom, right := min(i+s.block, s.a.Rows), min(j+s.block, s.a.Rows)
	switch {
	case i == from && j == from:
		for r := range b {
			row, d := s.a.Row(from + r)[from:to], s.d.Row(r)[:b]
			for c, x := range d {
				row[c] = -x
			}
		}
	case j == from:
		for r := i; r < bottom; r++ {
			row := s.a.Row(r)[from:to]
			for c, x := range s.v.Row(r)[:b] {
				row[c] = -x
			}
		}
	case i == from:
		for c := j; c < right; c++ {
			for r, x := range s.v.Row(c)[:b] {
				s.a.Data[(from+r)*s.a.Stride+c] = -x
			}
		}
	default:
		g.NT(s.a.Part(i, bottom, j, right), s.v.Part(i, bottom, 0, b), s.w.Part(j, right, 0, b))
	}
}

// finish turns the sign of the lower half and mirrors it.
func (s *inversion) finish() error {
	bands := (s.a.Rows + s.block - 1) / s.block
	return s.share(bands*(bands+1)/2, func(t int, _ *kernel.Gemm) {
		i := 0
		for (i+1)*(i+2)/2 <= t {
			i++
		}
		j := (t - i*(i+1)/2) * s.block
		i *= s.block
		for r := i; r < min(i+s.block, s.a.Rows); r++ {
			row := s.a.Row(r)
			for c := j; c < min(j+s.block, r+1); c++ {
				row[c] = -row[c]
				s.a.Data[c*s.a.Stride+r] = row[c]
			}
		}
	})
}

// share does tasks on all goroutines of the inversion.
func (s *inversion) share(tasks int, do func(task int, g *kernel.Gemm)) error {
	if len(s.gemm) == 1 {
		for t := 0; t < tasks && s.ctx.Err() == nil; t++ {
			do(t, &s.gemm[0])
		}
		return s.ctx.Err()
	}
	var next atomic.Int64
	var done sync.WaitGroup
	for i := range s.gemm {
		done.Go(func() {
			for s.ctx.Err() == nil {
				t := int(next.Add(1)) - 1
				if t >= tasks {
					return
				}
				do(t, &s.gemm[i])
			}
		})
	}
	done.Wait()
	return s.ctx.Err()
}

// invertSmall is the same sweep, one unknown at a time, in float64: pivots of a
// block decide the accuracy of all that follows. a: n×n of which the lower half
// is read and both are written, n at most smallest.
func invertSmall(a kernel.View) bool {
	n := a.Rows
	var m [smallest][smallest]float64
	for i := range n {
		for j, x := range a.Row(i)[:i+1] {
			m[i][j], m[j][i] = float64(x), float64(x)
		}
	}
	for k := range n {
		p := m[k][k]
		if !(p > 0) || p > 1e300 {
			return false
		}
		for i := range n {
			if i == k {
				continue
			}
			f := m[i][k] / p
			for j := range n {
				if j != k {
					m[i][j] -= float64(f * m[k][j])
				}
			}
			m[i][k] = f
		}
		for j := range n {
			m[k][j] = m[j][k] // swept, columns and rows have the same sign
		}
		m[k][k] = -1 / p
	}
	for i := range n {
		for j := range n {
			a.Row(i)[j] = float32(-m[i][j])
		}
	}
	return true
}
