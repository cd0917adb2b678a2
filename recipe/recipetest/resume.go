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

// Keeper is a Checkpoint in memory, which ends the work after some saves where
// it was told to. Its copies and parts keep in one place.
type Keeper struct {
	prefix string
	all    map[string]saved
	made   *int
	stopAt int // of made; 0 for never
	stop   func()
}

type saved struct {
	round int
	state map[string]model.Tensor
}

// NewKeeper makes one with nothing in it, that ends nothing.
func NewKeeper() Keeper { return Keeper{all: map[string]saved{}, made: new(int)} }

// After is the same Keeper, calling stop as soon as so many more saves were made.
func (k Keeper) After(saves int, stop func()) Keeper {
	k.stopAt, k.stop = *k.made+saves, stop
	return k
}

// Saves is how many were made since NewKeeper.
func (k Keeper) Saves() int { return *k.made }

// Parts are the names of all that is kept, each with a slash before every part of it.
func (k Keeper) Parts() []string { return slices.Sorted(maps.Keys(k.all)) }

// Load is recipe.Checkpoint's.
func (k Keeper) Load(context.Context) (int, map[string]model.Tensor, error) {
	s := k.all[k.prefix]
	return s.round, s.state, nil
}

// Save is recipe.Checkpoint's.
func (k Keeper) Save(_ context.Context, round int, state map[string]model.Tensor) error {
	copied := map[string]model.Tensor{}
	for name, t := range state {
		copied[name] = model.Tensor{Shape: slices.Clone(t.Shape), F32: slices.Clone(t.F32), I32: slices.Clone(t.I32)}
	}
	k.all[k.prefix] = saved{round, copied}
	if *k.made++; *k.made == k.stopAt {
		k.stop()
	}
	return nil
}

// Part is recipe.Checkpoint's.
func (k Keeper) Part(name string) recipe.Checkpoint {
	k.prefix += "/" + name
	return k
}

// resume cuts the training short at its first, second and third checkpoint; each
// time it goes on, and ends with the bits of a training that was never cut.
func (s *suite) resume(t *testing.T) {
	if !s.claims.Rounds {
		t.Skip("trains in one go")
	}
	s.learned(t)
	all, whole := 0, s.input()
	whole.Watch = func(int, func() (model.Scorer, error)) (bool, error) { all++; return false, nil }
	s.train(t, whole)
	for cut := 1; cut <= 3; cut++ {
		ctx, stop := context.WithCancel(t.Context())
		k := NewKeeper()
		in := s.input()
		in.Checkpoint = k.After(cut, stop)
		if _, err := s.recipe.Train(ctx, in); !errors.Is(err, context.Canceled) {
			t.Fatalf("cut at checkpoint %d: %v", cut, err)
		}
		before := k.Saves()
		in.Checkpoint = k
		rounds := 0
		in.Watch = func(int, func() (model.Scorer, error)) (bool, error) { rounds++; return false, nil }
		if got := digest(t, s.train(t, in)); got != s.bits {
			t.Errorf("cut at checkpoint %d and resumed, the model is another", cut)
		}
		if before == 0 || rounds >= all {
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
