package blend

import (
	"context"
	"maps"
	"math"
	"slices"

	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

const (
	// stagings bounds how many warm items are looked at as if they were cold.
	stagings = 1000
	// sure is how many standard errors attributes must tell apart by, or be better by.
	sure = 2
	// harmless is the part of the standard error of the blend's own NDCG that all
	// answers together may lose to cold items: what no measurement would notice.
	harmless = 0.1
)

// gains are what cold items may borrow with, the tamest first.
func gains() []float64 { return []float64{0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4} }

// borrow chooses the gain of what cold items borrow, and adds them to the model
// that was found: none where the search sees no use in it.
//
// Items with enough users are staged as cold ones, with the scores that the
// others would lend them: if what is said of items is worth anything, an item
// that somebody went on to borrows more than others do. That is measured as
// the share of pairs in the right order, the area under the ROC curve. Then of
// the gains under which the lists of all cases, with what is truly cold in its
// place, are as good as under any, or not noticeably worse, the one is taken that
// finds most of the staged items.
func (s *search) borrow(ctx context.Context, found *recipe.Found) error {
	if _, given := s.in.Params[ParamCold]; given || !s.speaks(s.in) {
		if given {
			return s.lendGiven(ctx, found)
		}
		return nil
	}
	cold, err := s.neighbours(ctx, s.in, coldRows(s.in))
	if err != nil || len(cold.cold) == 0 {
		return err
	}
	staged, err := s.neighbours(ctx, s.in, s.staged())
	if err != nil || len(staged.cold) == 0 {
		return err
	}
	said, err := s.Decode(found.Model)
	if err != nil {
		return err
	}
	t := &tryout{search: s, cold: cold, staged: staged, cases: make([]tried, len(s.v.Cases))}
	if err := t.ask(ctx, said); err != nil {
		return err
	}
	gain := t.choose()
	if gain == 0 {
		return nil
	}
	found.Params[ParamCold] = recipe.FormatFloat(gain)
	lend(found.Model, cold, gain)
	return nil
}

// lendGiven adds what cold items borrow with a gain that was not the search's to choose.
func (s *search) lendGiven(ctx context.Context, found *recipe.Found) error {
	gain, err := s.in.Float(ParamCold, 0, 0, maxGain)
	if err != nil || gain == 0 {
		return err
	}
	cold, err := s.neighbours(ctx, s.in, coldRows(s.in))
	lend(found.Model, cold, gain)
	return err
}

// lend adds lenders to a model.
func lend(m *model.Model, cold near, gain float64) {
	m.Manifest.Parameters[ParamCold] = recipe.FormatFloat(gain)
	maps.Copy(m.Tensors, cold.tensors())
}

// enough says which items have enough users.
func (s *search) enough() []bool {
	out := make([]bool, len(s.in.Items))
	for i, users := range popular(s.in) {
		out[i] = users >= coldBelow
	}
	return out
}

// staged are items with enough users that cases went on to.
func (s *search) staged() near {
	warm := s.enough()
	var rows []int32
	for _, c := range s.v.Cases {
		for _, row := range c.Truth {
			if warm[row] {
				rows = append(rows, row)
			}
		}
	}
	slices.Sort(rows)
	rows = slices.Compact(rows)
	return near{cold: rows}.evenly(stagings)
}

// tryout is what every gain would do to the validation cases.
type tryout struct {
	*search
	cold, staged near
	cases        []tried
}

// tried is one case: NDCG without lenders first, then with each gain.
type tried struct {
	all    []float64 // of the whole list
	staged []float64 // of one staged item; nil where none is right
	area   float64   // share of the other staged items that borrow less than that one
}

// ask scores all cases once, and tries everything on the scores.
func (t *tryout) ask(ctx context.Context, of model.Scorer) error {
	// What was seen lends too, so it is left out after the fact.
	open := *t.search
	open.v.LeaveOut = false
	return open.batches(ctx, t.v.Cases, t.queries, []model.Scorer{of}, func(from int, rows [][][]float32) {
		for i, scores := range rows[0] {
			t.cases[from+i] = t.try(scores, from+i)
		}
	})
}

// try measures one case under every gain.
func (t *tryout) try(scores []float32, at int) tried {
	c := t.v.Cases[at]
	seen := slices.Compact(slices.Sorted(slices.Values(c.Input.Item)))
	m := unseenMean(scores, seen)
	var out tried
	row := slices.Clone(scores)
	measure := func() {
		if t.v.LeaveOut {
			for _, i := range seen {
				row[i] = float32(math.Inf(-1))
			}
		}
		_, ndcg := evaluate.Recall(kernel.TopK(nil, row, t.v.Cut, nil), c.Truth, t.v.Cut)
		out.all = append(out.all, ndcg)
	}
	measure()
	borrowed := make([]float64, len(t.cold.cold))
	for k := range borrowed {
		borrowed[k] = t.cold.borrowed(k, scores, m)
	}
	for _, gain := range gains() {
		copy(row, scores)
		for k, i := range t.cold.cold {
			row[i] = lift(scores[i], m, gain*borrowed[k])
		}
		measure()
	}
	t.stage(&out, scores, seen, c.Truth, m)
	return out
}

// stage treats the first staged item that is right as a cold one.
func (t *tryout) stage(out *tried, scores []float32, seen, truth []int32, m float64) {
	apart := make([]bool, len(scores)) // neither right nor wrong to stand above it
	for _, rows := range [][]int32{seen, truth} {
		for _, row := range rows {
			apart[row] = true
		}
	}
	right := slices.IndexFunc(t.staged.cold, func(row int32) bool {
		_, had := slices.BinarySearch(seen, row)
		return apart[row] && !had
	})
	if right < 0 {
		return
	}
	mine, below, n := t.staged.borrowed(right, scores, m), 0.0, 0
	for k, row := range t.staged.cold {
		if apart[row] {
			continue
		}
		n++
		switch x := t.staged.borrowed(k, scores, m); {
		case x < mine:
			below++
		case x == mine:
			below += 0.5
		}
	}
	if n == 0 {
		return
	}
	out.area = below / float64(n)
	others := make([]float32, 0, len(scores))
	for i, x := range scores {
		if !apart[i] {
			others = append(others, x)
		}
	}
	out.staged = append(out.staged, 0)
	for _, gain := range gains() {
		out.staged = append(out.staged, gainOf(float32(m+gain*mine), others, t.v.Cut))
	}
}

// gainOf is the NDCG of one right item among others that are wrong.
func gainOf(score float32, others []float32, cut int) float64 {
	rank := 1
	for _, x := range others {
		if x > score {
			rank++
		}
	}
	if rank > cut {
		return 0
	}
	return 1 / math.Log2(1+float64(rank))
}

// choose is the best gain; 0 for none.
func (t *tryout) choose() float64 {
	var areas, half []float64
	for _, c := range t.cases {
		if c.staged != nil {
			areas, half = append(areas, c.area), append(half, 0.5)
		}
	}
	if better, err := difference(areas, half); len(areas) < 2 || better <= sure*err {
		return 0
	}
	own := whole(t.cases, 0)
	most := mean(own)
	for k := range gains() {
		most = max(most, mean(whole(t.cases, k+1)))
	}
	_, err := difference(own, make([]float64, len(own)))
	best, value := 0.0, 0.0
	for k, gain := range gains() {
		if v := mean(staging(t.cases, k+1)); mean(whole(t.cases, k+1)) >= most-harmless*err && (best == 0 || v > value) {
			best, value = gain, v
		}
	}
	return best
}

// whole is the NDCG of every case under the k-th gain, the first being none.
func whole(cases []tried, k int) []float64 {
	out := make([]float64, len(cases))
	for i, c := range cases {
		out[i] = c.all[k]
	}
	return out
}

// staging is that of the staged items.
func staging(cases []tried, k int) []float64 {
	var out []float64
	for _, c := range cases {
		if c.staged != nil {
			out = append(out, c.staged[k])
		}
	}
	return out
}
