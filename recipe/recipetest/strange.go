package recipetest

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// strangePatience is how long a small strange data set may take.
const strangePatience = time.Minute

// rounding is what sums of the same numbers in another order differ by at most.
const rounding = 1e-12

// Withstand fits a recipe to a data set that is strange: a refusal says why in
// words, and a model is sane. No score is NaN or infinite, metrics are numbers
// from 0 to 1 where they are shares, and the model that is opened again answers
// as the one that was saved. What cannot be measured can be asked to learn all
// the same, as when a model is made anew: likewise. spec lacks nothing but the
// Recipe and the Snapshot; name is the model's in store.
func Withstand(t *testing.T, r recipe.Recipe, s *dataset.Snapshot, spec recipe.FitSpec, store *artifact.Store, name string) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), strangePatience)
	defer stop()
	spec.Recipe, spec.Snapshot = r, s
	spec.Progress = func(stage string, done, total int) {
		if done < 0 || done > total || total <= 0 {
			t.Errorf("stage %s is at %d of %d", stage, done, total)
		}
	}
	m, err := recipe.Fit(ctx, spec)
	if refused(t, err) {
		m, err = r.Train(ctx, strangeInput(spec, r.Name()))
		if refused(t, err) {
			return
		}
	}
	if err := saneManifest(m.Manifest); err != nil {
		t.Error(err)
	}
	withstood(t, r, s, m, store, name)
}

// refused says whether there is an error, which has to say what is wrong.
func refused(t *testing.T, err error) bool {
	t.Helper()
	if err == nil {
		return false
	}
	if attune.KindOf(err) != attune.Invalid || len(err.Error()) < 20 {
		t.Errorf("refused without saying why: %v", err)
	}
	t.Logf("refused: %v", err)
	return true
}

// strangeInput is the Input of all that happened, without a Fit.
func strangeInput(spec recipe.FitSpec, algorithm string) recipe.Input {
	s := spec.Snapshot
	in := recipe.Input{Events: s.Events, Users: s.Users.Len(), Items: s.Items.IDs(), ItemAttributes: s.ItemAttributes, UserAttributes: s.UserAttributes,
		Now: s.AsOf.UnixMilli(), Params: spec.Params, Seed: spec.Seed}
	if algorithm == "nextaction" {
		in.Events, in.Items, in.ItemAttributes = s.ActionEvents, s.Actions.IDs(), s.ActionAttributes
	}
	return in
}

// withstood: the model saves, opens, and has sane scores, the same before and after.
func withstood(t *testing.T, r recipe.Recipe, s *dataset.Snapshot, m *model.Model, store *artifact.Store, name string) {
	t.Helper()
	if _, err := model.Save(t.Context(), store, name, m); err != nil {
		t.Fatal(err)
	}
	opened, err := model.Open(t.Context(), store, name)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := recipe.Decode(r, m)
	b, errB := recipe.Decode(r, opened)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	queries := strangeAskers(s, len(m.Items), m.Manifest.Scores == model.ScoresPropensity)
	for i, q := range queries {
		x, y := finite(t, a, q, len(m.Items)), score(t, b, q, len(m.Items))
		if !slices.Equal(x, y) {
			t.Fatalf("query %d has other scores of the model opened again", i)
		}
	}
	foldStrange(t, a, queries)
}

// saneManifest: everything measured is a number, and shares are shares.
func saneManifest(f model.Manifest) error {
	e := f.Evaluation
	if e == nil {
		return nil
	}
	for name, v := range e.Metrics {
		if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 || v > 1 && f.Scores != model.ScoresPropensity {
			return fmt.Errorf("%s is %g", name, v)
		}
	}
	between := map[string]model.Interval{"the recipe": e.NDCG25}
	for _, b := range e.Baselines {
		between[b.Name] = b.NDCG25
	}
	for name, s := range e.Slices {
		between[name] = s.NDCG25
	}
	for _, name := range slices.Sorted(maps.Keys(between)) {
		if i := between[name]; !(-rounding <= i.Low && i.Low <= i.Mean+rounding && i.Mean <= i.High+rounding && i.High <= 1+rounding) {
			return fmt.Errorf("NDCG@25 of %s is %+v", name, i)
		}
	}
	return nil
}

// strangeAskers are a stranger, users with what is known of them and was the
// case, somebody at both ends of time, and items in focus; of actions nobody has one in focus.
func strangeAskers(s *dataset.Snapshot, items int, actions bool) []model.Query {
	out := []model.Query{{Item: model.NoItem}}
	e := s.Events
	if actions {
		e = s.ActionEvents
	}
	for u := range int32(min(8, s.Users.Len())) {
		of, q := e.Of(u), model.Query{Item: model.NoItem, User: s.UserAttributes.Row(u), Now: s.AsOf.UnixMilli()}
		for k, item := range of.Item {
			q.History = append(q.History, model.Touch{Item: item, Weight: 1, At: of.At[k]})
		}
		if of.Len() > 0 {
			q.Context = of.ContextOf(of.Len() - 1)
		}
		out = append(out, q)
	}
	if items == 0 {
		return out
	}
	last := int32(items - 1)
	out = append(out, model.Query{Item: model.NoItem, History: []model.Touch{{Item: last, Weight: 1, At: math.MinInt64}, {Item: 0, Weight: 1, At: math.MaxInt64}}, Now: math.MaxInt64})
	if !actions {
		out = append(out, model.Query{Item: 0}, model.Query{Item: last})
	}
	return out
}

// finite is score, of which only the item in focus may be -Inf.
func finite(t *testing.T, s model.Scorer, q model.Query, items int) []float32 {
	t.Helper()
	got := score(t, s, q, items)
	for row, v := range got {
		if math.IsInf(float64(v), 0) && int32(row) != q.Item {
			t.Fatalf("item %d scores %g", row, v)
		}
	}
	return got
}

// foldStrange asks a model for vectors, which segments are made with.
func foldStrange(t *testing.T, s model.Scorer, queries []model.Query) {
	t.Helper()
	f, ok := s.(model.Folder)
	if !ok {
		return
	}
	v := make([]float32, f.Dim())
	for _, q := range queries {
		known, err := f.Fold(t.Context(), q.History, v)
		if err != nil {
			t.Fatal(err)
		}
		for i, x := range v {
			if known && (x != x || math.IsInf(float64(x), 0)) {
				t.Fatalf("element %d of a vector is %g", i, x)
			}
		}
	}
}
