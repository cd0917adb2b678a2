package all_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
	"github.com/attune-io/attune/recipe/itemknn"
	"github.com/attune-io/attune/recipe/popularity"
	"github.com/attune-io/attune/recipe/recipetest"
)

// resumable is a Fit of a blend whose members learn in rounds.
func resumable() recipe.FitSpec {
	return recipe.FitSpec{Snapshot: datasettest.Blocks(90, 40, 3, 0.15, 1).Snapshot, Recipe: all.Blend(), Name: "aws-user-personalization", Seed: 3,
		Baselines: []recipe.Recipe{popularity.New(), itemknn.New()},
		Params: map[string]string{"members": "ials,sequence,itemknn", "weight.ials": "1", "weight.sequence": "0.5", "weight.itemknn": "0.5", "score_scale": "1",
			"ials.hidden_dimension": "8", "ials.iterations": "4", "sequence.hidden_dimension": "8", "sequence.blocks": "1", "sequence.epochs": "4"}}
}

// A whole Fit that was cut short anywhere, and goes on from what was kept, makes
// the very model of one that ran through: where it chooses, where it learns in
// order to be measured, and where it learns at last.
func TestFitResumes(t *testing.T) {
	plain, found := resumable(), resumable()
	found.Params = map[string]string{"members": "ials,sequence,itemknn", "sequence.hidden_dimension": "8", "sequence.blocks": "1", "ials.hidden_dimension": "8"}
	searched := found
	searched.Search = &recipe.Search{Jobs: 3, Ranges: []recipe.Range{{Name: "ials.iterations", Min: 2, Max: 5, Whole: true}}}
	best := func(ctx context.Context, spec recipe.FitSpec) (*model.Model, error) {
		return recipe.FitBest(ctx, spec, []recipe.Contender{{Recipe: popularity.New(), Name: "aws-popularity-count"}, {Recipe: all.Blend(), Name: spec.Name, Params: spec.Params}})
	}
	for _, c := range []struct {
		name   string
		fit    func(context.Context, recipe.FitSpec) (*model.Model, error)
		spec   recipe.FitSpec
		stages []string // of which something is kept
	}{
		{"as told", recipe.Fit, plain, []string{recipe.StageLearn, recipe.StageTrain}},
		{"chosen", recipe.Fit, found, []string{recipe.StageTune}},
		{"searched", recipe.Fit, searched, []string{recipe.StageTune}},
		{"best of two", best, found, []string{found.Name + "/" + recipe.StageTune}},
	} {
		t.Run(c.name, func(t *testing.T) {
			resumes(t, func(ctx context.Context, k recipe.Checkpoint) (*model.Model, error) {
				spec := c.spec
				spec.Checkpoint = k
				return c.fit(ctx, spec)
			}, c.stages)
		})
	}
}

func resumes(t *testing.T, fit func(context.Context, recipe.Checkpoint) (*model.Model, error), stages []string) {
	through, err := fit(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	whole := recipetest.NewKeeper()
	if watched, err := fit(t.Context(), whole); err != nil || watched.Manifest.Digest != through.Manifest.Digest {
		t.Fatalf("with a keeper the model is another: %v", err)
	}
	parts, n := strings.Join(whole.Parts(), "\n"), whole.Saves()
	for _, stage := range stages {
		if !strings.Contains(parts, "/"+stage+"/") {
			t.Errorf("nothing of stage %q was kept, only\n%s", stage, parts)
		}
	}
	for _, cut := range []int{1, n / 3, n * 3 / 4, n - 1} {
		ctx, stop := context.WithCancel(t.Context())
		kept := recipetest.NewKeeper()
		_, err := fit(ctx, kept.After(cut, stop))
		stop()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("cut after %d of %d saves: %v", cut, n, err)
		}
		m, err := fit(t.Context(), kept)
		if err != nil {
			t.Fatal(err)
		}
		if m.Manifest.Digest != through.Manifest.Digest {
			t.Errorf("cut after %d of %d saves and resumed, the model is another: %+v, in one go %+v", cut, n, m.Manifest, through.Manifest)
		}
		if cut > n/4 && kept.Saves() >= n+cut {
			t.Errorf("cut after %d of %d saves it made %d more: nothing was resumed", cut, n, kept.Saves()-cut)
		}
	}
}
