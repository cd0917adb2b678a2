package ease

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// tie is what popularity adds to a score: less than any weight that means
// something, so that it only orders items that are otherwise alike.
const tie = 1e-6

// scorer adds up stored weights. It is safe for concurrent use.
type scorer struct {
	p           parameters
	start, item []int32
	weight      []float32
	newborn     []float32 // scores for an empty history: the logarithm of popularity
	rest        []float32 // what every score starts from
	histories   sync.Pool // *history
}

// Decode checks that the lists fit together.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	p, err := resolve(recipe.Input{Params: m.Manifest.Parameters})
	if err != nil {
		return nil, err
	}
	l, err := recipe.ReadLists(m, tensorStart, tensorItem, tensorWeight, tensorCount)
	if err != nil {
		return nil, err
	}
	s := &scorer{p: p, start: l.Start, item: l.Item, weight: l.Weight,
		newborn: make([]float32, len(m.Items)), rest: l.Rest(tie)}
	for i, n := range l.Count {
		s.newborn[i] = float32(math.Log(float64(max(n, 0)) + 0.5)) // half a user for those nobody has: less than one, more than none
	}
	s.histories.New = func() any { return new(history) }
	return s, nil
}

// Score is x·B for the asker's history x. With an item in focus it is what that
// item gives to others, and -Inf for itself; without a history, popularity.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(dst) != len(s.rest) {
		return attune.Errorf(attune.Internal, "%d scores asked for of a model with %d items", len(dst), len(s.rest))
	}
	if q.Item >= 0 && int(q.Item) < len(dst) {
		copy(dst, s.rest)
		s.add(dst, q.Item, float32(s.p.scale))
		dst[q.Item] = float32(math.Inf(-1))
		return nil
	}
	h := s.histories.Get().(*history)
	defer s.histories.Put(h)
	h.gather(q.History, len(dst), s.p.recency)
	if len(h.item) == 0 {
		copy(dst, s.newborn)
		return nil
	}
	copy(dst, s.rest)
	for k, row := range h.item {
		s.add(dst, row, h.weight[k]*float32(s.p.scale))
	}
	return nil
}

// add gives every item what row gives it, times weight.
func (s *scorer) add(dst []float32, row int32, weight float32) {
	from, to := s.start[row], s.start[row+1]
	of := s.weight[from:to]
	for k, j := range s.item[from:to] {
		dst[j] += float32(weight * of[k])
	}
}

// history is the scratch of one query: distinct items, ascending, with confidences.
type history struct {
	touch  []model.Touch
	item   []int32
	weight []float32
}

// gather sums up a history. With a recency half-life h the newest interaction
// weighs 1 and the one k before it h/(h+k).
func (h *history) gather(touches []model.Touch, items int, halfLife float64) {
	h.touch = h.touch[:0]
	for age := range touches {
		t := touches[len(touches)-1-age]
		if t.Item < 0 || int(t.Item) >= items || !(t.Weight > 0) || math.IsInf(float64(t.Weight), 0) {
			continue
		}
		if halfLife > 0 {
			t.Weight *= float32(halfLife / (halfLife + float64(age)))
		}
		h.touch = append(h.touch, t)
	}
	slices.SortStableFunc(h.touch, func(a, b model.Touch) int { return int(a.Item) - int(b.Item) })
	h.item, h.weight = h.item[:0], h.weight[:0]
	for _, t := range h.touch {
		if n := len(h.item); n > 0 && h.item[n-1] == t.Item {
			h.weight[n-1] += t.Weight
			continue
		}
		h.item, h.weight = append(h.item, t.Item), append(h.weight, t.Weight)
	}
	for i, n := range h.weight {
		h.weight[i] = confidence(n)
	}
}
