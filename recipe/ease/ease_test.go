package ease

import (
	"math"
	"slices"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

func input(w *datasettest.World, params map[string]string) recipe.Input {
	return recipe.Input{Events: w.Snapshot.Events, Users: w.Snapshot.Users.Len(), Items: w.Snapshot.Items.IDs(), Params: params, Seed: 1}
}

// weights are the stored ones as a matrix.
func weights(t *testing.T, in recipe.Input) matrix.Dense {
	t.Helper()
	m, err := New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	b := matrix.NewDense(len(in.Items), len(in.Items))
	start := m.Tensors[tensorStart].I32
	for i := range in.Items {
		for at := start[i]; at < start[i+1]; at++ {
			b.Row(i)[m.Tensors[tensorItem].I32[at]] = m.Tensors[tensorWeight].F32[at]
		}
	}
	return b
}

// textbook solves, for every item by itself, the ridge regression of its column
// of X on all other columns, in float64.
func textbook(in recipe.Input, ridge func(i int, g [][]float64) float64, squared func(u int) float64) [][]float64 {
	n := len(in.Items)
	x := make([][]float64, in.Users)
	for u := range x {
		x[u] = make([]float64, n)
	}
	for k, u := range in.Events.User {
		x[u][in.Events.Item[k]]++
	}
	for u := range x {
		for i, n := range x[u] {
			x[u][i] = float64(confidence(float32(n)))
		}
	}
	g := make([][]float64, n)
	for i := range g {
		g[i] = make([]float64, n)
		for j := range g[i] {
			for u := range x {
				g[i][j] += x[u][i] * x[u][j] * squared(u)
			}
		}
	}
	b := make([][]float64, n)
	for i := range b {
		b[i] = make([]float64, n)
	}
	for target := range n {
		var others []int
		for i := range n {
			if i != target {
				others = append(others, i)
			}
		}
		rows := make([][]float64, len(others))
		for r, i := range others {
			for _, j := range others {
				rows[r] = append(rows[r], g[i][j])
			}
			rows[r][r] += ridge(i, g)
			rows[r] = append(rows[r], g[i][target])
		}
		for r, v := range solve(rows) {
			b[others[r]][target] = v
		}
	}
	return b
}

// solve eliminates; the right side is the last column. The matrix is positive definite.
func solve(a [][]float64) []float64 {
	n := len(a)
	for k := range n {
		for i := k + 1; i < n; i++ {
			f := a[i][k] / a[k][k]
			for j := k; j <= n; j++ {
				a[i][j] -= f * a[k][j]
			}
		}
	}
	x := make([]float64, n)
	for i := n - 1; i >= 0; i-- {
		x[i] = a[i][n]
		for j := i + 1; j < n; j++ {
			x[i] -= a[i][j] * x[j]
		}
		x[i] /= a[i][i]
	}
	return x
}

func meanDiagonal(g [][]float64) float64 {
	var sum float64
	for i := range g {
		sum += g[i][i]
	}
	return sum / float64(len(g))
}

// The closed form is the regression of every item on all others.
func TestClosedFormIsRegression(t *testing.T) {
	w := datasettest.Blocks(90, 40, 2, 0.2, 1)
	e := w.Snapshot.Events
	size := make([]float64, w.Snapshot.Users.Len())
	seen := map[[2]int32]bool{}
	for k, u := range e.User {
		if pair := [2]int32{u, e.Item[k]}; !seen[pair] {
			seen[pair] = true
			size[u]++
		}
	}
	for name, c := range map[string]struct {
		params  map[string]string
		ridge   func(i int, g [][]float64) float64
		squared func(u int) float64
	}{
		"plain": {map[string]string{ParamRegularize: "0.5", ParamDropout: "0", ParamUser: "0"},
			func(_ int, g [][]float64) float64 { return 0.5 * meanDiagonal(g) }, func(int) float64 { return 1 }},
		"dropout": {map[string]string{ParamRegularize: "0.1", ParamDropout: "0.2", ParamUser: "0"},
			func(i int, g [][]float64) float64 { return 0.1*meanDiagonal(g) + 0.25*g[i][i] }, func(int) float64 { return 1 }},
		"light users": {map[string]string{ParamRegularize: "1", ParamDropout: "0", ParamUser: "0.5"},
			func(_ int, g [][]float64) float64 { return meanDiagonal(g) }, func(u int) float64 { return 1 / max(1, size[u]) }},
	} {
		in := input(w, c.params)
		got, want := weights(t, in), textbook(in, c.ridge, c.squared)
		for i := range in.Items {
			for j := range in.Items {
				if math.Abs(float64(got.Row(i)[j])-want[i][j]) > 2e-5 {
					t.Fatalf("%s: item %d gives %d %g, want %g", name, i, j, got.Row(i)[j], want[i][j])
				}
			}
		}
	}
}

// A neighbourhood of everything is the closed form, and a smaller one the
// regression on the nearest only.
func TestLocal(t *testing.T) {
	w := datasettest.Blocks(400, 40, 1, 0.4, 1) // so full that all items have users in common
	params := map[string]string{ParamDropout: "0.2", ParamUser: "0.25", ParamRegularize: "1"}
	whole, all := weights(t, input(w, params)), weights(t, input(w, recipe.With(params, ParamLocal, "100")))
	for i, v := range whole.Data {
		if math.Abs(float64(v-all.Data[i])) > 1e-3 {
			t.Fatalf("weight %d is %g with all as neighbours, %g in closed form", i, all.Data[i], v)
		}
	}
	few := weights(t, input(w, recipe.With(params, ParamLocal, "6")))
	for j := range 40 {
		got := 0
		for i := range 40 {
			if few.Row(i)[j] != 0 {
				got++
			}
		}
		if got == 0 || got > 6 {
			t.Errorf("item %d is predicted from %d others", j, got)
		}
	}
}

// Neighbourhoods are taken where the closed form would cost much more, and of
// catalogues for which there is no room.
func TestChoosesHow(t *testing.T) {
	var sparse, dense dataset.Events
	for u := range int32(3000) { // 3 items each, and all
		for k := range int32(3) {
			sparse.User, sparse.Item, sparse.At = append(sparse.User, u), append(sparse.Item, (u*3+k)%9000), append(sparse.At, 0)
		}
	}
	for u := range int32(50) {
		for i := range int32(1000) {
			dense.User, dense.Item, dense.At = append(dense.User, u), append(dense.Item, i), append(dense.At, 0)
		}
	}
	for name, c := range map[string]struct {
		in    recipe.Input
		local bool
	}{
		"sparse": {recipe.Input{Events: sparse, Users: 3000, Items: make([]string, 9000)}, true},
		"dense":  {recipe.Input{Events: dense, Users: 50, Items: make([]string, 1000)}, false},
		"big":    {recipe.Input{Events: dense, Users: 50, Items: make([]string, denseItems+1)}, true},
	} {
		p, err := resolve(c.in)
		if err != nil || c.local != (p.neighbourhood > 0) {
			t.Errorf("%s: neighbourhood %d, %v", name, p.neighbourhood, err)
		}
		if s := New().Seconds(c.in); !(s > 0 && s < 1000) {
			t.Errorf("%s: %g seconds", name, s)
		}
	}
	in := recipe.Input{Items: make([]string, denseItems+1), Params: map[string]string{ParamLocal: "0"}}
	if _, err := resolve(in); attune.KindOf(err) != attune.Invalid {
		t.Errorf("a matrix that is too big: %v", err)
	}
}

func TestKeepsTheLargest(t *testing.T) {
	w := datasettest.Blocks(90, 40, 2, 0.2, 1)
	all, few := weights(t, input(w, nil)), weights(t, input(w, map[string]string{ParamKept: "7"}))
	for i := range 40 {
		sizes := make([]float64, 40)
		for j, v := range all.Row(i) {
			sizes[j] = math.Abs(float64(v))
		}
		slices.Sort(sizes)
		kept := 0
		for j, v := range few.Row(i) {
			if v == 0 {
				continue
			}
			kept++
			if v != all.Row(i)[j] || math.Abs(float64(v)) < sizes[33] {
				t.Errorf("item %d keeps %g for %d", i, v, j)
			}
		}
		if kept != 7 {
			t.Errorf("item %d keeps %d weights", i, kept)
		}
	}
}

// A score is the sum of what the history gives, by how much each item of it counts.
func TestScores(t *testing.T) {
	w := datasettest.Blocks(90, 40, 2, 0.2, 1)
	in := input(w, map[string]string{ParamRecency: "2", ParamScale: "3"})
	b := weights(t, in)
	m, err := New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 40)
	q := model.Query{Item: model.NoItem, History: []model.Touch{{Item: 5, Weight: 2}, {Item: 1, Weight: 1}, {Item: 5, Weight: 1}}}
	if err := s.Score(t.Context(), q, got); err != nil {
		t.Fatal(err)
	}
	// Ages 2, 1, 0 weigh 1/2, 2/3, 1: item 5 has 2·1/2 + 1 = 2, of which the logarithm counts.
	five, one := 1+math.Log(2), 2.0/3
	for j, v := range got {
		want := 3 * (five*float64(b.Row(5)[j]) + one*float64(b.Row(1)[j]))
		if math.Abs(float64(v)-want) > 1e-4 {
			t.Errorf("item %d scores %g, want %g", j, v, want)
		}
	}
}

func TestFewAndAlike(t *testing.T) {
	for _, local := range []string{"0", "2"} {
		for name, e := range map[string]dataset.Events{
			"one event":     {User: []int32{0}, Item: []int32{0}, At: []int64{1}},
			"all identical": {User: []int32{0, 0, 0, 1, 1, 1}, Item: []int32{2, 2, 2, 2, 2, 2}, At: []int64{0, 0, 0, 0, 0, 0}},
			"everything":    {User: []int32{0, 0, 0, 1, 1, 1}, Item: []int32{0, 1, 2, 0, 1, 2}, At: []int64{0, 0, 0, 0, 0, 0}},
		} {
			m, err := New().Train(t.Context(), recipe.Input{Events: e, Users: 2, Items: []string{"a", "b", "c"}, Params: map[string]string{ParamRegularize: "0.0001", ParamLocal: local}})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for _, v := range m.Tensors[tensorWeight].F32 {
				if v != v || math.IsInf(float64(v), 0) {
					t.Errorf("%s: a weight is %g", name, v)
				}
			}
		}
	}
}
