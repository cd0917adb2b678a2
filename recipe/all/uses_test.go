package all_test

import (
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/content"
	"github.com/attune-io/attune/recipe/demographic"
)

// A column that may not be learned from is as good as absent, in a training and
// when it is made anew.
func TestColumnsThatMayNotBeLearnedFrom(t *testing.T) {
	for _, c := range []struct {
		of     schema.Type
		column string
		recipe recipe.Recipe
		name   string
	}{
		{schema.Items, "GENRE", content.New(), "aws-similar-items"},
		{schema.Users, "CLUB", demographic.New(), "aws-user-personalization"},
	} {
		whole, without := launch(60, false), launch(60, false)
		if c.of == schema.Items {
			without.ItemAttributes.Columns = nil
		} else {
			without.UserAttributes.Columns = nil
		}
		digest := func(m *model.Model, err error) string {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			m.Manifest.Evaluation = nil // asks strangers only where something is known of users
			got, err := model.Digest(m)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		spec := recipe.FitSpec{Snapshot: whole, Recipe: c.recipe, Name: c.name, Seed: 1}
		all, err := recipe.Fit(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		spec.Uses = func(of schema.Type, column string) bool { return of != c.of || column != c.column }
		excluded := digest(recipe.Fit(t.Context(), spec))
		again := digest(recipe.Refresh(t.Context(), recipe.RefreshSpec{Recipe: c.recipe, Old: all.Manifest, Snapshot: whole, Uses: spec.Uses, Clock: attune.WallClock}))
		wanted := digest(recipe.Refresh(t.Context(), recipe.RefreshSpec{Recipe: c.recipe, Old: all.Manifest, Snapshot: without, Clock: attune.WallClock}))
		spec.Snapshot, spec.Uses = without, nil
		if want := digest(recipe.Fit(t.Context(), spec)); excluded != want || excluded == digest(all, nil) {
			t.Errorf("%s: with %s.%s excluded another model comes out than without the column, or the same as with it", c.recipe.Name(), c.of, c.column)
		}
		if again != wanted {
			t.Errorf("%s: made anew, %s.%s is learned from", c.recipe.Name(), c.of, c.column)
		}
	}
}
