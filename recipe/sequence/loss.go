package sequence

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/attune-io/attune/kernel"
)

// candidates are the items that the right one is told from, those of one step.
type candidates struct {
	vectors kernel.View // n×d
	rows    kernel.Packed
	columns kernel.Packed // transposed
	add     []float32     // to each one's score; -Inf takes it out; nil adds nothing
	column  []int32       // of each item, -1 where it is none; nil when candidate i is item i
}

// lossElements is about how many scores are held at once. They are made, turned
// into gradients and spent within a processor's cache.
const lossElements = 192 << 10

// compare is the cross-entropy of the softmax over the candidates and each
// token's target, times the token's weight:
//
//	loss = Σ_t weight_t (ln Σ_c exp(h_t·v_c + add_c) - h_t·v_target)
//
// It writes its gradient by h to dh and adds those by the vectors to dv. Where
// the target is no candidate of its own it takes part in the sum beside them,
// and positive (n×d) gets its gradient; where it is one by chance, the
// candidate does not count.
func (n *net) compare(h, dh kernel.View, p *piece, c *candidates, dv kernel.View, vector func(int32) []float32, positive kernel.View) (loss float64) {
	count := c.vectors.Rows
	rows := min(128, max(8, lossElements/max(1, count)))
	clear(dh.Data)
	for from := 0; from < h.Rows; from += rows {
		to := min(from+rows, h.Rows)
		part := h.Part(from, to, 0, h.Cols)
		scores := n.scratch(&n.scores, to-from, count)
		clear(scores.Data)
		n.times(scores, part, &c.columns)
		for i := range scores.Rows {
			t := from + i
			row := scores.Row(i)
			if c.add != nil {
				kernel.Axpy(1, c.add, row)
			}
			if c.column == nil {
				loss += softmaxLoss(row, int(p.target[t]), p.weight[t])
				continue
			}
			right := vector(p.target[t])
			score := kernel.Dot(part.Row(i), right)
			if k := c.column[p.target[t]]; k >= 0 {
				row[k] = float32(math.Inf(-1))
			}
			l, pull := sampledLoss(row, score, p.weight[t])
			loss += l
			kernel.Axpy(pull, right, dh.Row(t))
			out := positive.Row(t)
			copy(out, part.Row(i))
			kernel.Scale(pull, out)
		}
		n.times(dh.Part(from, to, 0, h.Cols), scores, &c.rows)
		n.timesT(dv, scores, part)
	}
	return loss
}

// softmaxLoss turns scores into the gradient of the cross-entropy with a target
// among them, and returns that.
func softmaxLoss(row []float32, target int, weight float32) float64 {
	right := row[target]
	top := kernel.Max(row)
	sum := kernel.ExpSum(row, row, top)
	kernel.Scale(weight/sum, row)
	row[target] -= weight
	return float64(weight) * (float64(top) + math.Log(float64(sum)) - float64(right))
}

// sampledLoss is softmaxLoss with a target beside row, whose gradient is pull.
func sampledLoss(row []float32, right, weight float32) (loss float64, pull float32) {
	top := max(kernel.Max(row), right)
	sum := kernel.ExpSum(row, row, top)
	own := float32(math.Exp(float64(right - top)))
	sum += own
	kernel.Scale(weight/sum, row)
	return float64(weight) * (float64(top) + math.Log(float64(sum)) - float64(right)), weight*own/sum - weight
}

// sampler draws the candidates of a step, where not all items are: half of them
// alike, half as often as they occur, so that both what is popular and what is
// rare is told from what is right.
type sampler struct {
	n      int
	items  []int32   // that occur
	until  []float64 // share of the events up to each of items
	chance []float64 // of each item in one draw
	column []int32   // -1 but for those of the step
	drawn  []int32
	add    []float32
}

func newSampler(n int, counts []int32) *sampler {
	s := &sampler{n: n, chance: make([]float64, len(counts)), column: make([]int32, len(counts))}
	var all float64
	for i, c := range counts {
		s.column[i] = -1
		if c > 0 {
			s.items = append(s.items, int32(i))
			all += float64(c)
			s.until = append(s.until, all)
		}
	}
	for k, i := range s.items {
		s.chance[i] = 0.5/float64(len(s.items)) + 0.5*float64(counts[i])/all
		s.until[k] /= all
	}
	return s
}

// draw is the candidates of one step, each once. Add makes of their sum what
// that of all items is expected to be: minus the logarithm of how often an item
// is expected to be drawn, plus that of how often it was.
// Bengio, Senécal: Adaptive Importance Sampling (2008), equation 9.
func (s *sampler) draw(r *rand.Rand) {
	for _, i := range s.drawn {
		s.column[i] = -1
	}
	s.drawn, s.add = s.drawn[:0], s.add[:0]
	for k := range s.n {
		var i int32
		if k%2 == 0 {
			i = s.items[r.IntN(len(s.items))]
		} else {
			at, _ := slices.BinarySearch(s.until, r.Float64())
			i = s.items[min(at, len(s.items)-1)]
		}
		if s.column[i] < 0 {
			s.column[i] = int32(len(s.drawn))
			s.drawn, s.add = append(s.drawn, i), append(s.add, 0)
		}
		s.add[s.column[i]]++
	}
	for k, i := range s.drawn {
		s.add[k] = float32(math.Log(float64(s.add[k])) - math.Log(float64(s.n)*s.chance[i]))
	}
}
