package blend_test

import (
	"context"
	"errors"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/blend"
	"github.com/attune-io/attune/recipe/ials"
	"github.com/attune-io/attune/recipe/itemknn"
	"github.com/attune-io/attune/recipe/popularity"
	"github.com/attune-io/attune/recipe/sequence"
)

func three() blend.Recipe { return blend.New(popularity.New(), itemknn.New(), ials.New()) }

// question is a world split in two, and what is known of it.
func question(t testing.TB, params map[string]string) (recipe.Input, recipe.Validation) {
	t.Helper()
	w := datasettest.Blocks(150, 60, 3, 0.15, 1)
	split, err := dataset.NewSplit(w.Snapshot.Events, dataset.Tail10, 1)
	if err != nil {
		t.Fatal(err)
	}
	in := recipe.Input{Events: split.Train, Users: w.Snapshot.Users.Len(), Items: w.Snapshot.Items.IDs(), Params: params, Seed: 3}
	return in, recipe.Validation{Cases: split.Cases, LeaveOut: true, Seconds: 0.6}
}

func search(t testing.TB, in recipe.Input, v recipe.Validation) recipe.Found {
	t.Helper()
	found, err := three().Search(t.Context(), in, v)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// sameAnswers compares two models, of which one may hold more than it uses.
func sameAnswers(t testing.TB, v recipe.Validation, a, b *model.Model) {
	t.Helper()
	if !maps.Equal(a.Manifest.Parameters, b.Manifest.Parameters) {
		t.Fatalf("parameters %v, %v", a.Manifest.Parameters, b.Manifest.Parameters)
	}
	r := blend.New(popularity.New(), itemknn.New(), ials.New(), sequence.New())
	x, errA := r.Decode(a)
	y, errB := r.Decode(b)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Cases {
		if !slices.Equal(scores(t, x, c), scores(t, y, c)) {
			t.Fatalf("user %d gets other scores of two models with %v", c.User, a.Manifest.Parameters)
		}
	}
}

func scores(t testing.TB, s model.Scorer, c dataset.Case) []float32 {
	t.Helper()
	q := model.Query{Item: model.NoItem}
	for k, item := range c.Input.Item {
		q.History = append(q.History, model.Touch{Item: item, Weight: 1, At: c.Input.At[k]})
	}
	out := make([]float32, 60)
	if err := s.Score(t.Context(), q, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// What a search finds is no worse than any member it tried, is the same with
// any number of processors, and trains to the very model it was measured with.
func TestSearch(t *testing.T) {
	in, v := question(t, map[string]string{"ials.iterations": "4"})
	found := search(t, in, v)
	for _, trial := range found.Trials {
		if trial.Value > found.Value+0.01 { // fewer members are taken when they are as good within the noise
			t.Errorf("found %v with %.4f, but tried %+v", found.Params, found.Value, trial)
		}
	}
	if len(found.Trials) < 5 || found.Trials[len(found.Trials)-1].Recipe != blend.Name || found.Value <= 0 {
		t.Errorf("trials %+v", found.Trials)
	}
	if found.Params["ials.iterations"] != "4" {
		t.Errorf("a parameter that was given is now %v", found.Params)
	}
	before := runtime.GOMAXPROCS(7)
	again := search(t, in, v)
	runtime.GOMAXPROCS(before)
	if !maps.Equal(again.Params, found.Params) || again.Value != found.Value {
		t.Errorf("found %v, then %v", found.Params, again.Params)
	}
	in.Params = found.Params
	m, err := three().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	sameAnswers(t, v, m, found.Model)
	// Nothing is left to choose, so nothing is trained.
	if settled := search(t, in, v); settled.Model != nil || !maps.Equal(settled.Params, found.Params) {
		t.Errorf("searched again: %+v", settled)
	}
}

// A ranked list is measured by whatever the caller measures it by.
func TestSearchMeasuresAsTold(t *testing.T) {
	in, v := question(t, nil)
	asked := 0
	v.Score = func(lists [][]int32) float64 { asked++; return -float64(len(lists[0])) }
	if found := search(t, in, v); asked < 3 || found.Value != -25 {
		t.Errorf("asked %d times, found %g", asked, found.Value)
	}
}

// A budget too small for anything still trains one member, the quickest.
func TestSearchInNoTime(t *testing.T) {
	in, v := question(t, nil)
	v.Seconds = 0
	found := search(t, in, v)
	if n := len(found.Trials); n != 2 {
		t.Errorf("%d trials: %+v", n, found.Trials)
	}
	more := v
	more.Seconds = 0.3
	if a, b := len(found.Trials), len(search(t, in, more).Trials); a >= b {
		t.Errorf("%d trials in no time, %d in a second", a, b)
	}
}

func TestSearchStops(t *testing.T) {
	in, v := question(t, nil)
	ctx, stop := context.WithCancel(t.Context())
	v.Progress = func(done, total int) {
		if done > 0 {
			stop()
		}
	}
	if _, err := three().Search(ctx, in, v); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled on the way: %v", err)
	}
}

// Weights that nobody needs leave nothing behind.
func TestMembersWithoutWeightAreNotTrained(t *testing.T) {
	in, _ := question(t, map[string]string{"members": "ials,itemknn", "weight.itemknn": "0", "itemknn.neighbours": "none"})
	m, err := three().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for name := range m.Tensors {
		if strings.HasPrefix(name, "itemknn.") {
			t.Errorf("there is a tensor %s", name)
		}
	}
}

// A blend of one member ranks as that member does.
func TestOneMember(t *testing.T) {
	in, v := question(t, map[string]string{"members": "ials"})
	m, err := three().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	alone, err := ials.New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := three().Decode(m)
	b, errB := ials.New().Decode(alone)
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	for _, c := range v.Cases {
		x, y := scores(t, a, c), scores(t, b, c)
		factor := x[0] / y[0]
		for i := range x {
			if math.Abs(float64(x[i]-factor*y[i])) > 1e-4*math.Abs(float64(factor)) {
				t.Fatalf("user %d: item %d scores %g, alone %g, and the first %g times as much", c.User, i, x[i], y[i], factor)
			}
		}
	}
}

func TestBadParameters(t *testing.T) {
	for _, params := range []map[string]string{
		{"members": ""}, {"members": "hrnn"}, {"members": "ials,"}, {"members": "ials#1"}, {"members": "ials#x"}, {"members": "ials#02"},
		{"members": "ials", "weight.ials": "0"}, {"weight.ials": "Inf"}, {"weight.ials": "-1"}, {"score_scale": "NaN"},
		{"cold_item_gain": "NaN"}, {"cold_item_gain": "-1"}, {"members": "ials", "opening.ials": "2"}, {"members": "ials,itemknn", "opening.ials": "0.6", "opening.itemknn": "0.6"},
		{"members": strings.Repeat("ials,", 17) + "ials"}, {"ials.hidden_dimension": "NaN"}, {"members": "itemknn", "shrinkage": "NaN"},
	} {
		in, v := question(t, params)
		if _, err := three().Train(t.Context(), in); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%v: %v", params, err)
		}
		if _, err := three().Search(t.Context(), in, v); attune.KindOf(err) != attune.Invalid {
			t.Errorf("search with %v: %v", params, err)
		}
	}
}
