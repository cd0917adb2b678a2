package all_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
	"github.com/attune-io/attune/recipe/itemknn"
	"github.com/attune-io/attune/recipe/popularity"
	"github.com/attune-io/attune/recipe/recipetest"
	"github.com/attune-io/attune/recipe/spec"
)

// smaller are parameters under which strange data is as strange, and learned sooner.
func smaller(algorithm string) map[string]string {
	return map[string]map[string]string{
		"sequence": {"hidden_dimension": "16", "epochs": "3"},
		"ials":     {"hidden_dimension": "16"},
	}[algorithm]
}

// namesOf are recipes of the service that an algorithm is behind, one of each
// kind, and one that asks for users' items, as blends ask their members.
func namesOf(algorithm string) []string {
	var out []string
	seen := map[spec.Kind]bool{spec.Ranking: true} // asks as User does
	for _, facts := range spec.Built() {
		if facts.Algorithm == algorithm && !seen[facts.Kind] {
			seen[facts.Kind] = true
			out = append(out, facts.Name)
		}
	}
	if !seen[spec.User] && !seen[spec.Action] {
		out = append(out, "aws-user-personalization")
	}
	return out
}

// Every recipe is fitted to data that nobody would choose: it is refused in
// words, or makes a sane model.
func TestStrangeData(t *testing.T) {
	worlds := datasettest.Strange()
	for _, r := range all.List() {
		t.Run(r.Name(), func(t *testing.T) {
			kept := inMemory(t)
			for _, name := range namesOf(r.Name()) {
				for i, s := range worlds {
					t.Run(name+"/"+s.Name, func(t *testing.T) {
						spec := recipe.FitSpec{Name: name, Seed: 1, Params: smaller(r.Name()), Baselines: []recipe.Recipe{popularity.New()}}
						recipetest.Withstand(t, r, s, spec, kept, fmt.Sprint("model/", name, i))
					})
				}
			}
		})
	}
}

// The same by every protocol there is.
func TestStrangeProtocols(t *testing.T) {
	kept := inMemory(t)
	for _, protocol := range dataset.Protocols() {
		for i, s := range datasettest.Strange() {
			t.Run(protocol+"/"+s.Name, func(t *testing.T) {
				spec := recipe.FitSpec{Name: "aws-user-personalization", Seed: 1, Protocol: protocol, Baselines: []recipe.Recipe{popularity.New()}}
				recipetest.Withstand(t, itemknn.New(), s, spec, kept, fmt.Sprint("model/", protocol, i))
			})
		}
	}
}

// strangeOf are some of the strange worlds.
func strangeOf(t *testing.T, names ...string) []*dataset.Snapshot {
	t.Helper()
	out := slices.DeleteFunc(datasettest.Strange(), func(s *dataset.Snapshot) bool { return !slices.Contains(names, s.Name) })
	if len(out) != len(names) {
		t.Fatalf("%d worlds of %v", len(out), names)
	}
	return out
}

// A search for hyper-parameters on strange data finds some that are in their ranges.
func TestStrangeSearch(t *testing.T) {
	kept := inMemory(t)
	for i, s := range strangeOf(t, "two events", "one user", "one item", "all alike", "a huge user", "far future", "huge numbers") {
		t.Run(s.Name, func(t *testing.T) {
			spec := recipe.FitSpec{Name: "aws-user-personalization", Seed: 1, Baselines: []recipe.Recipe{popularity.New()},
				Search: &recipe.Search{Jobs: 2, Ranges: []recipe.Range{{Name: "hidden_dimension", Min: 8, Max: 16, Whole: true}, {Name: "recency_mask", Values: []string{"true", "false"}}}}}
			recipetest.Withstand(t, all.Blend(), s, spec, kept, fmt.Sprint("model/", i))
		})
	}
}

// A search that has one second, two trainings after it included, finds
// something on strange data that trains in that time.
func TestStrangeDataInOneSecond(t *testing.T) {
	blend := all.Blend()
	for _, s := range strangeOf(t, "two events", "all alike", "huge numbers") {
		t.Run(s.Name, func(t *testing.T) {
			split, err := dataset.NewSplit(s.Events, dataset.Tail10, 1)
			if err != nil {
				t.Fatal(err)
			}
			in := recipe.Input{Events: split.Train, Users: s.Users.Len(), Items: s.Items.IDs(), ItemAttributes: s.ItemAttributes, UserAttributes: s.UserAttributes, Seed: 1}
			found, err := blend.(recipe.Searcher).Search(t.Context(), in, recipe.Validation{Cases: split.Cases, Seconds: 1, After: 2})
			if err != nil {
				if attune.KindOf(err) != attune.Invalid {
					t.Fatal(err)
				}
				return
			}
			in.Params = found.Params
			if takes := blend.(recipe.Coster).Seconds(in); !(takes > 0 && 2*takes < 1) || len(found.Trials) == 0 || !(found.Value >= 0 && found.Value <= 1) {
				t.Errorf("%d trials found %v with %g, of which two trainings take %g s", len(found.Trials), found.Params, found.Value, 2*takes)
			}
			m, err := blend.Train(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			scorer, err := recipe.Decode(blend, m)
			if err != nil {
				t.Fatal(err)
			}
			dst := make([]float32, len(m.Items))
			if err := scorer.Score(t.Context(), model.Query{Item: model.NoItem, History: []model.Touch{{Item: 0, Weight: 1}}}, dst); err != nil {
				t.Fatal(err)
			}
			for row, x := range dst {
				if x != x || math.IsInf(float64(x), 0) {
					t.Fatalf("item %d scores %g", row, x)
				}
			}
		})
	}
}
