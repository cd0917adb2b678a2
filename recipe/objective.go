package recipe

import (
	"cmp"
	"math"
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
)

// Objective is what to optimise beside relevance: the sum of an attribute over
// what users go on to.
type Objective struct {
	Attribute   string // numeric column of the snapshot's items
	Sensitivity string // a key of Sensitivities
}

// Sensitivities are the weights of an objective among scores whose softmax is
// what users do next: the item with the greatest value has 1.5, 3 or 10 times
// the odds that it would have with the smallest.
func Sensitivities() map[string]float64 {
	return map[string]float64{"LOW": math.Log(1.5), "MEDIUM": math.Log(3), "HIGH": math.Log(10)}
}

// rewards are the values of the objective's attribute by item, NaN where there
// is none; nil without an objective. A column that is not there, or is not
// numeric, is attune.Invalid.
func (f *fit) rewards() ([]float64, error) {
	if f.Objective == nil {
		return nil, nil
	}
	c, ok := f.Snapshot.ItemAttributes.Column(f.Objective.Attribute)
	if !ok || c.Number == nil {
		return nil, attune.Errorf(attune.Invalid, "optimizationObjective is for the column %s of Items, and the data has no such numbers: import items with it", f.Objective.Attribute)
	}
	return c.Number, nil
}

// aim gives a model its objective.
func (f *fit) aim(m *model.Model) error {
	values, err := f.rewards()
	if err != nil || values == nil {
		return err
	}
	m.Manifest.Objective = &model.Objective{Attribute: f.Objective.Attribute, Sensitivity: f.Objective.Sensitivity,
		Weight: Sensitivities()[f.Objective.Sensitivity]}
	m.Tensors[model.TensorObjective] = model.Tensor{Shape: []int{len(values)}, F32: ranks(values)}
	return nil
}

// ranks are the shares of the other values that are smaller, 0 where there is none.
func ranks(values []float64) []float32 {
	var order []int
	for i, v := range values {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
	out, smaller := make([]float32, len(values)), 0
	for at, i := range order {
		if at > 0 && values[i] > values[order[at-1]] {
			smaller = at
		}
		out[i] = float32(smaller) / float32(max(1, len(order)-1))
	}
	return out
}

// reward is the part of what a user's true items are worth that stands among
// the first ranked ones; ok is false when they are worth nothing.
func reward(ranked, truth []int32, values []float64) (share float64, ok bool) {
	worth := func(row int32) float64 {
		if v := values[row]; v > 0 { // false for NaN
			return v
		}
		return 0
	}
	best := make([]float64, 0, len(truth))
	got := 0.0
	for _, row := range truth {
		best = append(best, worth(row))
		if slices.Contains(ranked, row) {
			got += worth(row)
		}
	}
	slices.SortFunc(best, func(a, b float64) int { return cmp.Compare(b, a) })
	all := 0.0
	for _, v := range best[:min(len(best), evaluate.Depth)] {
		all += v
	}
	return got / all, all > 0
}

// influence gives a model what rankingInfluence asks for: how popular and how
// fresh its items are at the snapshot's moment, or the newest event's.
func (f *fit) influence(m *model.Model) {
	users, items := map[int64]bool{}, len(m.Items)
	count := make([]float64, items)
	now := int64(0)
	for i, item := range f.events.Item {
		if pair := int64(f.events.User[i])<<32 | int64(item); !users[pair] {
			users[pair] = true
			count[item]++
		}
		now = max(now, f.events.At[i])
	}
	if !f.Snapshot.AsOf.IsZero() {
		now = f.Snapshot.AsOf.UnixMilli()
	}
	most := 1.0
	for _, n := range count {
		most = max(most, n)
	}
	popular, fresh := make([]float32, items), make([]float32, items)
	created := firstSeen(f.Snapshot, items)
	for i := range popular {
		popular[i] = float32(math.Log1p(count[i]) / math.Log1p(most))
		const day = 24 * 3600 * 1000
		if created[i] > 0 {
			age := max(0, float64(now-created[i])/day)
			fresh[i] = float32(math.Exp2(-age / model.FreshHalfLife))
		}
	}
	m.Tensors[model.TensorPopularity] = model.Tensor{Shape: []int{items}, F32: popular}
	m.Tensors[model.TensorFreshness] = model.Tensor{Shape: []int{items}, F32: fresh}
}

// columnCreated is the column of items that says when they came, in Unix seconds.
const columnCreated = "CREATION_TIMESTAMP"

// firstSeen is when each item came, in Unix milliseconds: its
// CREATION_TIMESTAMP, else its first event; 0 where nothing is known.
func firstSeen(s *dataset.Snapshot, items int) []int64 {
	at := make([]int64, items)
	for i, item := range s.Events.Item {
		if at[item] == 0 || s.Events.At[i] < at[item] {
			at[item] = s.Events.At[i]
		}
	}
	if c, ok := s.ItemAttributes.Column(columnCreated); ok && c.Number != nil {
		for i, seconds := range c.Number {
			if !math.IsNaN(seconds) {
				at[i] = int64(seconds) * 1000
			}
		}
	}
	return at
}
