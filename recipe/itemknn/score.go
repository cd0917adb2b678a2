package itemknn

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// scorer reads the stored lists; it has no state of its own.
type scorer struct {
	neighbours  int // used of each item; fewer than stored only while Fit chooses
	start, item []int32
	similarity  []float32
	rest        []float32 // by item, below 0: the order, by popularity, of items that are nobody's neighbour
}

// Decode checks that the lists fit together.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	p, err := resolve(recipe.Input{Params: m.Manifest.Parameters})
	if err != nil {
		return nil, err
	}
	start, err := recipe.CheckTensor(m, tensorStart, len(m.Items)+1)
	if err != nil {
		return nil, err
	}
	item, err := recipe.CheckTensor(m, tensorItem, -1)
	if err != nil {
		return nil, err
	}
	similarity, err := recipe.CheckTensor(m, tensorSimilarity, len(item.I32))
	if err != nil {
		return nil, err
	}
	count, err := recipe.CheckTensor(m, tensorCount, len(m.Items))
	if err != nil {
		return nil, err
	}
	if len(item.F32) > 0 || len(similarity.I32) > 0 || len(count.F32) > 0 || start.I32 == nil {
		return nil, attune.Errorf(attune.Invalid, "itemknn model: a tensor has the wrong type of element")
	}
	s := &scorer{neighbours: p.neighbours, start: start.I32, item: item.I32, similarity: similarity.F32, rest: make([]float32, len(m.Items))}
	if s.start[0] != 0 || int(s.start[len(m.Items)]) != len(s.item) {
		return nil, attune.Errorf(attune.Invalid, "itemknn model: %s does not span %s", tensorStart, tensorItem)
	}
	for i := range m.Items {
		if s.start[i] > s.start[i+1] {
			return nil, attune.Errorf(attune.Invalid, "itemknn model: %s falls at item %d", tensorStart, i)
		}
	}
	for at, row := range s.item {
		if row < 0 || int(row) >= len(m.Items) {
			return nil, attune.Errorf(attune.Invalid, "itemknn model: neighbour %d is item %d of %d", at, row, len(m.Items))
		}
	}
	for i, n := range count.I32 {
		s.rest[i] = -1 / float32(1+max(n, 0))
	}
	return s, nil
}

// Score gives the neighbours of the item in focus their similarity to it, and
// the item itself -Inf. With no item in focus the similarities to all items of
// the history add up. Everything else follows by popularity, below zero.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	return recipe.ScoreRelated(ctx, q, s.rest, dst, s.add)
}

// add gives every neighbour of row its similarity times weight. The first
// similarity that an item gets replaces its place among the rest.
func (s *scorer) add(dst []float32, row int32, weight float32) {
	from, to := int(s.start[row]), int(s.start[row+1])
	to = min(to, from+s.neighbours)
	similarity := s.similarity[from:to]
	for k, j := range s.item[from:to] {
		dst[j] = max(dst[j], 0) + float32(weight*similarity[k])
	}
}
