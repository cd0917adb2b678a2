package ials

import (
	"math"

	"github.com/attune-io/attune/kernel"
)

// system is the equations of one row, and how far conjugate gradients have come
// with them: Ax = b with A = α₀YᵀY + Σ w·y·yᵀ + λ_u and b = Σ w·y, sums over the
// row's observations; α₀YᵀY is diagonal, or nearly so.
type system struct {
	x      []float32 // d: the row's factors
	index  []int32   // its observations
	weight []float32

	r, p, q []float32 // d: residual, direction, and what the matrix makes of it
	a, m    []float32 // d: the matrix without its observations, and the preconditioner
	rz      float64   // r·m∘r
	done    bool      // no step is left to take
}

// systemSize is how many vectors a system has of its own.
const systemSize = 5

// place gives y memory for its vectors.
func (y *system) place(all []float32, d int) {
	y.r, y.p, y.q, y.a, y.m = all[:d], all[d:2*d], all[2*d:3*d], all[3*d:4*d], all[4*d:5*d]
}

// start sets up what a row has without its observations; false when it has none.
func (f *fixed) start(p parameters, y *system, x []float32, index []int32, weight []float32) bool {
	if len(index) == 0 {
		clear(x)
		return false
	}
	y.x, y.index, y.weight = x, index, weight
	ridge := float32(p.ridge(len(index), f.from.Rows))
	for j, l := range f.spectrum {
		y.a[j] = l + ridge
	}
	return true
}

// conjugate does at most steps steps of conjugate gradients on what start has set
// up, and stops once the residual is below tolerance times that of x = 0, in the
// norm of the preconditioner. That is the inverse of the matrix without its
// observations: with it two steps come as far as three without.
func (s *solver) conjugate(steps int, tolerance float64) {
	y := &s.system
	s.residual(y)
	s.reach(y, y.index, y.weight)
	small := 0.0
	if tolerance > 0 {
		small = s.distance(y) * tolerance * tolerance
	}
	y.rz = precondition(y.p, y.m, y.r)
	for step := range steps {
		if !s.direct(y, small) {
			return
		}
		s.image(y, y.index, y.weight)
		if !y.advance(step == steps-1) {
			return
		}
	}
}

// residual begins b - Ax, and the preconditioner; reach adds what observations say.
func (f *fixed) residual(y *system) {
	kernel.Reciprocal(y.m, y.a, math.SmallestNonzeroFloat32*0x1p30)
	f.apply(y, y.q, y.x)
	for j, v := range y.q {
		y.r[j] = -v
	}
}

// reach adds some of the observations to the residual: Σ w·y - (Σ w·y·yᵀ)x.
func (f *fixed) reach(y *system, index []int32, weight []float32) {
	kernel.Reach(y.r, f.from.Data, index, weight, y.x, 1, -1)
}

// direct begins Ap, to which image adds what observations say; false when the
// residual is small already.
func (f *fixed) direct(y *system, small float64) bool {
	if !(y.rz > small) || y.rz < math.SmallestNonzeroFloat32 {
		return false
	}
	f.apply(y, y.q, y.p)
	return true
}

// image adds some of the observations to what the matrix makes of the
// direction: (Σ w·y·yᵀ)p.
func (f *fixed) image(y *system, index []int32, weight []float32) {
	kernel.Reach(y.q, f.from.Data, index, weight, y.p, 0, 1)
}

// advance takes one step along the direction and, unless it is the last, finds
// the next one; false when there is none.
func (y *system) advance(last bool) bool {
	pq := float64(kernel.Dot(y.p, y.q))
	if !(pq > 0) {
		return false
	}
	alpha := float32(y.rz / pq)
	kernel.Axpy(alpha, y.p, y.x)
	if last {
		return false
	}
	kernel.Axpy(-alpha, y.q, y.r)
	next := precondition(y.q, y.m, y.r)
	kernel.Scale(float32(next/y.rz), y.p)
	kernel.Add(y.p, y.p, y.q)
	y.rz = next
	return true
}

// apply writes the matrix without its observations, times v, into dst.
func (f *fixed) apply(y *system, dst, v []float32) {
	if f.whole != nil {
		kernel.Gemv(dst, f.whole, v)
		kernel.Axpy(y.a[0]-f.spectrum[0], v, dst) // the ridge
		return
	}
	kernel.Mul(dst, y.a, v)
}

// precondition writes m∘r into z and returns r·z.
func precondition(z, m, r []float32) float64 {
	kernel.Mul(z, m, r)
	return float64(kernel.Dot(z, r))
}

// distance is the residual of x = 0.
func (f *fixed) distance(y *system) float64 {
	clear(y.q)
	kernel.Reach(y.q, f.from.Data, y.index, y.weight, y.q, 1, 0)
	return precondition(y.p, y.m, y.q)
}
