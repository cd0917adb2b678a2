package recipetest

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Claims are what a recipe says it can do.
type Claims struct {
	Personal bool              // a user's history decides the answer
	Related  bool              // an item in focus decides the answer
	Known    func() Known      // something else decides the answer, and here it is known
	Params   map[string]string // to train with; nil for the defaults
	Bad      map[string]string // parameters of which each alone is refused as attune.Invalid
	Told     []string          // numbers that a manifest tells of what came out, which no training takes
	Rounds   bool              // it learns in rounds: calls Watch, and goes on from a Checkpoint
	Blocks   bool              // it computes what depends on nothing else in blocks, by Input.Runner
}

// Run puts a recipe through the suite. store opens a fresh artifact store.
func Run(t *testing.T, r recipe.Recipe, store func(*testing.T) *artifact.Store, c Claims) {
	s := &suite{recipe: r, claims: c, world: datasettest.Checkerboard(120, 40, 7)}
	t.Run("known answers", s.knownAnswers)
	t.Run("manifest", s.manifest)
	t.Run("same bits", s.sameBits)
	t.Run("save and open", func(t *testing.T) { s.saveAndOpen(t, store(t)) })
	t.Run("strange queries", s.strangeQueries)
	t.Run("concurrent queries", s.concurrentQueries)
	t.Run("many at once", s.manyAtOnce)
	t.Run("cancel", s.cancel)
	t.Run("progress", s.progress)
	t.Run("bad parameters", s.badParameters)
	t.Run("torn models", s.tornModels)
	t.Run("no events", s.noEvents)
	t.Run("costs", s.costs)
	t.Run("resume", s.resume)
	t.Run("watch", s.watch)
	t.Run("blocks", s.blocks)
	t.Run("left alone", s.leftAlone)
}

type suite struct {
	recipe recipe.Recipe
	claims Claims
	world  *datasettest.World
	fitted *model.Model // of input, learned once for all tests that only ask it
	bits   string       // its digest, fresh from the training
}

func (s *suite) input() recipe.Input {
	snap := s.world.Snapshot
	return recipe.Input{Events: snap.Events, Users: snap.Users.Len(), Items: snap.Items.IDs(), ItemAttributes: snap.ItemAttributes, Params: s.claims.Params, Seed: 5}
}

func (s *suite) train(t *testing.T, in recipe.Input) *model.Model {
	t.Helper()
	m, err := s.recipe.Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// learned is the model of input. Nobody changes it.
func (s *suite) learned(t *testing.T) *model.Model {
	t.Helper()
	if s.fitted == nil {
		s.fitted = s.train(t, s.input())
		s.bits = digest(t, s.fitted)
	}
	return s.fitted
}

// leftAlone: no decoding and no query has changed the model they read.
func (s *suite) leftAlone(t *testing.T) {
	if digest(t, s.learned(t)) != s.bits {
		t.Error("the model is another than before it was asked")
	}
}

func (s *suite) decode(t *testing.T, m *model.Model) model.Scorer {
	t.Helper()
	scorer, err := s.recipe.Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	return scorer
}

func (s *suite) history(user int32) []model.Touch {
	e := s.world.Snapshot.Events.Of(user)
	out := make([]model.Touch, e.Len())
	for i := range out {
		out[i] = model.Touch{Item: e.Item[i], Weight: 1, At: e.At[i]}
	}
	return out
}

func score(t *testing.T, s model.Scorer, q model.Query, items int) []float32 {
	t.Helper()
	dst := make([]float32, items)
	for i := range dst {
		dst[i] = float32(math.NaN()) // so that an element left alone is found
	}
	if err := s.Score(t.Context(), q, dst); err != nil {
		t.Fatal(err)
	}
	for row, v := range dst {
		if v != v || math.IsInf(float64(v), 1) {
			t.Fatalf("item %d scores %g", row, v)
		}
	}
	return dst
}

// best are the rows by score, best first, without those left out.
func best(scores []float32, k int, leaveOut map[int32]bool) []int32 {
	var rows []int32
	for i := range scores {
		if !leaveOut[int32(i)] {
			rows = append(rows, int32(i))
		}
	}
	slices.SortStableFunc(rows, func(a, b int32) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	return rows[:min(k, len(rows))]
}

func (s *suite) knownAnswers(t *testing.T) {
	if s.claims.Known != nil {
		k := s.claims.Known()
		k.In.Params, k.In.Seed = s.claims.Params, 5
		if err := k.check(t, s.decode(t, s.train(t, k.In))); err != nil {
			t.Error(err)
		}
	} else if !s.claims.Personal && !s.claims.Related {
		t.Fatal("nothing is claimed, so no answer is known")
	}
	items := s.world.Snapshot.Items.Len()
	scorer := s.decode(t, s.learned(t))
	if s.claims.Personal {
		for u := range int32(s.world.Snapshot.Users.Len()) {
			got := score(t, scorer, model.Query{History: s.history(u), Item: model.NoItem}, items)
			for _, row := range best(got, 5, s.world.Touched(u)) {
				if !s.world.Likes(u, row) {
					t.Fatalf("user %d of group %d is offered item %d of group %d", u, s.world.UserGroup[u], row, s.world.ItemGroup[row])
				}
			}
		}
	}
	if s.claims.Related {
		for i := range int32(items) {
			got := score(t, scorer, model.Query{Item: i}, items)
			if !math.IsInf(float64(got[i]), -1) {
				t.Fatalf("item %d is related to itself with %g", i, got[i])
			}
			for _, row := range best(got, 5, nil) {
				if s.world.ItemGroup[row] != s.world.ItemGroup[i] {
					t.Fatalf("item %d of group %d is related to item %d of group %d", i, s.world.ItemGroup[i], row, s.world.ItemGroup[row])
				}
			}
		}
	}
}

func (s *suite) manifest(t *testing.T) {
	in, m := s.input(), s.learned(t)
	f := m.Manifest
	if f.Algorithm != s.recipe.Name() || f.Seed != in.Seed || f.Users != in.Users || f.Items != len(in.Items) || f.Interactions != int64(in.Events.Len()) {
		t.Errorf("manifest %+v", f)
	}
	if f.Scores != "softmax" && f.Scores != "none" && f.Scores != model.ScoresPropensity {
		t.Errorf("scores are %q", f.Scores)
	}
	for name, value := range in.Params {
		if f.Parameters[name] != value {
			t.Errorf("parameter %s is %q in the manifest, %q was given", name, f.Parameters[name], value)
		}
	}
	if !slices.Equal(m.Items, in.Items) {
		t.Error("the items are not those of the input")
	}
	// Training again with the parameters as resolved is the same training.
	in.Params = f.Parameters
	if a, b := digest(t, m), digest(t, s.train(t, in)); a != b {
		t.Errorf("resolved parameters %v give another model", f.Parameters)
	}
}

func digest(t *testing.T, m *model.Model) string {
	t.Helper()
	d, err := model.Digest(m)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (s *suite) sameBits(t *testing.T) {
	s.learned(t)
	for _, procs := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(procs)
		got := digest(t, s.train(t, s.input()))
		runtime.GOMAXPROCS(before)
		if got != s.bits {
			t.Errorf("with %d processors the model is another", procs)
		}
	}
}

func (s *suite) saveAndOpen(t *testing.T, store *artifact.Store) {
	m := s.learned(t)
	if _, err := model.Save(t.Context(), store, "model/a", m); err != nil {
		t.Fatal(err)
	}
	opened, err := model.Open(t.Context(), store, "model/a")
	if err != nil {
		t.Fatal(err)
	}
	a, b := s.decode(t, m), s.decode(t, opened)
	for u := range int32(10) {
		q := model.Query{History: s.history(u), Item: model.NoItem}
		if !slices.Equal(score(t, a, q, len(m.Items)), score(t, b, q, len(m.Items))) {
			t.Fatalf("user %d gets other scores of the model opened again", u)
		}
	}
}

func (s *suite) strangeQueries(t *testing.T) {
	m := s.learned(t)
	scorer, n := s.decode(t, m), int32(len(m.Items))
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	known := s.history(3)
	plain := score(t, scorer, model.Query{History: known, Item: model.NoItem}, len(m.Items))
	for name, q := range map[string]model.Query{
		"empty":            {Item: model.NoItem},
		"unknown items":    {History: []model.Touch{{Item: -1, Weight: 1}, {Item: n, Weight: 1}, {Item: math.MaxInt32, Weight: 1}}, Item: model.NoItem},
		"strange weights":  {History: []model.Touch{{Item: 0}, {Item: 1, Weight: -1}, {Item: 2, Weight: nan}, {Item: 3, Weight: inf}}, Item: model.NoItem},
		"huge weight":      {History: []model.Touch{{Item: 0, Weight: math.MaxFloat32 / 4}}, Item: model.NoItem},
		"unknown in focus": {Item: n},
		"negative focus":   {Item: -7},
		"repeats":          {History: slices.Concat(known, known, known), Item: model.NoItem},
		"everything":       {History: everything(n), Item: model.NoItem},
	} {
		got := score(t, scorer, q, len(m.Items))
		if len(best(got, 5, nil)) < 5 {
			t.Errorf("%s: fewer than 5 items", name)
		}
	}
	mixed := append([]model.Touch{{Item: -1, Weight: 1}, {Item: n, Weight: 1}}, known...)
	if !slices.Equal(plain, score(t, scorer, model.Query{History: mixed, Item: model.NoItem}, len(m.Items))) {
		t.Error("items that the model does not know change the answer")
	}
	if err := scorer.Score(t.Context(), model.Query{Item: model.NoItem}, make([]float32, n+1)); err == nil {
		t.Error("a destination of the wrong length was taken")
	}
}

func everything(n int32) []model.Touch {
	out := make([]model.Touch, n)
	for i := range out {
		out[i] = model.Touch{Item: int32(i), Weight: 1}
	}
	return out
}

func (s *suite) concurrentQueries(t *testing.T) {
	m := s.learned(t)
	scorer := s.decode(t, m)
	var wg sync.WaitGroup
	for u := range int32(8) {
		q := model.Query{History: s.history(u), Item: model.NoItem}
		want := score(t, scorer, q, len(m.Items))
		wg.Go(func() {
			got := make([]float32, len(m.Items))
			for range 20 {
				if err := scorer.Score(t.Context(), q, got); err != nil || !slices.Equal(got, want) {
					t.Errorf("user %d: another answer among others' (%v)", u, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// manyAtOnce: scores of many queries together are those of each, bit for bit.
func (s *suite) manyAtOnce(t *testing.T) {
	m := s.learned(t)
	scorer := s.decode(t, m)
	many, ok := scorer.(model.ManyScorer)
	if !ok {
		t.Skip("scores one query at a time")
	}
	queries := []model.Query{{Item: model.NoItem}, {Item: 2}}
	for u := range int32(20) {
		queries = append(queries, model.Query{History: s.history(u), Item: model.NoItem})
	}
	got := make([][]float32, len(queries))
	for i := range got {
		got[i] = make([]float32, len(m.Items))
	}
	if err := many.ScoreMany(t.Context(), queries, got); err != nil {
		t.Fatal(err)
	}
	for i, q := range queries {
		if !slices.Equal(got[i], score(t, scorer, q, len(m.Items))) {
			t.Errorf("query %d has other scores among others", i)
		}
	}
	got[3] = got[3][1:]
	if err := many.ScoreMany(t.Context(), queries, got); err == nil {
		t.Error("a destination of the wrong length was taken")
	}
}

func (s *suite) cancel(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := s.recipe.Train(ctx, s.input()); !errors.Is(err, context.Canceled) {
		t.Errorf("training although cancelled: %v", err)
	}
	m := s.learned(t)
	if err := s.decode(t, m).Score(ctx, model.Query{Item: model.NoItem}, make([]float32, len(m.Items))); !errors.Is(err, context.Canceled) {
		t.Errorf("scoring although cancelled: %v", err)
	}
	ctx, stop = context.WithCancel(t.Context())
	defer stop()
	in := s.input()
	in.Progress = func(done, total int) { stop() }
	if _, err := s.recipe.Train(ctx, in); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled on the way: %v", err)
	}
}

func (s *suite) progress(t *testing.T) {
	in, last, all := s.input(), -1, -1
	in.Progress = func(done, total int) {
		if done < last || done > total || total <= 0 || all >= 0 && total != all {
			t.Errorf("%d of %d after %d of %d", done, total, last, all)
		}
		last, all = done, total
	}
	s.train(t, in)
	if last != all || all <= 0 {
		t.Errorf("ended at %d of %d", last, all)
	}
}

func (s *suite) badParameters(t *testing.T) {
	for name, value := range s.claims.Bad {
		in := s.input()
		in.Params = map[string]string{name: value}
		if _, err := s.recipe.Train(t.Context(), in); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s=%q: %v", name, value, err)
		}
	}
	// No number may be NaN, whichever it is; some are only read when the model is decoded.
	for name, value := range s.learned(t).Manifest.Parameters {
		if _, err := strconv.ParseFloat(value, 64); err != nil || slices.Contains(s.claims.Told, name) {
			continue
		}
		in := s.input()
		in.Params = recipe.With(s.claims.Params, name, "NaN")
		m, err := s.recipe.Train(t.Context(), in)
		if err == nil {
			_, err = s.recipe.Decode(m)
		}
		if attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s=NaN: %v", name, err)
		}
	}
}

// tornModels takes from a good model one thing at a time; Decode must say so,
// for a file can be whole and yet written by something else.
func (s *suite) tornModels(t *testing.T) {
	good := s.learned(t)
	for name, tensor := range good.Tensors {
		for what, bad := range map[string]model.Tensor{
			"missing":       {},
			"short":         {Shape: []int{0}},
			"another shape": {Shape: append([]int{1}, tensor.Shape...), F32: tensor.F32, I32: tensor.I32},
		} {
			m := *good
			m.Tensors = map[string]model.Tensor{}
			for k, v := range good.Tensors {
				m.Tensors[k] = v
			}
			m.Tensors[name] = bad
			if what == "missing" {
				delete(m.Tensors, name)
			}
			if _, err := s.recipe.Decode(&m); attune.KindOf(err) != attune.Invalid {
				t.Errorf("tensor %s %s: %v", name, what, err)
			}
		}
	}
}

func (s *suite) noEvents(t *testing.T) {
	in := s.input()
	in.Events = in.Events.Slice(0, 0)
	m := s.train(t, in)
	score(t, s.decode(t, m), model.Query{History: s.history(0), Item: model.NoItem}, len(m.Items))
}
