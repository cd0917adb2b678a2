package model

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/attune-io/attune"
)

// fixed scores everybody alike, one by one and many at once.
type fixed []float32

func (f fixed) Score(_ context.Context, _ Query, dst []float32) error {
	copy(dst, f)
	return nil
}

type fixedMany struct{ fixed }

func (f fixedMany) ScoreMany(_ context.Context, _ []Query, dst [][]float32) error {
	for _, d := range dst {
		copy(d, f.fixed)
	}
	return nil
}

func scoresOf(t *testing.T, s Scorer, n int) []float32 {
	t.Helper()
	out := make([]float32, n)
	if err := s.Score(t.Context(), Query{Item: NoItem}, out); err != nil {
		t.Fatal(err)
	}
	if many, ok := s.(ManyScorer); ok {
		both := [][]float32{make([]float32, n), make([]float32, n)}
		if err := many.ScoreMany(t.Context(), make([]Query, 2), both); err != nil || !slices.Equal(both[0], out) || !slices.Equal(both[1], out) {
			t.Errorf("many at once %v, one by one %v: %v", both, out, err)
		}
	}
	return out
}

func TestWithObjective(t *testing.T) {
	m := &Model{Items: []string{"a", "b"}, Tensors: map[string]Tensor{}}
	plain := fixed{1, 2}
	if s, err := WithObjective(plain, m); err != nil || !slices.Equal(scoresOf(t, s, 2), plain) {
		t.Errorf("without an objective: %v", err)
	}
	m.Manifest.Objective = &Objective{Attribute: "PRICE", Weight: 2}
	if _, err := WithObjective(plain, m); attune.KindOf(err) != attune.Invalid {
		t.Errorf("without its tensor: %v", err)
	}
	m.Tensors[TensorObjective] = Tensor{Shape: []int{2}, F32: []float32{1, 0.25}}
	for _, inner := range []Scorer{plain, fixedMany{plain}} {
		s, err := WithObjective(inner, m)
		if err != nil {
			t.Fatal(err)
		}
		_, was := inner.(ManyScorer)
		if _, is := s.(ManyScorer); is != was {
			t.Errorf("many at once: %v, was %v", is, was)
		}
		if got := scoresOf(t, s, 2); !slices.Equal(got, []float32{3, 2.5}) {
			t.Errorf("scores %v", got)
		}
	}
}

func TestWithInfluence(t *testing.T) {
	inf := float32(math.Inf(-1))
	m := &Model{Items: []string{"a", "b", "c", "d"}, Tensors: map[string]Tensor{
		TensorPopularity: {Shape: []int{4}, F32: []float32{0, 1, 0.5, 1}}, TensorFreshness: {Shape: []int{4}, F32: []float32{1, 0, 0, 1}}}}
	for _, c := range []struct {
		scores         fixed
		popular, fresh float64
		want           []float32
	}{
		{fixed{10, 20, 30, inf}, 0, 0, []float32{10, 20, 30, inf}},
		{fixed{10, 20, 30, inf}, 1, 0, []float32{0, 1.5, 1.5, inf}},
		{fixed{10, 20, 30, inf}, 0.5, 1, []float32{1, 1, 1.25, inf}},
		{fixed{7, 7, 7, 7}, 1, 1, []float32{1, 1, 0.5, 2}}, // nothing to tell them apart but the factors
		{fixed{inf, inf, inf, inf}, 1, 1, []float32{inf, inf, inf, inf}},
	} {
		s, err := WithInfluence(fixedMany{c.scores}, m, c.popular, c.fresh)
		if err != nil {
			t.Fatal(err)
		}
		if got := scoresOf(t, s, 4); !slices.Equal(got, c.want) {
			t.Errorf("%v with %g and %g: %v, want %v", c.scores, c.popular, c.fresh, got, c.want)
		}
	}
	if _, err := WithInfluence(fixed{1}, &Model{Items: []string{"a"}}, 0, 0.1); attune.KindOf(err) != attune.Invalid {
		t.Errorf("without tensors: %v", err)
	}
}
