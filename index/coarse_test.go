package index

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/attune-io/attune/matrix"
)

// same compares answers, in which no score is NaN.
func same(t *testing.T, exact *Exact, coarse *Coarse, query []float32, k int, mask Mask) {
	t.Helper()
	want, got := exact.Search(query, k, mask), coarse.Search(query, k, mask)
	if !slices.Equal(got, want) {
		t.Fatalf("k %d of %d: got %d hits, want %d; the last are %v and %v", k, exact.items.Rows, len(got), len(want), got[max(0, len(got)-3):], want[max(0, len(want)-3):])
	}
}

func items(r *rand.Rand, rows, cols int, ties bool) matrix.Dense {
	data := make([]float32, rows*cols)
	for i := range data {
		data[i] = float32(r.NormFloat64() * math.Exp(r.NormFloat64()))
		if ties {
			data[i] = float32(r.IntN(3) - 1)
		}
	}
	return matrix.Dense{Rows: rows, Cols: cols, Data: data}
}

func TestCoarseAnswersAsExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, size := range [][2]int{{1, 1}, {5, 3}, {64, 8}, {1000, 16}, {5000, 64}, {3000, 65}} {
		for _, ties := range []bool{false, true} {
			rows, cols := size[0], size[1]
			block := items(r, rows, cols, ties)
			mask := NewMask(rows)
			for i := range rows {
				if r.IntN(3) == 0 {
					mask.Set(int32(i))
				}
			}
			exact, coarse := NewExact(block), NewCoarse(block)
			for range 10 {
				query := items(r, 1, cols, ties).Data
				for _, k := range []int{0, 1, 25, rows} {
					same(t, exact, coarse, query, k, nil)
					same(t, exact, coarse, query, k, mask)
				}
			}
			same(t, exact, coarse, make([]float32, cols), 10, mask)
		}
	}
}

func TestCoarseOfNumbersThatAreNone(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	block := items(r, 500, 24, false)
	for range 40 {
		block.Data[r.IntN(len(block.Data))] = []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1)), 1e38, 1e-30}[r.IntN(5)]
	}
	exact, coarse := NewExact(block), NewCoarse(block)
	for range 20 {
		query := items(r, 1, 24, false).Data
		for _, k := range []int{1, 25, 480, 500} {
			same(t, exact, coarse, query, k, nil)
		}
		query[3] = float32(math.NaN())
		same(t, exact, coarse, query, 25, nil)
	}
}

func FuzzCoarse(f *testing.F) {
	f.Add(uint64(1), uint16(300), uint8(9), uint16(25), true)
	f.Fuzz(func(t *testing.T, seed uint64, rows uint16, cols uint8, k uint16, ties bool) {
		r := rand.New(rand.NewPCG(seed, 5))
		block := items(r, int(rows%2000)+1, int(cols)+1, ties)
		same(t, NewExact(block), NewCoarse(block), items(r, 1, int(cols)+1, ties).Data, int(k), nil)
	})
}

func BenchmarkSearch(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{4000, 20_000, 100_000} {
		block, query := items(r, n, 64, false), items(r, 1, 64, false).Data
		exact, coarse := NewExact(block), NewCoarse(block)
		b.Run(fmt.Sprintf("exact/%d", n), func(b *testing.B) {
			for b.Loop() {
				exact.Search(query, 25, nil)
			}
		})
		b.Run(fmt.Sprintf("coarse/%d", n), func(b *testing.B) {
			for b.Loop() {
				coarse.Search(query, 25, nil)
			}
		})
	}
}
