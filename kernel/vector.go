package kernel

import "math"

// lanes is the number of partial sums of a dot product; see the package comment.
const lanes = 8

// Dot returns a·b. The slices have equal length; b may be longer.
func Dot(a, b []float32) float32 { return dotGeneric(a, b) }

func dotGeneric(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	for len(a) >= lanes && len(b) >= lanes {
		// The conversions forbid fused multiply-add, which other
		// architectures would otherwise use and round differently.
		s0 += float32(a[0] * b[0])
		s1 += float32(a[1] * b[1])
		s2 += float32(a[2] * b[2])
		s3 += float32(a[3] * b[3])
		s4 += float32(a[4] * b[4])
		s5 += float32(a[5] * b[5])
		s6 += float32(a[6] * b[6])
		s7 += float32(a[7] * b[7])
		a, b = a[lanes:], b[lanes:]
	}
	if len(a) > 0 {
		var tail [lanes]float32
		for j, v := range a {
			tail[j] = float32(v * b[j])
		}
		s0, s1, s2, s3 = s0+tail[0], s1+tail[1], s2+tail[2], s3+tail[3]
		s4, s5, s6, s7 = s4+tail[4], s5+tail[5], s6+tail[6], s7+tail[7]
	}
	return ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))
}

// Axpy adds alpha·x to y, element by element. y is at least as long as x.
func Axpy(alpha float32, x, y []float32) { axpyGeneric(alpha, x, y) }

func axpyGeneric(alpha float32, x, y []float32) {
	y = y[:len(x)]
	for len(x) >= 4 && len(y) >= 4 {
		y[0] += float32(alpha * x[0])
		y[1] += float32(alpha * x[1])
		y[2] += float32(alpha * x[2])
		y[3] += float32(alpha * x[3])
		x, y = x[4:], y[4:]
	}
	for i, v := range x {
		y[i] += float32(alpha * v)
	}
}

// Scale multiplies x by alpha in place.
func Scale(alpha float32, x []float32) {
	for i := range x {
		x[i] *= alpha
	}
}

// Norm2 returns the squared length of x, summed in float64.
func Norm2(x []float32) float64 {
	var s float64
	for _, v := range x {
		s += float64(float64(v) * float64(v)) // exact product: no fusing either
	}
	return s
}

// Gemv writes dst[i] = a[i]·x for every row i of a.
// a: len(dst)×len(x) row-major. Each element equals Dot of that row, bit for bit.
func Gemv(dst, a, x []float32) {
	d := len(x)
	if d == 0 {
		clear(dst)
		return
	}
	a = a[:len(dst)*d]
	done := gemvFast(dst, a, x)
	for i := done; i < len(dst); i++ {
		dst[i] = Dot(a[i*d:(i+1)*d], x)
	}
}

// gemvPart is how many elements of the matrix GemvMany takes at a time: 384 KiB,
// which stay in a core's own cache while every vector is multiplied with them.
const gemvPart = 96 << 10

// GemvMany is Gemv for several vectors: dst[k][i] = row i of a · vector k of xs,
// equal to what Gemv makes, bit for bit. It reads a once for all vectors.
// a: n×d row-major, where n is the length of each dst[k]. xs: len(dst)×d.
func GemvMany(dst [][]float32, a, xs []float32) {
	if len(dst) == 0 {
		return
	}
	n, d := len(dst[0]), len(xs)/len(dst)
	rows := max(lanes, gemvPart/max(1, d)&^(lanes-1)) // whole blocks of the fast path
	for from := 0; from < n; from += rows {
		to := min(from+rows, n)
		for k := range dst {
			Gemv(dst[k][from:to], a[from*d:to*d], xs[k*d:(k+1)*d])
		}
	}
}

// GemvT adds Σᵢ v[i]·a[i] to dst: the transposed product aᵀv.
// a: len(v)×len(dst) row-major.
func GemvT(dst, a, v []float32) {
	d := len(dst)
	a = a[:len(v)*d]
	// Four rows at a time, so that dst is read and written a quarter as often.
	for len(v) >= 4 {
		v0, v1, v2, v3 := v[0], v[1], v[2], v[3]
		r0, r1, r2, r3 := a[:d], a[d:2*d], a[2*d:3*d], a[3*d:4*d]
		for j := range dst {
			dst[j] += (float32(v0*r0[j]) + float32(v1*r1[j])) + (float32(v2*r2[j]) + float32(v3*r3[j]))
		}
		v, a = v[4:], a[4*d:]
	}
	for i, s := range v {
		Axpy(s, a[i*d:(i+1)*d], dst)
	}
}

// Gram adds YᵀY to g. y: n×d row-major. g: d×d, upper half only; the caller
// owns both, and Mirror fills the lower half.
func Gram(g, y []float32, d int) {
	if d == 0 {
		return
	}
	for ; len(y) >= 4*d; y = y[4*d:] {
		r0, r1, r2, r3 := y[:d], y[d:2*d], y[2*d:3*d], y[3*d:4*d]
		for i := range d {
			a0, a1, a2, a3 := r0[i], r1[i], r2[i], r3[i]
			row := g[i*d+i : (i+1)*d]
			q0, q1, q2, q3 := r0[i:], r1[i:], r2[i:], r3[i:]
			q0, q1, q2, q3 = q0[:len(row)], q1[:len(row)], q2[:len(row)], q3[:len(row)]
			for j := range row {
				row[j] += (float32(a0*q0[j]) + float32(a1*q1[j])) + (float32(a2*q2[j]) + float32(a3*q3[j]))
			}
		}
	}
	for ; len(y) >= d; y = y[d:] {
		for i := range d {
			Axpy(y[i], y[i:d], g[i*d+i:(i+1)*d])
		}
	}
}

// Mirror copies the upper half of a d×d matrix into its lower half.
func Mirror(g []float32, d int) {
	for i := range d {
		for j := i + 1; j < d; j++ {
			g[j*d+i] = g[i*d+j]
		}
	}
}

// LogSumExp returns ln Σ exp(x), stable for any size of x, in float64.
// Elements that are -Inf or NaN count as absent; -Inf when nothing is present.
func LogSumExp(x []float32) float64 {
	top := float32(math.Inf(-1))
	for _, v := range x {
		if v > top {
			top = v
		}
	}
	if math.IsInf(float64(top), 0) {
		return float64(top)
	}
	var sum float64
	for _, v := range x {
		if v >= top-expReach {
			sum += math.Exp(float64(v) - float64(top))
		}
	}
	return float64(top) + math.Log(sum)
}

// expReach is how far below the largest element an exponential still counts:
// e⁻⁸⁰ is beyond what float64 sums of any catalogue can feel, and smaller
// values would only make denormals, which are many times slower.
const expReach = 80
