package blend_test

import (
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/itemknn"
)

// A member that does not fit in memory beside the others is passed over, and the
// trials say so; what fits is not.
func TestSearchWithinMemory(t *testing.T) {
	in, v := question(t, map[string]string{"ials.hidden_dimension": "256"})
	small, large := itemknn.New().Bytes(in), ials.New().Bytes(recipe.Input{Events: in.Events, Users: in.Users, Items: in.Items, Params: map[string]string{"hidden_dimension": "256"}})
	if small >= large {
		t.Fatalf("itemknn takes %d bytes, ials %d", small, large)
	}
	v.Memory = large
	found := search(t, in, v)
	dropped := 0
	for _, trial := range found.Trials {
		if trial.Recipe == "ials" {
			if dropped++; !strings.Contains(trial.Words, "MiB") {
				t.Errorf("trained all the same: %+v", trial)
			}
		}
	}
	if dropped != 1 || strings.Contains(found.Params["members"], "ials") || found.Value <= 0 {
		t.Errorf("found %v after %+v", found.Params, found.Trials)
	}
	in.Params, v.Memory = map[string]string{"hidden_dimension": "8"}, 1<<40
	a, b := search(t, in, v), search(t, in, recipe.Validation{Cases: v.Cases, LeaveOut: v.LeaveOut, Seconds: v.Seconds})
	if len(a.Trials) != len(b.Trials) || a.Value != b.Value {
		t.Errorf("with room for all %d trials and %g, without a bound %d and %g", len(a.Trials), a.Value, len(b.Trials), b.Value)
	}
}

// The whole training is refused only where not one member fits.
func TestFitWithinMemory(t *testing.T) {
	w := datasettest.Blocks(150, 60, 3, 0.15, 1)
	s := recipe.FitSpec{Snapshot: w.Snapshot, Recipe: three(), Name: "aws-user-personalization", Seed: 1, Params: map[string]string{"ials.hidden_dimension": "256"}, Memory: 2 << 20}
	m, err := recipe.Fit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(m.Manifest.Parameters["members"], "ials") {
		t.Errorf("members %s", m.Manifest.Parameters["members"])
	}
	s.Memory = 1000
	if _, err := recipe.Fit(t.Context(), s); attune.KindOf(err) != attune.Invalid {
		t.Errorf("in a thousand bytes: %v", err)
	}
}
