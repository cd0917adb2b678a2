package popularity

import (
	"context"
	"maps"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "popularity"

// Tensors of the model.
const (
	tensorCount  = "item_count"  // items: distinct users of each
	tensorWeight = "item_weight" // items: the same with each user as their events weigh; only when those differ
)

// Recipe counts users. It has no hyper-parameters.
type Recipe struct{}

// New makes the recipe.
func New() Recipe { return Recipe{} }

// Name is "popularity".
func (Recipe) Name() string { return Name }

// Bytes estimates the peak memory of Train: the interactions by user while
// they are made distinct.
func (Recipe) Bytes(in recipe.Input) int64 {
	return 28*int64(in.Events.Len()) + 16*int64(in.Users+len(in.Items))
}

// secondsEvent is what counting an interaction takes, measured on data of 44,000 to 990,000.
const secondsEvent = 3e-8

// Seconds estimates Train: making the interactions distinct.
func (Recipe) Seconds(in recipe.Input) float64 { return secondsEvent * float64(in.Events.Len()) }

// Train counts the distinct users of every item.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in.Report(0, 1)
	pairs := matrix.NewUserItems(in.Users, len(in.Items), in.Events.User, in.Events.Item, in.Events.Weight)
	count, weight := make([]int32, len(in.Items)), make([]float32, len(in.Items))
	for i, item := range pairs.Item {
		count[item]++
		weight[item] += min(pairs.Weight[i], 1) // a user counts once, however often they came back
	}
	tensors := map[string]model.Tensor{tensorCount: {Shape: []int{len(in.Items)}, I32: count}}
	if in.Events.Weight != nil {
		tensors[tensorWeight] = model.Tensor{Shape: []int{len(in.Items)}, F32: weight}
	}
	in.Report(1, 1)
	params := maps.Clone(in.Params)
	if params == nil {
		params = map[string]string{}
	}
	return &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: params, Seed: in.Seed, Scores: "none",
			Users: in.Users, Items: len(in.Items), Interactions: int64(in.Events.Len())},
		Items:   in.Items,
		Tensors: tensors,
	}, ctx.Err()
}

// Decode makes a scorer whose score is the count, or the weight where events weigh differently.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	t, err := recipe.CheckTensor(m, tensorCount, len(m.Items))
	if err != nil {
		return nil, err
	}
	if t.I32 == nil && len(t.F32) > 0 {
		return nil, attune.Errorf(attune.Invalid, "popularity model: %s must be int32", tensorCount)
	}
	s := make(recipe.Fixed, len(t.I32))
	for i, n := range t.I32 {
		s[i] = float32(n)
	}
	if _, weighed := m.Tensors[tensorWeight]; weighed {
		if t, err = recipe.CheckTensor(m, tensorWeight, len(m.Items)); err != nil {
			return nil, err
		}
		if t.F32 == nil && len(t.I32) > 0 {
			return nil, attune.Errorf(attune.Invalid, "popularity model: %s must be float32", tensorWeight)
		}
		s = t.F32
	}
	return s, nil
}

var (
	_ recipe.Recipe = Recipe{}
	_ recipe.Sizer  = Recipe{}
	_ recipe.Coster = Recipe{}
)
