package graph

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

func input(w *datasettest.World, params map[string]string) recipe.Input {
	return recipe.Input{Events: w.Snapshot.Events, Users: w.Snapshot.Users.Len(), Items: w.Snapshot.Items.IDs(), Params: params, Seed: 1}
}

// textbook is D_i^(-input)·h(NᵀN)·D_i^(output) for a history, with N spelled out
// and h a power series: h(λ) = Σ series[k]·λᵏ.
func textbook(in recipe.Input, p parameters, series []float64, history []int32) []float64 {
	users, items := in.Users, len(in.Items)
	n, du, di := make([][]float64, users), make([]float64, users), make([]float64, items)
	for u := range n {
		n[u] = make([]float64, items)
	}
	for k, u := range in.Events.User {
		n[u][in.Events.Item[k]]++
	}
	for u := range n {
		for i, v := range n[u] {
			if v > 1 {
				n[u][i] = 1 + math.Log(v)
			}
			du[u], di[i] = du[u]+n[u][i], di[i]+n[u][i]
		}
	}
	for u := range n {
		for i := range n[u] {
			n[u][i] *= power(du[u], -p.user) * power(di[i], -p.item)
		}
	}
	apply := func(x []float64, by float64) []float64 {
		y := make([]float64, items)
		for u := range n {
			var t float64
			for i, v := range n[u] {
				t += v * x[i]
			}
			for i, v := range n[u] {
				y[i] += v * t / by
			}
		}
		return y
	}
	x := make([]float64, items)
	for i := range x {
		x[i] = 1 + float64(i%3)
	}
	top := 0.0
	for range 500 { // the largest eigenvalue, by the power method
		y := apply(x, 1)
		top = math.Sqrt(dot(y, y))
		for i := range x {
			x[i] = y[i] / top
		}
	}
	clear(x)
	for _, i := range history {
		x[i] = power(di[i], -p.input) * power(float64(len(history)), -p.user)
	}
	out := make([]float64, items)
	for k, c := range series {
		if k > 0 {
			x = apply(x, top)
		}
		for i := range out {
			out[i] += c * x[i] * power(di[i], p.output)
		}
	}
	return out
}

func dot(a, b []float64) (s float64) {
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

func scores(t *testing.T, m *model.Model, history []int32) []float32 {
	t.Helper()
	s, err := New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	q := model.Query{Item: model.NoItem}
	for _, i := range history {
		q.History = append(q.History, model.Touch{Item: i, Weight: 1})
	}
	dst := make([]float32, len(m.Items))
	if err := s.Score(t.Context(), q, dst); err != nil {
		t.Fatal(err)
	}
	return dst
}

// With all neighbours kept, what is served is the filter itself, however much
// of it is told by factors.
func TestScoresAreTheFilter(t *testing.T) {
	w := datasettest.Blocks(80, 50, 4, 0.3, 1)
	exponential := func(weight func(k int) float64) (s []float64) {
		for k := range 60 {
			s = append(s, weight(k))
		}
		return s
	}
	factorial := func(k int) float64 { return math.Gamma(float64(k) + 1) }
	for name, c := range map[string]struct {
		params map[string]string
		series []float64
	}{
		"once, as of a linear filter": {map[string]string{ParamDamping: "0", ParamRank: "5"}, []float64{0, 1}},
		"other exponents": {map[string]string{ParamDamping: "0", ParamRank: "20", ParamUser: "0.3", ParamItem: "0.6", ParamInput: "-0.2", ParamOutput: "0.4"},
			[]float64{0, 1}},
		"sharpened": {map[string]string{ParamDamping: "0", ParamSharpening: "1.5", ParamRank: "50"},
			exponential(func(k int) float64 { return math.Pow(-1.5, float64(k-1)) / factorial(k-1) * min(1, float64(k)) })},
		"damped": {map[string]string{ParamDamping: "3", ParamRank: "50"},
			exponential(func(k int) float64 { return math.Pow(-1.0/3, float64(k-1)) * min(1, float64(k)) })},
	} {
		for _, factors := range []string{"0", "3", "50"} {
			params := recipe.With(recipe.With(c.params, ParamFactors, factors), ParamNeighbours, "50")
			params[ParamScale] = "1"
			in := input(w, params)
			c.series[0] = 0
			p, err := resolve(in)
			if err != nil {
				t.Fatal(err)
			}
			m, err := New().Train(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			history := []int32{3, 7, 11, 30}
			got, want := scores(t, m, history), textbook(in, p, c.series, history)
			size := slices.Max(want)
			for i := range got {
				if math.Abs(float64(got[i])-want[i]) > 2e-4*size {
					t.Fatalf("%s with %s factors: item %d scores %g, want %g", name, factors, i, got[i], want[i])
				}
			}
		}
	}
}

// What Search measures of a filter is what the model trained with it gets.
func TestJudgeMeasuresWhatIsServed(t *testing.T) {
	w := datasettest.Blocks(200, 60, 4, 0.4, 1)
	in := input(w, nil)
	split, err := dataset.NewSplit(in.Events, dataset.Protocols()[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	in.Events = split.Train
	j := newJudge(recipe.Validation{Cases: split.Cases, LeaveOut: true, Cut: 10})
	var ps []parameters
	for _, damping := range []string{"0.1", "1"} {
		for _, output := range []string{"0", "0.4"} {
			for _, recency := range []string{"0", "3"} {
				in.Params = map[string]string{ParamRank: "20", ParamDamping: damping, ParamOutput: output, ParamInput: "0.1", ParamRecency: recency, ParamNeighbours: "60"}
				p, err := resolve(in)
				if err != nil {
					t.Fatal(err)
				}
				ps = append(ps, p)
			}
		}
	}
	s := graphOf(in).normalised(ps[0])
	if err := s.decompose(t.Context(), 20, in.Seed, nil); err != nil {
		t.Fatal(err)
	}
	got, err := j.measure(t.Context(), recipe.Run, s, ps)
	if err != nil {
		t.Fatal(err)
	}
	for k, p := range ps {
		in.Params = p.strings(nil)
		m, err := New().Train(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if want := served(t, m, split.Cases, 10); math.Abs(got[k]-want) > 0.004 {
			t.Errorf("%+v: measured %g, served %g", p, got[k], want)
		}
	}
}

func served(t *testing.T, m *model.Model, cases []dataset.Case, cut int) (mean float64) {
	t.Helper()
	s, err := New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, len(m.Items))
	for _, c := range cases {
		q := model.Query{Item: model.NoItem}
		for _, i := range c.Input.Item {
			q.History = append(q.History, model.Touch{Item: i, Weight: 1})
		}
		if err := s.Score(t.Context(), q, dst); err != nil {
			t.Fatal(err)
		}
		rows := make([]int32, 0, len(dst))
		for i := range dst {
			if !slices.Contains(c.Input.Item, int32(i)) {
				rows = append(rows, int32(i))
			}
		}
		slices.SortStableFunc(rows, func(a, b int32) int {
			if dst[a] > dst[b] {
				return -1
			}
			return 1
		})
		mean += gain(rows[:cut], c.Truth, cut) / float64(len(cases))
	}
	return mean
}

func TestSearch(t *testing.T) {
	w := datasettest.Blocks(200, 60, 4, 0.4, 1)
	in := input(w, map[string]string{ParamRank: "20", ParamUser: "0.4"})
	split, err := dataset.NewSplit(in.Events, dataset.Protocols()[0], 1)
	if err != nil {
		t.Fatal(err)
	}
	in.Events = split.Train
	v := recipe.Validation{Cases: split.Cases, LeaveOut: true, Seconds: 5}
	var first recipe.Found
	for n, procs := range []int{1, 3} {
		before := runtime.GOMAXPROCS(procs)
		got, err := New().Search(t.Context(), in, v)
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			first = got
		} else if got.Value != first.Value || len(got.Trials) != len(first.Trials) {
			t.Errorf("with %d processors it found %g after %d trials, before %g after %d", procs, got.Value, len(got.Trials), first.Value, len(first.Trials))
		}
	}
	for _, trial := range first.Trials {
		if trial.Value > first.Value || trial.Parameters[ParamUser] != "0.4" || trial.Parameters[ParamRank] != "20" && trial.Parameters[ParamRank] != "" {
			t.Errorf("found %g, tried %+v", first.Value, trial)
		}
	}
	if len(first.Trials) < 20 || first.Value <= first.Trials[0].Value {
		t.Errorf("%d trials from %g to %g", len(first.Trials), first.Trials[0].Value, first.Value)
	}
	v.Seconds = 0
	if got, err := New().Search(t.Context(), in, v); err != nil || len(got.Trials) != 1 {
		t.Errorf("without a budget: %d trials, %v", len(got.Trials), err)
	}
}

// A shop counter in the data, with more items than anybody can like, changes nothing.
func TestRobotsAreLeftOut(t *testing.T) {
	items := maxUserItems + 5
	in := recipe.Input{Users: 4, Items: make([]string, items), Params: map[string]string{ParamRank: "2"}, Seed: 1}
	for k := range 3 {
		for i := range 3 {
			in.Events.User, in.Events.Item = append(in.Events.User, int32(k)), append(in.Events.Item, int32(i+k))
		}
	}
	quiet, err := New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for i := range items {
		in.Events.User, in.Events.Item = append(in.Events.User, 3), append(in.Events.Item, int32(i))
	}
	loud, err := New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	a, b := scores(t, quiet, []int32{0, 1}), scores(t, loud, []int32{0, 1})
	for i := range 5 {
		if math.Abs(float64(a[i]-b[i])) > 1e-4 {
			t.Errorf("item %d scores %g, with a robot %g", i, a[i], b[i])
		}
	}
}

func TestKeepTakesTheLargest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 60 {
		row := make([]float32, 1+r.IntN(2000))
		for i := range row {
			switch n % 4 {
			case 0:
				row[i] = float32(r.NormFloat64())
			case 1:
				row[i] = float32(r.IntN(5) - 2)
			case 2:
				row[i] = 1 + float32(r.IntN(3))/64
			}
		}
		m, most := new(maker), 1+r.IntN(60)
		var want []int32
		for i, v := range row {
			if v != 0 {
				want = append(want, int32(i))
			}
		}
		slices.SortStableFunc(want, func(a, b int32) int {
			x, y := math.Abs(float64(row[a])), math.Abs(float64(row[b]))
			switch {
			case x > y:
				return -1
			case x < y:
				return 1
			}
			return 0
		})
		want = want[:min(len(want), most)]
		slices.Sort(want)
		got := m.keep(row, most)
		if !slices.Equal(got.item, want) {
			t.Fatalf("of %v the largest %d are %v, got %v", row, most, want, got.item)
		}
		for k, i := range got.item {
			if got.value[k] != row[i] {
				t.Fatalf("item %d of %v has %g", i, row, got.value[k])
			}
		}
	}
}

func BenchmarkScore(b *testing.B) {
	const items, factors, neighbours = 40000, 64, 300
	r := rand.New(rand.NewPCG(1, 2))
	m := &model.Model{Items: make([]string, items)}
	start, item, value := make([]int32, items+1), make([]int32, items*neighbours), make([]float32, items*neighbours)
	ratio, count, vectors := make([]float32, items), make([]int32, items), make([]float32, items*factors)
	for i := range items {
		start[i+1], ratio[i], count[i] = int32((i+1)*neighbours), 1, 1
	}
	for k := range item {
		item[k], value[k] = int32(r.IntN(items)), r.Float32()
	}
	for k := range vectors {
		vectors[k] = r.Float32()
	}
	m.Tensors = map[string]model.Tensor{tensorStart: {Shape: []int{items + 1}, I32: start}, tensorItem: {Shape: []int{len(item)}, I32: item},
		tensorValue: {Shape: []int{len(item)}, F32: value}, tensorRatio: {Shape: []int{items}, F32: ratio}, tensorCount: {Shape: []int{items}, I32: count},
		tensorFactors: {Shape: []int{items, factors}, F32: vectors}}
	s, err := New().Decode(m)
	if err != nil {
		b.Fatal(err)
	}
	q, dst := model.Query{Item: model.NoItem}, make([]float32, items)
	for range 50 {
		q.History = append(q.History, model.Touch{Item: int32(r.IntN(items)), Weight: 1})
	}
	for b.Loop() {
		if err := s.Score(b.Context(), q, dst); err != nil {
			b.Fatal(err)
		}
	}
}
