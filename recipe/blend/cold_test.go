package blend_test

import (
	"maps"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/blend"
	"github.com/attune-io/attune/recipe/content"
	"github.com/attune-io/attune/recipe/demographic"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/popularity"
)

func knowing() blend.Recipe {
	return blend.New(popularity.New(), ials.New(), content.New(), demographic.New())
}

// cold is a world in which nobody had the last three items, one of each group,
// and the group is said of all items and users.
func cold(t *testing.T) (recipe.Input, recipe.Validation) {
	in, v := question(t, map[string]string{"members": "ials,demographic", "weight.demographic": "0", "opening.demographic": "0.75", "cold_item_gain": "0.5", "hidden_dimension": "8"})
	in.Events = in.Events.Where(func(i int) bool { return in.Events.Item[i] < 57 })
	genre := dataset.Column{Name: "GENRE", Categorical: true, Text: make([]string, len(in.Items))}
	club := dataset.Column{Name: "CLUB", Categorical: true, Text: make([]string, in.Users)}
	for i := range genre.Text {
		genre.Text[i] = []string{"noir", "musical", "western"}[i%3]
	}
	for u := range club.Text {
		club.Text[u] = []string{"chess", "choir", "riding"}[u%3]
	}
	in.ItemAttributes = &dataset.Attributes{Columns: []dataset.Column{genre}}
	in.UserAttributes = &dataset.Attributes{Columns: []dataset.Column{club}}
	return in, v
}

func train(t *testing.T, in recipe.Input) (*model.Model, model.Scorer) {
	t.Helper()
	m, err := knowing().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	s, err := knowing().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	return m, s
}

// By hand: a cold item has its own score and half of what is lent to it, by
// twenty (or all) warm items of its group, of cosine 1.
func TestColdItemsBorrow(t *testing.T) {
	in, v := cold(t)
	_, with := train(t, in)
	in.Params = maps.Clone(in.Params)
	delete(in.Params, "cold_item_gain")
	plain, without := train(t, in)
	if _, ok := plain.Tensors["cold_item"]; ok {
		t.Error("lenders are kept that nobody asks")
	}
	for _, c := range v.Cases[:20] {
		before, after := scores(t, without, c), scores(t, with, c)
		unseen, n := 0.0, 0
		for i, x := range before {
			if !slices.Contains(c.Input.Item, int32(i)) {
				unseen, n = unseen+float64(x), n+1
			}
		}
		m := unseen / float64(n)
		for i := range 57 {
			if before[i] != after[i] {
				t.Fatalf("warm item %d has %g, and without lenders %g", i, after[i], before[i])
			}
		}
		for i := 57; i < 60; i++ {
			sum, lent := 0.5, 0.0
			for j := i % 3; j < 57; j += 3 { // 19 of a group, less than twenty
				sum++
				lent += float64(before[j]) - m
			}
			if want := float64(before[i]) + 0.5*lent/sum; math.Abs(float64(after[i])-want) > 1e-4*(1+math.Abs(want)) {
				t.Fatalf("cold item %d has %g, want %g", i, after[i], want)
			}
		}
	}
}

// A member that only opens has no say where there is a history, and answers
// together with popularity where there is none.
func TestOpening(t *testing.T) {
	in, v := cold(t)
	m, s := train(t, in)
	if !m.Manifest.AsksUser {
		t.Error("serving would not look attributes up")
	}
	dst, alone, crowd := make([]float32, 60), make([]float32, 60), make([]float32, 60)
	q := model.Query{Item: model.NoItem, User: map[string]any{"CLUB": "choir"}}
	if err := s.Score(t.Context(), q, dst); err != nil {
		t.Fatal(err)
	}
	own, err := demographic.New().Train(t.Context(), recipe.Input{Events: in.Events, Users: in.Users, Items: in.Items, UserAttributes: in.UserAttributes})
	if err != nil {
		t.Fatal(err)
	}
	said, err := demographic.New().Decode(own)
	if err != nil {
		t.Fatal(err)
	}
	if err := said.Score(t.Context(), q, alone); err != nil {
		t.Fatal(err)
	}
	for i, users := range m.Tensors["item_users"].F32 {
		crowd[i] = float32(math.Log(float64(users) + 0.5))
		if want := 0.75*alone[i] + 0.25*crowd[i]; math.Abs(float64(dst[i]-want)) > 1e-4 {
			t.Fatalf("item %d has %g, want %g", i, dst[i], want)
		}
	}
	in.Params = recipe.With(in.Params, "opening.demographic", "0")
	_, without := train(t, in)
	for _, c := range v.Cases {
		if !slices.Equal(scores(t, s, c), scores(t, without, c)) {
			t.Fatalf("user %d hears a member that only opens", c.User)
		}
	}
}

// Many at once are the same as one by one, with any number of processors.
func TestNewcomersInBatches(t *testing.T) {
	in, v := cold(t)
	m, s := train(t, in)
	before := runtime.GOMAXPROCS(7)
	again, _ := train(t, in)
	runtime.GOMAXPROCS(before)
	a, errA := model.Digest(m)
	b, errB := model.Digest(again)
	if errA != nil || errB != nil || a != b {
		t.Errorf("with seven processors the model is another (%v, %v)", errA, errB)
	}
	var queries []model.Query
	var rows [][]float32
	for i, c := range v.Cases[:70] {
		q := model.Query{Item: model.NoItem, User: in.UserAttributes.Row(c.User)}
		for k, item := range c.Input.Item {
			if i%3 > 0 {
				q.History = append(q.History, model.Touch{Item: item, Weight: 1, At: c.Input.At[k]})
			}
		}
		queries, rows = append(queries, q), append(rows, make([]float32, 60))
	}
	if err := s.(model.ManyScorer).ScoreMany(t.Context(), queries, rows); err != nil {
		t.Fatal(err)
	}
	one := make([]float32, 60)
	for i, q := range queries {
		if err := s.Score(t.Context(), q, one); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(one, rows[i]) {
			t.Fatalf("query %d has other scores by itself", i)
		}
	}
}

func TestNewcomersOfTornModels(t *testing.T) {
	in, _ := cold(t)
	m, _ := train(t, in)
	for name, harm := range map[string]func(map[string]model.Tensor){
		"no lenders":       func(of map[string]model.Tensor) { delete(of, "cold_lender") },
		"a lender too far": func(of map[string]model.Tensor) { of["cold_lender"].I32[0] = 60 },
		"a lender is cold": func(of map[string]model.Tensor) { of["cold_lender"].I32[0] = of["cold_item"].I32[1] },
		"an item twice":    func(of map[string]model.Tensor) { of["cold_item"].I32[1] = of["cold_item"].I32[0] },
		"a share of NaN":   func(of map[string]model.Tensor) { of["cold_share"].F32[0] = float32(math.NaN()) },
		"an item too few":  func(of map[string]model.Tensor) { of["cold_item"] = model.Tensor{Shape: []int{1}, I32: []int32{57}} },
		"items of fraction": func(of map[string]model.Tensor) {
			of["cold_item"] = model.Tensor{Shape: []int{3}, F32: []float32{57, 58, 59}}
		},
	} {
		torn := *m
		torn.Tensors = map[string]model.Tensor{}
		for key, of := range m.Tensors {
			torn.Tensors[key] = model.Tensor{Shape: of.Shape, I32: slices.Clone(of.I32), F32: slices.Clone(of.F32)}
		}
		harm(torn.Tensors)
		if _, err := knowing().Decode(&torn); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A search finds the opening and the gain, trains to the same model with them,
// and leaves alone what is given.
func TestSearchForNewcomers(t *testing.T) {
	in, v := cold(t)
	in.Params = map[string]string{"members": "popularity,ials,demographic", "hidden_dimension": "8", "cold_item_gain": "0.3"}
	v.Seconds = 1
	found, err := knowing().Search(t.Context(), in, v)
	if err != nil {
		t.Fatal(err)
	}
	if found.Params["cold_item_gain"] != "0.3" || found.Params["opening.demographic"] == "" {
		t.Errorf("found %v", found.Params)
	}
	in.Params = found.Params
	m, _ := train(t, in)
	a, errA := knowing().Decode(m)
	b, errB := knowing().Decode(found.Model)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	for _, c := range v.Cases[:20] {
		if !slices.Equal(scores(t, a, c), scores(t, b, c)) {
			t.Fatalf("user %d has other scores of the model that was measured", c.User)
		}
	}
}

// A few cases decide nothing about everybody who is new, however sure they look.
func TestOpeningOfFewCases(t *testing.T) {
	in, v := cold(t)
	in.Params = map[string]string{"members": "ials,demographic", "hidden_dimension": "8"}
	for n, opens := range map[int]bool{len(v.Cases): true, 6: false} {
		few := v
		few.Cases = v.Cases[:n]
		found, err := knowing().Search(t.Context(), in, few)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := found.Params["opening.demographic"]; ok != opens {
			t.Errorf("of %d cases: %v", n, found.Params)
		}
	}
}
