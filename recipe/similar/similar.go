package similar

import (
	"context"
	"maps"
	"math"
	"strings"
	"sync"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "similar"

// cold is how many interactions an item needs before behaviour says anything
// about it: the service calls items with fewer cold.
const cold = 5

// Tensors of the two opinions carry these before their own names.
const (
	byBehaviour = "behaviour_"
	byContent   = "content_"
	tensorCount = "interaction_count" // items
)

// Recipe is two recipes whose scores above 0 are similarities up to about 1.
type Recipe struct{ behaviour, content recipe.Recipe }

// New joins a recipe that learns from behaviour and one that reads metadata.
func New(behaviour, content recipe.Recipe) Recipe { return Recipe{behaviour, content} }

// Name is "similar".
func (Recipe) Name() string { return Name }

// Bytes estimates the peak memory of Train: that of both.
func (r Recipe) Bytes(in recipe.Input) (sum int64) {
	for _, part := range []recipe.Recipe{r.behaviour, r.content} {
		if s, ok := part.(recipe.Sizer); ok {
			sum += s.Bytes(in)
		}
	}
	return sum + 4*int64(len(in.Items))
}

// Seconds estimates Train: that of both, one after the other.
func (r Recipe) Seconds(in recipe.Input) (sum float64) {
	for _, part := range []recipe.Recipe{r.behaviour, r.content} {
		if c, ok := part.(recipe.Coster); ok {
			sum += c.Seconds(in)
		}
	}
	return sum
}

// Train asks both. Parameters are those of the two together.
func (r Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	const each = 100 // steps of either part, in per cent
	out := &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: map[string]string{}, Seed: in.Seed, Scores: "none",
			Users: in.Users, Items: len(in.Items), Interactions: int64(in.Events.Len())},
		Items: in.Items, Tensors: map[string]model.Tensor{},
	}
	for i, prefix := range []string{byBehaviour, byContent} {
		part := in
		part.Progress = func(done, total int) { in.Report(i*each+each*done/max(1, total), 2*each) }
		m, err := []recipe.Recipe{r.behaviour, r.content}[i].Train(ctx, part)
		if err != nil {
			return nil, err
		}
		for name, t := range m.Tensors {
			out.Tensors[prefix+name] = t
		}
		maps.Copy(out.Manifest.Parameters, m.Manifest.Parameters)
	}
	count := make([]int32, len(in.Items))
	for _, item := range in.Events.Item {
		count[item]++
	}
	out.Tensors[tensorCount] = model.Tensor{Shape: []int{len(count)}, I32: count}
	return out, ctx.Err()
}

// Decode makes the two scorers.
func (r Recipe) Decode(m *model.Model) (model.Scorer, error) {
	count, err := recipe.CheckTensor(m, tensorCount, len(m.Items))
	if err != nil {
		return nil, err
	}
	if count.I32 == nil && len(count.F32) > 0 {
		return nil, attune.Errorf(attune.Invalid, "similar model: %s must be int32", tensorCount)
	}
	s := &scorer{count: count.I32}
	if s.behaviour, err = r.behaviour.Decode(part(m, byBehaviour)); err != nil {
		return nil, err
	}
	if s.content, err = r.content.Decode(part(m, byContent)); err != nil {
		return nil, err
	}
	s.scratch.New = func() any { return &scratch{make([]float32, len(m.Items))} }
	return s, nil
}

// part is the model of one opinion; the slices are shared.
func part(m *model.Model, prefix string) *model.Model {
	p := &model.Model{Manifest: m.Manifest, Items: m.Items, Tensors: map[string]model.Tensor{}}
	for name, t := range m.Tensors {
		if own, ok := strings.CutPrefix(name, prefix); ok {
			p.Tensors[own] = t
		}
	}
	return p
}

type scorer struct {
	behaviour, content model.Scorer
	count              []int32
	scratch            sync.Pool // *scratch
}

type scratch struct{ scores []float32 }

// Score joins the two scores of every item. What neither finds similar keeps
// the place that behaviour gave it, below 0.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	if err := s.behaviour.Score(ctx, q, dst); err != nil {
		return err
	}
	w := s.scratch.Get().(*scratch)
	defer s.scratch.Put(w)
	if err := s.content.Score(ctx, q, w.scores); err != nil {
		return err
	}
	focus := int32(math.MaxInt32)
	if q.Item >= 0 && int(q.Item) < len(dst) {
		focus = s.count[q.Item]
	}
	for j, said := range w.scores {
		if math.IsInf(float64(dst[j]), -1) {
			continue
		}
		trust := float32(0)
		if n := min(focus, s.count[j]); n >= cold {
			trust = float32(n) / float32(n+cold)
		}
		if both := float32(trust*max(dst[j], 0)) + float32((1-trust)*max(said, 0)); both > 0 {
			dst[j] = both
		} else if dst[j] > 0 {
			dst[j] = -1 // its neighbours are too few to believe, and nothing is said of it
		}
	}
	return nil
}

var (
	_ recipe.Recipe = Recipe{}
	_ recipe.Sizer  = Recipe{}
	_ recipe.Coster = Recipe{}
)
