package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func TestDotAgreesWithFloat64(t *testing.T) { inTiers(t, testDotAgreesWithFloat64) }

func testDotAgreesWithFloat64(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 0; n <= 130; n++ {
		a, b := random(r, n), random(r, n+3)
		var want, size float64
		for i := range a {
			want += float64(a[i]) * float64(b[i])
			size += math.Abs(float64(a[i]) * float64(b[i]))
		}
		if got := float64(Dot(a, b)); math.Abs(got-want) > 1e-6*size+1e-30 {
			t.Errorf("length %d: got %g, want %g", n, got, want)
		}
	}
}

func TestAxpy(t *testing.T) { inTiers(t, testAxpy) }

func testAxpy(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := 0; n <= 130; n++ {
		x, y := random(r, n), random(r, n+2)
		want := append([]float32(nil), y...)
		for i := range x {
			want[i] += 0.5 * x[i]
		}
		Axpy(0.5, x, y)
		for i := range y {
			if y[i] != want[i] {
				t.Fatalf("length %d, element %d: got %g, want %g", n, i, y[i], want[i])
			}
		}
	}
}

// same treats every NaN as the same NaN.
func same(a, b float32) bool { return a == b || a != a && b != b }

// special sprinkles the values that arithmetic treats apart.
func special(r *rand.Rand, x []float32) {
	odd := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 0,
		float32(math.Copysign(0, -1)), math.MaxFloat32, math.SmallestNonzeroFloat32}
	for i := range x {
		if r.IntN(7) == 0 {
			x[i] = odd[r.IntN(len(odd))]
		}
	}
}

func TestGemvEqualsDotBitForBit(t *testing.T) { inTiers(t, testGemvEqualsDotBitForBit) }

func testGemvEqualsDotBitForBit(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for d := 0; d <= 130; d++ {
		for _, rows := range []int{0, 1, 7, 8, 9, 16, 23} {
			for offset := range 4 {
				a, x := random(r, rows*d+offset)[offset:], random(r, d+offset)[offset:]
				if offset == 3 {
					special(r, a)
					special(r, x)
				}
				guard := random(r, rows+2)
				dst := append([]float32(nil), guard...)
				Gemv(dst[1:rows+1], a, x)
				if dst[0] != guard[0] || dst[rows+1] != guard[rows+1] {
					t.Fatalf("d %d rows %d: wrote outside its slice", d, rows)
				}
				for i := range rows {
					if want := Dot(a[i*d:(i+1)*d], x); !same(dst[i+1], want) {
						t.Fatalf("d %d rows %d offset %d row %d: got %g, want %g", d, rows, offset, i, dst[i+1], want)
					}
				}
			}
		}
	}
}

func TestGemvManyRows(t *testing.T) { inTiers(t, testGemvManyRows) }

func testGemvManyRows(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	const d, rows = 20, 5003
	a, x, dst := random(r, d*rows), random(r, d), make([]float32, rows)
	Gemv(dst, a, x)
	for i := range dst {
		if want := Dot(a[i*d:(i+1)*d], x); dst[i] != want {
			t.Fatalf("row %d: got %g, want %g", i, dst[i], want)
		}
	}
}

func FuzzGemv(f *testing.F) {
	f.Add(uint64(1), uint8(8), uint8(16), false)
	f.Add(uint64(2), uint8(3), uint8(130), true)
	f.Fuzz(func(t *testing.T, seed uint64, rows, d uint8, odd bool) {
		r := rand.New(rand.NewPCG(seed, 9))
		a, x, dst := random(r, int(rows)*int(d)), random(r, int(d)), make([]float32, rows)
		if odd {
			special(r, a)
			special(r, x)
		}
		Gemv(dst, a, x)
		for i := range dst {
			if want := Dot(a[i*int(d):(i+1)*int(d)], x); !same(dst[i], want) {
				t.Fatalf("rows %d d %d row %d: got %g, want %g", rows, d, i, dst[i], want)
			}
		}
	})
}

func TestGemvManyEqualsGemv(t *testing.T) { inTiers(t, testGemvManyEqualsGemv) }

func testGemvManyEqualsGemv(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for _, size := range [][2]int{{0, 8}, {1, 1}, {5, 0}, {9, 3}, {1500, 64}, {2100, 65}, {50, 4096}} {
		n, d := size[0], size[1]
		a := random(r, n*d)
		for _, many := range []int{0, 1, 3} {
			xs, dst := random(r, many*d), make([][]float32, many)
			for k := range dst {
				dst[k] = random(r, n)
			}
			GemvMany(dst, a, xs)
			want := make([]float32, n)
			for k := range dst {
				Gemv(want, a, xs[k*d:(k+1)*d])
				for i := range want {
					if dst[k][i] != want[i] {
						t.Fatalf("%d×%d, vector %d of %d, row %d: got %g, want %g", n, d, k, many, i, dst[k][i], want[i])
					}
				}
			}
		}
	}
}

func TestGemvTAndGram(t *testing.T) { inTiers(t, testGemvTAndGram) }

func testGemvTAndGram(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, d := range []int{1, 2, 5, 8, 33} {
		for rows := range 14 {
			a, v := random(r, rows*d), random(r, rows)
			dst, g := make([]float32, d), make([]float32, d*d)
			GemvT(dst, a, v)
			Gram(g, a, d)
			Mirror(g, d)
			for j := range d {
				var want float64
				for i := range rows {
					want += float64(v[i]) * float64(a[i*d+j])
				}
				if math.Abs(float64(dst[j])-want) > 1e-4 {
					t.Fatalf("gemvT rows %d d %d: got %g, want %g", rows, d, dst[j], want)
				}
				for k := range d {
					want = 0
					for i := range rows {
						want += float64(a[i*d+k]) * float64(a[i*d+j])
					}
					if math.Abs(float64(g[j*d+k])-want) > 1e-4 {
						t.Fatalf("gram rows %d d %d (%d,%d): got %g, want %g", rows, d, j, k, g[j*d+k], want)
					}
				}
			}
		}
	}
}

func BenchmarkGemv(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ rows, d int }{{64, 64}, {100, 64}, {1000, 64}, {10000, 64}, {1000, 128}} {
		a, x, dst := random(r, c.rows*c.d), random(r, c.d), make([]float32, c.rows)
		b.Run(fmt.Sprintf("%dx%d", c.rows, c.d), func(b *testing.B) {
			b.SetBytes(int64(4 * c.rows * c.d))
			for b.Loop() {
				Gemv(dst, a, x)
			}
		})
		b.Run(fmt.Sprintf("generic/%dx%d", c.rows, c.d), func(b *testing.B) {
			b.SetBytes(int64(4 * c.rows * c.d))
			for b.Loop() {
				for i := range dst {
					dst[i] = Dot(a[i*c.d:(i+1)*c.d], x)
				}
			}
		})
	}
}

func BenchmarkGemvT(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	a, v, dst := random(r, 100*64), random(r, 100), make([]float32, 64)
	b.SetBytes(4 * 100 * 64)
	for b.Loop() {
		GemvT(dst, a, v)
	}
}
