package ials

import (
	"math"

	"github.com/attune-io/attune/kernel"
)

// gathered is how many rows are copied together for a product: few enough that
// they stay in a core's own cache.
const gathered = 128

// solver finds factors of one row after another while the other side stands
// still. It is the scratch of one goroutine.
type solver struct {
	parameters
	*fixed
	gemm kernel.Gemm
	turn []float32 // rowsAtOnce × d
	system

	rows, h, g []float32 // of block: gathered × size, size × size, size
	pull       []float32 // of block: gathered
	e          []float32 // of block: grows to the observations of a row
}

func newSolver(p parameters, f *fixed) *solver {
	d := f.from.Cols
	s := &solver{parameters: p, fixed: f, turn: make([]float32, rowsAtOnce*d)}
	s.place(make([]float32, systemSize*d), d)
	if size := p.size(); size > 0 {
		s.rows, s.pull = make([]float32, gathered*size), make([]float32, gathered)
		s.h, s.g = make([]float32, size*size), make([]float32, size)
	}
	return s
}

// solve improves x, the factors of somebody who has the given rows of from,
// starting from what x holds. Nobody has nothing: without rows x becomes 0.
func (s *solver) solve(x []float32, index []int32, weight []float32) {
	if s.start(s.parameters, &s.system, x, index, weight) {
		switch size := s.size(); {
		case size == 0 || !s.blocks(x, index, weight, size):
			s.conjugate(s.steps, 0)
		}
	}
}

// ridge is λ of a row with n observations of so many that it could have.
func (p parameters) ridge(n, all int) float64 {
	return p.regularize * math.Pow(float64(n)+float64(p.unobserved*float64(all)), p.exponent)
}

// blocks solves for size factors at a time while the others stand still, as in
// Rendle, Krichene, Zhang, Koren: iALS++: Speeding up Matrix Factorization with
// Subspace Optimization (2021); with size = d that is the exact solution. False,
// with x as far as it came, when a matrix is not positive definite.
//
// With e = 1 - y·x, the factors x_B of a block change by
// (Σ w·y_B·y_Bᵀ + a_B)⁻¹ (Σ w·e·y_B - a_B∘x_B).
func (s *solver) blocks(x []float32, index []int32, weight []float32, size int) bool {
	d := len(x)
	s.e = s.e[:0]
	for k, i := range index {
		root := float32(math.Sqrt(float64(max(0, weight[k]))))
		s.e = append(s.e, root*(1-kernel.Dot(s.from.Row(int(i)), x)))
	}
	for left := 0; left < d; left += size {
		right := min(left+size, d)
		n := right - left
		h, g, part := s.h[:n*n], s.g[:n], x[left:right]
		clear(h)
		for j, v := range part {
			g[j] = -s.a[left+j] * v
		}
		for from := 0; from < len(index); from += gathered {
			to := min(from+gathered, len(index))
			rows, pull := s.gather(index[from:to], left, right), s.pull[:to-from]
			s.gemm.Gram(h, kernel.NewView(rows, n), weight[from:to])
			for k := range pull {
				pull[k] = float32(weight[from+k] * s.e[from+k])
			}
			kernel.GemvT(g, rows, pull)
		}
		for j, a := range s.a[left:right] {
			h[j*n+j] += a
		}
		kernel.Mirror(h, n)
		if !kernel.Cholesky(h, n) {
			return false
		}
		kernel.CholeskySolve(h, n, g)
		kernel.Axpy(1, g, part)
		if right == d {
			break
		}
		for from := 0; from < len(index); from += gathered {
			to := min(from+gathered, len(index))
			rows := s.gather(index[from:to], left, right)
			for k := from; k < to; k++ {
				s.e[k] -= kernel.Dot(rows[(k-from)*n:(k-from+1)*n], g)
			}
		}
	}
	return true
}

// gather copies columns [left, right) of rows.
func (s *solver) gather(index []int32, left, right int) []float32 {
	n := right - left
	for k, i := range index {
		copy(s.rows[k*n:(k+1)*n], s.from.Row(int(i))[left:right])
	}
	return s.rows[:len(index)*n]
}
