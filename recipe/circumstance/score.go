package circumstance

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// scorer has no state of its own.
type scorer struct {
	recipe.Groups
	base    recipe.Fixed // what an item has whatever is the case
	columns map[uint64]column
	number  map[uint64]int32 // groups by hash
	lift    []float32        // by pair: beyond what the column's absent gives
}

// column is one that the model knows.
type column struct {
	place  int
	kind   int32
	edges  []float32
	absent []float32 // by item: the word of a value that was never seen with it
}

// Decode turns counts into logarithms of shares.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	p, err := resolve(recipe.Input{Params: m.Manifest.Parameters})
	if err != nil {
		return nil, err
	}
	var t [8]model.Tensor
	for k, want := range []struct {
		name  string
		shape []int
	}{
		{tensorColumn, []int{-1, columnWords}}, {tensorEdge, []int{-1, ranges - 1}}, {tensorSaid, []int{-1, len(m.Items)}}, {tensorGroup, []int{-1, groupWords}},
		{tensorShare, []int{-1, 1}}, {tensorStart, []int{-1}}, {tensorEntry, []int{-1, 2}}, {tensorCount, []int{len(m.Items)}},
	} {
		if t[k], err = recipe.CheckTensor(m, want.name, want.shape...); err != nil {
			return nil, err
		}
		float := want.name == tensorEdge || want.name == tensorShare
		if float && len(t[k].I32) > 0 || !float && len(t[k].F32) > 0 {
			return nil, attune.Errorf(attune.Invalid, "circumstance model: %s has the wrong type of element", want.name)
		}
	}
	l := &learned{items: len(m.Items), column: t[0].I32, edge: t[1].F32, said: t[2].I32, group: t[3].I32,
		share: t[4].F32, Groups: recipe.Groups{Start: t[5].I32, Entry: t[6].I32}, count: t[7].I32}
	if err := l.check(); err != nil {
		return nil, err
	}
	return l.scorer(p), nil
}

// check finds what does not fit together.
func (l *learned) check() error {
	columns, groups := len(l.column)/columnWords, len(l.group)/groupWords
	if len(l.edge) != columns*(ranges-1) || len(l.said) != columns*l.items || len(l.share) != groups {
		return attune.Errorf(attune.Invalid, "circumstance model: tensors of %d columns and %d values do not fit together", columns, groups)
	}
	for g := range groups {
		if c := l.group[g*groupWords+2]; c < 0 || int(c) >= columns || !(l.share[g] > 0 && l.share[g] <= 1) {
			return attune.Errorf(attune.Invalid, "circumstance model: value %d is of column %d of %d, with a share of %g", g, c, columns, l.share[g])
		}
	}
	return l.Check(Name, groups, l.items)
}

// scorer makes, with n(g,i) of how often value g was seen with item i, n(i) of how
// often any value of its column was, q(g) the share of g among all values, and κ
// the shrinkage, the word of a value
//
//	ln (p(g|i) / q(g)),  p(g|i) = (n(g,i) + κ q(g)) / (n(i) + κ),
//
// in two parts: ln(κ / (n(i) + κ)), which all items have, and for those that were
// seen with it ln((n(g,i) + κ q(g)) / (κ q(g))).
func (l *learned) scorer(p parameters) *scorer {
	s := &scorer{columns: map[uint64]column{}, number: map[uint64]int32{}, Groups: l.Groups,
		base: recipe.LogShares(recipe.Shares(l.count), p.popularity), lift: make([]float32, len(l.Entry)/2)}
	for c := range len(l.column) / columnWords {
		words := l.column[c*columnWords:]
		of := column{place: c, kind: words[2], edges: l.edge[c*(ranges-1) : (c+1)*(ranges-1)], absent: make([]float32, l.items)}
		for i, n := range l.said[c*l.items : (c+1)*l.items] {
			of.absent[i] = float32(-p.weight * math.Log1p(float64(max(n, 0))/p.shrinkage))
		}
		s.columns[recipe.WholeHash(words[0], words[1])] = of
	}
	for g := range l.share {
		s.number[recipe.WholeHash(l.group[g*groupWords], l.group[g*groupWords+1])] = int32(g)
		prior := p.shrinkage * float64(l.share[g])
		for at := l.Start[g]; at < l.Start[g+1]; at++ {
			s.lift[at] = float32(p.weight * math.Log1p(float64(l.Entry[2*at+1])/prior))
		}
	}
	return s
}

// told is what a query says of one column.
type told struct {
	column
	name  string
	value any
}

// Score adds to every item's own score what is the case as the user asks says of it.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	if err := s.base.Score(ctx, q, dst); err != nil {
		return err
	}
	var all []told
	for name, x := range q.Context {
		if c, ok := s.columns[recipe.GroupName(name)]; ok {
			all = append(all, told{c, name, x})
		}
	}
	slices.SortFunc(all, func(a, b told) int { return cmp.Compare(a.place, b.place) }) // sums in one order, whatever that of the map
	var hashes []uint64
	for _, c := range all {
		hashes = groups(hashes[:0], c.name, c.kind, c.edges, c.value)
		slices.Sort(hashes)
		for _, h := range slices.Compact(hashes) {
			if g, ok := s.number[h]; ok {
				s.add(dst, c.absent, g)
			}
		}
	}
	return nil
}

// add adds the word of one value.
func (s *scorer) add(dst, absent []float32, g int32) {
	kernel.Axpy(1, absent, dst)
	s.Add(dst, s.lift, g)
}
