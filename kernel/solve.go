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
