package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// expError is the largest relative error of Exp that is allowed: 2 in the last place.
const expError = 2.4e-7

func TestExp(t *testing.T) {
	inTiers(t, func(t *testing.T) {
		const n = 400_003
		x, y := make([]float32, n), make([]float32, n)
		for i := range x {
			x[i] = -90 + 180*float32(i)/n
		}
		Exp(y, x)
		for i, v := range x {
			want := math.Exp(float64(v))
			switch got := float64(y[i]); {
			case v < expLeast && got == 0, float32(want) > math.MaxFloat32 && math.IsInf(got, 1):
			case math.Abs(got-want) > expError*want:
				t.Fatalf("exp(%g): got %g, want %g, off by %.2g", v, got, want, got/want-1)
			}
		}
	})
}

func TestExpOfLengthsAndOddNumbers(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(41, 42))
		for n := 0; n <= 130; n++ {
			x, guard := random(r, n+1)[1:], random(r, n+2)
			dst := append([]float32(nil), guard...)
			got, want := ExpSum(dst[1:], x, 0.5), 0.0
			for i, v := range x {
				e := math.Exp(float64(v) - 0.5)
				want += e
				if math.Abs(float64(dst[i+1])-e) > 2*expError*e { // v-0.5 rounds, too
					t.Fatalf("length %d, element %d: got %g, want %g", n, i, dst[i+1], e)
				}
			}
			if math.Abs(float64(got)-want) > 1e-6*want || dst[0] != guard[0] || dst[n+1] != guard[n+1] {
				t.Fatalf("length %d: sum %g, want %g; guards %v", n, got, want, dst[0] == guard[0])
			}
		}
		for _, n := range []int{1, 8, 9, 16, 40} {
			for _, c := range [][2]float32{{nan, nan}, {inf, inf}, {-inf, 0}, {0, 1}, {-1e30, 0}, {1e30, inf}, {-86.5, 0}, {89, inf}} {
				x := make([]float32, n)
				at := r.IntN(n)
				x[at] = c[0]
				Exp(x, x)
				for i, v := range x {
					if want := []float32{1, c[1]}[b2i(i == at)]; !same(v, want) {
						t.Fatalf("exp(%g) at %d of %d: got %g at %d, want %g", c[0], at, n, v, i, want)
					}
				}
			}
		}
	})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestSoftmax(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(43, 44))
		for _, n := range append(lengths(70), 3500, 40_000) {
			x := random(r, n)
			Scale(8, x)
			want := logSumExp64(x)
			logits := append([]float32(nil), x...)
			got := float64(Softmax(x))
			if got != want && !(math.Abs(got-want) < 1e-5) {
				t.Fatalf("length %d: ln Σ exp is %g, want %g", n, got, want)
			}
			for i, v := range x {
				p := math.Exp(float64(logits[i]) - want)
				if math.Abs(float64(v)-p) > 4e-6*p+1e-17 || v > 0 && v < 1e-30 {
					t.Fatalf("length %d, element %d: got %g, want %g", n, i, v, p)
				}
			}
		}
		for _, c := range []struct{ x, want []float32 }{
			{[]float32{-inf, -inf}, []float32{0, 0}},
			{[]float32{-inf, 3}, []float32{0, 1}},
			{[]float32{1000, 1000}, []float32{0.5, 0.5}},
			{[]float32{-1e30, 0}, []float32{0, 1}},
			{[]float32{nan, 1}, []float32{nan, nan}},
			{[]float32{nan, -inf}, []float32{nan, nan}},
		} {
			x := append([]float32(nil), c.x...)
			Softmax(x)
			for i := range x {
				if !same(x[i], c.want[i]) {
					t.Errorf("of %v: got %v, want %v", c.x, x, c.want)
				}
			}
		}
	})
}

func TestSigmoid(t *testing.T) {
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(45, 46))
		for n := 0; n <= 130; n++ {
			guard := random(r, n+2)
			Scale(30, guard)
			x := append([]float32(nil), guard...)
			Sigmoid(x[1 : n+1])
			for i, v := range x {
				want := float64(guard[i])
				if i > 0 && i <= n {
					want = 1 / (1 + math.Exp(-want))
				}
				if math.Abs(float64(v)-want) > 4e-7*math.Abs(want)+1e-37 {
					t.Fatalf("length %d, element %d: got %g, want %g", n, i-1, v, want)
				}
			}
		}
		odd := []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 200, -200}
		Sigmoid(odd)
		if !(odd[0] != odd[0] && odd[1] == 1 && odd[2] == 0 && odd[3] == 1 && odd[4] < 1e-37) {
			t.Errorf("of odd numbers: %v", odd)
		}
	})
}

// logSumExp64 is what LogSumExp is compared with.
func logSumExp64(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		if v == v {
			sum += math.Exp(float64(v))
		}
	}
	return math.Log(sum)
}

func TestLogSumExp(t *testing.T) { inTiers(t, testLogSumExp) }

func testLogSumExp(t *testing.T) {
	inf, nan := math.Inf(1), float32(math.NaN())
	for _, c := range []struct {
		x    []float32
		want float64
	}{
		{nil, -inf},
		{[]float32{5}, 5},
		{[]float32{1000, 1000}, 1000 + math.Ln2},
		{[]float32{-1e30, 0}, 0},
		{[]float32{0, float32(-inf), nan, 0}, math.Ln2},
		{[]float32{float32(-inf), nan}, -inf},
		{[]float32{float32(inf), 1}, inf},
	} {
		if got := LogSumExp(c.x); got != c.want && !(math.Abs(got-c.want) < 1e-6) {
			t.Errorf("of %v: got %v, want %v", c.x, got, c.want)
		}
	}
	x := make([]float32, 2000)
	for i := range x { // more than one part of it, and something absent in each
		x[i] = float32(i%3) - 1
		if i%100 == 7 {
			x[i] = nan
		}
	}
	if got, want := LogSumExp(x), logSumExp64(x); math.Abs(got-want) > 1e-6 {
		t.Errorf("with gaps: got %g, want %g", got, want)
	}
	x = random(rand.New(rand.NewPCG(1, 1)), 5000)
	norm, sum := LogSumExp(x), 0.0
	for _, v := range x {
		sum += math.Exp(float64(v) - norm)
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("the softmax sums to %g", sum)
	}
}

func FuzzExp(f *testing.F) {
	f.Add(float32(1), uint8(3))
	f.Fuzz(func(t *testing.T, v float32, n uint8) {
		inTiers(t, func(t *testing.T) {
			x := make([]float32, int(n)+1)
			x[n] = v
			Exp(x, x)
			want := math.Exp(float64(v))
			if v < expLeast {
				want = 0
			}
			if got := x[n]; !same(got, float32(want)) && !(math.Abs(float64(got)-want) <= expError*want) {
				t.Fatalf("exp(%g) is %g, want %g", v, got, want)
			}
		})
	})
}

func BenchmarkExp(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{50, 64, 3500} {
		x, y := random(r, n), make([]float32, n)
		b.Run(fmt.Sprintf("ExpSum/%d", n), func(b *testing.B) {
			share(b, float64(n), func() {
				ExpSum(y, x, 1)
			})
		})
		b.Run(fmt.Sprintf("LogSumExp/%d", n), func(b *testing.B) {
			share(b, float64(n), func() { LogSumExp(x) })
		})
		b.Run(fmt.Sprintf("Softmax/%d", n), func(b *testing.B) {
			share(b, float64(n), func() {
				copy(y, x)
				Softmax(y)
			})
		})
	}
}
