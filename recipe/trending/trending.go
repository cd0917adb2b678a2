package trending

import (
	"cmp"
	"context"
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/spec"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "trending"

// Tensors of the model, one number for each item.
const (
	tensorLatest = "latest_count" // interactions in the latest window
	tensorBefore = "before_count" // and in the one before it
	tensorAll    = "item_count"   // ever
)

// Recipe counts in windows.
type Recipe struct{}

// New makes the recipe.
func New() Recipe { return Recipe{} }

// Name is "trending".
func (Recipe) Name() string { return Name }

// Bytes estimates the peak memory of Train: the counts.
func (Recipe) Bytes(in recipe.Input) int64 { return 3 * 4 * int64(len(in.Items)) }

// secondsEvent is what looking at an interaction takes.
const secondsEvent = 5e-9

// Seconds estimates Train: one look at every interaction.
func (Recipe) Seconds(in recipe.Input) float64 { return secondsEvent * float64(in.Events.Len()) }

// Train counts the interactions of every item, in all and in the two windows
// that end at the input's moment.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	window, err := spec.TrendWindow(in.Params[spec.ParamTrend])
	if err != nil {
		return nil, err
	}
	in.Report(0, 1)
	c := count(in, in.Moment(), window.Milliseconds())
	in.Report(1, 1)
	params := in.Params
	if params[spec.ParamTrend] == "" {
		params = recipe.With(params, spec.ParamTrend, spec.DefaultTrend)
	}
	tensor := func(n []int32) model.Tensor { return model.Tensor{Shape: []int{len(n)}, I32: n} }
	return &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: params, Seed: in.Seed, Scores: "none",
			Users: in.Users, Items: len(in.Items), Interactions: int64(in.Events.Len())},
		Items:   in.Items,
		Tensors: map[string]model.Tensor{tensorLatest: tensor(c.latest), tensorBefore: tensor(c.before), tensorAll: tensor(c.all)},
	}, ctx.Err()
}

// counts of every item.
type counts struct{ latest, before, all []int32 }

// count takes what happened until now; the windows are (now-w, now] and (now-2w, now-w].
func count(in recipe.Input, now, w int64) counts {
	n := len(in.Items)
	c := counts{make([]int32, n), make([]int32, n), make([]int32, n)}
	for k, item := range in.Events.Item {
		age := now - in.Events.At[k]
		if age < 0 {
			continue
		}
		c.all[item]++
		switch {
		case age < w:
			c.latest[item]++
		case age < 2*w:
			c.before[item]++
		}
	}
	return c
}

func (c counts) rise(item int32) int32 { return c.latest[item] - c.before[item] }

// order is every item, the one that rose most first.
func (c counts) order() []int32 {
	rows := make([]int32, len(c.all))
	for i := range rows {
		rows[i] = int32(i)
	}
	slices.SortStableFunc(rows, func(a, b int32) int {
		return cmp.Or(cmp.Compare(c.rise(b), c.rise(a)), cmp.Compare(c.latest[b], c.latest[a]), cmp.Compare(c.all[b], c.all[a]))
	})
	return rows
}

// Measure foretells the last window of the data from what was before it: the
// rise, in that window, of the 25 items that were recommended, over the rise of
// the 25 that rose most. 1 is the best, 0 no rise at all.
func (Recipe) Measure(in recipe.Input) (map[string]float64, error) {
	window, err := spec.TrendWindow(in.Params[spec.ParamTrend])
	if err != nil {
		return nil, err
	}
	in.Now = 0 // the windows of the data: an import may be older than they are long
	now, w := in.Moment(), window.Milliseconds()
	truth, foretold := count(in, now, w), count(in, now-w, w)
	sum := func(rows []int32) (all float64) {
		for _, row := range rows[:min(evaluate.Depth, len(rows))] {
			all += float64(truth.rise(row))
		}
		return all
	}
	best, got := sum(truth.order()), sum(foretold.order())
	if best <= 0 {
		got, best = 0, 1 // nothing rose: there was nothing to foretell
	}
	return map[string]float64{evaluate.TrendAccuracy: max(0, got/best)}, nil
}

// Decode puts the items in their order once; a score is a place in it.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	var c counts
	for name, to := range map[string]*[]int32{tensorLatest: &c.latest, tensorBefore: &c.before, tensorAll: &c.all} {
		t, err := recipe.CheckTensor(m, name, len(m.Items))
		if err != nil {
			return nil, err
		}
		if t.I32 == nil && len(t.F32) > 0 {
			return nil, attune.Errorf(attune.Invalid, "trending model: %s must be int32", name)
		}
		*to = t.I32
	}
	s := make(recipe.Fixed, len(m.Items))
	for place, row := range c.order() {
		s[row] = float32(len(m.Items) - place) // exact up to 2^24 items
	}
	return s, nil
}

var (
	_ recipe.Recipe   = Recipe{}
	_ recipe.Sizer    = Recipe{}
	_ recipe.Coster   = Recipe{}
	_ recipe.Measurer = Recipe{}
)
