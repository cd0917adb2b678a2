package recipe

import (
	"context"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
)

// Checkpoint keeps the state of a training that takes long, so that one cut
// short goes on where it was: cancelled and resumed, it makes the same bits as
// if it had never stopped. It belongs to one Input; whoever gives it out takes
// care that another Input gets another. A recipe that trains in seconds need
// not use it.
type Checkpoint interface {
	// Load is the newest state kept, and the rounds done then; 0 and nil when
	// there is none, or what is there is damaged. One that cannot be reached now
	// is an error: to begin anew would throw it away.
	Load(ctx context.Context) (round int, state map[string]model.Tensor, err error)
	// Save replaces the state. The tensors may change as soon as it returns. It
	// may decide that it is too early for another write and keep the one before.
	Save(ctx context.Context, round int, state map[string]model.Tensor) error
	// Part is the Checkpoint of one part of the work, by a name that is unique in it.
	Part(name string) Checkpoint
}

// Resume is Checkpoint.Load, and nothing without a Checkpoint.
func (in Input) Resume(ctx context.Context) (round int, state map[string]model.Tensor, err error) {
	if in.Checkpoint == nil {
		return 0, nil, nil
	}
	return in.Checkpoint.Load(ctx)
}

// Keep is Checkpoint.Save, and nothing without a Checkpoint.
func (in Input) Keep(ctx context.Context, round int, state map[string]model.Tensor) error {
	if in.Checkpoint == nil {
		return nil
	}
	return in.Checkpoint.Save(ctx, round, state)
}

// Watch is told after each round of a training (an epoch, mostly), from 1. now
// makes a scorer of what is learned so far, good until Watch returns. When stop
// is true the training ends with what it has.
type Watch func(round int, now func() (model.Scorer, error)) (stop bool, err error)

// Watched calls Watch if there is one.
func (in Input) Watched(round int, now func() (model.Scorer, error)) (stop bool, err error) {
	if in.Watch == nil {
		return false, nil
	}
	return in.Watch(round, now)
}

// Tier names the arithmetic that this process learns with. What was begun in one
// tier cannot go on in another to the same bits: ADR 11.
func Tier() string { return kernel.Using().String() }

// Coster is a Recipe that knows how long Train takes, so that a budget can be
// kept without looking at a clock: what a search tries then depends on data and
// parameters only, and not on what else the machine does.
type Coster interface {
	// Seconds estimates Train on two cores with AVX2 that do nothing else.
	Seconds(in Input) float64
}

// Searcher is a Recipe that chooses its parameters by itself.
type Searcher interface {
	// Search finds the parameters to train with: all that Train needs, complete
	// with in.Params, of which none is varied. in.Events is the training part of
	// the validation slice. The same Input and Validation find the same.
	Search(ctx context.Context, in Input, v Validation) (Found, error)
}

// Validation is what a Searcher may choose on.
type Validation struct {
	Cases    []dataset.Case
	LeaveOut bool    // items of a case's input are no answers
	Cut      int     // of NDCG, which is what is made large; 0 for 25
	Seconds  float64 // budget, in the seconds of Coster: for the search and the trainings after it
	After    int     // trainings with what was found that must fit in Seconds too; 0 for one
	Jobs     int     // other parameters than each recipe's first that are tried, at most; 0 for as many as the budget bears
	Memory   int64   // bytes that what is trained may take together, as Sizer has it; 0 for any
	Ranges   []Range // parameters that may only lie here, by their names without a member; nil for all free
	// Score is what is made large instead of NDCG, of the ranked items of each
	// case, best first; nil for NDCG.
	Score    func(lists [][]int32) float64
	Progress func(done, total int)
}

// Found is what a Searcher chose.
type Found struct {
	Params map[string]string
	Value  float64      // of the metric, on the validation cases
	Model  *model.Model // trained on the Input with Params; nil where nothing had to be trained
	Trials []model.Trial
}

// Ordered says whether the times of events tell an order: whether most users
// with more than one event have events of different times. Sequences cannot be
// learned from data of which it is false.
func Ordered(e dataset.Events) bool {
	users, ordered := 0, 0
	e.ByUser(func(_ int32, from, to int) {
		if to-from < 2 {
			return
		}
		users++
		if e.At[from] != e.At[to-1] {
			ordered++
		}
	})
	return 2*ordered > users
}
