package blend

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// likeness is the recipe that tells which items are said to be alike.
const likeness = "content"

const (
	// coldBelow is how many users an item needs before its members' scores stand
	// by themselves: recipe.Fit measures cold items by the same number.
	coldBelow = 5
	// lenders are how many warm items speak for a cold one. Of 5 to 200, with
	// similarities to the first and third power and shrinkage from 0 to 2, these
	// told films of MovieLens 100K that were left out of training apart best, by the
	// area under the ROC curve.
	lenders       = 20
	lenderPower   = 3
	lenderShrinks = 0.5
	// lookups bounds the work of finding lenders: cold items times items of the
	// catalogue. In a larger one some cold items, evenly, have lenders.
	lookups = 2e9

	maxGain = 100
)

// Tensors of what cold items borrow.
const (
	tensorCold   = "cold_item"   // item rows, ascending
	tensorLender = "cold_lender" // by cold item: rows of warm items, the most alike first; -1 where there are fewer
	tensorShare  = "cold_share"  // the share of each
)

// lender gives items with too few users a better score by what is said of them:
//
//	s'(i) = s(i) + gain·Σ a(ij)·(s(j) - m),
//	a(ij) = cos(i,j)³ / (h + Σ cos(i,j)³) over the warm items j that are most like i,
//
// where s is the blend's score for who asks, and m its mean over the items they
// have not seen, which also stands for s(i) where that is none. So what is
// borrowed is a mean of neighbours, shrunk by h, as of items in Sarwar et al.
// (WWW 2001), with the cosine of metadata in the place of that of behaviour. What
// few users have done, or nobody, stays in s(i), and so does the order of cold
// items by it: to lend the more the fewer users an item has puts those that
// nobody wants first. A gain above 1 makes up for a mean of many being tamer than
// one score; see search.borrow for how it is chosen.
type lender struct {
	near
	gain float64
}

// near are the lenders of some items.
type near struct {
	cold   []int32
	lender []int32
	share  []float32
}

// coldRows are the items that need a lender.
func coldRows(in recipe.Input) near {
	var out near
	for i, users := range popular(in) {
		if users < coldBelow {
			out.cold = append(out.cold, int32(i))
		}
	}
	return out
}

// speaks says whether anything is said of items that likeness reads.
func (r Recipe) speaks(in recipe.Input) bool {
	_, _, ok := r.find(likeness)
	if !ok || in.ItemAttributes == nil {
		return false
	}
	for _, c := range in.ItemAttributes.Columns {
		if slices.ContainsFunc(c.Text, func(value string) bool { return value != "" }) ||
			slices.ContainsFunc(c.Number, func(value float64) bool { return value-value == 0 }) {
			return true
		}
	}
	return false
}

// neighbours finds the lenders of items; those that nothing warm is like are left out.
func (r Recipe) neighbours(ctx context.Context, in recipe.Input, of near) (near, error) {
	var out near
	if !r.speaks(in) || len(of.cold) == 0 {
		return out, nil
	}
	likeness, _, _ := r.find(likeness)
	part := likenessInput(in)
	const steps = 100 // of either half of the progress, in per cent
	part.Progress = func(done, total int) { in.Report(steps*done/max(1, total), 2*steps) }
	m, err := likeness.Train(ctx, part)
	if err != nil {
		return out, err
	}
	alike, err := likeness.Decode(m)
	if err != nil {
		return out, err
	}
	of = of.evenly(lookupsOf(in))
	of.lender, of.share = make([]int32, lenders*len(of.cold)), make([]float32, lenders*len(of.cold))
	users := popular(in)
	if err := of.look(ctx, alike, users, func(done int) { in.Report(steps+steps*done/len(of.cold), 2*steps) }); err != nil {
		return out, err
	}
	for c, row := range of.cold {
		if of.lender[c*lenders] < 0 {
			continue
		}
		out.cold = append(out.cold, row)
		out.lender = append(out.lender, of.lender[c*lenders:(c+1)*lenders]...)
		out.share = append(out.share, of.share[c*lenders:(c+1)*lenders]...)
	}
	return out, nil
}

// likenessInput is what the recipe of likeness learns from.
func likenessInput(in recipe.Input) recipe.Input {
	return recipe.Input{Events: in.Events, Users: in.Users, Items: in.Items, ItemAttributes: in.ItemAttributes, Seed: in.Seed}
}

// lookupsOf is how many items may look for lenders.
func lookupsOf(in recipe.Input) int { return int(max(1, lookups/max(1, len(in.Items)))) }

// evenly is at most n of the items.
func (of near) evenly(n int) near {
	if len(of.cold) <= n {
		return of
	}
	var out near
	for k := range n {
		out.cold = append(out.cold, of.cold[k*len(of.cold)/n])
	}
	return out
}

// look asks for the warm items like each item, on all processors, and tells how many are done.
func (of near) look(ctx context.Context, alike model.Scorer, users []float32, tell func(done int)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var telling sync.Mutex
	done := 0
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			scores, rows := make([]float32, len(users)), make([]int32, 0, lenders)
			for ctx.Err() == nil {
				c := int(next.Add(1)) - 1
				if c >= len(of.cold) {
					return
				}
				if err := alike.Score(ctx, model.Query{Item: of.cold[c]}, scores); err != nil {
					stop(err)
					return
				}
				for j := range scores {
					if users[j] < coldBelow || !(scores[j] > 0) {
						scores[j] = float32(math.Inf(-1))
					}
				}
				rows = kernel.TopK(rows[:0], scores, lenders, nil)
				of.fill(c, rows, scores)
				telling.Lock()
				done++
				tell(done)
				telling.Unlock()
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// fill writes the lenders of one item with their shares.
func (of near) fill(c int, rows []int32, cosine []float32) {
	sum := lenderShrinks
	for _, j := range rows {
		sum += math.Pow(float64(cosine[j]), lenderPower)
	}
	for k := range lenders {
		at := c*lenders + k
		if of.lender[at] = -1; k < len(rows) {
			of.lender[at], of.share[at] = rows[k], float32(math.Pow(float64(cosine[rows[k]]), lenderPower)/sum)
		}
	}
}

// tensors are what a model keeps.
func (of near) tensors() map[string]model.Tensor {
	n := len(of.cold)
	return map[string]model.Tensor{
		tensorCold:   {Shape: []int{n}, I32: append([]int32{}, of.cold...)},
		tensorLender: {Shape: []int{n, lenders}, I32: append([]int32{}, of.lender...)},
		tensorShare:  {Shape: []int{n, lenders}, F32: append([]float32{}, of.share...)},
	}
}

// newLender reads the tensors back.
func newLender(m *model.Model, gain float64) (*lender, error) {
	cold, err := recipe.CheckTensor(m, tensorCold, -1)
	if err != nil {
		return nil, err
	}
	n := len(cold.I32)
	of, errLender := recipe.CheckTensor(m, tensorLender, n, lenders)
	share, errShare := recipe.CheckTensor(m, tensorShare, n, lenders)
	if err := cmp.Or(errLender, errShare); err != nil {
		return nil, err
	}
	if len(cold.F32)+len(of.F32)+len(share.I32) > 0 {
		return nil, attune.Errorf(attune.Invalid, "blend model: a tensor of cold items has the wrong type of element")
	}
	warm := make([]bool, len(m.Items))
	for i := range warm {
		warm[i] = true
	}
	for c, row := range cold.I32 {
		if row < 0 || int(row) >= len(m.Items) || !warm[row] {
			return nil, attune.Errorf(attune.Invalid, "blend model: cold item %d is row %d, again or of %d", c, row, len(m.Items))
		}
		warm[row] = false
	}
	for at, j := range of.I32 {
		if j < -1 || int(j) >= len(m.Items) || j >= 0 && !warm[j] || !(share.F32[at] >= 0 && share.F32[at] <= 1) {
			return nil, attune.Errorf(attune.Invalid, "blend model: lender %d is row %d, with a share of %g", at, j, share.F32[at])
		}
	}
	return &lender{near{cold: cold.I32, lender: of.I32, share: share.F32}, gain}, nil
}

// lend changes the scores of cold items. seen are the rows that do not count for
// the mean, ascending.
func (l *lender) lend(scores []float32, seen []int32) {
	if l == nil {
		return
	}
	m := unseenMean(scores, seen)
	for c, row := range l.cold { // lenders are warm, so none is changed before it is asked
		scores[row] = lift(scores[row], m, l.gain*l.borrowed(c, scores, m))
	}
}

// lift adds what is borrowed to an item's own score, or to the mean where it has none.
func lift(own float32, m, borrowed float64) float32 {
	if own-own != 0 {
		own = float32(m)
	}
	return own + float32(borrowed)
}

// borrowed is Σ a(ij)·(s(j) - m) of one item; a lender that cannot be recommended says nothing.
func (of *near) borrowed(c int, scores []float32, m float64) float64 {
	sum := 0.0
	for at := c * lenders; at < (c+1)*lenders && of.lender[at] >= 0; at++ {
		if s := scores[of.lender[at]]; s-s == 0 {
			sum += float64(of.share[at]) * (float64(s) - m)
		}
	}
	return sum
}

// unseenMean is the mean of the scores of items that the asker has not seen; 0 of none.
func unseenMean(scores []float32, seen []int32) float64 {
	n, sum := 0, 0.0
	for _, x := range scores {
		if x-x == 0 {
			n++
			sum += float64(x)
		}
	}
	for _, row := range seen {
		if x := scores[row]; x-x == 0 {
			n--
			sum -= float64(x)
		}
	}
	return sum / float64(max(1, n))
}
