package demographic

import (
	"context"
	"math"
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// scorer has no state of its own.
type scorer struct {
	reader
	recipe.Groups
	number map[uint64]int32 // groups by hash
	lift   []float32        // by pair
	base   recipe.Fixed     // the logarithm of an item's share
}

// Decode turns counts into logarithms of shares.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	p, err := resolve(recipe.Input{Params: m.Manifest.Parameters})
	if err != nil {
		return nil, err
	}
	var t [6]model.Tensor
	for k, want := range []struct {
		name  string
		shape []int
	}{
		{tensorGroup, []int{-1, 2}}, {tensorStart, []int{-1}}, {tensorEntry, []int{-1, 2}},
		{tensorEdgeColumn, []int{-1, 2}}, {tensorEdge, []int{-1, ranges - 1}}, {tensorCount, []int{len(m.Items)}},
	} {
		if t[k], err = recipe.CheckTensor(m, want.name, want.shape...); err != nil {
			return nil, err
		}
		if want.name == tensorEdge && len(t[k].I32) > 0 || want.name != tensorEdge && len(t[k].F32) > 0 {
			return nil, attune.Errorf(attune.Invalid, "demographic model: %s has the wrong type of element", want.name)
		}
	}
	group, column, edge, count := t[0].I32, t[3].I32, t[4].F32, t[5].I32
	s := &scorer{reader: reader{edges: map[uint64][]float32{}}, number: map[uint64]int32{}, Groups: recipe.Groups{Start: t[1].I32, Entry: t[2].I32}}
	if len(edge) != len(column)/2*(ranges-1) {
		return nil, attune.Errorf(attune.Invalid, "demographic model: edges of %d columns do not fit together", len(column)/2)
	}
	if err := s.Check(Name, len(group)/2, len(m.Items)); err != nil {
		return nil, err
	}
	for c := range len(column) / 2 {
		s.edges[recipe.WholeHash(column[2*c], column[2*c+1])] = edge[c*(ranges-1) : (c+1)*(ranges-1)]
	}
	s.learn(p, count)
	for g := range len(group) / 2 {
		s.number[recipe.WholeHash(group[2*g], group[2*g+1])] = int32(g)
	}
	return s, nil
}

// learn makes base(i) = ln p(i), p with one interaction more of every item, and
// lift(g, i) = weight·ln((n_gi + μ p(i)) / (μ p(i))), which is weight·ln(p(i|g)/p(i)) but
// for (n_g + μ)/μ, the same for all items of a group and so left out: an item
// that nobody of the group had has 0.
func (s *scorer) learn(p parameters, count []int32) {
	share := recipe.Shares(count)
	s.base, s.lift = recipe.LogShares(share, 1), make([]float32, len(s.Entry)/2)
	for at := range s.lift {
		prior := p.shrinkage * share[s.Entry[2*at]]
		s.lift[at] = float32(p.weight * math.Log((float64(s.Entry[2*at+1])+prior)/prior))
	}
}

// Score adds to every item's own score what the groups of who asks say of it.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	if err := s.base.Score(ctx, q, dst); err != nil {
		return err
	}
	var hashes []uint64
	for column, value := range q.User {
		hashes = s.groups(hashes, column, value)
	}
	slices.Sort(hashes) // sums in one order, whatever that of the map
	for _, h := range slices.Compact(hashes) {
		if g, ok := s.number[h]; ok {
			s.Add(dst, s.lift, g)
		}
	}
	return nil
}
