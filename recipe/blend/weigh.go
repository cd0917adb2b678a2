package blend

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
)

const (
	// poolTop is how many of a member's best items of a case are remembered: far
	// more than any cut, so that what a blend lifts up is among them.
	poolTop = 150
	// poolFloats bounds the memory of the pool: 256 MiB.
	poolFloats = 64 << 20
	// noise is how many standard errors a blend of more members must be better
	// by than one of fewer.
	noise = 0.5
)

// pool is what the members say of the items that any of them would recommend.
type pool struct {
	members int
	cut     int
	cases   []pooled
}

// pooled is one case: candidates ascending by item.
type pooled struct {
	said  []float32 // members × n, at the scale that all have in common
	n     int
	truth []int32 // places of true items among the candidates
	ideal float64 // gain of a perfect list
}

// Which cases count.
const (
	all  = -1
	even = 0 // every other case, from the first
	odd  = 1 // the others
)

// scorers are the best of each member.
func scorers(arms []*arm) ([]model.Scorer, error) {
	of := make([]model.Scorer, len(arms))
	for i, a := range arms {
		said, err := a.recipe.Decode(a.best.model)
		if err != nil {
			return nil, err
		}
		of[i] = said
	}
	return of, nil
}

// collect asks about all cases, put as queries, and brings the answers to a scale.
func (s *search) collect(ctx context.Context, of []model.Scorer, put asking, scale scaling) (*pool, error) {
	p := &pool{members: len(of), cut: s.v.Cut, cases: make([]pooled, len(s.v.Cases))}
	top := max(s.v.Cut, min(poolTop, poolFloats/max(1, len(of)*len(of)*len(s.v.Cases))))
	err := s.batches(ctx, s.v.Cases, put, of, func(from int, rows [][][]float32) {
		for i := range rows[0] {
			each := make([][]float32, len(rows))
			for k := range rows {
				each[k] = rows[k][i]
			}
			p.cases[from+i] = pooling(each, s.v.Cases[from+i], top, s.v.Cut, scale)
		}
	})
	return p, err
}

// scaling is what scores are multiplied by, given the rows that were seen.
type scaling func(scores []float32, seen []int32) float64

// pooling joins the best items of each member for one case with the true ones.
func pooling(rows [][]float32, of dataset.Case, top, cut int, toOne scaling) pooled {
	truth := of.Truth
	seen := slices.Compact(slices.Sorted(slices.Values(of.Input.Item)))
	var items []int32
	for _, scores := range rows {
		items = kernel.TopK(items, scores, top, nil)
	}
	items = append(items, truth...)
	slices.Sort(items)
	items = slices.Compact(items)
	items = slices.DeleteFunc(items, func(row int32) bool {
		return slices.ContainsFunc(rows, func(scores []float32) bool { return math.IsInf(float64(scores[row]), -1) })
	})
	c := pooled{n: len(items), said: make([]float32, 0, len(rows)*len(items))}
	for _, scores := range rows {
		scale := float32(toOne(scores, seen))
		for _, row := range items {
			c.said = append(c.said, scale*scores[row])
		}
	}
	for _, row := range truth {
		if at, ok := slices.BinarySearch(items, row); ok {
			c.truth = append(c.truth, int32(at))
		}
	}
	for k := 1; k <= min(cut, len(truth)); k++ {
		c.ideal += 1 / math.Log2(1+float64(k))
	}
	return c
}

// each is the NDCG of every case under some weights.
func (p *pool) each(weights []float64) []float64 {
	out := make([]float64, len(p.cases))
	var next atomic.Int64
	var workers sync.WaitGroup
	const chunk = 64
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			var scores []float32
			for {
				from := int(next.Add(chunk)) - chunk
				if from >= len(p.cases) {
					return
				}
				for i := from; i < min(from+chunk, len(p.cases)); i++ {
					scores = p.cases[i].blend(scores, weights)
					out[i] = p.cases[i].ndcg(scores, p.cut)
				}
			}
		})
	}
	workers.Wait()
	return out
}

func (c *pooled) blend(dst []float32, weights []float64) []float32 {
	dst = append(dst[:0], make([]float32, c.n)...)
	for k, w := range weights {
		if w > 0 {
			kernel.Axpy(float32(w), c.said[k*c.n:(k+1)*c.n], dst)
		}
	}
	return dst
}

// ndcg ranks the true items among the candidates; of equals the lower row stands first.
func (c *pooled) ndcg(scores []float32, cut int) float64 {
	gain := 0.0
	for _, at := range c.truth {
		mine, rank := scores[at], 1
		for _, x := range scores[:at] {
			if x >= mine {
				rank++
			}
		}
		for _, x := range scores[at+1:] {
			if x > mine {
				rank++
			}
		}
		if rank <= cut {
			gain += 1 / math.Log2(1+float64(rank))
		}
	}
	return gain / c.ideal
}

// value is the mean NDCG of all cases or of half of them.
func (p *pool) value(weights []float64, half int) float64 {
	each := p.each(weights)
	if half == all {
		return mean(each)
	}
	sum, n := 0.0, 0
	for i := half; i < len(each); i += 2 {
		sum += each[i]
		n++
	}
	return sum / float64(max(1, n))
}

// choose finds the weights: from the best member on, always the one that adds
// most is added. Of these blends the smallest is taken that is as good as the
// best, within the noise: measured by halves, each under weights that were
// tuned on the other. The weights sum to one; those left out are 0.
func (p *pool) choose() []float64 {
	steps := p.forward()
	crossed := make([][]float64, len(steps))
	best := 0
	for i, w := range steps {
		crossed[i] = p.crossed(w)
		if mean(crossed[i]) > mean(crossed[best]) {
			best = i
		}
	}
	for i := range best {
		gain, err := difference(crossed[best], crossed[i])
		if gain <= noise*err {
			best = i
			break
		}
	}
	return rounded(steps[best])
}

// forward lists blends of one member, of two, …, each with its weights tuned on all cases.
func (p *pool) forward() [][]float64 {
	w := make([]float64, p.members)
	top := math.Inf(-1)
	for k := range p.members {
		one := make([]float64, p.members)
		one[k] = 1
		if v := p.value(one, all); v > top {
			w, top = one, v
		}
	}
	steps := [][]float64{w}
	for len(steps) < p.members {
		var next []float64
		reached := top
		for k := range p.members {
			if w[k] > 0 {
				continue
			}
			for _, part := range []float64{0.05, 0.12, 0.25, 0.5, 1, 2, 4, 8} {
				with := slices.Clone(w)
				with[k] = part
				if v := p.value(with, all); v > reached {
					next, reached = with, v
				}
			}
		}
		if next == nil {
			break
		}
		w, top = p.ascend(next, all)
		steps = append(steps, w)
	}
	return steps
}

// ascend moves one weight after another by smaller and smaller factors while
// that helps: coordinate ascent. No weight becomes 0.
func (p *pool) ascend(from []float64, half int) ([]float64, float64) {
	w := slices.Clone(from)
	top := p.value(w, half)
	for _, step := range []float64{1.6, 1.25, 1.1} {
		for sweep, moved := 0, true; moved && sweep < 8; sweep++ {
			moved = false
			for k := range w {
				for _, factor := range []float64{step, 1 / step} {
					if w[k] == 0 {
						continue
					}
					with := slices.Clone(w)
					with[k] *= factor
					if v := p.value(with, half); v > top {
						w, top, moved = with, v, true
					}
				}
			}
		}
	}
	return w, top
}

// crossed is the NDCG of each case under weights tuned on the other half, from some on.
func (p *pool) crossed(from []float64) []float64 {
	out := make([]float64, len(p.cases))
	for _, half := range []int{even, odd} {
		w, _ := p.ascend(from, 1-half)
		for i, v := range p.each(w) {
			if i%2 == half {
				out[i] = v
			}
		}
	}
	return out
}

// difference is the mean of a-b and its standard error.
func difference(a, b []float64) (gain, err float64) {
	n := float64(len(a))
	for i := range a {
		gain += (a[i] - b[i]) / n
	}
	for i := range a {
		d := a[i] - b[i] - gain
		err += d * d
	}
	return gain, math.Sqrt(err/max(1, n-1)) / math.Sqrt(n)
}

// rounded makes weights sum to one, to four digits: the rest is noise, and manifests are read by people.
func rounded(w []float64) []float64 {
	sum := 0.0
	for _, x := range w {
		sum += x
	}
	out := make([]float64, len(w))
	for i, x := range w {
		if x > 0 {
			out[i] = max(1e-4, math.Round(1e4*x/sum)/1e4)
		}
	}
	return out
}
