package blend

import (
	"context"
	"slices"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// rangeSteps is how many values of a range are looked at where no ladder is known.
const rangeSteps = 5

// within keeps a member inside the ranges that were asked for: the ladders of
// those of its parameters that have a range are cut to it, and one that was
// trained outside is trained again at the nearest end.
func (s *search) within(ctx context.Context, a *arm) error {
	if a.best == nil {
		return nil
	}
	moved := a.best.params
	for _, r := range s.v.Ranges {
		now, known := a.best.resolved[r.Name]
		if _, given := a.params[r.Name]; !known || given {
			continue
		}
		at := slices.IndexFunc(a.axes, func(x axis) bool { return x.name == r.Name })
		if at < 0 {
			at, a.axes = len(a.axes), append(a.axes, axis{name: r.Name})
		}
		x := &a.axes[at]
		x.values = slices.DeleteFunc(slices.Clone(x.values), func(v string) bool { return !r.Holds(v) })
		if len(x.values) < 2 {
			x.values = r.Spread(rangeSteps)
		}
		if r.Holds(now) {
			continue
		}
		nearest := 0
		if place, ok := x.place(now); ok && place > float64(len(x.values)-1)/2 {
			nearest = len(x.values) - 1
		}
		moved = recipe.With(moved, r.Name, x.values[nearest])
	}
	if len(moved) == len(a.best.params) {
		return nil
	}
	a.best = nil
	return s.try(ctx, a, moved)
}

// tell adds to params the value of each parameter with a range, by its name
// without a member: that of the member with the greatest weight that has it. All
// members that have it keep their own.
func (s *search) tell(params map[string]string, used []member, learned []*model.Model) {
	for _, r := range s.v.Ranges {
		if _, given := params[r.Name]; given {
			continue
		}
		said, weight := r.Default, -1.0
		if !r.Holds(said) {
			said = r.Spread(1)[0]
		}
		for i, m := range used {
			own, ok := learned[i].Manifest.Parameters[r.Name]
			if !ok {
				continue
			}
			params[m.name+"."+r.Name] = own
			if m.weight > weight {
				said, weight = own, m.weight
			}
		}
		params[r.Name] = said
	}
}
