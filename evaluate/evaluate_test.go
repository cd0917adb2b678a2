package evaluate

import (
	"math"
	"math/rand/v2"
	"testing"
)

func close(a, b float64) bool { return math.Abs(a-b) < 1e-12 }

func TestMeasure(t *testing.T) {
	// Truth at positions 2 and 6; three true items, so the ideal fills 1, 2, 3.
	u := Measure([]int32{9, 1, 8, 7, 6, 2}, []int32{1, 2, 3})
	ideal := 1 + 1/math.Log2(3) + 0.5
	want := User{
		MRR25: 0.5, NDCG5: 1 / math.Log2(3) / ideal,
		NDCG10: (1/math.Log2(3) + 1/math.Log2(7)) / ideal, NDCG25: (1/math.Log2(3) + 1/math.Log2(7)) / ideal,
		Precision5: 0.2, Precision10: 0.2, Precision25: 2.0 / 25,
	}
	if u != want {
		t.Errorf("got %+v, want %+v", u, want)
	}
	recall, ndcg := Recall([]int32{9, 1, 8, 7, 6, 2}, []int32{1, 2, 3}, 5)
	if !close(recall, 1.0/3) || !close(ndcg, u.NDCG5) {
		t.Errorf("recall %g, NDCG %g", recall, ndcg)
	}
}

func TestMeasureEnds(t *testing.T) {
	perfect := make([]int32, 40)
	for i := range perfect {
		perfect[i] = int32(i)
	}
	u := Measure(perfect, perfect)
	if !close(u.NDCG5, 1) || !close(u.NDCG25, 1) || u.Precision25 != 1 || u.MRR25 != 1 {
		t.Errorf("a perfect list: %+v", u)
	}
	if u := Measure(nil, perfect); u != (User{}) {
		t.Errorf("an empty list: %+v", u)
	}
	if u := Measure(perfect, nil); u != (User{}) {
		t.Errorf("no truth: %+v", u)
	}
	if u := Measure(perfect, []int32{25}); u != (User{}) {
		t.Errorf("a hit at position 26: %+v", u)
	}
}

func TestMeanAndCovered(t *testing.T) {
	m := Mean([]User{{MRR25: 1, NDCG25: 0.5}, {Precision5: 0.4}}, 0.25)
	if m[MRR25] != 0.5 || m[NDCG25] != 0.25 || m[Precision5] != 0.2 || m[Coverage] != 0.25 || len(m) != 8 {
		t.Errorf("got %v", m)
	}
	if c := Covered([][]int32{{0, 1}, {1, 3}, nil}, 8); c != 3.0/8 {
		t.Errorf("covered %g", c)
	}
	if Covered(nil, 0) != 0 || Mean(nil, 0)[MRR25] != 0 {
		t.Error("nothing is not zero")
	}
}

func TestBootstrap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	a, b := make([]float64, 2000), make([]float64, 2000)
	for i := range a {
		b[i] = r.NormFloat64()
		a[i] = b[i] + 0.01 + 0.01*r.NormFloat64()
	}
	got := Bootstrap(7, a, Difference(a, b))
	// The normal approximation: mean ± 1.96/√2000.
	if half := (got[0].High - got[0].Low) / 2; math.Abs(half-1.96/math.Sqrt(2000)) > 0.004 {
		t.Errorf("half width %g, want about %g", half, 1.96/math.Sqrt(2000))
	}
	// Paired, the small difference is sure although the series are noisy.
	if got[1].Low <= 0 || got[1].Mean < 0.009 || got[1].High > 0.012 {
		t.Errorf("difference %+v", got[1])
	}
	for _, i := range got {
		if !(i.Low < i.Mean && i.Mean < i.High) {
			t.Errorf("out of order: %+v", i)
		}
	}
	if again := Bootstrap(7, a, Difference(a, b)); again[0] != got[0] || again[1] != got[1] {
		t.Error("the same seed gives another interval")
	}
	if other := Bootstrap(8, a); other[0] == got[0] {
		t.Error("another seed gives the same interval")
	}
	if e := Bootstrap(1, nil); e[0] != (Interval{}) {
		t.Errorf("nothing: %+v", e)
	}
}

func TestSegments(t *testing.T) {
	hits, recall := Segments([][]int32{{1, 2, 9}, {5}, {3}, {7}}, [][]int32{{2, 4, 9, 11}, {5}, nil, {8}})
	if hits != 1 || recall != (0.5+1+0)/3 {
		t.Errorf("hits %g, recall %g", hits, recall)
	}
	if hits, recall := Segments(nil, nil); hits != 0 || recall != 0 {
		t.Errorf("of nothing: %g, %g", hits, recall)
	}
}
