package matrix

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
)

// positive makes a Gram matrix of n columns with a ridge, as recipes invert
// them: its condition number is about n/ridge.
func positive(n int, ridge float32, seed uint64) Dense {
	r := rand.New(rand.NewPCG(seed, 1))
	a := NewDense(n, n)
	x := make([]float32, n)
	for range n {
		for j := range x {
			x[j] = float32(r.NormFloat64()) + 0.3 // a common part, as popularity is
		}
		for i := range n {
			for j := range i + 1 {
				a.Row(i)[j] += x[i] * x[j] / float32(n)
			}
		}
	}
	for i := range n {
		a.Row(i)[i] += ridge
		for j := i + 1; j < n; j++ {
			a.Row(i)[j] = float32(math.NaN()) // nobody may look there
		}
	}
	return a
}

// textbook inverts in float64 by Gauss–Jordan elimination with pivots.
func textbook(a Dense) [][]float64 {
	n := a.Rows
	m := make([][]float64, n)
	for i := range m {
		m[i] = make([]float64, 2*n)
		for j := range n {
			m[i][j] = float64(a.Row(max(i, j))[min(i, j)])
		}
		m[i][n+i] = 1
	}
	for k := range n {
		top := k
		for i := k; i < n; i++ {
			if math.Abs(m[i][k]) > math.Abs(m[top][k]) {
				top = i
			}
		}
		m[k], m[top] = m[top], m[k]
		for j, p := 0, m[k][k]; j < 2*n; j++ {
			m[k][j] /= p
		}
		for i := range n {
			if f := m[i][k]; i != k && f != 0 {
				for j := k; j < 2*n; j++ {
					m[i][j] -= f * m[k][j]
				}
			}
		}
	}
	for i := range m {
		m[i] = m[i][n:]
	}
	return m
}

func TestInvertAgainstTextbook(t *testing.T) {
	for _, n := range []int{1, 2, 15, 16, 17, 63, 64, 65, 130, 257, 513} {
		a := positive(n, 0.05, uint64(n))
		want := textbook(a)
		last := 0
		if err := Invert(t.Context(), a, kernel.Full, func(done, total int) {
			if done != last+1 || done > total {
				t.Errorf("step %d of %d after %d", done, total, last)
			}
			last = done
		}); err != nil {
			t.Fatal(err)
		}
		var off, all float64
		for i := range n {
			for j := range n {
				if a.Row(i)[j] != a.Row(j)[i] {
					t.Fatalf("n = %d: (%d, %d) and its mirror differ", n, i, j)
				}
				d := float64(a.Row(i)[j]) - want[i][j]
				off, all = off+d*d, all+want[i][j]*want[i][j]
			}
		}
		if e := math.Sqrt(off / all); !(e < 2e-5) {
			t.Errorf("n = %d: relative error %.2g", n, e)
		}
	}
}

// With products in two parts of bfloat16, where the machine has tiles for them,
// the inverse is as good as a ridge of the size of the diagonal asks for.
func TestInvertInTwoParts(t *testing.T) {
	a := positive(300, 1, 9)
	want := textbook(a)
	if err := Invert(t.Context(), a, kernel.Split, nil); err != nil {
		t.Fatal(err)
	}
	var off, all float64
	for i := range want {
		for j, w := range want[i] {
			off, all = off+math.Pow(float64(a.Row(i)[j])-w, 2), all+w*w
		}
	}
	if e := math.Sqrt(off / all); !(e < 1e-3) {
		t.Errorf("relative error %.2g", e)
	}
}

func TestInvertSameBits(t *testing.T) {
	var want []float32
	for _, procs := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(procs)
		a := positive(300, 1, 3)
		err := Invert(t.Context(), a, kernel.Full, nil)
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = a.Data
		} else if !slices.Equal(a.Data, want) {
			t.Errorf("with %d processors the inverse is another", procs)
		}
	}
}

func TestInvertRefuses(t *testing.T) {
	for name, spoil := range map[string]func(Dense){
		"indefinite":   func(a Dense) { a.Row(150)[150] = -1 },
		"singular":     func(a Dense) { clear(a.Row(99)); a.Row(120)[99], a.Row(99)[99] = 0, 0 },
		"not a number": func(a Dense) { a.Row(70)[3] = float32(math.NaN()) },
		"infinite":     func(a Dense) { a.Row(199)[199] = float32(math.Inf(1)) },
	} {
		a := positive(200, 1, 5)
		spoil(a)
		if err := Invert(t.Context(), a, kernel.Full, nil); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Invert(t.Context(), NewDense(2, 3), kernel.Full, nil); err == nil {
		t.Error("inverted a matrix that is not square")
	}
	ctx, stop := context.WithCancel(t.Context())
	err := Invert(ctx, positive(300, 1, 5), kernel.Full, func(int, int) { stop() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled on the way: %v", err)
	}
}

// The dense inverse of so many items, in processor time, and beside what a
// product of 1024³ makes of it in the same run. 20,000 items take gigabytes and
// minutes: only with ATTUNE_BENCH_LARGE=1.
func BenchmarkInvert(b *testing.B) {
	for _, n := range []int{1000, 3500, 5000, 10_000, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			if n > 10_000 && os.Getenv("ATTUNE_BENCH_LARGE") == "" {
				b.Skip("ATTUNE_BENCH_LARGE=1 asks for it")
			}
			a := NewDense(n, n)
			product, spent := 0.0, 0.0
			for b.Loop() {
				b.StopTimer()
				for i := range n {
					for j := range i {
						a.Row(i)[j] = float32((i*7+j*13)%31) / 31
					}
					a.Row(i)[i] = float32(n)
				}
				product += productRate()
				began := cpuSeconds()
				b.StartTimer()
				if err := Invert(b.Context(), a, kernel.Split, nil); err != nil {
					b.Fatal(err)
				}
				spent += cpuSeconds() - began
			}
			times, work := float64(b.N), float64(n)*float64(n)*float64(n)
			b.ReportMetric(spent/times, "cpu-s/op")
			b.ReportMetric(work*times/spent/1e9, "Gflop/cpu-s")
			b.ReportMetric(100*work*times*times/spent/product, "%product")
		})
	}
}

// productRate is the operations in a second of processor time of a product of 1024³.
func productRate() float64 {
	const n, times = 1024, 4
	m := kernel.NewView(make([]float32, n*n), n)
	for i := range m.Data {
		m.Data[i] = 1 // memory that was never written is all in the nearest cache
	}
	var g kernel.Gemm
	began := cpuSeconds()
	for range times {
		g.NN(kernel.NewView(make([]float32, n*n), n), m, m)
	}
	return times * 2 * n * n * n / max(1e-9, cpuSeconds()-began)
}
