package ials

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

func input(w *datasettest.World, params map[string]string) recipe.Input {
	return recipe.Input{Events: w.Snapshot.Events, Users: w.Snapshot.Users.Len(), Items: w.Snapshot.Items.IDs(), Params: params, Seed: 1}
}

// Folding in by conjugate gradients is the solution of the normal equations.
func TestFoldInIsExact(t *testing.T) {
	w := datasettest.Blocks(80, 50, 2, 0.2, 1)
	m, err := New().Train(t.Context(), input(w, map[string]string{ParamDimension: "24"}))
	if err != nil {
		t.Fatal(err)
	}
	p, err := resolve(recipe.Input{Params: m.Manifest.Parameters, Items: m.Items})
	if err != nil {
		t.Fatal(err)
	}
	scorer, err := New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	items := matrix.Dense{Rows: len(m.Items), Cols: p.dimension, Data: m.Tensors[tensorFactors].F32}
	history := []int32{3, 7, 11, 12, 30}
	a, err := p.gram(t.Context(), recipe.Run, items)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]float32, p.dimension)
	var touches []model.Touch
	for _, i := range history {
		touches = append(touches, model.Touch{Item: i, Weight: 1})
		row := items.Row(int(i))
		kernel.Axpy(1, row, b)
		for j := range row {
			kernel.Axpy(row[j], row, a[j*p.dimension:(j+1)*p.dimension])
		}
	}
	for j := range p.dimension {
		a[j*p.dimension+j] += float32(p.regularize * (5 + p.unobserved*50))
	}
	if !kernel.Cholesky(a, p.dimension) {
		t.Fatal("not positive definite")
	}
	kernel.CholeskySolve(a, p.dimension, b)
	got := make([]float32, len(m.Items))
	if err := scorer.Score(t.Context(), model.Query{History: touches, Item: model.NoItem}, got); err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if want := kernel.Dot(items.Row(i), b); math.Abs(float64(got[i]-want)) > 1e-3 {
			t.Errorf("item %d scores %g, exactly %g", i, got[i], want)
		}
	}
}

// Every half step of an exact solver makes the loss smaller; conjugate gradients
// and blocks as well, and in the end all have found the same.
func TestObjectiveFalls(t *testing.T) {
	w := datasettest.Blocks(80, 50, 2, 0.2, 1)
	ends := map[string]float64{}
	for name, params := range map[string]map[string]string{
		"cg":                {},
		"cg of 8 steps":     {ParamSteps: "8"},
		"cholesky":          {ParamSolver: "cholesky"},
		"ialspp of 3":       {ParamSolver: "ialspp", ParamBlock: "3"},
		"ialspp of 8":       {ParamSolver: "ialspp", ParamBlock: "8"},
		"ialspp of so many": {ParamSolver: "ialspp", ParamBlock: "100"},
	} {
		params = recipe.With(params, ParamDimension, "8")
		params[ParamIterations] = "100"
		in := input(w, params)
		p, err := resolve(in)
		if err != nil {
			t.Fatal(err)
		}
		tr := newTraining(p, in)
		if _, err := tr.begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		last := math.Inf(1)
		for half := range 2 * p.iterations {
			to, from, pairs := tr.users, tr.items, tr.byUser
			if half%2 == 1 {
				to, from, pairs = tr.items, tr.users, tr.byItem
			}
			if err := p.halfStep(t.Context(), recipe.Run, to, from, pairs); err != nil {
				t.Fatal(err)
			}
			loss := tr.loss()
			if !(loss <= last*(1+1e-6)) {
				t.Errorf("%s: after half step %d the loss is %g, it was %g", name, half, loss, last)
			}
			last = loss
		}
		ends[name] = last
	}
	for name, loss := range ends {
		if math.Abs(loss/ends["cholesky"]-1) > 1e-3 {
			t.Errorf("%s ends with a loss of %g, cholesky with %g", name, loss, ends["cholesky"])
		}
	}
}

// loss is the loss of the hyper-parameters' comment, in float64.
func (t *training) loss() float64 {
	var loss float64
	for u := range t.users.Rows {
		index, weight := t.byUser.Of(u)
		for k, i := range index {
			loss += float64(weight[k]) * math.Pow(1-float64(kernel.Dot(t.items.Row(int(i)), t.users.Row(u))), 2)
		}
		for i := range t.items.Rows {
			loss += t.unobserved * math.Pow(float64(kernel.Dot(t.items.Row(i), t.users.Row(u))), 2)
		}
		loss += t.ridge(len(index), t.items.Rows) * kernel.Norm2(t.users.Row(u))
	}
	for i := range t.items.Rows {
		index, _ := t.byItem.Of(i)
		loss += t.ridge(len(index), t.users.Rows) * kernel.Norm2(t.items.Row(i))
	}
	return loss
}

func TestRecencyWeighsByAge(t *testing.T) {
	f := new(fold)
	f.gather([]model.Touch{{Item: 5, Weight: 1}, {Item: 1, Weight: 1}, {Item: 5, Weight: 1}}, 10, 2)
	// Ages 2, 1, 0 weigh 1/2, 2/3, 1; item 5 has 1.5 in all.
	if len(f.index) != 2 || f.index[0] != 1 || f.weight[0] != 2.0/3 || f.weight[1] != confidence(1.5) {
		t.Errorf("items %v, weights %v", f.index, f.weight)
	}
	f.gather([]model.Touch{{Item: 5, Weight: 1}, {Item: 1, Weight: 1}}, 10, 0)
	if f.weight[0] != 1 || f.weight[1] != 1 {
		t.Errorf("without recency the weights are %v", f.weight)
	}
}

func TestDivergenceIsSaid(t *testing.T) {
	w := datasettest.Checkerboard(40, 20, 1)
	m, err := New().Train(t.Context(), input(w, map[string]string{ParamRegularize: "0", ParamUnobserved: "0", ParamIterations: "200"}))
	if err != nil {
		if attune.KindOf(err) != attune.Invalid {
			t.Error(err)
		}
		return
	}
	for _, v := range m.Tensors[tensorFactors].F32 {
		if v != v || math.IsInf(float64(v), 0) {
			t.Fatal("a model with numbers that are none was given out")
		}
	}
}

func BenchmarkScore(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ items, d, history int }{{10000, 64, 10}, {10000, 64, 100}, {10000, 128, 100}} {
		factors := make([]float32, c.items*c.d)
		for i := range factors {
			factors[i] = float32(r.NormFloat64() * 0.3 / math.Sqrt(1+float64(i%c.d))) // a spectrum that falls, as learned ones do
		}
		m := &model.Model{Items: make([]string, c.items), Tensors: map[string]model.Tensor{
			tensorFactors: {Shape: []int{c.items, c.d}, F32: factors}, tensorCount: {Shape: []int{c.items}, I32: make([]int32, c.items)}}}
		m.Manifest.Parameters = map[string]string{ParamDimension: fmt.Sprint(c.d)}
		s, err := New().Decode(m)
		if err != nil {
			b.Fatal(err)
		}
		q, dst := model.Query{Item: model.NoItem}, make([]float32, c.items)
		for range c.history {
			q.History = append(q.History, model.Touch{Item: int32(r.IntN(c.items)), Weight: 1})
		}
		name := fmt.Sprintf("items=%d/d=%d/history=%d", c.items, c.d, c.history)
		b.Run("fold/"+name, func(b *testing.B) {
			ours := s.(*scorer)
			b.ReportAllocs()
			for b.Loop() {
				f := ours.folds.Get().(*fold)
				f.gather(q.History, c.items, 2)
				f.solver.fold(f.x, f.index, f.weight)
				ours.folds.Put(f)
			}
		})
		b.Run("score/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Score(b.Context(), q, dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
