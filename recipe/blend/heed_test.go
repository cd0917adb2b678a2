package blend_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/blend"
	"github.com/attune-io/attune/recipe/circumstance"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/popularity"
)

// evenings is a world of 240 users and 60 items. A user likes the items of one
// kind of three, and of those takes by 9 in 10 the half for the device at hand,
// a phone or a tv, which is
// drawn for every two events. NOISE is drawn too, and nothing depends on it.
func evenings(strict float64) *dataset.Snapshot {
	r := rand.New(rand.NewPCG(5, 6))
	var rows []dataset.Row
	for u := range 240 {
		device := 0
		for at := range 12 {
			if at%2 == 0 {
				device = r.IntN(2)
			}
			half := device
			if r.Float64() > strict {
				half = 1 - half
			}
			rows = append(rows, dataset.Row{User: fmt.Sprintf("u%03d", u), Item: fmt.Sprintf("i%02d", u%3*20+half*10+r.IntN(10)), At: int64(1000*at + u), Value: math.NaN(),
				Attributes: map[string]any{"DEVICE": []string{"phone", "tv"}[device], "NOISE": float64(r.IntN(100))}})
		}
	}
	s, err := dataset.NewSnapshot(time.Time{}, rows, nil, nil)
	if err != nil {
		panic(err)
	}
	return s
}

// half is the share of items for a tv among the five best that are not in the history.
func half(t *testing.T, m *model.Model, q model.Query) float64 {
	t.Helper()
	s, err := heeding().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]float32, len(m.Items))
	if err := s.Score(t.Context(), q, scores); err != nil {
		t.Fatal(err)
	}
	seen := kernel.NewBitmap(len(scores))
	for _, h := range q.History {
		seen.Set(h.Item)
	}
	n := 0.0
	for _, i := range kernel.TopK(nil, scores, 5, seen) {
		if i/10%2 == 1 {
			n += 0.2
		}
	}
	return n
}

func heeding() blend.Recipe { return blend.New(popularity.New(), ials.New(), circumstance.New()) }

func fitted(t *testing.T, s *dataset.Snapshot, r recipe.Recipe, uses recipe.Uses) *model.Model {
	t.Helper()
	m, err := recipe.Fit(t.Context(), recipe.FitSpec{Snapshot: s, Recipe: r, Name: "aws-user-personalization", Seed: 1, Uses: uses,
		Params: map[string]string{"ials.hidden_dimension": "8"}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A context that matters is heard, by those with a history and by those without,
// and makes the answers better; whoever says nothing gets the answer of before.
func TestContextIsHeeded(t *testing.T) {
	s := evenings(0.9)
	none := fitted(t, s, heeding(), func(schema.Type, string) bool { return false })
	m := fitted(t, s, heeding(), nil)
	if !m.Manifest.AsksContext || none.Manifest.AsksContext {
		t.Fatalf("asks for a context: %v, without columns %v: %v", m.Manifest.AsksContext, none.Manifest.AsksContext, m.Manifest.Parameters)
	}
	with, without := m.Manifest.Evaluation.NDCG25.Mean, none.Manifest.Evaluation.NDCG25.Mean
	if !(with > 1.1*without) {
		t.Errorf("NDCG %g, and %g without a context", with, without)
	}
	for name, queries := range map[string][]model.Query{"known": askers(s, 40), "new": {{Item: model.NoItem}}} {
		a, b := 0.0, 0.0
		for _, q := range queries {
			phone, tv := q, q
			phone.Context, tv.Context = map[string]any{"DEVICE": "phone"}, map[string]any{"DEVICE": "tv", "WEATHER": "rain"}
			a, b = a+half(t, m, phone)/float64(len(queries)), b+half(t, m, tv)/float64(len(queries))
		}
		if a > 0.3 || b < 0.7 {
			t.Errorf("who is %s gets %g for a tv on a phone, and %g on one", name, a, b)
		}
		q := queries[0]
		phone := q
		phone.Context = map[string]any{"DEVICE": "phone"}
		said, err := heeding().Decode(m)
		if err != nil {
			t.Fatal(err)
		}
		before, err := heeding().Decode(silent(m))
		if err != nil {
			t.Fatal(err)
		}
		odd := q
		odd.Context = map[string]any{"DEVICE": "fridge", "WEATHER": "rain"}
		want, got := make([]float32, len(m.Items)), make([]float32, len(m.Items))
		if err := before.Score(t.Context(), phone, want); err != nil {
			t.Fatal(err)
		}
		for _, q := range []model.Query{q, odd} {
			if err := said.Score(t.Context(), q, got); err != nil || !slices.Equal(got, want) {
				t.Errorf("who is %s, with %v: another answer than without the context's word, %v", name, q.Context, err)
			}
		}
		many := [][]float32{make([]float32, len(m.Items)), make([]float32, len(m.Items))}
		if err := said.(model.ManyScorer).ScoreMany(t.Context(), []model.Query{phone, q}, many); err != nil || !slices.Equal(many[1], want) {
			t.Errorf("among others: %v", err)
		}
		if err := said.Score(t.Context(), phone, got); err != nil || !slices.Equal(got, many[0]) {
			t.Errorf("among others on a phone: %v", err)
		}
	}
}

// Whoever says how to listen gets a model also of data that has no context.
func TestContextGivenWhereThereIsNone(t *testing.T) {
	s := evenings(0.9)
	s.Events.Context = nil
	m, err := recipe.Fit(t.Context(), recipe.FitSpec{Snapshot: s, Recipe: heeding(), Name: "aws-user-personalization", Seed: 1,
		Params: map[string]string{"ials.hidden_dimension": "8", blend.ParamContext: "1"}})
	if err != nil || m.Manifest.AsksContext {
		t.Fatalf("%+v, %v", m, err)
	}
	if got := half(t, m, model.Query{Item: model.NoItem, Context: map[string]any{"DEVICE": "tv"}}); math.IsNaN(got) {
		t.Error(got)
	}
}

// askers are the first n users of a world, with their history.
func askers(s *dataset.Snapshot, n int) []model.Query {
	out := make([]model.Query, n)
	for u := range out {
		out[u].Item = model.NoItem
		for _, item := range s.Events.Of(int32(u)).Item {
			out[u].History = append(out[u].History, model.Touch{Item: item, Weight: 1})
		}
	}
	return out
}

// silent is a model that no longer listens.
func silent(m *model.Model) *model.Model {
	out := *m
	out.Manifest.Parameters = maps.Clone(m.Manifest.Parameters)
	delete(out.Manifest.Parameters, blend.ParamContext)
	delete(out.Manifest.Parameters, blend.ParamContextOpening)
	return &out
}

// Where nothing depends on it, or nothing is known, the model is bit for bit that
// of a blend that has never heard of contexts.
func TestContextThatSaysNothing(t *testing.T) {
	s := evenings(0.5)
	deaf := blend.New(popularity.New(), ials.New())
	want := fitted(t, s, deaf, nil)
	for name, uses := range map[string]recipe.Uses{
		"excluded":   func(schema.Type, string) bool { return false },
		"irrelevant": nil,
	} {
		m := fitted(t, s, heeding(), uses)
		if m.Manifest.AsksContext || m.Manifest.Digest != want.Manifest.Digest {
			t.Errorf("%s: %v, want %v", name, m.Manifest.Parameters, want.Manifest.Parameters)
		}
	}
}

// A blend that was told how to listen, without a search, does so; trained again
// from what its manifest says it is the same.
func TestContextAsGiven(t *testing.T) {
	s := evenings(0.9)
	in := recipe.Input{Events: s.Events, Users: s.Users.Len(), Items: s.Items.IDs(), Seed: 2,
		Params: map[string]string{"members": "ials", "hidden_dimension": "8", blend.ParamContext: "1", blend.ParamContextOpening: "0.5", "circumstance.context_shrinkage": "7"}}
	m, err := heeding().Train(t.Context(), in)
	if err != nil || !m.Manifest.AsksContext {
		t.Fatal(err)
	}
	in.Params = m.Manifest.Parameters
	again, err := heeding().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := model.Digest(m)
	b, _ := model.Digest(again)
	if a != b || m.Manifest.Parameters["circumstance.context_shrinkage"] != "7" {
		t.Errorf("%v and then %v", m.Manifest.Parameters, again.Manifest.Parameters)
	}
	if got := half(t, m, model.Query{Item: model.NoItem, Context: map[string]any{"DEVICE": "tv"}}); got < 0.8 {
		t.Errorf("%g of what a new user gets is for the tv at hand", got)
	}
	in.Params = map[string]string{"members": "ials", blend.ParamContext: "1"}
	if _, err := blend.New(ials.New()).Train(t.Context(), in); err == nil || !strings.Contains(err.Error(), "leave them out") {
		t.Errorf("a blend without the recipe: %v", err)
	}
	in.Params[blend.ParamContext] = "-1"
	if _, err := heeding().Train(t.Context(), in); err == nil {
		t.Error("a gain below nought was taken")
	}
}
