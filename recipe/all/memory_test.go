package all_test

import (
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
	"github.com/attune-io/attune/recipe/content"
	"github.com/attune-io/attune/recipe/recipetest"
)

// The memory that a training is told to take is what it takes, within a few
// times, whatever takes it: data, vectors, a matrix of all items, or lists. Left
// out are recipes that take next to nothing, those that learn from columns of
// text, whose estimates are of texts at their longest, and those that add up
// others' estimates.
func TestMemory(t *testing.T) {
	data, wide := shop(20_000, 3_000, 200_000), shop(3_000, 8_000, 30_000)
	few := shop(10_000, 2_000, 100_000)
	for _, c := range []struct {
		recipe string
		params map[string]string
	}{
		{"ials", map[string]string{"iterations": "1"}},
		{"ials", map[string]string{"iterations": "1", "hidden_dimension": "128"}},
		{"itemknn", nil},
		{"itemknn", map[string]string{"min_cointeraction_count": "1", "neighbours": "50"}},
		{"itemknn", map[string]string{"min_cointeraction_count": "1"}},
		{"ease", map[string]string{"neighbourhood": "0"}},
		{"ease", map[string]string{"neighbourhood": "64"}},
		{"graph", map[string]string{"filter_rank": "64"}},
		{"rule", nil},
		{"sequence", map[string]string{"epochs": "1", "hidden_dimension": "32", "max_length": "20", "blocks": "1", "negatives": "64"}},
	} {
		in := data
		switch c.recipe {
		case "ease":
			in = few
		case "sequence":
			in = wide
		}
		in.Params = c.params
		r, ok := all.ByName(c.recipe)
		if !ok {
			t.Fatal(c.recipe)
		}
		t.Run(c.recipe, func(t *testing.T) { recipetest.Memory(t, r, in) })
	}
}

// What is made anew takes no more than a training may.
func TestRefreshInLittleMemory(t *testing.T) {
	s := recipe.FitSpec{Snapshot: launch(60, false), Recipe: content.New(), Name: "aws-similar-items", Seed: 1}
	old, err := recipe.Fit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	again := recipe.RefreshSpec{Recipe: s.Recipe, Old: old.Manifest, Snapshot: s.Snapshot, Clock: attune.WallClock, Memory: 4 << 10}
	if _, err := recipe.Refresh(t.Context(), again); attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), "more than the 4 KiB allowed") {
		t.Errorf("in 4 KiB: %v", err)
	}
	again.Memory = 0
	if _, err := recipe.Refresh(t.Context(), again); err != nil {
		t.Error(err)
	}
}
