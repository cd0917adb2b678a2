package popularity

import (
	"slices"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

func TestCountsUsersOnce(t *testing.T) {
	m, err := New().Train(t.Context(), recipe.Input{Users: 3, Items: []string{"a", "b", "c"},
		Events: dataset.Events{User: []int32{0, 0, 0, 1, 2}, Item: []int32{1, 1, 1, 0, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 3)
	if err := s.Score(t.Context(), model.Query{Item: model.NoItem}, got); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, []float32{2, 1, 0}) {
		t.Errorf("got %v", got)
	}
}
