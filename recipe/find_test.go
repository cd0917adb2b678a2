package recipe_test

import (
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/blend"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/itemknn"
	"github.com/attune-io/attune/recipe/popularity"
)

func blended(w *datasettest.World) recipe.FitSpec {
	s := spec(w)
	s.Recipe = blend.New(popularity.New(), itemknn.New(), ials.New())
	return s
}

// A Searcher is let search: what it tried is in the manifest, and its model is
// measured and calibrated as any other.
func TestFitOfASearcher(t *testing.T) {
	s := blended(datasettest.Blocks(120, 50, 3, 0.1, 1))
	stages, last := map[string]int{}, 0
	s.Progress = func(stage string, done, total int) {
		if stage == recipe.StageTune && (done < last || done > total) {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		if stage == recipe.StageTune {
			last = done
		}
		stages[stage]++
	}
	m := fit(t, s)
	f := m.Manifest
	if f.Algorithm != "blend" || f.Search == nil || f.Search.Metric != evaluate.NDCG25 || len(f.Search.Trials) < 4 {
		t.Fatalf("manifest %+v", f)
	}
	if f.Parameters["hidden_dimension"] != "16" || f.Parameters["members"] == "" || f.Parameters["score_scale"] == "1" {
		t.Errorf("parameters %v", f.Parameters)
	}
	for _, b := range f.Evaluation.Baselines {
		if b.Name == "popularity" && b.Difference.Low <= 0 {
			t.Errorf("no better than popularity: %+v", b)
		}
	}
	for _, stage := range []string{recipe.StageTune, recipe.StageLearn, recipe.StageMeasure, recipe.StageTrain} {
		if stages[stage] == 0 {
			t.Errorf("no progress of %s", stage)
		}
	}
	// What was found, given, is not searched for again.
	s.Params, s.Progress = f.Parameters, nil
	again := fit(t, s)
	if again.Manifest.Search != nil || again.Manifest.Evaluation.NDCG25 != f.Evaluation.NDCG25 {
		t.Errorf("again: %+v, %+v", again.Manifest.Search, again.Manifest.Evaluation.NDCG25)
	}
}

func TestBudgets(t *testing.T) {
	s := blended(datasettest.Blocks(40, 30, 2, 0.1, 1))
	for budget, words := range map[recipe.Budget]string{"endless": "standard, thorough, or a duration", "90": "such as 90s", "NaN": "such as 90s", "NaNs": "such as 90s", "Inf": "such as 90s",
		"1e400s": "such as 90s", "9999999h": "such as 90s", "-5s": "above 0", "0s": "above 0", "0": "above 0", "25h": "24 hours"} {
		s.Budget = budget
		if _, err := recipe.Fit(t.Context(), s); attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), words) {
			t.Errorf("budget %q: %v does not say %q", budget, err, words)
		}
		if budget.Seconds(1000) != 0 {
			t.Errorf("budget %q is %g s", budget, budget.Seconds(1000))
		}
	}
	for _, c := range []struct {
		budget    recipe.Budget
		events    int
		low, high float64
	}{{recipe.Standard, 0, 0.1, 1}, {recipe.Standard, 10_000, 0.3, 2}, {"", 100_000, 2, 5}, {recipe.Standard, 1_000_000, 60, 150}, {recipe.Standard, 1e9, 600, 3600},
		{"90s", 1e9, 90, 90}, {"1m30s", 0, 90, 90}, {"250ms", 10, 0.25, 0.25}, {"24h", 10, 86400, 86400},
		{recipe.Thorough, 0, 3, 30}, {recipe.Thorough, 100_000, 60, 180}, {recipe.Thorough, 1_000_000, 600, 1800}, {recipe.Thorough, 1e9, 600, 1800}} {
		if got := c.budget.Seconds(c.events); got < c.low || got > c.high {
			t.Errorf("%s of %d events: %g s", c.budget, c.events, got)
		}
	}
}
