package all_test

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
	"github.com/attune-io/attune/recipe/spec"
)

// facts are those of a recipe by its name.
func facts(t *testing.T, name string) spec.Recipe {
	t.Helper()
	r, ok := spec.ByARN(string(attune.Public("recipe", name)))
	if !ok {
		t.Fatalf("no recipe %s", name)
	}
	return r
}

// TestMemberParameters: what requests are checked by is what the rooms take, of
// every member of the blend: the same names, from the same least to the same most.
func TestMemberParameters(t *testing.T) {
	listing := facts(t, "aws-user-personalization").Parameters
	members := listing[slices.IndexFunc(listing, func(p spec.Parameter) bool { return p.Name == "members" })]
	for _, name := range members.Values {
		nothing := recipe.Input{Items: []string{""}, Users: 1}
		nothing.Params = map[string]string{"members": name}
		if _, err := all.Blend().Train(t.Context(), nothing); err != nil {
			t.Errorf("a blend of %s: %v", name, err)
		}
		r, ok := all.ByName(name)
		if !ok {
			t.Fatalf("no recipe %s", name)
		}
		train := func(key, value string) (map[string]string, error) {
			in := nothing
			in.Params = nil
			if key != "" {
				in.Params = map[string]string{key: value}
			}
			m, err := r.Train(t.Context(), in)
			if err != nil {
				return nil, err
			}
			return m.Manifest.Parameters, nil
		}
		defaults, err := train("", "")
		if err != nil {
			t.Fatal(err)
		}
		for key, value := range defaults {
			for _, copied := range []string{name, name + "#2"} {
				if err := facts(t, "aws-user-personalization-v2").CheckParameters(map[string]string{copied + "." + key: value}, nil); err != nil {
					t.Errorf("%v", err)
				}
			}
		}
		for _, p := range spec.MemberParameters(name) {
			if _, ok := defaults[p.Name]; !ok {
				t.Errorf("%s does not have %s", name, p.Name)
			}
			refused := func(value string) bool {
				_, err := train(p.Name, value)
				return err != nil && strings.Contains(err.Error(), "hyper-parameter "+p.Name+" is ")
			}
			if p.Type == spec.Categorical {
				for _, value := range p.Values {
					if refused(value) {
						t.Errorf("%s refuses %s %s", name, p.Name, value)
					}
				}
				continue
			}
			text := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
			step := math.Max(1, p.Max/1000)
			if refused(text(p.Min)) || !refused(text(p.Min-1)) || !refused(text(p.Max+step)) {
				t.Errorf("%s does not take %s from %g to %g", name, p.Name, p.Min, p.Max)
			}
		}
	}
}

// TestManifestCanBeGivenBack: all that a search writes down of the model that it
// found is legal in a request, and trains the same model.
func TestManifestCanBeGivenBack(t *testing.T) {
	s := recipe.FitSpec{Snapshot: launch(150, false), Recipe: all.Blend(), Name: "aws-user-personalization", Seed: 1, Budget: "500ms"}
	first, err := recipe.Fit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	given := first.Manifest.Parameters
	for _, name := range []string{"aws-user-personalization", "aws-user-personalization-v2", "aws-personalized-ranking", "aws-personalized-ranking-v2", "aws-hrnn"} {
		if err := facts(t, name).CheckParameters(given, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Params = given
	again, err := recipe.Fit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(again.Manifest.Parameters, given) || again.Manifest.Search != nil || again.Manifest.Evaluation.NDCG25 != first.Manifest.Evaluation.NDCG25 {
		t.Errorf("given back, it is %v with %+v; it was %v with %+v", again.Manifest.Parameters, again.Manifest.Evaluation.NDCG25, given, first.Manifest.Evaluation.NDCG25)
	}
	if !slices.Equal(slices.Sorted(maps.Keys(first.Tensors)), slices.Sorted(maps.Keys(again.Tensors))) {
		t.Error("given back, it has other tensors")
	}
	for name, tensor := range first.Tensors {
		if !slices.Equal(tensor.F32, again.Tensors[name].F32) {
			t.Errorf("given back, tensor %s is another", name)
		}
	}
}
