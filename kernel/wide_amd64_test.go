package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// needs skips a test where the machine has no such tier, and otherwise runs it there.
func needs(t testing.TB, one Tier) {
	if !has(one) {
		t.Skipf("this machine has no %s; .ci/wide emulates one that has", one)
	}
	before := tier
	tier = one
	t.Cleanup(func() { tier = before })
}

// bothWays are computations whose bits must not depend on whether AVX2 or
// AVX-512 makes them: rows, columns, and a result that they may use.
var bothWays = []struct {
	name string
	do   func(r *rand.Rand, n, d int, odd bool) []float32
}{
	{"Gemv", func(r *rand.Rand, n, d int, odd bool) []float32 {
		dst := make([]float32, n)
		Gemv(dst, maybeOdd(r, n*d, odd), maybeOdd(r, d, odd))
		return dst
	}},
	{"Dot", func(r *rand.Rand, _, d int, odd bool) []float32 {
		return []float32{Dot(maybeOdd(r, d, odd), maybeOdd(r, d, odd))}
	}},
	{"GemvT", func(r *rand.Rand, n, d int, odd bool) []float32 {
		dst := random(r, d+2)
		GemvT(dst[1:d+1], maybeOdd(r, n*d, odd), maybeOdd(r, n, odd))
		return dst
	}},
	{"Reach", func(r *rand.Rand, n, d int, odd bool) []float32 {
		dst, index := random(r, d+2), make([]int32, n)
		for i := range index {
			index[i] = int32(r.IntN(n))
		}
		Reach(dst[1:d+1], maybeOdd(r, n*d, odd), index, random(r, n), maybeOdd(r, d, odd), 0.5, -1)
		return dst
	}},
	{"Gram", func(r *rand.Rand, n, d int, odd bool) []float32 {
		g, w := random(r, d*d), maybeOdd(r, n, odd)
		new(Gemm).Gram(g, NewView(maybeOdd(r, n*d, odd), d), w)
		Mirror(g, d) // what lies below the diagonal is not defined
		return g
	}},
	{"ExpSum", func(r *rand.Rand, n, d int, odd bool) []float32 {
		x := maybeOdd(r, n*d, odd)
		Scale(30, x)
		sum := ExpSum(x, x, 0.5)
		return append(x, sum)
	}},
	{"Coarse", func(r *rand.Rand, n, d int, odd bool) []float32 {
		c := NewCoarse(NewView(maybeOdd(r, n*d, odd), d))
		upper, lower := make([]float32, c.Padded()), make([]float32, c.Padded())
		c.Bounds(upper, lower, random(r, d))
		return append(upper[:n:n], lower[:n]...)
	}},
}

func maybeOdd(r *rand.Rand, n int, odd bool) []float32 {
	x := random(r, n)
	if odd {
		special(r, x)
	}
	return x
}

// AVX-512 sums in the order of AVX2, so both train the same model.
func TestWideEqualsAVX2BitForBit(t *testing.T) {
	needs(t, AVX512)
	for _, c := range bothWays {
		for _, d := range []int{1, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 40, 64, 72, 100, 128, 130, 176} {
			for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 9, 13, 30} {
				for _, odd := range []bool{false, true} {
					tier = AVX2
					want := c.do(rand.New(rand.NewPCG(uint64(d), uint64(n))), n, d, odd)
					tier = AVX512
					got := c.do(rand.New(rand.NewPCG(uint64(d), uint64(n))), n, d, odd)
					for i := range want {
						if !same(got[i], want[i]) {
							t.Fatalf("%s, %d rows of %d, at %d: %g, with AVX2 %g", c.name, n, d, i, got[i], want[i])
						}
					}
				}
			}
		}
	}
}

func TestWideGemmEqualsAVX2BitForBit(t *testing.T) {
	needs(t, AVX512)
	r := rand.New(rand.NewPCG(31, 32))
	var g Gemm
	for _, s := range [][3]int{{1, 3, 5}, {13, 70, 31}, {14, 64, 32}, {29, 300, 47}, {43, 257, 113}, {17, 530, 200}} {
		m, k, n := s[0], s[1], s[2]
		a, b, c := loose(r, m, k), loose(r, k, n), loose(r, m, n)
		for _, p := range products {
			tier = AVX2
			want := c.clone()
			p.do(&g, want, a, b)
			tier = AVX512
			got := c.clone()
			p.do(&g, got, a, b)
			for i := range got.Data {
				if got.Data[i] != want.Data[i] {
					t.Fatalf("%s %v at %d: %g, with AVX2 %g", p.name, s, i, got.Data[i], want.Data[i])
				}
			}
		}
	}
}

// bf16 rounds to the nearest bfloat16, to even between two.
func bf16(x float32) float32 {
	bits := math.Float32bits(x)
	return math.Float32frombits((bits + 0x7fff + bits>>16&1) &^ 0xffff)
}

func (v View) rounded() View {
	v = v.clone()
	for i, x := range v.Data {
		v.Data[i] = bf16(x)
	}
	return v
}

// checkPrecision compares one product with float64: within the bound that
// Precision promises, and for Half also with the product of what was rounded.
func checkPrecision(t *testing.T, r *rand.Rand, precision Precision, m, k, n int) {
	t.Helper()
	a, b, c := loose(r, m, k), loose(r, k, n), loose(r, m, n)
	bound := map[Precision]float64{Split: 1.0 / (1 << 16), Half: 1.0 / (1 << 8)}[precision]
	wants, sizes := reference(c, a, b)
	of16, _ := reference(c, a.rounded(), b.rounded())
	for _, p := range products {
		g := Gemm{Precision: precision}
		got := c.clone()
		p.do(&g, got, a, b)
		for at, v := range got.Data {
			i, j := at/c.Stride, at%c.Stride
			if i >= m || j >= n {
				if v != c.Data[at] {
					t.Fatalf("%s %d×%d×%d: wrote outside C at %d, %d", p.name, m, k, n, i, j)
				}
				continue
			}
			want, rounded := wants[i*n+j], of16[i*n+j]
			size := sizes[i*n+j] - math.Abs(float64(c.Data[at])) // of the product alone
			own := 1e-6*sizes[i*n+j] + 1e-30
			if !(math.Abs(float64(v)-want) <= bound*size+own) {
				t.Fatalf("%s %s %d×%d×%d at %d, %d: got %g, want %g", p.name, precision, m, k, n, i, j, v, want)
			}
			if precision == Half && !(math.Abs(float64(v)-rounded) <= own) {
				t.Fatalf("%s %s %d×%d×%d at %d, %d: got %g, of rounded ones %g", p.name, precision, m, k, n, i, j, v, rounded)
			}
		}
	}
}

func TestTiles(t *testing.T) {
	needs(t, AMX)
	for _, precision := range []Precision{Half, Split} {
		t.Run(precision.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(33, 34))
			for _, s := range [][3]int{{1, 1, 1}, {3, 31, 7}, {16, 32, 16}, {17, 33, 18}, {32, 32, 32}, {33, 64, 65}, {50, 50, 50},
				{64, 70, 48}, {15, 530, 33}, {5, 40, 1060}, {600, 20, 5}} {
				checkPrecision(t, r, precision, s[0], s[1], s[2])
			}
		})
	}
}

// An element must not depend on what is multiplied beside it, nor a product on what was before.
func TestTilesElementStandsAlone(t *testing.T) {
	needs(t, AMX)
	for _, precision := range []Precision{Half, Split} {
		g := Gemm{Precision: precision}
		r := rand.New(rand.NewPCG(35, 36))
		a, b, c := loose(r, 70, 90), loose(r, 90, 75), loose(r, 70, 75)
		for _, p := range products {
			all := c.clone()
			p.do(&g, all, a, b)
			for range 5 {
				i, j := r.IntN(70), r.IntN(75)
				to, right := i+1+r.IntN(70-i), j+1+r.IntN(75-j)
				part := c.clone()
				p.do(&g, part.Part(i, to, j, right), a.Part(i, to, 0, 90), b.Part(0, 90, j, right))
				for row := i; row < to; row++ {
					for col := j; col < right; col++ {
						if part.Row(row)[col] != all.Row(row)[col] {
							t.Fatalf("%s %s: %d, %d differs alone: %g and %g", p.name, precision, row, col, part.Row(row)[col], all.Row(row)[col])
						}
					}
				}
			}
		}
	}
}

func TestTilesKeepNaNWhereItIs(t *testing.T) {
	needs(t, AMX)
	for _, precision := range []Precision{Half, Split} {
		g := Gemm{Precision: precision}
		r := rand.New(rand.NewPCG(37, 38))
		for _, p := range products {
			a, b, c := loose(r, 20, 30), loose(r, 30, 37), loose(r, 20, 37)
			a.Row(7)[3] = math.Float32frombits(0x7fffffff) // rounding must not carry into the sign
			b.Row(4)[36] = float32(math.Inf(1))
			p.do(&g, c, a, b)
			for i := range 20 {
				for j, v := range c.Row(i) {
					if bad := i == 7 || j == 36; bad != (math.IsNaN(float64(v)) || math.IsInf(float64(v), 0)) {
						t.Fatalf("%s %s: %g at %d, %d", p.name, precision, v, i, j)
					}
				}
			}
		}
	}
}

// Full precision is the same on a machine with tiles.
func TestTilesOnlyWhereAllowed(t *testing.T) {
	needs(t, AMX)
	r := rand.New(rand.NewPCG(39, 40))
	a, b, c := loose(r, 40, 50), loose(r, 50, 60), loose(r, 40, 60)
	want, got := c.clone(), c.clone()
	new(Gemm).NN(got, a, b)
	tier = AVX512
	new(Gemm).NN(want, a, b)
	for i := range got.Data {
		if got.Data[i] != want.Data[i] {
			t.Fatalf("at %d: %g, without tiles %g", i, got.Data[i], want.Data[i])
		}
	}
}

// peakOfTiles is what tiles do in registers alone, on data whose every element is
// two bfloat16 of common size: zeros would be faster.
func peakOfTiles() func() float64 {
	data := random(rand.New(rand.NewPCG(1, 2)), 4*tileFloats)
	for i, x := range data {
		high := math.Float32bits(x) &^ 0xffff
		data[i] = math.Float32frombits(high | high>>16)
	}
	return func() float64 {
		const n = 5000
		peakTiles(&data[0], n)
		return 65536 * n
	}
}

// BenchmarkTiles reports shares of what tiles can do.
func BenchmarkTiles(b *testing.B) {
	needs(b, AMX)
	r := rand.New(rand.NewPCG(1, 2))
	for _, precision := range []Precision{Half, Split} {
		for _, s := range [][3]int{{64, 64, 64}, {256, 256, 256}, {1024, 1024, 1024}, {6400, 64, 64}, {112, 64, 3500}, {64, 6400, 64}, {112, 3500, 64}} {
			m, k, n := s[0], s[1], s[2]
			x, w, c := NewView(random(r, m*k), k), NewView(random(r, k*n), n), NewView(make([]float32, m*n), n)
			xt, wt := x.transposed(), w.transposed()
			g := Gemm{Precision: precision}
			for name, do := range map[string]func(){
				"NN": func() { g.NN(c, x, w) }, "NT": func() { g.NT(c, x, wt) }, "TN": func() { g.TN(c, xt, w) },
			} {
				b.Run(fmt.Sprintf("%s/%s/%dx%dx%d", precision, name, m, k, n), func(b *testing.B) {
					shareOf(b, 2*float64(m)*float64(k)*float64(n), peakOfTiles(), do)
				})
			}
		}
	}
}
