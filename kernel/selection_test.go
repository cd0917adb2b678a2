package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// checkTopK compares with sorting. few says how many values there are: the
// fewer, the more ties.
func checkTopK(t *testing.T, seed uint64, n, k, few int, short bool) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 13))
	x, skip := make([]float32, n), NewBitmap(n)
	if short {
		skip = skip[:len(skip)/2] // rows beyond it are not in it
	}
	var want []int32
	for i := range x {
		x[i] = float32(r.IntN(few + 1))
		out := false
		switch r.IntN(10) {
		case 0:
			x[i] = float32(math.NaN())
		case 1:
			x[i] = float32(math.Inf(-1))
		case 2:
			x[i] = float32(math.Inf(1))
		case 3, 4:
			if out = i>>6 < len(skip); out {
				skip.Set(int32(i))
			}
		}
		if i/64%3 == 1 && i>>6 < len(skip) { // whole words
			skip.Set(int32(i))
			out = true
		}
		if !out && x[i] > float32(math.Inf(-1)) {
			want = append(want, int32(i))
		}
	}
	slices.SortStableFunc(want, func(a, b int32) int {
		switch {
		case x[a] > x[b]:
			return -1
		case x[a] < x[b]:
			return 1
		}
		return 0
	})
	want = want[:min(len(want), k)]
	if got := TopK(nil, x, k, skip); !slices.Equal(got, want) {
		t.Fatalf("n %d k %d: got %v, want %v of %v", n, k, got, want, x)
	}
}

func TestTopK(t *testing.T) {
	inTiers(t, func(t *testing.T) {
		for n := 0; n <= 260; n++ {
			for _, k := range []int{0, 1, 7, 300} {
				checkTopK(t, uint64(n), n, k, 3, false)
				checkTopK(t, uint64(n), n, k, 100, true)
			}
		}
		checkTopK(t, 1, 150_000, 25, 1_000_000, false)
	})
}

func FuzzTopK(f *testing.F) {
	f.Add(uint64(1), uint16(100), uint8(10), uint8(4), false)
	f.Add(uint64(2), uint16(1000), uint8(25), uint8(200), true)
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, k, values uint8, short bool) {
		inTiers(t, func(t *testing.T) { checkTopK(t, seed, int(n), int(k), int(values), short) })
	})
}

func TestTopKAppends(t *testing.T) {
	got := TopK([]int32{9}, []float32{1, 3, 3, 2}, 3, nil)
	if !slices.Equal(got, []int32{9, 1, 2, 3}) {
		t.Errorf("got %v", got)
	}
}

func TestBitmap(t *testing.T) {
	b := NewBitmap(70)
	b.Set(69)
	b.Set(3)
	b.Clear(3)
	if !b.Has(69) || b.Has(3) || b.Has(1000) || Bitmap(nil).Has(0) {
		t.Errorf("bitmap %b", b)
	}
}

func BenchmarkTopK(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		x := random(rand.New(rand.NewPCG(1, 2)), n)
		dst := make([]int32, 0, 25)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			share(b, float64(n), func() { dst = TopK(dst[:0], x, 25, nil) })
		})
	}
}
