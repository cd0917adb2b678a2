package blend

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// tensorPopular is, by item, the users of it as their events weigh, each at
// most one: what those without a history are answered from.
const tensorPopular = "item_users"

// trainSteps are what Progress counts, each part of a training by the seconds
// that it takes.
const trainSteps = 1000

// stages are the parts of a training, one after another.
type stages struct {
	in    recipe.Input
	all   float64 // seconds
	begun float64 // of the parts before this one
}

// next begins a part that takes so many seconds: what it tells of itself is a
// part of the progress of the whole.
func (s *stages) next(seconds float64) func(done, total int) {
	from := s.begun
	s.begun += seconds
	return func(done, total int) {
		s.in.Report(min(trainSteps, int(trainSteps*(from+seconds*float64(done)/float64(max(1, total)))/max(s.all, 1e-9))), trainSteps)
	}
}

// Train asks the members one after another, then for what stands beside them.
// Those of weight 0 are not trained.
func (r Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	b, err := r.resolve(in)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	used := b.used()
	learned := make([]*model.Model, len(used))
	lending, heeding := r.besides(in, b)
	progress := stages{in: in, all: lending + heeding}
	for _, m := range used {
		progress.all += seconds(m.recipe, m.input(in))
	}
	in.Report(0, trainSteps)
	for i, m := range used {
		part := m.input(in)
		part.Progress = progress.next(seconds(m.recipe, part))
		if learned[i], err = m.recipe.Train(ctx, part); err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
	}
	out := b.assemble(in, used, learned)
	if b.gain > 0 {
		part := in
		part.Progress = progress.next(lending)
		near, err := r.neighbours(ctx, part, coldRows(in))
		if err != nil {
			return nil, err
		}
		maps.Copy(out.Tensors, near.tensors())
	}
	if err := r.attend(ctx, in, b, out, progress.next(heeding)); err != nil {
		return nil, err
	}
	in.Report(trainSteps, trainSteps)
	return out, ctx.Err()
}

// assemble makes one model of those of the members, whose slices it keeps.
func (b blended) assemble(in recipe.Input, used []member, learned []*model.Model) *model.Model {
	out := &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: b.strings(in.Params), Seed: in.Seed, Scores: "softmax",
			Users: in.Users, Items: len(in.Items), Interactions: int64(in.Events.Len())},
		Items:   in.Items,
		Tensors: map[string]model.Tensor{tensorPopular: {Shape: []int{len(in.Items)}, F32: popular(in)}},
	}
	for i, m := range used {
		out.Manifest.AsksUser = out.Manifest.AsksUser || learned[i].Manifest.AsksUser
		out.Manifest.AsksContext = out.Manifest.AsksContext || learned[i].Manifest.AsksContext
		for name, t := range learned[i].Tensors {
			out.Tensors[m.name+"."+name] = t
		}
		for key, value := range learned[i].Manifest.Parameters {
			if in.Params[key] != value || !m.forAll(in.Params, key) {
				out.Manifest.Parameters[m.name+"."+key] = value
			}
		}
	}
	return out
}

// forAll says whether a member's parameter is one that was given for everybody.
func (m member) forAll(given map[string]string, key string) bool {
	_, all := given[key]
	_, own := given[m.name+"."+key]
	return all && !own
}

// popular counts the users of every item, each as much as their events weigh, at most one.
func popular(in recipe.Input) []float32 {
	pairs := matrix.NewUserItems(in.Users, len(in.Items), in.Events.User, in.Events.Item, in.Events.Weight)
	out := make([]float32, len(in.Items))
	for i, item := range pairs.Item {
		out[item] += min(pairs.Weight[i], 1)
	}
	return out
}

// part is the model of one member, as it came from its recipe; the slices are shared.
func (m member) part(of *model.Model) *model.Model {
	p := &model.Model{Manifest: of.Manifest, Items: of.Items, Tensors: map[string]model.Tensor{}}
	p.Manifest.Algorithm, p.Manifest.Parameters = m.recipe.Name(), m.params
	for name, t := range of.Tensors {
		if own, ok := strings.CutPrefix(name, m.name+"."); ok {
			p.Tensors[own] = t
		}
	}
	return p
}
