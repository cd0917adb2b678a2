package recipe_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// heard is popularity that remembers what it was trained on.
type heard struct {
	recipe.Recipe
	last *dataset.Events
}

func (h heard) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	*h.last = in.Events
	return h.Recipe.Train(ctx, in)
}

// returned is a world in which every user has sent something back: the first
// item (then had again), the second for good, and the third before it was had.
func returned(t *testing.T) *dataset.Snapshot {
	t.Helper()
	w := datasettest.Blocks(60, 40, 2, 0, 1)
	e := w.Snapshot.Events
	var rows []dataset.Row
	row := func(i int, typ string, at int64, value float64) dataset.Row {
		return dataset.Row{User: w.Snapshot.Users.ID(e.User[i]), Item: w.Snapshot.Items.ID(e.Item[i]), Type: typ, At: at, Value: value}
	}
	for i := range e.Len() {
		rows = append(rows, row(i, e.Types[e.Type[i]], e.At[i], math.NaN()))
	}
	e.ByUser(func(_ int32, from, _ int) {
		rows = append(rows, row(from, "Return", e.At[from]+1, math.NaN()), row(from, "View", e.At[from]+2, math.NaN()),
			row(from+1, "Refund", e.At[from+1], math.NaN()), row(from+2, "Rate", e.At[from+2]-1, 1), row(from+3, "Rate", e.At[from+3]+1, 5))
	})
	s, err := dataset.NewSnapshot(w.Snapshot.AsOf, rows, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNegativeOutcomes(t *testing.T) {
	s := recipe.FitSpec{Snapshot: returned(t), Name: "aws-user-personalization", Seed: 3}
	var learned dataset.Events
	s.Recipe = heard{byID{}, &learned}
	s.Negative = model.Outcomes{{Type: "Return"}, {Type: "REFUND"}, {Type: "rate", Below: new(3.0)}}
	m := fit(t, s)
	if got := m.Manifest.Negative; len(got) != 3 {
		t.Errorf("the manifest has %v", got)
	}
	all := s.Snapshot.Events
	all.ByUser(func(user int32, from, to int) {
		var want []string
		second := ""
		for i := from; i < to; i++ {
			if all.Types[all.Type[i]] == "Refund" {
				second = s.Snapshot.Items.ID(all.Item[i])
			}
		}
		gone := true
		for i := from; i < to; i++ {
			typ, item := all.Types[all.Type[i]], s.Snapshot.Items.ID(all.Item[i])
			returns := i+1 < to && all.Types[all.Type[i+1]] == "Return" && gone
			switch {
			case typ == "Return" || typ == "Refund" || typ == "Rate" && all.Value[i] < 3, item == second:
			case returns:
				gone = false
			default:
				want = append(want, fmt.Sprint(item, typ, all.At[i]))
			}
		}
		var got []string
		mine := learned.Of(user)
		for i, item := range mine.Item {
			got = append(got, fmt.Sprint(s.Snapshot.Items.ID(item), mine.Types[mine.Type[i]], mine.At[i]))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("of user %d it learned %v, want %v", user, got, want)
		}
	})
}

// byID scores items by their rows: the same for everybody.
type byID struct{}

func (byID) Name() string { return "byid" }
func (byID) Train(_ context.Context, in recipe.Input) (*model.Model, error) {
	return &model.Model{Manifest: model.Manifest{Algorithm: "byid", Scores: "none", Items: len(in.Items)}, Items: in.Items}, nil
}
func (byID) Decode(*model.Model) (model.Scorer, error) { return rows{}, nil }

type rows struct{}

func (rows) Score(_ context.Context, _ model.Query, dst []float32) error {
	for i := range dst {
		dst[i] = float32(i)
	}
	return nil
}

// In evaluations nobody is recommended what they had refused by then.
func TestRefusedIsNoAnswer(t *testing.T) {
	const users = 40
	var plain, refusing []dataset.Row
	for u := range users {
		for k := range 10 {
			// The last of ten, which is held out, is the best but one of all rows.
			item := fmt.Sprintf("i%02d", (u+k)%30)
			if k == 9 {
				item = "j1"
			}
			plain = append(plain, dataset.Row{User: datasettest.UserID(u), Item: item, Type: "View", At: int64(1000 + k), Value: math.NaN()})
		}
		refusing = append(refusing, dataset.Row{User: datasettest.UserID(u), Item: "j2", Type: "Hide", At: 1004, Value: math.NaN()})
	}
	// Somebody has had j2, so that it is an item in both worlds.
	plain = append(plain, dataset.Row{User: "x", Item: "j2", Type: "View", At: 1, Value: math.NaN()}, dataset.Row{User: "x", Item: "j1", Type: "View", At: 2, Value: math.NaN()})
	measure := func(events []dataset.Row, negative model.Outcomes) map[string]float64 {
		s, err := dataset.NewSnapshot(datasettest.Blocks(1, 2, 1, 0, 1).Snapshot.AsOf, events, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return fit(t, recipe.FitSpec{Snapshot: s, Recipe: byID{}, Name: "aws-user-personalization", Negative: negative}).Manifest.Evaluation.Metrics
	}
	const mrr = "mean_reciprocal_rank_at_25"
	before := measure(plain, nil)[mrr]
	after := measure(append(slices.Clone(plain), refusing...), model.Outcomes{{Type: "hide"}})[mrr]
	if !(before < 0.6) || !(after > 0.97) {
		t.Errorf("behind what was refused the right item is at 1/%.3f, without it at 1/%.3f", 1/before, 1/after)
	}
}
