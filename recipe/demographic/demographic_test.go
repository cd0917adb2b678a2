package demographic

import (
	"math"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// town has 160 users: the young, of 20 to 29 years, have item 0, the old, of 60
// to 69, item 1, and all have item 2. Nobody has item 3. One user has a city of their own.
func town(params map[string]string) recipe.Input {
	in := recipe.Input{Users: 160, Items: make([]string, 4), Params: params}
	ages := dataset.Column{Name: "AGE", Kind: schema.Float, Number: make([]float64, 160)}
	groups := dataset.Column{Name: "CLUB", Categorical: true, Text: make([]string, 160)}
	city := dataset.Column{Name: "CITY", Categorical: true, Text: make([]string, 160)}
	for u := range 160 {
		own, age, club := int32(0), 20+float64(u%10), "chess|go"
		if u >= 80 {
			own, age, club = 1, 60+float64(u%10), "bowls"
		}
		ages.Number[u], groups.Text[u] = age, club
		in.Events.User = append(in.Events.User, int32(u), int32(u))
		in.Events.Item = append(in.Events.Item, own, 2)
	}
	city.Text[0] = "Atlantis"
	in.UserAttributes = &dataset.Attributes{Columns: []dataset.Column{ages, city, groups}}
	return in
}

func scores(t *testing.T, in recipe.Input, user map[string]any) []float32 {
	t.Helper()
	m, err := New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if !m.Manifest.AsksUser {
		t.Error("serving would not look attributes up")
	}
	s, err := New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, len(in.Items))
	if err := s.Score(t.Context(), model.Query{Item: model.NoItem, User: user}, dst); err != nil {
		t.Fatal(err)
	}
	return dst
}

// By hand: 320 interactions and one more for each of 4 items; the club of chess
// has 80 of item 0 and 80 of item 2.
func TestSharesByHand(t *testing.T) {
	in := town(map[string]string{ParamShrinkage: "100", ParamWeight: "0.5"})
	got := scores(t, in, map[string]any{"CLUB": []string{"chess"}})
	share := func(n float64) float64 { return (n + 1) / 324 }
	lift := func(of, n float64) float64 { return 0.5 * math.Log((of+100*share(n))/(100*share(n))) }
	for i, want := range []float64{math.Log(share(80)) + lift(80, 80), math.Log(share(80)), math.Log(share(160)) + lift(80, 160), math.Log(share(0))} {
		if math.Abs(float64(got[i])-want) > 1e-5 {
			t.Errorf("item %d has %g, want %g", i, got[i], want)
		}
	}
}

func TestWhoAsksDecides(t *testing.T) {
	in := town(nil)
	nobody := scores(t, in, nil)
	if nobody[0] != nobody[1] || !(nobody[2] > nobody[0]) || !(nobody[0] > nobody[3]) {
		t.Errorf("nobody in particular: %v, want popularity", nobody)
	}
	for name, user := range map[string]map[string]any{
		"of an age":   {"AGE": 23.0},
		"of a club":   {"CLUB": "go|poker"},
		"of a list":   {"CLUB": []string{"chess"}},
		"of two ways": {"AGE": 29.0, "CLUB": "chess"},
	} {
		if got := scores(t, in, user); !(got[0] > got[1]) {
			t.Errorf("a young user %s: %v", name, got)
		}
	}
	if got := scores(t, in, map[string]any{"AGE": 65.0}); !(got[1] > got[0]) {
		t.Errorf("an old user: %v", got)
	}
	for _, user := range []map[string]any{{"CITY": "Atlantis"}, {"AGE": math.NaN()}, {"AGE": "old"}, {"HEIGHT": 3.0}, {"CLUB": 7}} {
		if got := scores(t, in, user); got[0] != nobody[0] || got[1] != nobody[1] {
			t.Errorf("%v says something: %v", user, got)
		}
	}
}
