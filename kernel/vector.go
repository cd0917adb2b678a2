package kernel

// Dot returns a·b. The slices have equal length; b may be longer.
// Where one vector meets many, Gemv is several times faster.
func Dot(a, b []float32) float32 { return dot(a, b) }

// Axpy adds alpha·x to y, element by element. y is at least as long as x.
func Axpy(alpha float32, x, y []float32) { axpy(alpha, x, y) }

// Scale multiplies x by alpha in place.
func Scale(alpha float32, x []float32) { scale(alpha, x) }

// Add writes a+b to dst; a and b are at least as long, and may be dst.
func Add(dst, a, b []float32) { add(dst, a, b) }

// Mul writes the products of a's and b's elements to dst; a and b are at least
// as long, and may be dst.
func Mul(dst, a, b []float32) { mul(dst, a, b) }

// MulAdd adds the products of a's and b's elements to dst; a and b are at least as long.
func MulAdd(dst, a, b []float32) { mulAdd(dst, a, b) }

// Reciprocal writes 1/max(x, least) to dst, element by element, where NaN counts
// as least. x is at least as long as dst, and may be dst.
func Reciprocal(dst, x []float32, least float32) { reciprocal(dst, x, least) }

// Sum returns the sum of x's elements.
func Sum(x []float32) float32 { return sum(x) }

// Norm2 returns the squared length of x, summed in float64.
func Norm2(x []float32) float64 { return norm2(x) }

// Max returns the largest element of x. NaN is left out; -Inf when nothing is left.
func Max(x []float32) float32 { return largest(x) }

// Gemv writes dst[i] = a[i]·x for every row i of a.
// a: len(dst)×len(x) row-major. Each element equals Dot of that row, bit for bit.
func Gemv(dst, a, x []float32) {
	if len(x) == 0 {
		clear(dst)
		return
	}
	gemv(dst, a[:len(dst)*len(x)], x)
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
	if len(dst) == 0 {
		return
	}
	gemvT(dst, a[:len(v)*len(dst)], v)
}

// Gram adds YᵀY to g. y: n×d row-major. g: d×d, its upper half; the caller owns
// both. What stands below the diagonal afterwards is not defined: Mirror fills it.
func Gram(g, y []float32, d int) {
	if d == 0 {
		return
	}
	var m Gemm
	m.Gram(g, View{y, len(y) / d, d, d}, nil)
}

// Gram adds YᵀY, or Yᵀ·diag(w)·Y where w is not nil, to g, as the function does.
// y: n×d. g: d×d in one piece. w: n.
func (m *Gemm) Gram(g []float32, y View, w []float32) {
	inside(y)
	d := y.Cols
	if w != nil && len(w) != y.Rows || len(g) < d*d {
		panic("kernel: the sizes of the matrices do not fit together")
	}
	if d > 0 && y.Rows > 0 && !m.gramFast(View{g, d, d, d}, y, w) {
		gramGeneric(g, y, w)
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
