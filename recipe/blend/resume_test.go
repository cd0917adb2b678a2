package blend_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/blend"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/sequence"
)

// kept is a Checkpoint in memory that ends the work after some writes.
type kept struct {
	prefix string
	all    map[string]saved
	left   *int
	stop   func()
}

type saved struct {
	round int
	state map[string]model.Tensor
}

func (k kept) Load(context.Context) (int, map[string]model.Tensor, error) {
	s := k.all[k.prefix]
	return s.round, s.state, nil
}

func (k kept) Save(_ context.Context, round int, state map[string]model.Tensor) error {
	copied := map[string]model.Tensor{}
	for name, t := range state {
		copied[name] = model.Tensor{Shape: slices.Clone(t.Shape), F32: slices.Clone(t.F32), I32: slices.Clone(t.I32)}
	}
	k.all[k.prefix] = saved{round, copied}
	if *k.left--; *k.left == 0 {
		k.stop()
	}
	return nil
}

func (k kept) Part(name string) recipe.Checkpoint {
	k.prefix += "/" + name
	return k
}

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
	all, left, writes := map[string]saved{}, 0, 0
	for cut := 1; ; cut += 3 {
		ctx, stop := context.WithCancel(t.Context())
		left = cut
		in.Checkpoint = kept{all: all, left: &left, stop: stop}
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
