package index

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
)

func TestTopAgainstSort(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		n, k := r.IntN(200), r.IntN(40)
		scores, mask := make([]float32, n), NewMask(n)
		var want []Hit
		for i := range scores {
			scores[i] = float32(r.IntN(12)) // many ties
			switch r.IntN(8) {
			case 0:
				mask.Set(int32(i))
			case 1:
				scores[i] = float32(math.Inf(-1))
			case 2:
				scores[i] = float32(math.NaN())
			default:
				want = append(want, Hit{int32(i), scores[i]})
			}
		}
		slices.SortFunc(want, func(a, b Hit) int {
			return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Row, b.Row))
		})
		want = want[:min(k, len(want))]
		if got := Top(scores, k, mask); !slices.Equal(got, want) {
			t.Fatalf("k %d of %v: got %v, want %v", k, scores, got, want)
		}
	}
}

func TestExactSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	items, query := matrix.NewDense(300, 17), make([]float32, 17)
	for i := range items.Data {
		items.Data[i] = float32(r.NormFloat64())
	}
	for i := range query {
		query[i] = float32(r.NormFloat64())
	}
	mask := NewMask(300)
	all := NewExact(items).Search(query, 300, nil)
	mask.Set(all[0].Row)
	got := NewExact(items).Search(query, 10, mask)
	if !slices.Equal(got, all[1:11]) {
		t.Errorf("got %v, want %v", got, all[1:11])
	}
	for i, h := range all {
		if h.Score != kernel.Dot(items.Row(int(h.Row)), query) || i > 0 && all[i-1].Score < h.Score {
			t.Fatalf("hit %d: %v", i, h)
		}
	}
}
