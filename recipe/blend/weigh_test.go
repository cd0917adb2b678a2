package blend

import (
	"math"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
)

// What was seen does not set the scale, whether it is still there, as when
// serving, or left out already, as in a pool.
func TestScaleIsOfWhatWasNotSeen(t *testing.T) {
	scores := []float32{1, 2, 3, 4, 1e6, 5, -1e5}
	left := []float32{1, 2, 3, 4, float32(math.Inf(-1)), 5, float32(math.Inf(-1))}
	plain := 1 / math.Sqrt(2) // of 1 to 5
	for _, s := range [][]float32{scores, left} {
		if got := toScale(s, []int32{4, 6}); math.Abs(got-plain) > 1e-6 {
			t.Errorf("%v: scale %g, want %g", s, got, plain)
		}
	}
	all := []int32{0, 1, 2, 3, 4, 5, 6}
	if got := toScale(scores, all); !(got > 0) {
		t.Errorf("with everything seen the scale is %g", got)
	}
	for _, flat := range [][]float32{{}, {3}, {3, 3, 3}, {float32(math.Inf(-1)), 2}, {float32(math.Inf(-1))}} {
		if got := toScale(flat, nil); got != 0 {
			t.Errorf("%v: scale %g", flat, got)
		}
	}
	if got := rowsOf(nil, []model.Touch{{Item: 5}, {Item: -1}, {Item: 2}, {Item: 5}, {Item: 9}}, 9); len(got) != 2 || got[0] != 2 || got[1] != 5 {
		t.Errorf("rows %v", got)
	}
}

// A pool ranks as the blend itself does: the metric that weights are chosen by
// is that of the whole catalogue.
func TestPoolMeasuresTheBlend(t *testing.T) {
	const n, cut = 400, 10
	p := &pool{members: 2, cut: cut}
	weights := []float64{0.7, 0.3}
	want := 0.0
	for u := range 20 {
		a, b := make([]float32, n), make([]float32, n)
		for i := range a {
			a[i] = float32(math.Sin(float64(i*(u+3)))) * 5
			b[i] = float32(math.Cos(float64(i*(2*u+1)))) + 1
		}
		c := dataset.Case{Input: dataset.Events{Item: []int32{7, 3, 7}}, Truth: []int32{int32(u), int32(50 + u), int32(100 + 3*u)}}
		a[u], b[50+u] = a[u]+4, b[50+u]+1
		a[7], b[3] = 1e4, -1e4 // what was seen stands out
		seen := []int32{3, 7}
		both := make([]float32, n)
		add(both, a, seen, weights[0])
		add(both, b, seen, weights[1])
		for _, row := range seen {
			both[row], a[row], b[row] = float32(math.Inf(-1)), float32(math.Inf(-1)), float32(math.Inf(-1))
		}
		p.cases = append(p.cases, pooling([][]float32{a, b}, c, 100, cut, toScale))
		_, ndcg := evaluate.Recall(kernel.TopK(nil, both, cut, nil), c.Truth, cut)
		want += ndcg / 20
	}
	if got := p.value(weights, all); math.Abs(got-want) > 1e-9 || want == 0 {
		t.Errorf("NDCG %g in the pool, %g of the whole", got, want)
	}
}

// Weights find what helps, and a member of pure noise is left out.
func TestWeightsLeaveNoiseOut(t *testing.T) {
	p := &pool{members: 3, cut: 5}
	for u := range 300 {
		const n = 40
		c := pooled{n: n, said: make([]float32, 3*n), truth: []int32{int32(u % n)}, ideal: 1}
		for i := range n {
			h := func(k int) float32 {
				return float32(math.Mod(math.Abs(math.Sin(float64(i*131+u*7919+k*104729)))*1e4, 1))
			}
			c.said[i], c.said[n+i], c.said[2*n+i] = h(1), h(2), 3*h(3)
		}
		c.said[u%n] += 0.4   // two members know a little, each by itself
		c.said[n+u%n] += 0.4 // and the third nothing
		p.cases = append(p.cases, c)
	}
	w := p.choose()
	if w[0] == 0 || w[1] == 0 || w[2] != 0 {
		t.Errorf("weights %v", w)
	}
	if one := p.value([]float64{1, 0, 0}, all); p.value(w, all) < one+0.02 {
		t.Errorf("together %g, one alone %g", p.value(w, all), one)
	}
}
