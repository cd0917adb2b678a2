package recipe_test

import (
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/itemknn"
	"github.com/attune-io/attune/recipe/popularity"
)

func TestDefaultMemory(t *testing.T) {
	for machine, want := range map[int64]int64{0: 16 << 30, -1: 16 << 30, 4 << 30: 3 << 30, 64 << 30: 48 << 30, 1: 1} {
		if got := recipe.DefaultMemory(machine); got != want {
			t.Errorf("of %d bytes %d, want %d", machine, got, want)
		}
	}
}

// between is memory for factors of so many dimensions and not for twice as many.
func between(s recipe.FitSpec, dimensions string) int64 {
	in := recipe.Input{Events: s.Snapshot.Events, Users: s.Snapshot.Users.Len(), Items: s.Snapshot.Items.IDs(), Params: map[string]string{"hidden_dimension": dimensions}}
	return recipe.SplitBytes(in.Events) + ials.New().Bytes(in)
}

// TestSearchPassesOverWhatIsTooLarge: a search tries what fits in memory, and the
// trials say what it did not try.
func TestSearchPassesOverWhatIsTooLarge(t *testing.T) {
	s := spec(datasettest.Blocks(60, 40, 2, 0.15, 1))
	s.Search = &recipe.Search{Jobs: 8, Ranges: []recipe.Range{{Name: "hidden_dimension", Min: 8, Max: 64, Whole: true}}}
	s.Memory = between(s, "24")
	tried, over := split(fit(t, s).Manifest.Search.Trials)
	if tried < 2 || over < 2 {
		t.Errorf("%d trials were made and %d passed over", tried, over)
	}
	s.Memory = 0
	if tried, over := split(fit(t, s).Manifest.Search.Trials); tried != 8 || over != 0 {
		t.Errorf("with room for all %d trials were made and %d passed over", tried, over)
	}
}

func split(trials []model.Trial) (tried, over int) {
	for _, trial := range trials {
		if trial.Words == "" {
			tried++
		} else if strings.Contains(trial.Words, "passed over: ") {
			over++
		}
	}
	return tried, over
}

// TestFitBestWithinMemory chooses among those that fit, and refuses where none does.
func TestFitBestWithinMemory(t *testing.T) {
	s := spec(datasettest.Blocks(120, 40, 2, 0.15, 1))
	s.Baselines = nil
	contenders := []recipe.Contender{
		{Recipe: ials.New(), Name: "aws-user-personalization", Params: map[string]string{"hidden_dimension": "256"}},
		{Recipe: popularity.New(), Name: "aws-popularity-count"},
	}
	s.Memory = between(s, "64")
	m, err := recipe.FitBest(t.Context(), s, contenders)
	if err != nil {
		t.Fatal(err)
	}
	if tried, over := split(m.Manifest.Search.Trials); m.Manifest.Recipe != "aws-popularity-count" || tried != 1 || over != 1 {
		t.Errorf("chose %s from %+v", m.Manifest.Recipe, m.Manifest.Search.Trials)
	}
	s.Memory = 1000
	if _, err := recipe.FitBest(t.Context(), s, contenders); attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), "--train-memory") {
		t.Errorf("in a thousand bytes: %v", err)
	}
}

// TestMemoryOfBaselines: the error names the baseline that is too large.
func TestMemoryOfBaselines(t *testing.T) {
	s := spec(datasettest.Blocks(120, 40, 2, 0.15, 1))
	s.Recipe, s.Params, s.Baselines, s.Memory = popularity.New(), nil, []recipe.Recipe{itemknn.New()}, recipe.SplitBytes(s.Snapshot.Events)+100
	if _, err := recipe.Fit(t.Context(), s); attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), "itemknn") {
		t.Errorf("%v", err)
	}
}
