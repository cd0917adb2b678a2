package itemknn

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// tiny has four items a b c d: users 0-3 have a and b, users 2-4 have c, users
// 0 and 4 have d.
func tiny(params map[string]string) recipe.Input {
	return recipe.Input{Users: 5, Items: []string{"a", "b", "c", "d"}, Params: params,
		Events: dataset.Events{User: []int32{0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4}, Item: []int32{0, 1, 3, 0, 1, 0, 1, 2, 0, 1, 2, 2, 3}}}
}

func related(t *testing.T, params map[string]string, item int32) []float32 {
	t.Helper()
	m, err := New().Train(t.Context(), tiny(params))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 4)
	if err := s.Score(t.Context(), model.Query{Item: item}, got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSimilarities(t *testing.T) {
	inf := math.Inf(-1)
	for name, c := range map[string]struct {
		params map[string]string
		want   []float64
	}{
		"cosine":         {map[string]string{ParamMinimum: "1"}, []float64{inf, 1, 2 / math.Sqrt(12), 1 / math.Sqrt(8)}},
		"minimum":        {map[string]string{ParamMinimum: "2"}, []float64{inf, 1, 2 / math.Sqrt(12), -1.0 / 3}}, // d is behind by popularity
		"default":        {nil, []float64{inf, 1, -1.0 / 4, -1.0 / 3}},
		"no discount":    {map[string]string{ParamMinimum: "1", ParamDiscount: "0"}, []float64{inf, 4.0 / 4, 2.0 / 4, 1.0 / 4}},
		"full discount":  {map[string]string{ParamMinimum: "1", ParamDiscount: "1"}, []float64{inf, 4.0 / 4, 2.0 / 3, 1.0 / 2}},
		"shrinkage":      {map[string]string{ParamMinimum: "1", ParamShrinkage: "4"}, []float64{inf, 4.0 / 8, 2 / (math.Sqrt(12) + 4), 1 / (math.Sqrt(8) + 4)}},
		"one neighbour":  {map[string]string{ParamMinimum: "1", ParamNeighbours: "1"}, []float64{inf, 1, -1.0 / 4, -1.0 / 3}},
		"minimum of nil": {map[string]string{ParamMinimum: "0"}, []float64{inf, 1, 2 / math.Sqrt(12), 1 / math.Sqrt(8)}},
	} {
		got := related(t, c.params, 0)
		for i := range got {
			if math.Abs(float64(got[i])-c.want[i]) > 1e-6 {
				t.Errorf("%s: got %v, want %v", name, got, c.want)
				break
			}
		}
	}
}

func TestUnknownItemGetsPopularity(t *testing.T) {
	if got := related(t, nil, 9); !slices.Equal(got, []float32{-1.0 / 5, -1.0 / 5, -1.0 / 4, -1.0 / 3}) {
		t.Errorf("got %v", got)
	}
}

// Using k of the neighbours that were found is what training with k finds.
func TestRefinementsNeedNoTraining(t *testing.T) {
	w := datasettest.Blocks(60, 40, 2, 0.3, 1)
	in := recipe.Input{Events: w.Snapshot.Events, Users: 60, Items: w.Snapshot.Items.IDs()}
	all, err := New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, params := range New().Refinements(in) {
		in.Params = params
		few, err := New().Train(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		cut := *all
		cut.Manifest.Parameters = maps.Clone(few.Manifest.Parameters)
		want, got := make([]float32, 40), make([]float32, 40)
		q := model.Query{History: []model.Touch{{Item: 3, Weight: 1}, {Item: 8, Weight: 2}}, Item: model.NoItem}
		for m, dst := range map[*model.Model][]float32{few: want, &cut: got} {
			s, err := New().Decode(m)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Score(t.Context(), q, dst); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v: got %v, want %v", params, got, want)
		}
	}
}
