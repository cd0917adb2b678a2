package content

import (
	"math"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

func scores(t *testing.T, item int32, columns ...dataset.Column) []float32 {
	t.Helper()
	n := len(columns[0].Text)
	in := recipe.Input{Items: make([]string, n), ItemAttributes: &dataset.Attributes{Columns: columns}}
	m, err := New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float32, n)
	if err := s.Score(t.Context(), model.Query{Item: item}, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func query(item int32) model.Query { return model.Query{Item: item} }

func near(t *testing.T, what string, got float32, want float64) {
	t.Helper()
	if math.Abs(float64(got)-want) > 1e-5 {
		t.Errorf("%s: %g, want %g", what, got, want)
	}
}

func TestCosineByHand(t *testing.T) {
	genres := dataset.Column{Name: "GENRES", Categorical: true, Text: []string{"drama|war", "War|Drama", "drama", "comedy", "", "war"}}
	got := scores(t, 0, genres)
	if !math.IsInf(float64(got[0]), -1) {
		t.Errorf("the item itself has %g", got[0])
	}
	near(t, "the same categories in another case", got[1], 1)
	// drama and war stand in 3 of 6 items each: equal weights.
	near(t, "one of two categories", got[2], 1/math.Sqrt2)
	near(t, "the other one", got[5], 1/math.Sqrt2)
	if got[3] >= 0 || got[4] >= 0 {
		t.Errorf("nothing in common scores %g and %g", got[3], got[4])
	}
}

func TestRareWordsWeighMore(t *testing.T) {
	text := dataset.Column{Name: "PLOT", Textual: true, Text: []string{
		"The submarine sinks", "the SUBMARINE, it rises!", "the dog sinks", "the cat sinks", "the fox runs", "the hen"}}
	got := scores(t, 0, text)
	if !(got[1] > got[2]) || !(got[2] > 0) {
		t.Errorf("a rare word in common %g, a frequent one %g", got[1], got[2])
	}
	if got[4] >= 0 { // "the" is everywhere and says nothing
		t.Errorf("a word that all have scores %g", got[4])
	}
}

// A long text does not drown a category: both columns are one half. A price that
// nobody has kept to says nothing.
func TestColumnsHaveOneVoiceEach(t *testing.T) {
	got := scores(t, 0,
		dataset.Column{Name: "GENRES", Categorical: true, Text: []string{"war", "war", "drama", "comedy"}},
		dataset.Column{Name: "PLOT", Textual: true, Text: []string{"a long text about one long submarine voyage", "brief", "a long text about one long submarine voyage", "other"}},
		dataset.Column{Name: "PRICE", Number: []float64{1, 2, 3, 1}})
	near(t, "the same category", got[1], 0.5)
	near(t, "the same text", got[2], 0.5)
	if got[3] >= 0 {
		t.Errorf("the same price scores %g", got[3])
	}
}

// The same word in two columns is not the same thing said.
func TestColumnsAreApart(t *testing.T) {
	got := scores(t, 0,
		dataset.Column{Name: "CAST", Categorical: true, Text: []string{"paris", "", "rome"}},
		dataset.Column{Name: "PLACE", Categorical: true, Text: []string{"", "paris", ""}})
	if got[1] >= 0 {
		t.Errorf("a name and a place are alike with %g", got[1])
	}
}

// A profile is the sum of what the history says: scores add up as if each item
// of it had asked by itself.
func TestProfileIsTheSum(t *testing.T) {
	genres := dataset.Column{Name: "GENRES", Categorical: true, Text: []string{"drama|war", "war", "drama|comedy", "comedy", "war|comedy", "western"}}
	in := recipe.Input{Items: make([]string, 6), ItemAttributes: &dataset.Attributes{Columns: []dataset.Column{genres}}}
	m, err := New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(history ...model.Touch) []float32 {
		dst := make([]float32, 6)
		if err := s.Score(t.Context(), model.Query{History: history, Item: model.NoItem}, dst); err != nil {
			t.Fatal(err)
		}
		return dst
	}
	a, b := ask(model.Touch{Item: 0, Weight: 1}), ask(model.Touch{Item: 2, Weight: 1})
	both := ask(model.Touch{Item: 0, Weight: 1}, model.Touch{Item: 2, Weight: 0.5})
	for i := range both {
		near(t, "the sum", both[i], float64(max(a[i], 0))+0.5*float64(max(b[i], 0))+float64(min(both[i], 0)))
	}
	if both[5] >= 0 {
		t.Errorf("nothing in common scores %g", both[5])
	}
}
