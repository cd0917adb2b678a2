package blend_test

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"testing"

	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/blend"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/recipetest"
	"github.com/attune-io/attune/recipe/sequence"
)

// A search that was cut short anywhere, in a training or between two, goes on
// and finds what it would have found.
func TestSearchResumes(t *testing.T) {
	r := blend.New(ials.New(), sequence.New())
	in, v := question(t, map[string]string{"sequence.hidden_dimension": "8", "sequence.blocks": "1", "ials.hidden_dimension": "8", "ials.iterations": "2"})
	v.Seconds = 1
	want, err := r.Search(t.Context(), in, v)
	if err != nil {
		t.Fatal(err)
	}
	kept, writes := recipetest.NewKeeper(), 0
	for cut := 1; ; cut += 3 {
		ctx, stop := context.WithCancel(t.Context())
		in.Checkpoint = kept.After(cut, stop)
		found, err := r.Search(ctx, in, v)
		stop()
		if errors.Is(err, context.Canceled) && cut < 100 {
			writes += cut
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(found.Params, want.Params) || found.Value != want.Value || len(found.Trials) != len(want.Trials) {
			t.Errorf("resumed it found %v with %g, in one go %v with %g", found.Params, found.Value, want.Params, want.Value)
		}
		sameAnswers(t, v, found.Model, want.Model)
		break
	}
	if writes == 0 {
		t.Error("it was never cut short")
	}
}

// What is searched in ranges is found in them, and told under the names of the ranges.
func TestSearchWithinRanges(t *testing.T) {
	in, v := question(t, map[string]string{"iterations": "3"})
	v.Seconds = 0.5
	v.Ranges = []recipe.Range{{Name: "hidden_dimension", Min: 20, Max: 40, Whole: true}, {Name: "neighbours", Min: 5, Max: 15, Whole: true},
		{Name: "recency_mask", Values: []string{"false"}, Default: "true"}}
	found := search(t, in, v)
	for _, r := range v.Ranges {
		if !r.Holds(found.Params[r.Name]) {
			t.Errorf("%s is %q", r.Name, found.Params[r.Name])
		}
	}
	for name, value := range found.Model.Manifest.Parameters {
		if n, err := strconv.Atoi(value); name == "ials.hidden_dimension" && (err != nil || n < 20 || n > 40) {
			t.Errorf("%s is %s", name, value)
		}
	}
	in.Params = found.Params
	m, err := three().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	sameAnswers(t, v, m, found.Model)
}
