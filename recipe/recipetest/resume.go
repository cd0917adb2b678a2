package recipetest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// kept is a Checkpoint in memory that ends the training after some saves.
type kept struct {
	prefix string
	all    map[string]saved
	saves  *int // left before stop is called
	stop   func()
}

type saved struct {
	round int
	state map[string]model.Tensor
}

func (k kept) Load(context.Context) (int, map[string]model.Tensor, error) {
	s := k.all[k.prefix]
	return s.round, s.state, nil
}

func (k kept) Save(_ context.Context, round int, state map[string]model.Tensor) error {
	copied := map[string]model.Tensor{}
	for name, t := range state {
		copied[name] = model.Tensor{Shape: slices.Clone(t.Shape), F32: slices.Clone(t.F32), I32: slices.Clone(t.I32)}
	}
	k.all[k.prefix] = saved{round, copied}
	if *k.saves--; *k.saves == 0 {
		k.stop()
	}
	return nil
}

func (k kept) Part(name string) recipe.Checkpoint {
	k.prefix += "/" + name
	return k
}

// resume cuts the training short at its first, second and third checkpoint; each
// time it goes on, and ends with the bits of a training that was never cut.
func (s *suite) resume(t *testing.T) {
	if !s.claims.Rounds {
		t.Skip("trains in one go")
	}
	want := digest(t, s.train(t, s.input()))
	for cut := 1; cut <= 3; cut++ {
		ctx, stop := context.WithCancel(t.Context())
		left := cut
		k := kept{all: map[string]saved{}, saves: &left, stop: stop}
		in := s.input()
		in.Checkpoint = k
		if _, err := s.recipe.Train(ctx, in); !errors.Is(err, context.Canceled) {
			t.Fatalf("cut at checkpoint %d: %v", cut, err)
		}
		before := maps.Clone(k.all)
		left = -1
		rounds := 0
		in.Watch = func(int, func() (model.Scorer, error)) (bool, error) { rounds++; return false, nil }
		if got := digest(t, s.train(t, in)); got != want {
			t.Errorf("cut at checkpoint %d and resumed, the model is another", cut)
		}
		all := 0
		whole := s.input()
		whole.Watch = func(int, func() (model.Scorer, error)) (bool, error) { all++; return false, nil }
		s.train(t, whole)
		if len(before) == 0 || rounds >= all {
			t.Errorf("cut at checkpoint %d it made %d rounds of %d again: nothing was resumed", cut, rounds, all)
		}
	}
}

// watch: every round is told of, with a scorer that answers, and stopping after
// one ends the training with what there is.
func (s *suite) watch(t *testing.T) {
	if !s.claims.Rounds {
		t.Skip("trains in one go")
	}
	in, last := s.input(), 0
	in.Watch = func(round int, now func() (model.Scorer, error)) (bool, error) {
		if round != last+1 {
			t.Errorf("round %d after %d", round, last)
		}
		last = round
		scorer, err := now()
		if err != nil {
			return false, err
		}
		score(t, scorer, model.Query{History: s.history(0), Item: model.NoItem}, len(in.Items))
		return round == 2, nil
	}
	m := s.train(t, in)
	if last != 2 {
		t.Errorf("told to stop after round 2, it went on to %d", last)
	}
	score(t, s.decode(t, m), model.Query{History: s.history(0), Item: model.NoItem}, len(m.Items))
	failing := errors.New("failing")
	in.Watch = func(int, func() (model.Scorer, error)) (bool, error) { return false, failing }
	if _, err := s.recipe.Train(t.Context(), in); !errors.Is(err, failing) {
		t.Errorf("an error of Watch came back as %v", err)
	}
}
