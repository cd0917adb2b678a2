package circumstance

import (
	"context"
	"strings"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "circumstance"

// The hyper-parameters, which only Decode reads.
const (
	ParamShrinkage  = "context_shrinkage" // interactions with all items that are added to those with an item
	ParamWeight     = "context_weight"    // of each value's word; below 1 where columns say the same
	ParamPopularity = "popularity_weight" // of the logarithm of an item's share of all interactions; 0 for the context's word alone
)

const (
	defaultShrinkage  = 20
	defaultWeight     = 1
	defaultPopularity = 1
)

// usersAtLeast is how many users must have a value: what fewer say would be of persons.
const usersAtLeast = 10

// Tensors of the model; docs/format/model.md tells their shapes.
const (
	tensorColumn = "column"
	tensorEdge   = "column_edge"
	tensorSaid   = "column_item"
	tensorGroup  = "group"
	tensorShare  = "group_share"
	tensorStart  = "group_start"
	tensorEntry  = "group_item"
	tensorCount  = "item_count"
)

// Recipe is contextual modelling.
type Recipe struct{}

// New makes the recipe.
func New() Recipe { return Recipe{} }

// Name is "circumstance".
func (Recipe) Name() string { return Name }

type parameters struct{ shrinkage, weight, popularity float64 }

func resolve(in recipe.Input) (p parameters, err error) {
	if p.shrinkage, err = in.Float(ParamShrinkage, defaultShrinkage, 1e-3, 1e9); err != nil {
		return p, err
	}
	if p.weight, err = in.Float(ParamWeight, defaultWeight, 0, 100); err != nil {
		return p, err
	}
	p.popularity, err = in.Float(ParamPopularity, defaultPopularity, 0, 100)
	return p, err
}

func (p parameters) strings(given map[string]string) map[string]string {
	out := recipe.With(given, ParamShrinkage, recipe.FormatFloat(p.shrinkage))
	out[ParamWeight], out[ParamPopularity] = recipe.FormatFloat(p.weight), recipe.FormatFloat(p.popularity)
	return out
}

// Refinements varies how much must have been done with an item to be believed,
// and how much columns repeat each other.
func (Recipe) Refinements(in recipe.Input) []map[string]string {
	out := recipe.Variants([]map[string]string{in.Params}, in.Params, ParamShrinkage, "5", "100")
	if len(in.Events.Context) > 1 {
		out = recipe.Variants(out, in.Params, ParamWeight, "0.5")
	}
	return out
}

// Bytes estimates the peak memory of Train: the pairs of one column while they
// are counted, and the counts.
func (Recipe) Bytes(in recipe.Input) int64 {
	all, most := int64(0), int64(0)
	for k := range in.Events.Context {
		n := valuesOf(&in.Events.Context[k])
		all, most = all+n, max(most, n)
	}
	return 16*most + 8*all + (16+8*int64(len(in.Events.Context)))*int64(len(in.Items))
}

// valuesOf is how many a column has in all events together, of which a text may have several.
func valuesOf(c *dataset.Circumstance) (n int64) {
	if c.Code == nil {
		return int64(len(c.Number))
	}
	of := make([]int64, len(c.Texts))
	for code, text := range c.Texts {
		of[code] = 1 + int64(strings.Count(text, "|"))
	}
	for _, code := range c.Code {
		if code >= 0 {
			n += of[code]
		}
	}
	return n
}

// Seconds estimates Train: sorting the pairs of each column.
func (Recipe) Seconds(in recipe.Input) float64 {
	const each = 2e-7
	return each * float64(1+len(in.Events.Context)) * float64(in.Events.Len())
}

// Train counts the interactions under every value.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	p, err := resolve(in)
	if err != nil {
		return nil, err
	}
	steps := 1 + len(in.Events.Context)
	in.Report(0, steps)
	l := &learned{items: len(in.Items), Groups: recipe.Groups{Start: []int32{0}}, count: make([]int32, len(in.Items))}
	for done := range steps {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if done == 0 {
			l.popular(in)
		} else {
			l.learn(in.Events, done-1)
		}
		in.Report(1+done, steps)
	}
	return &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: p.strings(in.Params), Seed: in.Seed, Scores: "none", AsksContext: len(l.column) > 0,
			Users: in.Users, Items: len(in.Items), Interactions: int64(in.Events.Len())},
		Items:   in.Items,
		Tensors: l.tensors(),
	}, ctx.Err()
}

// tensors are what the model keeps.
func (l *learned) tensors() map[string]model.Tensor {
	whole := func(values []int32, shape ...int) model.Tensor {
		return model.Tensor{Shape: shape, I32: append([]int32{}, values...)}
	}
	float := func(values []float32, shape ...int) model.Tensor {
		return model.Tensor{Shape: shape, F32: append([]float32{}, values...)}
	}
	columns, groups := len(l.column)/columnWords, len(l.group)/groupWords
	return map[string]model.Tensor{
		tensorColumn: whole(l.column, columns, columnWords),
		tensorEdge:   float(l.edge, columns, ranges-1),
		tensorSaid:   whole(l.said, columns, l.items),
		tensorGroup:  whole(l.group, groups, groupWords),
		tensorShare:  float(l.share, groups, 1),
		tensorStart:  whole(l.Start, groups+1),
		tensorEntry:  whole(l.Entry, len(l.Entry)/2, 2),
		tensorCount:  whole(l.count, len(l.count)),
	}
}

var (
	_ recipe.Recipe  = Recipe{}
	_ recipe.Sizer   = Recipe{}
	_ recipe.Coster  = Recipe{}
	_ recipe.Refiner = Recipe{}
	_ model.Scorer   = (*scorer)(nil)
)
