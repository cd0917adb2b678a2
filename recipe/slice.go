package recipe

import (
	"context"
	"slices"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
)

// coldBelow is below how many interactions in the training part an item is
// cold, and a user new: as many as a core of the literature asks for.
const coldBelow = 5

// answersOf is those parts of some answers that a slice looks at.
type answersOf struct {
	name  string
	users []evaluate.User
}

// cold are the slices of answers about which behaviour says little. Cold items
// are asked for by everybody who went on to one: how well those are found, with
// the other right answers taken out of the list, since they are not wrong. New
// users are those of whom little is known. Slices that nobody is in are left out.
func cold(a *answers, split *dataset.Split, items int) []answersOf {
	n := make([]int, items)
	for _, i := range split.Train.Item {
		n[i]++
	}
	item, user := answersOf{name: model.SliceColdItems}, answersOf{name: model.SliceNewUsers}
	for k, c := range split.Cases {
		if c.Input.Len() < coldBelow {
			user.users = append(user.users, a.users[k])
		}
		var truth, warm []int32
		for _, i := range c.Truth {
			if n[i] < coldBelow {
				truth = append(truth, i)
			} else {
				warm = append(warm, i)
			}
		}
		if len(truth) == 0 {
			continue
		}
		list := slices.DeleteFunc(slices.Clone(a.lists[k]), func(i int32) bool {
			_, right := slices.BinarySearch(warm, i)
			return right
		})
		item.users = append(item.users, evaluate.Measure(list, truth))
	}
	return slices.DeleteFunc([]answersOf{item, user}, func(s answersOf) bool { return len(s.users) == 0 })
}

// measureSlices adds what one method did for each slice: the recipe itself, or
// a baseline, which is only compared. Where attributes of users are known,
// everybody is asked about once more, as a stranger.
func (f *fit) measureSlices(ctx context.Context, out *model.Evaluation, p plan, m *model.Model, own bool, a *answers, split *dataset.Split) error {
	if f.segment { // asks for users, so that no list is anybody's
		return nil
	}
	parts := cold(a, split, f.Snapshot.Items.Len())
	if of := f.data.UserAttributes; of != nil && len(of.Columns) > 0 && !f.related && !f.same {
		unknown := *f
		unknown.strangers = true
		b, err := unknown.ask(ctx, p.recipe, m, split.Cases, nil)
		if err != nil {
			return err
		}
		parts = append(parts, answersOf{name: model.SliceStrangers, users: b.users})
	}
	if out.Slices == nil {
		out.Slices = map[string]model.Slice{}
	}
	for _, s := range parts {
		kept := out.Slices[s.name]
		interval := model.Interval(evaluate.Bootstrap(f.Seed, ndcg25(s.users))[0])
		if own {
			kept = model.Slice{Users: len(s.users), NDCG25: interval, Metrics: evaluate.Mean(s.users, 0), Baselines: map[string]model.Interval{}}
			delete(kept.Metrics, evaluate.Coverage) // of a catalogue, not of a slice
		} else {
			kept.Baselines[p.recipe.Name()] = interval
		}
		out.Slices[s.name] = kept
	}
	return nil
}
