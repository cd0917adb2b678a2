package recipetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/attune-io/attune/dataset/datasettest"
	"github.com/attune-io/attune/recipe"
)

// blocks: computed from the last to the first, each alone and by hands that have
// done nothing before, the blocks of all stages make the bits of the whole training.
func (s *suite) blocks(t *testing.T) {
	if !s.claims.Blocks {
		t.Skip("computes nothing in blocks")
	}
	wide := *s
	wide.world = datasettest.Checkerboard(150, 150, 7) // so many rows that all have several blocks
	want := digest(t, wide.train(t, wide.input()))
	backwards := &Backwards{TB: t}
	in := wide.input()
	in.Runner = backwards.Run
	if got := digest(t, wide.train(t, in)); got != want {
		t.Error("in another order, block by block, the model is another")
	}
	if backwards.Blocks < 2 {
		t.Errorf("at most %d blocks: nothing was in another order", backwards.Blocks)
	}
	failing := errors.New("failing")
	in.Runner = func(context.Context, recipe.Stage, func() func(recipe.Block), func(done, total int)) error {
		return failing
	}
	if _, err := s.recipe.Train(t.Context(), in); !errors.Is(err, failing) {
		t.Errorf("an error of the Runner came back as %v", err)
	}
}

// Backwards is a recipe.Runner that computes the last block first, and each as if
// it were alone. It fails the test where blocks are not every row once.
type Backwards struct {
	testing.TB
	Blocks int // of the stage that had most
}

// Run is the recipe.Runner.
func (r *Backwards) Run(ctx context.Context, stage recipe.Stage, worker func() func(recipe.Block), told func(done, total int)) error {
	r.Helper()
	r.check(stage)
	total := 0
	for _, b := range stage.Blocks {
		total += b.Len()
	}
	done := 0
	for _, b := range slices.Backward(stage.Blocks) {
		if err := ctx.Err(); err != nil {
			return err
		}
		worker()(b)
		if done += b.Len(); told != nil {
			told(done, total)
		}
	}
	return ctx.Err()
}

// check says whether the blocks are all rows, one after another.
func (r *Backwards) check(stage recipe.Stage) {
	r.Helper()
	r.Blocks = max(r.Blocks, len(stage.Blocks))
	if stage.Name == "" {
		r.Error("a stage has no name")
	}
	next := 0
	for _, b := range stage.Blocks {
		if b.From != next || b.Len() <= 0 {
			r.Fatalf("%s: rows from %d to %d come after row %d", stage.Name, b.From, b.To, next)
		}
		next = b.To
	}
}
