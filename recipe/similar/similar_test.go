package similar_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/content"
	"github.com/attune-io/attune/recipe/itemknn"
	"github.com/attune-io/attune/recipe/similar"
)

// In this shop even items are touched together, and odd ones; but of each pair
// of neighbours (0 and 1, 2 and 3, …) the same is said. Item 8 was touched by
// one user, item 9 never.
func score(t *testing.T, item int32) []float32 {
	t.Helper()
	in := recipe.Input{Users: 40, Params: map[string]string{"min_cointeraction_count": "1"}}
	said := make([]string, 10)
	for i := range said {
		in.Items = append(in.Items, fmt.Sprintf("i%d", i))
		said[i] = fmt.Sprintf("kind%d", i/2)
	}
	said[8], said[9] = "kind0", "kind0"
	in.ItemAttributes = &dataset.Attributes{Columns: []dataset.Column{{Name: "KIND", Categorical: true, Text: said}}}
	for u := range int32(40) {
		for i := u % 2; i < 8; i += 2 {
			in.Events.User, in.Events.Item, in.Events.At = append(in.Events.User, u), append(in.Events.Item, i), append(in.Events.At, int64(i))
		}
	}
	in.Events.User, in.Events.Item, in.Events.At = append(in.Events.User, 1), append(in.Events.Item, 8), append(in.Events.At, 9)
	r := similar.New(itemknn.New(), content.New())
	m, err := r.Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, len(in.Items))
	if err := s.Score(t.Context(), model.Query{Item: item}, dst); err != nil {
		t.Fatal(err)
	}
	return dst
}

func TestWarmItemsAreJudgedByBehaviour(t *testing.T) {
	got := score(t, 0) // 20 users each: w = 20/25
	for row, want := range map[int]float32{2: 0.8, 4: 0.8, 6: 0.8, 1: 0.2} {
		if math.Abs(float64(got[row]-want)) > 1e-5 {
			t.Errorf("item %d is like item 0 with %g, want %g", row, got[row], want)
		}
	}
}

func TestColdItemsAreJudgedByMetadata(t *testing.T) {
	for _, cold := range []int32{8, 9} {
		got := score(t, cold)
		// One user touched 8 together with the odd items; that is too little to go by.
		for row := range int32(8) {
			if alike := row < 2; alike != (got[row] > 0.99) || !alike && got[row] > 0 {
				t.Errorf("item %d is like the cold item %d with %g", row, cold, got[row])
			}
		}
	}
	if got := score(t, 0); got[8] < 0.99 || got[9] < 0.99 {
		t.Errorf("cold items are like item 0 with %g and %g", got[8], got[9])
	}
}
