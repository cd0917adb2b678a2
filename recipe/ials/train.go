package ials

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// spread of the first factors, over the square root of the dimension.
const spread = 0.1

// The tensors of a checkpoint.
const (
	keptUsers = "users" // users × dimension
	keptItems = "items" // items × dimension
)

// training is one call of Train.
type training struct {
	parameters
	in             recipe.Input
	byUser, byItem *pairs
	users, items   matrix.Dense // factors
}

// Train learns item factors.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	p, err := resolve(in)
	if err != nil {
		return nil, err
	}
	t := newTraining(p, in)
	first, err := t.begin(ctx)
	if err != nil {
		return nil, err
	}
	in.Report(2*first, 2*p.iterations)
	for epoch := first; epoch < p.iterations; epoch++ {
		if err := p.halfStep(ctx, in.Run, t.users, t.items, t.byUser); err != nil {
			return nil, err
		}
		in.Report(2*epoch+1, 2*p.iterations)
		if err := p.halfStep(ctx, in.Run, t.items, t.users, t.byItem); err != nil {
			return nil, err
		}
		in.Report(2*epoch+2, 2*p.iterations)
		if err := in.Keep(ctx, epoch+1, t.state()); err != nil {
			return nil, err
		}
		stop, err := in.Watched(epoch+1, func() (model.Scorer, error) { return Recipe{}.Decode(t.model()) })
		if err != nil {
			return nil, err
		}
		if stop {
			in.Report(2*p.iterations, 2*p.iterations)
			break
		}
	}
	for _, v := range t.items.Data {
		if v != v || math.IsInf(float64(v), 0) {
			return nil, p.diverged()
		}
	}
	return t.model(), ctx.Err()
}

func newTraining(p parameters, in recipe.Input) *training {
	t := &training{parameters: p, in: in}
	byUser := matrix.NewUserItems(in.Users, len(in.Items), in.Events.User, in.Events.Item, in.Events.Weight)
	for i, n := range byUser.Weight {
		byUser.Weight[i] = confidence(n)
	}
	byItem := byUser.Transpose()
	batchRows := batchBytes / (systemSize * 4 * p.dimension)
	t.byUser = newPairs(stageUsers, byUser.CSR(), p.strip(), batchRows)
	t.byItem = newPairs(stageItems, byItem.CSR(), p.strip(), batchRows)
	return t
}

// begin makes the first factors, or takes those of the checkpoint; it returns
// how many rounds are done.
func (t *training) begin(ctx context.Context) (int, error) {
	t.users, t.items = matrix.NewDense(t.in.Users, t.dimension), matrix.NewDense(len(t.in.Items), t.dimension)
	round, state, err := t.in.Resume(ctx)
	if err != nil {
		return 0, err
	}
	users, items := state[keptUsers].F32, state[keptItems].F32
	if round > 0 && round <= t.iterations && len(users) == len(t.users.Data) && len(items) == len(t.items.Data) {
		copy(t.users.Data, users)
		copy(t.items.Data, items)
		return round, nil
	}
	r := rand.New(rand.NewPCG(t.in.Seed, 0x6941_4c53)) // the second word keeps this stream apart from others of the same seed
	scale := spread / math.Sqrt(float64(t.dimension))
	for i := range t.items.Data {
		t.items.Data[i] = float32(r.NormFloat64() * scale)
	}
	return 0, nil
}

// state is what a checkpoint keeps.
func (t *training) state() map[string]model.Tensor {
	return map[string]model.Tensor{
		keptUsers: {Shape: []int{t.users.Rows, t.dimension}, F32: t.users.Data},
		keptItems: {Shape: []int{t.items.Rows, t.dimension}, F32: t.items.Data},
	}
}

// model is what has been learned so far; it shares the item factors.
func (t *training) model() *model.Model {
	in, n := t.in, len(t.in.Items)
	count := make([]int32, n)
	for i := range count {
		count[i] = int32(t.byItem.Start[i+1] - t.byItem.Start[i])
	}
	return &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: t.strings(in.Params), Seed: in.Seed, Scores: "softmax",
			Users: in.Users, Items: n, Interactions: int64(in.Events.Len())},
		Items: in.Items,
		Tensors: map[string]model.Tensor{
			tensorFactors: {Shape: []int{n, t.dimension}, F32: t.items.Data},
			tensorCount:   {Shape: []int{n}, I32: count},
		},
	}
}

// diverged says what to do about numbers that are none.
func (p parameters) diverged() error {
	return attune.Errorf(attune.Invalid, "training diverged: raise %s above %g or %s above %g", ParamRegularize, p.regularize, ParamUnobserved, p.unobserved)
}

// confidence of n interactions with one item: repeats say more, but less and less.
func confidence(n float32) float32 {
	if n <= 1 {
		return n
	}
	return 1 + float32(math.Log(float64(n)))
}
