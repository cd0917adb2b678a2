package all_test

import (
	"testing"

	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"

	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/recipe/all"
	"github.com/attune-io/attune/recipe/recipetest"
	"github.com/attune-io/attune/recipe/spec"
)

func store(t *testing.T) *artifact.Store {
	t.Helper()
	dir := t.TempDir()
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true, Metadata: fileblob.MetadataDontWrite})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return artifact.New(b, dir, "")
}

// inMemory is a store without a disk, for the many models that only have to come
// back as they were saved.
func inMemory(t *testing.T) *artifact.Store {
	t.Helper()
	b := memblob.OpenBucket(nil)
	t.Cleanup(func() { _ = b.Close() })
	return artifact.New(b, "", "")
}

func TestEveryRecipe(t *testing.T) {
	claims := map[string]recipetest.Claims{
		"popularity": {Known: recipetest.MostBought},
		"nextaction": {Known: recipetest.Offers, Bad: map[string]string{"regularization": "-1", "hash_bits": "x", "action_optimization_period": "0", "calibration_slope": "-1"}},
		"trending":   {Known: recipetest.Drifting, Params: map[string]string{"trend_discovery_frequency": "1 day"}, Bad: map[string]string{"trend_discovery_frequency": "2 weeks"}},
		"content":    {Personal: true, Related: true},
		"semantic": {Personal: true, Related: true, Params: map[string]string{"latent_dimension": "8"}, Bad: map[string]string{
			"latent_dimension": "-1", "latent_weight": "NaN"}},
		"similar": {Blocks: true, Related: true, Params: map[string]string{"neighbours": "15"}, Bad: map[string]string{
			"neighbours": "0", "min_cointeraction_count": "few"}},
		"itemknn": {Blocks: true, Personal: true, Related: true, Params: map[string]string{"neighbours": "15"}, Bad: map[string]string{
			"neighbours": "0", "min_cointeraction_count": "few", "popularity_discount_factor": "1.5", "shrinkage": "NaN"}},
		"rule": {Blocks: true, Personal: true, Related: true, Params: map[string]string{"rule_steps": "5", "kept_rules": "30"}, Bad: map[string]string{
			"session_gap": "-1", "rule_steps": "0", "backward_weight": "2", "popularity_discount_factor": "NaN", "kept_rules": "x", "position_decay": "0", "return_weight": "-1", "second_step_weight": "Inf"}},
		"session": {Personal: true, Related: true, Params: map[string]string{"neighbours": "60"}, Bad: map[string]string{
			"session_gap": "-1", "neighbours": "0", "position_decay": "0", "session_decay": "x", "distance_decay": "NaN", "repeat_weight": "-1"}},
		"circumstance": {Known: recipetest.Devices, Bad: map[string]string{"context_shrinkage": "0", "context_weight": "NaN", "popularity_weight": "-1"}},
		"demographic":  {Known: recipetest.Clubs, Bad: map[string]string{"group_shrinkage": "0", "group_weight": "NaN"}},
		"ease": {Blocks: true, Personal: true, Related: true, Params: map[string]string{"kept_weights": "30", "recency_half_life": "8"}, Bad: map[string]string{
			"regularization": "0", "dropout": "1", "user_exponent": "x", "kept_weights": "0", "recency_half_life": "-1"}},
		"blend": {Blocks: true, Personal: true, Params: map[string]string{"members": "ials,itemknn,popularity,ials#2", "weight.itemknn": "0.5", "weight.popularity": "0", "hidden_dimension": "16", "ials#2.hidden_dimension": "24"},
			Bad: map[string]string{"members": "ials,ials", "weight.ials": "NaN", "score_scale": "0", "hidden_dimension": "-1", "ials.iterations": "few"}},
		"ials": {Blocks: true, Personal: true, Rounds: true, Params: map[string]string{"hidden_dimension": "32", "recency_mask": "true"}, Bad: map[string]string{
			"solver": "lu", "block_size": "0",
			"hidden_dimension": "-1", "iterations": "1.5", "regularization": "Inf", "unobserved_weight": "-0.1", "recency_half_life": "x"}},
		"sequence": {Personal: true, Rounds: true, Params: map[string]string{"hidden_dimension": "8", "blocks": "1", "max_length": "20", "epochs": "8", "learning_rate": "0.02", "batch_size": "16"},
			Bad: map[string]string{"hidden_dimension": "0", "heads": "3", "dropout": "1", "learning_rate": "NaN", "negatives": "-1", "epochs": "0"}},
		"graph": {Blocks: true, Personal: true, Params: map[string]string{"filter_rank": "12", "factors": "4", "neighbours": "20"}, Bad: map[string]string{
			"filter_rank": "0", "neighbours": "-1", "damping": "NaN", "item_degree_exponent": "2", "recency_half_life": "x"}},
	}
	for _, r := range all.List() {
		c, ok := claims[r.Name()]
		if !ok {
			t.Fatalf("nobody says what %s can do", r.Name())
		}
		t.Run(r.Name(), func(t *testing.T) { recipetest.Run(t, r, store, c) })
	}
}

func TestByName(t *testing.T) {
	for _, facts := range spec.Built() {
		if r, ok := all.ByName(facts.Algorithm); !ok || r.Name() != facts.Algorithm {
			t.Errorf("%s needs %q, which is not here", facts.Name, facts.Algorithm)
		}
	}
	if _, ok := all.ByName("hrnn"); ok {
		t.Error("found what nobody built")
	}
}
