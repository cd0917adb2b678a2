package kernel

import "math"

// Cholesky factors the symmetric positive definite a in place: a = LLᵀ, with L
// in the lower half (the upper half is left alone). a: d×d row-major. It
// reports false when a is not positive definite; a is then spoilt.
func Cholesky(a []float32, d int) bool {
	for i := range d {
		ri := a[i*d : i*d+i+1]
		for j := range i {
			rj := a[j*d : j*d+j+1]
			ri[j] = (ri[j] - Dot(ri[:j], rj[:j])) / rj[j]
		}
		p := ri[i] - Dot(ri[:i], ri[:i])
		if !(p > 0) || math.IsInf(float64(p), 0) {
			return false
		}
		ri[i] = float32(math.Sqrt(float64(p)))
	}
	return true
}

// CholeskySolve replaces b by the solution of LLᵀx = b, with l from Cholesky.
func CholeskySolve(l []float32, d int, b []float32) {
	for i := range d {
		b[i] = (b[i] - Dot(l[i*d:i*d+i], b[:i])) / l[i*d+i]
	}
	for i := d - 1; i >= 0; i-- {
		b[i] /= l[i*d+i]
		Axpy(-b[i], l[i*d:i*d+i], b[:i])
	}
}

// Weighted is the operator A = G + YᵀWY + ridge·I that implicit feedback
// asks to solve, without ever forming it.
type Weighted struct {
	Gram   []float32 // G: d×d, both halves
	Rows   []float32 // Y: n×d row-major, one row per observation
	Weight []float32 // W: n
	Ridge  float32
}

// CG is the scratch of a conjugate gradient solver for one size d. It is not
// safe for concurrent use; make one per goroutine.
type CG struct {
	r, p, q []float32 // d
	t       []float32 // spare of Normal
}

// NewCG makes a solver for d unknowns.
func NewCG(d int) *CG {
	return &CG{r: make([]float32, d), p: make([]float32, d), q: make([]float32, d)}
}

// Solve improves x towards the solution of Ax = b by at most steps steps, and
// stops early once the residual is below tolerance times the length of b. x
// holds the starting point. It returns the number of steps taken.
func (c *CG) Solve(a Weighted, x, b []float32, steps int, tolerance float64) int {
	c.apply(a, c.r, x)
	for i, v := range b {
		c.r[i] = v - c.r[i]
	}
	copy(c.p, c.r)
	rr := Norm2(c.r)
	small := Norm2(b) * tolerance * tolerance
	for step := range steps {
		if !(rr > small) || rr < math.SmallestNonzeroFloat32 {
			return step
		}
		c.apply(a, c.q, c.p)
		pq := float64(Dot(c.p, c.q))
		if !(pq > 0) {
			return step
		}
		alpha := float32(rr / pq)
		Axpy(alpha, c.p, x)
		Axpy(-alpha, c.q, c.r)
		next := Norm2(c.r)
		beta := float32(next / rr)
		for i, v := range c.r {
			c.p[i] = v + float32(beta*c.p[i])
		}
		rr = next
	}
	return steps
}

// apply writes A·v into dst.
func (c *CG) apply(a Weighted, dst, v []float32) {
	Gemv(dst, a.Gram, v)
	Axpy(a.Ridge, v, dst)
	c.t = Normal(dst, a.Rows, a.Weight, v, c.t)
}
