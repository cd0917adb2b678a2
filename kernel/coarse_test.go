package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func checkCoarse(t *testing.T, r *rand.Rand, rows, cols int, odd bool) {
	t.Helper()
	y, query := loose(r, rows, cols), random(r, cols)
	for i := range rows { // of very different lengths
		Scale(float32(math.Exp(4*r.NormFloat64())), y.Row(i))
		if odd && r.IntN(5) == 0 && cols > 0 {
			y.Row(i)[r.IntN(cols)] = []float32{float32(math.NaN()), float32(math.Inf(1)), 0, 1e-44}[r.IntN(4)]
		}
	}
	c := NewCoarse(y)
	upper, lower := make([]float32, c.Padded()), make([]float32, c.Padded())
	if !c.Bounds(upper, lower, query) {
		if cols > 0 {
			t.Fatalf("%d×%d: no bounds", rows, cols)
		}
		return
	}
	for i := range rows {
		if dot := Dot(y.Row(i), query); dot > upper[i] || dot < lower[i] {
			t.Fatalf("%d×%d row %d: %g is not between %g and %g", rows, cols, i, dot, lower[i], upper[i])
		}
		length := math.Sqrt(Norm2(y.Row(i)) * Norm2(query))
		if gap := float64(upper[i]) - float64(lower[i]); length > 1e-30 && length < 1e30 && cols >= 16 && gap > 0.06*length {
			t.Fatalf("%d×%d row %d: bounds are %g apart, the lengths make %g", rows, cols, i, gap, length)
		}
	}
}

func TestCoarse(t *testing.T) {
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(61, 62))
		for cols := 0; cols <= 70; cols++ {
			for _, rows := range []int{0, 1, 8, 33} {
				checkCoarse(t, r, rows, cols, false)
				checkCoarse(t, r, rows, cols, true)
			}
		}
		checkCoarse(t, r, 1100, 256, false)
		checkCoarse(t, r, 65, 3, false)
		// The largest bytes there are, which must not overflow where two products are added.
		y := NewView(make([]float32, 32*64), 64)
		for i := range y.Data {
			y.Data[i] = 1 - 2*float32(i%2)
		}
		c := NewCoarse(y)
		upper, lower := make([]float32, 32), make([]float32, 32)
		c.Bounds(upper, lower, y.Row(0))
		if upper[5] < 64 || lower[5] > 64 || upper[5]-lower[5] > 1e-2 {
			t.Errorf("between %g and %g, want 64", lower[5], upper[5])
		}
		for _, q := range [][]float32{make([]float32, 64), append(make([]float32, 63), float32(math.NaN()))} {
			if c.Bounds(upper, lower, q) {
				t.Errorf("bounds for %v", q[63])
			}
		}
	})
}

func FuzzCoarse(f *testing.F) {
	f.Add(uint64(1), uint8(33), uint8(17), true)
	f.Fuzz(func(t *testing.T, seed uint64, rows, cols uint8, odd bool) {
		inTiers(t, func(t *testing.T) { checkCoarse(t, rand.New(rand.NewPCG(seed, 63)), int(rows), int(cols), odd) })
	})
}

func TestAbove(t *testing.T) {
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(64, 65))
		for n := range 200 {
			x, skip := random(r, n), NewBitmap(n)
			special(r, x)
			var want []int32
			for i, v := range x {
				if r.IntN(4) == 0 {
					skip.Set(int32(i))
				} else if v > 0.5 {
					want = append(want, int32(i))
				}
			}
			if got := Above(nil, x, 0.5, skip); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("length %d: got %v, want %v", n, got, want)
			}
		}
	})
}

func BenchmarkCoarse(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{4096, 50_000} {
		const d = 64
		y, q := NewView(random(r, n*d), d), random(r, d)
		c := NewCoarse(y)
		upper, lower := make([]float32, c.Padded()), make([]float32, c.Padded())
		b.Run(fmt.Sprintf("bounds/%dx%d", n, d), func(b *testing.B) {
			share(b, 2*float64(n)*d, func() { c.Bounds(upper, lower, q) })
		})
		b.Run(fmt.Sprintf("gemv/%dx%d", n, d), func(b *testing.B) {
			share(b, 2*float64(n)*d, func() { Gemv(upper[:n], y.Data, q) })
		})
	}
}
