package blend_test

import (
	"context"
	"maps"
	"testing"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/blend"
	"github.com/attune-io/attune/recipe/content"
	"github.com/attune-io/attune/recipe/demographic"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/popularity"
)

// slow says of itself that it takes so many seconds, and calls began when it is trained on something.
type slow struct {
	content.Recipe
	seconds float64
	began   func()
}

func (s slow) Seconds(recipe.Input) float64 { return s.seconds }

func (s slow) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	if in.Events.Len() > 0 {
		s.began()
	}
	return s.Recipe.Train(ctx, in)
}

func lending(seconds float64, began func()) blend.Recipe {
	return blend.New(popularity.New(), ials.New(), slow{seconds: seconds, began: began}, demographic.New())
}

// TestLendersTakeTime: finding lenders counts in what a training takes, and its
// progress is not at the end before they are found.
func TestLendersTakeTime(t *testing.T) {
	in, _ := cold(t)
	last, all, then := 0, 0, -1
	r := lending(7, func() { then = last })
	without := in
	without.Params = maps.Clone(in.Params)
	delete(without.Params, "cold_item_gain")
	if more := r.Seconds(in) - r.Seconds(without); more < 7 || more > 7.01 {
		t.Errorf("lenders take %g s, want a little more than 7", more)
	}
	in.Progress = func(done, total int) {
		if done < last || all != 0 && total != all {
			t.Errorf("%d of %d after %d of %d", done, total, last, all)
		}
		last, all = done, total
	}
	if _, err := r.Train(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if then < 0 || then > all/10 || last != all {
		t.Errorf("lenders take nearly all of the time, and were begun at %d of %d; the end is %d", then, all, last)
	}
}

// TestBudgetBearsLenders: what is done beside the members is kept in the budget of
// a search, and counts in its progress.
func TestBudgetBearsLenders(t *testing.T) {
	search := func(seconds float64) (begun, end int) {
		in, v := cold(t)
		in.Params = map[string]string{"members": "popularity,ials", "cold_item_gain": "0.5"}
		v.Seconds, v.After, begun = 0.25, 1, -1
		last, all := 0, 0
		v.Progress = func(done, total int) {
			if done < last || all != 0 && total != all {
				t.Errorf("%d of %d after %d of %d", done, total, last, all)
			}
			if done < total {
				end = done
			}
			last, all = done, total
		}
		if _, err := lending(seconds, func() { begun = last }).Search(t.Context(), in, v); err != nil {
			t.Fatal(err)
		}
		if last != all {
			t.Errorf("it ends at %d of %d", last, all)
		}
		return begun, end
	}
	begun, end := search(0.11) // and as much in the training after the search
	if quick, _ := search(0); begun >= quick {
		t.Errorf("members took %d thousandths of the budget, and %d where lenders take no time", begun, quick)
	}
	if moved := end - begun; begun < 0 || moved < 440 || moved > 450 {
		t.Errorf("lenders take 440 thousandths of the budget, and moved its progress from %d to %d", begun, end)
	}
}
