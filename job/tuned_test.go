package job

import (
	"maps"
	"testing"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe/spec"
)

// TestTuned: what is shown of a search is what its manifest says, and can be
// given to another solution as it is.
func TestTuned(t *testing.T) {
	m := model.Manifest{Recipe: "aws-user-personalization", Parameters: map[string]string{
		"members": "ials,ials#2,demographic", "weight.ials": "2", "weight.ials#2": "0.5", "weight.demographic": "0", "opening.demographic": "0.75", "score_scale": "12.5",
		"cold_item_gain": "3", "context_gain": "0.1", "ials.hidden_dimension": "16", "ials#2.hidden_dimension": "64", "ials.solver": "cg", "demographic.group_weight": "0.5",
		"circumstance.context_weight": "1", "recency_mask": "true", "min_user_history_length_percentile": "0.1",
	}}
	got, want := tuned(m), maps.Clone(m.Parameters)
	delete(want, "min_user_history_length_percentile") // of featureTransformationParameters
	want["hidden_dimension"] = "64"                    // the weightiest's is none that the recipe takes
	if !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	facts, _ := spec.ByARN("arn:aws:personalize:::recipe/" + m.Recipe)
	if err := facts.CheckParameters(got, nil); err != nil {
		t.Error(err)
	}
	m = model.Manifest{Recipe: "aws-sims", Parameters: map[string]string{"popularity_discount_factor": "0.3", "neighbours": "50", "score_scale": "2"}}
	if got := tuned(m); !maps.Equal(got, map[string]string{"popularity_discount_factor": "0.3", "neighbours": "50"}) {
		t.Errorf("of nearest neighbours %v", got)
	}
}
