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
	number map[uint64]int32 // groups by hash
	start  []int32          // by group
	entry  []int32          // pairs: an item, and how many of the group had it
	lift   []float32        // by pair
	base   []float32        // by item: the logarithm of its share
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
	s := &scorer{reader: reader{edges: map[uint64][]float32{}}, number: map[uint64]int32{}, start: t[1].I32, entry: t[2].I32}
	if err := s.check(len(group)/2, len(column), len(edge), len(m.Items)); err != nil {
		return nil, err
	}
	for c := range len(column) / 2 {
		s.edges[whole(column[2*c], column[2*c+1])] = edge[c*(ranges-1) : (c+1)*(ranges-1)]
	}
	s.learn(p, count)
	for g := range len(group) / 2 {
		s.number[whole(group[2*g], group[2*g+1])] = int32(g)
	}
	return s, nil
}

func (s *scorer) check(groups, columns, edges, items int) error {
	if len(s.start) != groups+1 || edges != columns/2*(ranges-1) || s.start[0] != 0 || 2*int(s.start[groups]) != len(s.entry) {
		return attune.Errorf(attune.Invalid, "demographic model: tensors of %d groups do not fit together", groups)
	}
	for g := range groups {
		if s.start[g] > s.start[g+1] {
			return attune.Errorf(attune.Invalid, "demographic model: %s falls at group %d", tensorStart, g)
		}
	}
	for at := 0; at < len(s.entry); at += 2 {
		if i := s.entry[at]; i < 0 || int(i) >= items {
			return attune.Errorf(attune.Invalid, "demographic model: entry %d is of item %d of %d", at/2, i, items)
		}
	}
	return nil
}

// learn makes base(i) = ln p(i), p with one interaction more of every item, and
// lift(g, i) = weight·ln((n_gi + μ p(i)) / (μ p(i))), which is weight·ln(p(i|g)/p(i)) but
// for (n_g + μ)/μ, the same for all items of a group and so left out: an item
// that nobody of the group had has 0.
func (s *scorer) learn(p parameters, count []int32) {
	all := float64(len(count))
	for _, n := range count {
		all += float64(max(n, 0))
	}
	share := make([]float64, len(count))
	s.base, s.lift = make([]float32, len(count)), make([]float32, len(s.entry)/2)
	for i, n := range count {
		share[i] = float64(max(n, 0)+1) / all
		s.base[i] = float32(math.Log(share[i]))
	}
	for at := range s.lift {
		prior := p.shrinkage * share[s.entry[2*at]]
		s.lift[at] = float32(p.weight * math.Log((float64(max(s.entry[2*at+1], 0))+prior)/prior))
	}
}

// Score adds to every item's own score what the groups of who asks say of it.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(dst) != len(s.base) {
		return attune.Errorf(attune.Internal, "%d scores asked for of a model with %d items", len(dst), len(s.base))
	}
	copy(dst, s.base)
	var hashes []uint64
	for column, value := range q.User {
		hashes = s.groups(hashes, column, value)
	}
	slices.Sort(hashes) // sums in one order, whatever that of the map
	for _, h := range slices.Compact(hashes) {
		g, ok := s.number[h]
		if !ok {
			continue
		}
		for at := s.start[g]; at < s.start[g+1]; at++ {
			dst[s.entry[2*at]] += s.lift[at]
		}
	}
	return nil
}
