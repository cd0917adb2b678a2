package all_test

import (
	"math"
	"testing"

	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
)

// TestFitInASecond: a whole training of the blend, in a budget that is told as a
// duration, is a sane model that was chosen and trained in that time; and the
// shortest budget that there is gives one too, of one member.
func TestFitInASecond(t *testing.T) {
	w := datasettest.Blocks(300, 80, 4, 0.1, 1)
	popularity, _ := all.ByName("popularity")
	members := map[recipe.Budget]int{}
	for _, budget := range []recipe.Budget{"1s", "1ns"} {
		m, err := recipe.Fit(t.Context(), recipe.FitSpec{Snapshot: w.Snapshot, Recipe: all.Blend(), Name: "aws-user-personalization", Seed: 1,
			Baselines: []recipe.Recipe{popularity}, Budget: budget})
		if err != nil {
			t.Fatalf("%s: %v", budget, err)
		}
		tried := map[string]bool{}
		for _, trial := range m.Manifest.Search.Trials {
			if math.IsNaN(trial.Value) || trial.Value < 0 || trial.Value > 1 {
				t.Errorf("%s: %+v", budget, trial)
			}
			if trial.Recipe != "blend" { // which is the members weighed
				tried[trial.Recipe] = true
			}
		}
		if members[budget] = len(tried); len(tried) == 0 {
			t.Errorf("%s: nothing was tried", budget)
		}
		for name, v := range m.Manifest.Evaluation.Metrics {
			if math.IsNaN(v) || v < 0 || v > 1 {
				t.Errorf("%s: %s is %g", budget, name, v)
			}
		}
		finite(t, m)
		in := recipe.Input{Events: w.Snapshot.Events, Users: w.Snapshot.Users.Len(), Items: w.Snapshot.Items.IDs(), Params: m.Manifest.Parameters, Seed: 1}
		if took := all.Blend().(recipe.Coster).Seconds(in); budget == "1s" && (took <= 0 || took > 0.5) {
			t.Errorf("%s: one of two trainings of what was found takes %g s", budget, took)
		}
	}
	if members["1ns"] != 1 || members["1s"] < 3 {
		t.Errorf("members that were tried: %v", members)
	}
}

// finite asks for everybody that a model may meet.
func finite(t *testing.T, m *model.Model) {
	t.Helper()
	scorer, err := recipe.Decode(all.Blend(), m)
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, len(m.Items))
	for _, history := range [][]model.Touch{nil, {{Item: 0, Weight: 1}}, {{Item: int32(len(m.Items) - 1), Weight: 1, At: 5}, {Item: 0, Weight: 3, At: 9}}} {
		if err := scorer.Score(t.Context(), model.Query{History: history, Item: model.NoItem}, dst); err != nil {
			t.Fatal(err)
		}
		for i, x := range dst {
			if x != x || math.IsInf(float64(x), 1) {
				t.Fatalf("item %d scores %g for %v", i, x, history)
			}
		}
	}
}
