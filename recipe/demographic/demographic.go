package demographic

import (
	"context"
	"maps"
	"slices"

	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "demographic"

// The hyper-parameters, which only Decode reads.
const (
	ParamShrinkage = "group_shrinkage" // interactions of everybody that are added to those of a group
	ParamWeight    = "group_weight"    // of each group's word; below 1 where columns say the same
)

const (
	defaultShrinkage = 1000
	defaultWeight    = 1
)

// usersAtLeast is how many users with interactions make a group: fewer say
// little, and what they say would be of persons.
const usersAtLeast = 10

// Tensors of the model; docs/format/model.md tells their shapes.
const (
	tensorGroup      = "group"
	tensorStart      = "group_start"
	tensorEntry      = "group_item"
	tensorEdgeColumn = "edge_column"
	tensorEdge       = "edge"
	tensorCount      = "item_count"
)

// Recipe is demographic filtering.
type Recipe struct{}

// New makes the recipe.
func New() Recipe { return Recipe{} }

// Name is "demographic".
func (Recipe) Name() string { return Name }

type parameters struct{ shrinkage, weight float64 }

func resolve(in recipe.Input) (p parameters, err error) {
	if p.shrinkage, err = in.Float(ParamShrinkage, defaultShrinkage, 1e-3, 1e9); err != nil {
		return p, err
	}
	p.weight, err = in.Float(ParamWeight, defaultWeight, 0, 100)
	return p, err
}

// Refinements varies how much a group must have done to be believed, and how
// much columns repeat each other.
func (Recipe) Refinements(in recipe.Input) []map[string]string {
	out := recipe.Variants([]map[string]string{in.Params}, in.Params, ParamShrinkage, "100", "10000")
	return recipe.Variants(out, in.Params, ParamWeight, "0.5")
}

// Bytes estimates the peak memory of Train: the interactions by user while they
// are made distinct, and the counts.
func (Recipe) Bytes(in recipe.Input) int64 {
	columns := int64(0)
	if in.UserAttributes != nil {
		columns = int64(len(in.UserAttributes.Columns))
	}
	return (28+16*columns)*int64(in.Events.Len()) + (16+16*columns)*int64(in.Users) + 16*int64(len(in.Items))
}

// secondsEvent is what counting an interaction takes, once for everybody and once for each column.
const secondsEvent = 1e-7

// Seconds estimates Train.
func (Recipe) Seconds(in recipe.Input) float64 {
	columns := 0
	if in.UserAttributes != nil {
		columns = len(in.UserAttributes.Columns)
	}
	return secondsEvent * float64(1+columns) * float64(in.Events.Len())
}

// Train counts the interactions of every group.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	p, err := resolve(in)
	if err != nil {
		return nil, err
	}
	in.Report(0, 2)
	pairs := matrix.NewUserItems(in.Users, len(in.Items), in.Events.User, in.Events.Item, in.Events.Weight)
	read, columns, groups := learnGroups(in, func(user int) bool { items, _ := pairs.Of(user); return len(items) > 0 })
	in.Report(1, 2)
	var hashes, entry, edgeColumn []int32
	start, edge := []int32{0}, []float32{}
	count, counts := make([]int32, len(in.Items)), make([]int32, len(in.Items))
	for _, i := range pairs.Item {
		count[i]++
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		clear(counts)
		for _, u := range groups[g] {
			items, _ := pairs.Of(int(u))
			for _, i := range items {
				counts[i]++
			}
		}
		for i, c := range counts {
			if c > 0 {
				entry = append(entry, int32(i), c)
			}
		}
		high, low := recipe.HashHalves(g)
		hashes, start = append(hashes, high, low), append(start, int32(len(entry)/2))
	}
	for _, h := range columns {
		high, low := recipe.HashHalves(h)
		edgeColumn, edge = append(edgeColumn, high, low), append(edge, read.edges[h]...)
	}
	in.Report(2, 2)
	params := recipe.With(in.Params, ParamShrinkage, recipe.FormatFloat(p.shrinkage))
	params[ParamWeight] = recipe.FormatFloat(p.weight)
	tensor := func(values []int32, shape ...int) model.Tensor {
		return model.Tensor{Shape: shape, I32: append([]int32{}, values...)}
	}
	return &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: params, Seed: in.Seed, Scores: "none", AsksUser: true,
			Users: in.Users, Items: len(in.Items), Interactions: int64(in.Events.Len())},
		Items: in.Items,
		Tensors: map[string]model.Tensor{
			tensorGroup: tensor(hashes, len(hashes)/2, 2), tensorStart: tensor(start, len(start)), tensorEntry: tensor(entry, len(entry)/2, 2),
			tensorEdgeColumn: tensor(edgeColumn, len(columns), 2), tensorEdge: {Shape: []int{len(columns), ranges - 1}, F32: edge},
			tensorCount: tensor(count, len(count)),
		},
	}, ctx.Err()
}

// learnGroups finds the groups that are large enough, with their users, among
// users who have interactions, and the columns of numbers by hash, ascending.
func learnGroups(in recipe.Input, active func(user int) bool) (r reader, columns []uint64, groups map[uint64][]int32) {
	r, groups = reader{edges: map[uint64][]float32{}}, map[uint64][]int32{}
	if in.UserAttributes == nil {
		return r, nil, groups
	}
	var mine []uint64
	for k := range in.UserAttributes.Columns {
		c := &in.UserAttributes.Columns[k]
		if c.Textual {
			continue
		}
		if cuts := edges(c); cuts != nil {
			r.edges[recipe.GroupName(c.Name)] = cuts
		}
		of := map[uint64][]int32{}
		for u := range in.Users {
			if !active(u) {
				continue
			}
			mine = r.groups(mine[:0], c.Name, c.Value(int32(u)))
			slices.Sort(mine)
			for _, g := range slices.Compact(mine) {
				of[g] = append(of[g], int32(u))
			}
		}
		if len(of) > valuesAtMost {
			continue
		}
		for g, users := range of {
			if len(users) >= usersAtLeast {
				groups[g] = users
			}
		}
	}
	return r, slices.Sorted(maps.Keys(r.edges)), groups
}

var (
	_ recipe.Recipe  = Recipe{}
	_ recipe.Sizer   = Recipe{}
	_ recipe.Coster  = Recipe{}
	_ recipe.Refiner = Recipe{}
	_ model.Scorer   = (*scorer)(nil)
)
