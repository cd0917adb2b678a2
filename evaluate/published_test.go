package evaluate

import (
	"math"
	"testing"
)

func TestPublishedForms(t *testing.T) {
	ranked, truth := []int32{9, 3, 7, 1}, []int32{1, 7, 8}
	if r := Reciprocal(ranked, truth, 20); r != 1.0/3 {
		t.Errorf("reciprocal %g", r)
	}
	if r := Reciprocal(ranked, truth, 2); r != 0 {
		t.Errorf("beyond the cut: %g", r)
	}
	// Two hits, at 3 and 4, of three: ideal is 1 + 1/log2(3) + 1/2.
	recall, ndcg := Recall(ranked, truth, 20)
	want := (1/math.Log2(4) + 1/math.Log2(5)) / (1 + 1/math.Log2(3) + 0.5)
	if recall != 2.0/3 || math.Abs(ndcg-want) > 1e-12 {
		t.Errorf("recall %g, NDCG %g, want %g", recall, ndcg, want)
	}
	// More truth than the cut: the ideal is cut as well, recall is not.
	if recall, ndcg = Recall([]int32{1, 7}, truth, 2); recall != 2.0/3 || ndcg != 1 {
		t.Errorf("recall %g, NDCG %g", recall, ndcg)
	}
}

func TestRankAmong(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, c := range []struct {
		truth  float32
		others []float32
		rank   int
	}{{2, []float32{1, 1.5, 0}, 1}, {2, []float32{3, 1, 2}, 3}, {0, []float32{0, 0, 0}, 4}, {nan, []float32{1, inf}, 3}, {1, []float32{nan, inf}, 2}, {inf, []float32{inf}, 2}, {1, nil, 1}} {
		if got := RankAmong(c.truth, c.others); got != c.rank {
			t.Errorf("%g among %v: rank %d, want %d", c.truth, c.others, got, c.rank)
		}
	}
	for rank, want := range map[int]float64{0: 0, 1: 1, 3: 0.5, 10: 1 / math.Log2(11), 11: 0} {
		hit, ndcg := AtRank(rank, 10)
		if math.Abs(ndcg-want) > 1e-12 || (hit == 1) != (want > 0) {
			t.Errorf("rank %d: %g %g", rank, hit, ndcg)
		}
	}
}

// The discount of 2019 is 1 at the first two positions, and 1/log2(p) after.
func TestMeasure2019(t *testing.T) {
	list := make([]int32, 30)
	for i := range list {
		list[i] = int32(i + 1)
	}
	for at, want := range map[int32]float64{1: 1, 2: 1, 3: 1 / math.Log2(3), 8: 1.0 / 3, 25: 1 / math.Log2(25), 26: 0} {
		if got := Measure2019(list, []int32{at}); math.Abs(got.NDCG25-want) > 1e-12 || at <= 25 && got.MRR25 != 1/float64(at) {
			t.Errorf("at %d: %+v, want %g", at, got, want)
		}
	}
	if u := Measure2019(list, []int32{1, 2, 3}); u.NDCG5 != 1 || u.NDCG25 != 1 {
		t.Errorf("the ideal list: %+v", u)
	}
}
