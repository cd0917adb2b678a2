package matrix

import (
	"math"
	"slices"

	"github.com/attune-io/attune/kernel"
)

// eigenSweeps bounds the steps for one eigenvalue; two or three are usual.
const eigenSweeps = 60

// Eigen finds the eigenvalues of a symmetric n×n matrix, largest first, and their
// vectors of length 1, which are the rows of the second result. It spoils a. ok
// is false when a holds something that is no number. It takes some 9n³
// operations of one processor, so it is for the small matrices between factors.
func Eigen(a []float64, n int) (values, vectors []float64, ok bool) { return symmetricEigen(a, n) }

// symmetricEigen finds the eigenvalues of a symmetric n×n matrix, largest first,
// and their vectors, which become the rows of the second result. It spoils a. ok
// is false when a holds something that is no number.
//
// Householder reflections make a tridiagonal, and QR steps with Wilkinson's
// shift make that diagonal (Golub, Van Loan: Matrix Computations, 4th edition,
// algorithms 8.3.1 and 8.3.2).
func symmetricEigen(a []float64, n int) (values []float64, vectors []float64, ok bool) {
	for _, v := range a[:n*n] {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, nil, false
		}
	}
	d, e, z := tridiagonal(a, n)
	if !diagonal(d, e, z, n) {
		return nil, nil, false
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case d[i] > d[j]:
			return -1
		case d[i] < d[j]:
			return 1
		}
		return 0
	})
	values, vectors = make([]float64, n), make([]float64, 0, n*n)
	for to, i := range order {
		values[to] = d[i]
		vectors = append(vectors, z[i*n:(i+1)*n]...)
	}
	return values, vectors, true
}

// tridiagonal finds d, e and z with a = zᵀ·T·z, where T has d on its diagonal
// and e beside it, and the rows of z are orthonormal.
func tridiagonal(a []float64, n int) (d, e, z []float64) {
	d, e = make([]float64, n), make([]float64, n)
	beta, p := make([]float64, n), make([]float64, n)
	for k := 0; k < n-2; k++ {
		v := a[k*n+k+1 : (k+1)*n] // row k, right of the diagonal, becomes the reflection's vector
		beta[k], e[k] = reflection(v)
		if beta[k] == 0 {
			continue
		}
		w := p[:len(v)]
		for i := range v {
			w[i] = beta[k] * dot64(a[(k+1+i)*n+k+1:(k+2+i)*n], v)
		}
		kernel.Axpy64(-beta[k]/2*dot64(w, v), v, w)
		for i := range v {
			row := a[(k+1+i)*n+k+1 : (k+2+i)*n]
			kernel.Axpy64(-v[i], w, row)
			kernel.Axpy64(-w[i], v, row)
		}
	}
	if n > 1 {
		e[n-2] = a[(n-2)*n+n-1]
	}
	for i := range d {
		d[i] = a[i*n+i]
	}
	// z = H(n-3) … H(1)·H(0): built from the last, whose block is the smallest.
	z = make([]float64, n*n)
	for i := range n {
		z[i*n+i] = 1
	}
	for k := n - 3; k >= 0; k-- {
		if beta[k] == 0 {
			continue
		}
		v := a[k*n+k+1 : (k+1)*n]
		for i := k + 1; i < n; i++ {
			row := z[i*n+k+1 : (i+1)*n]
			kernel.Axpy64(-beta[k]*dot64(row, v), v, row)
		}
	}
	return d, e, z
}

// reflection replaces v by a vector u such that (I - beta·u·uᵀ)·v is alpha in the
// first place and 0 in all others.
func reflection(v []float64) (beta, alpha float64) {
	most := 0.0
	for _, x := range v {
		most = max(most, math.Abs(x))
	}
	if alpha = v[0]; most == 0 {
		return 0, alpha
	}
	for i := range v {
		v[i] /= most // squares of small elements would vanish
	}
	rest := dot64(v[1:], v[1:])
	if rest == 0 {
		return 0, alpha
	}
	norm := math.Sqrt(v[0]*v[0] + rest)
	if v[0] > 0 {
		norm = -norm // away from cancellation
	}
	v[0] -= norm
	return 2 / (v[0]*v[0] + rest), norm * most
}

// diagonal turns the tridiagonal d, e into eigenvalues in d; the rows of z turn
// along and become their vectors.
func diagonal(d, e, z []float64, n int) bool {
	const epsilon = 0x1p-52
	size := 0.0
	for i := range n {
		size = max(size, math.Abs(d[i])+math.Abs(e[i]))
	}
	small := func(i int) bool {
		return math.Abs(e[i]) <= epsilon*(math.Abs(d[i])+math.Abs(d[i+1])) || math.Abs(e[i]) <= epsilon*epsilon*size
	}
	left := eigenSweeps * n
	for high := n - 1; high > 0; {
		if small(high - 1) {
			e[high-1] = 0
			high--
			continue
		}
		low := high - 1
		for low > 0 && !small(low-1) {
			low--
		}
		if left--; left < 0 {
			return false
		}
		sweep(d, e, z, n, low, high)
	}
	return true
}

// sweep is one QR step on rows low to high.
func sweep(d, e, z []float64, n, low, high int) {
	half, off := (d[high-1]-d[high])/2, e[high-1]
	shift := d[high] - off*off/(half+math.Copysign(math.Hypot(half, off), half))
	x, y := d[low]-shift, e[low]
	for k := low; k < high; k++ {
		r := math.Hypot(x, y)
		c, s := 1.0, 0.0
		if r > 0 {
			c, s = x/r, y/r
		}
		if k > low {
			e[k-1] = r
		}
		d0, d1, e0 := d[k], d[k+1], e[k]
		d[k] = c*c*d0 + 2*c*s*e0 + s*s*d1
		d[k+1] = s*s*d0 - 2*c*s*e0 + c*c*d1
		e[k] = (c*c-s*s)*e0 + c*s*(d1-d0)
		if k < high-1 {
			x, y = e[k], s*e[k+1]
			e[k+1] *= c
		}
		kernel.Turn64(c, s, z[k*n:(k+1)*n], z[(k+1)*n:(k+2)*n])
	}
}

// dot64 is a·b in four lanes.
func dot64(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += v * b[i]
	}
	return (s0 + s2) + (s1 + s3)
}
