package itemknn

import (
	"context"

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
	l, err := recipe.ReadLists(m, tensorStart, tensorItem, tensorSimilarity, tensorCount)
	if err != nil {
		return nil, err
	}
	return &scorer{neighbours: p.neighbours, start: l.Start, item: l.Item, similarity: l.Weight, rest: l.Rest(1)}, nil
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
