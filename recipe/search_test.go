package recipe_test

import (
	"math"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/popularity"
	facts "github.com/attune-io/attune/recipe/spec"
)

func TestFitSearches(t *testing.T) {
	s := spec(datasettest.Blocks(150, 60, 3, 0.2, 1))
	s.Params = nil
	s.Search = &recipe.Search{Jobs: 5, Ranges: []recipe.Range{
		{Name: "hidden_dimension", Min: 4, Max: 24, Whole: true}, {Name: "regularization", Min: 0.001, Max: 1},
		{Name: "recency_mask", Values: []string{"true", "false"}, Default: "true"}}}
	f := fit(t, s).Manifest
	if f.Search == nil || f.Search.Metric != evaluate.NDCG25 || len(f.Search.Trials) != 5 {
		t.Fatalf("search %+v", f.Search)
	}
	best := math.Inf(-1)
	var chosen map[string]string
	for i, trial := range f.Search.Trials {
		if len(trial.Parameters) != 3 || trial.Recipe != s.Name {
			t.Errorf("trial %d: %+v", i, trial)
		}
		d, _ := strconv.Atoi(trial.Parameters["hidden_dimension"])
		inside := d >= 4 && d <= 24
		if !inside && i > 0 { // the first is with what is given, here the default of 64
			t.Errorf("trial %d lies outside: %+v", i, trial)
		}
		if inside && trial.Value > best {
			best, chosen = trial.Value, trial.Parameters
		}
	}
	for _, name := range []string{"hidden_dimension", "regularization"} {
		if f.Parameters[name] != chosen[name] {
			t.Errorf("%s is %s, the best trial had %s", name, f.Parameters[name], chosen[name])
		}
	}
	if again := fit(t, s).Manifest; again.Digest != f.Digest || !reflect.DeepEqual(again.Search, f.Search) {
		t.Error("the same search finds something else")
	}
	// The least of a metric is the worst of the same trials.
	s.Search.Least = true
	worst := fit(t, s).Manifest
	values := func(trials int) (all []float64) {
		for _, trial := range worst.Search.Trials[1:trials] {
			all = append(all, trial.Value)
		}
		return all
	}
	i := slices.IndexFunc(worst.Search.Trials[1:], func(m model.Trial) bool { return m.Value == slices.Min(values(5)) })
	if got := worst.Search.Trials[i+1].Parameters["hidden_dimension"]; worst.Parameters["hidden_dimension"] != got {
		t.Errorf("hidden_dimension is %s, the least trial had %s", worst.Parameters["hidden_dimension"], got)
	}
}

func TestFitBestTakesTheBetterRecipe(t *testing.T) {
	// Everybody keeps to their block, so popularity is right a third of the time.
	s := spec(datasettest.Blocks(150, 60, 3, 0.1, 1))
	m, err := recipe.FitBest(t.Context(), s, []recipe.Contender{
		{Recipe: popularity.New(), Name: "aws-popularity-count"},
		{Recipe: ials.New(), Name: "aws-user-personalization", Params: map[string]string{"hidden_dimension": "16"}}})
	if err != nil {
		t.Fatal(err)
	}
	f := m.Manifest
	if f.Recipe != "aws-user-personalization" || f.Algorithm != "ials" || f.Parameters["hidden_dimension"] != "16" || f.Scores != "softmax" {
		t.Errorf("chose %s with %v", f.Recipe, f.Parameters)
	}
	if len(f.Search.Trials) != 2 || f.Search.Trials[0].Recipe != "aws-popularity-count" || f.Search.Trials[0].Value >= f.Search.Trials[1].Value {
		t.Errorf("search %+v", f.Search)
	}
	if len(f.Evaluation.Baselines) != 2 || f.Evaluation.Metrics[evaluate.NDCG25] == 0 {
		t.Errorf("evaluation %+v", f.Evaluation)
	}
}

func TestMetricsOfSearchesAreMeasured(t *testing.T) {
	var keys []string
	for key := range evaluate.Mean(nil, 0) {
		keys = append(keys, key)
	}
	want := facts.Metrics()
	slices.Sort(keys)
	slices.Sort(want)
	if !slices.Equal(keys, want) {
		t.Errorf("measured %v, searchable %v", keys, want)
	}
}
