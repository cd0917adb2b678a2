package graph

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// scorer applies the filter to histories. It is safe for concurrent use.
type scorer struct {
	p           parameters
	items       matrix.Dense
	ratio       []float32
	start, item []int32
	value       []float32
	newborn     []float32 // scores for an empty history: the logarithm of popularity
	unseen      []int32   // items nobody has, of which the graph knows nothing
	asks        sync.Pool // *ask
}

// ask is the scratch of one query.
type ask struct {
	factors []float32
	index   []int32
	weight  []float32
	touch   []model.Touch
}

// Decode checks that the tensors fit together.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	p, err := resolve(recipe.Input{Params: m.Manifest.Parameters})
	if err != nil {
		return nil, err
	}
	n := len(m.Items)
	var found [6]model.Tensor
	for k, want := range []struct {
		name  string
		shape []int
		whole bool
	}{{tensorStart, []int{n + 1}, true}, {tensorItem, []int{-1}, true}, {tensorValue, []int{-1}, false},
		{tensorFactors, []int{n, -1}, false}, {tensorRatio, []int{n}, false}, {tensorCount, []int{n}, true}} {
		t, err := recipe.CheckTensor(m, want.name, want.shape...)
		if err != nil {
			return nil, err
		}
		if want.whole && len(t.F32) > 0 || !want.whole && len(t.I32) > 0 {
			return nil, attune.Errorf(attune.Invalid, "graph model: tensor %q has the wrong type of element", want.name)
		}
		found[k] = t
	}
	s := &scorer{p: p, items: matrix.Dense{Rows: n, Cols: found[3].Shape[1], Data: found[3].F32}, ratio: found[4].F32,
		start: found[0].I32, item: found[1].I32, value: found[2].F32, newborn: make([]float32, n)}
	if err := s.checkLists(); err != nil {
		return nil, err
	}
	for i, count := range found[5].I32 {
		s.newborn[i] = float32(math.Log(float64(max(count, 0)) + 0.5)) // half a user for those nobody has: less than one, more than none
		if count <= 0 {
			s.unseen = append(s.unseen, int32(i))
		}
	}
	s.asks.New = func() any { return &ask{factors: make([]float32, s.items.Cols)} }
	return s, nil
}

func (s *scorer) checkLists() error {
	if len(s.item) != len(s.value) || s.start[0] != 0 || int(s.start[s.items.Rows]) != len(s.item) {
		return attune.Errorf(attune.Invalid, "graph model: %s does not span %s and %s", tensorStart, tensorItem, tensorValue)
	}
	for i := range s.items.Rows {
		if s.start[i] > s.start[i+1] {
			return attune.Errorf(attune.Invalid, "graph model: %s falls at item %d", tensorStart, i)
		}
	}
	for at, row := range s.item {
		if row < 0 || int(row) >= s.items.Rows {
			return attune.Errorf(attune.Invalid, "graph model: neighbour %d is item %d of %d", at, row, s.items.Rows)
		}
	}
	return nil
}

// Score is the filter applied to the history; without a history it is popularity.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	return s.ScoreMany(ctx, []model.Query{q}, [][]float32{dst})
}

// ScoreMany goes over the item factors once for all queries, and then adds what
// the lists say of each.
func (s *scorer) ScoreMany(ctx context.Context, queries []model.Query, dst [][]float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a := s.asks.Get().(*ask)
	defer s.asks.Put(a)
	known, at := make([][]float32, 0, len(queries)), make([]int, 0, len(queries))
	factors := make([]float32, 0, len(queries)*s.items.Cols)
	for i, q := range queries {
		if len(dst[i]) != s.items.Rows {
			return attune.Errorf(attune.Internal, "%d scores asked for of a model with %d items", len(dst[i]), s.items.Rows)
		}
		if !s.fold(a, q.History) {
			copy(dst[i], s.newborn)
			continue
		}
		known, at, factors = append(known, dst[i]), append(at, i), append(factors, a.factors...)
	}
	if s.items.Cols > 0 {
		kernel.GemvMany(known, s.items.Data, factors)
	}
	for k, to := range known {
		if s.items.Cols == 0 {
			clear(to)
		}
		a.gather(queries[at[k]].History, s)
		s.add(a, to)
	}
	return nil
}

// fold finds the factors of who asks; false when the history says nothing.
func (s *scorer) fold(a *ask, history []model.Touch) bool {
	a.gather(history, s)
	clear(a.factors)
	for k, i := range a.index {
		if s.items.Cols > 0 {
			kernel.Axpy(a.weight[k]*s.ratio[i], s.items.Row(int(i)), a.factors)
		}
	}
	return len(a.index) > 0
}

// add gives items what the lists of the history's say. Of items that nobody has
// the graph knows nothing: they come last.
func (s *scorer) add(a *ask, dst []float32) {
	for k, i := range a.index {
		from, to := s.start[i], s.start[i+1]
		value, w := s.value[from:to], a.weight[k]
		for l, j := range s.item[from:to] {
			dst[j] += float32(w * value[l])
		}
	}
	if len(s.unseen) > 0 {
		last := float32(0)
		for _, v := range dst {
			last = min(last, v)
		}
		for _, i := range s.unseen {
			dst[i] = last
		}
	}
}

// gather turns a history into distinct items that somebody has, with weights:
// their confidences, scaled as rows of the graph are and by the scale of scores.
// With a recency half-life h the newest interaction weighs 1 and the one k
// before it h/(h+k).
func (a *ask) gather(history []model.Touch, s *scorer) {
	a.touch = a.touch[:0]
	for age := range history {
		t := history[len(history)-1-age]
		if t.Item < 0 || int(t.Item) >= s.items.Rows || s.ratio[t.Item] == 0 || !(t.Weight > 0) || math.IsInf(float64(t.Weight), 0) {
			continue
		}
		if s.p.recency > 0 {
			t.Weight *= float32(s.p.recency / (s.p.recency + float64(age)))
		}
		a.touch = append(a.touch, t)
	}
	slices.SortStableFunc(a.touch, func(x, y model.Touch) int { return int(x.Item) - int(y.Item) })
	a.index, a.weight = a.index[:0], a.weight[:0]
	for _, t := range a.touch {
		if n := len(a.index); n > 0 && a.index[n-1] == t.Item {
			a.weight[n-1] += t.Weight
			continue
		}
		a.index, a.weight = append(a.index, t.Item), append(a.weight, t.Weight)
	}
	degree := 0.0
	for i, n := range a.weight {
		a.weight[i] = confidence(n)
		degree += float64(a.weight[i])
	}
	kernel.Scale(float32(s.p.scale*power(degree, -s.p.user)), a.weight)
}
