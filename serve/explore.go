package serve

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/attune-io/attune/event"
)

// Exploration is how much a release shows of what it knows little of. The zero
// value is none: every answer is the best that the model knows.
//
// With weight ε the places of an answer are filled from the front. At each, with
// probability 1-ε the best item left is taken, as without exploration, and with
// probability ε an item is drawn from the newcomers: eligible items (no older
// than MaxAge, measured as pool says) that passed the request's filter. A
// newcomer i is drawn with probability
//
//	q(i) = b(i) exp(z(i)) / Σ b(j) exp(z(j))  over the newcomers left,
//	b(i) = 1/√(1 + interactions(i) + impressions(i)),
//
// where z is the relevance to the asker: the item's score, less the newcomers'
// mean, over their standard deviation. An item that the model does not know has
// the mean score of the known items that share most of its attributes, or that
// of a share of 1/(items of the model) when it has none.
//
// So item i stands at its place, given the items before it, with probability
//
//	(1-ε) [i is the best left] + ε q(i),
//
// exactly, which is the propensity that goes with it; where there are no
// newcomers ε is 0, and where nothing else is left it is 1. ε-greedy mixing is
// of Sutton & Barto, Reinforcement Learning (2018), section 2.2; the bonus by
// 1/√n is that of UCB1 (Auer, Cesa-Bianchi & Fischer, Machine Learning 47, 2002,
// figure 1), whose logarithm is the same for all and cancels out; the noise is
// the drawing.
type Exploration struct {
	Weight float64       // ε, from 0 to 1
	MaxAge time.Duration // of items that are explored; at least 0
}

// The defaults of itemExplorationConfig, as published.
const (
	DefaultWeight = 0.3
	DefaultMaxAge = 30 * 24 * time.Hour
)

func (e Exploration) valid() bool { return e.Weight >= 0 && e.Weight <= 1 && e.MaxAge >= 0 }

// entrant is a newcomer in the drawing of one answer.
type entrant struct {
	row, number int32
	score       float32
	weight      float64 // b·exp(z); 0 once it is in the answer
}

// explore picks n items, the best of w.best mixed with newcomers.
func (w *space) explore(r *release, v view, q *Request, p *pool, n int, d *rand.Rand) {
	w.enter(r, v, q, p)
	best := w.best
	for len(w.picks) < n {
		for len(best) > 0 && w.left.Has(best[0]) {
			best = best[1:]
		}
		total := 0.0
		for i := range w.entrants {
			total += w.entrants[i].weight
		}
		chance := r.Explore.Weight
		switch {
		case total > 0 && len(best) > 0:
		case total > 0:
			chance = 1
		case len(best) > 0:
			chance = 0
		default:
			return
		}
		next := pick{row: noRow, propensity: float32(1 - chance)}
		var at int // of the entrants; -1 for none
		if d.Float64() < chance {
			at = w.draw(total, d)
			next.row, next.number, next.score = w.entrants[at].row, w.entrants[at].number, w.entrants[at].score
		} else {
			next.row, next.score = best[0], w.scores[best[0]]
			at = slices.IndexFunc(w.entrants, func(e entrant) bool { return e.row == next.row })
		}
		if len(best) == 0 || next.row != best[0] {
			next.reason, next.propensity = event.Explored, 0
		}
		if at >= 0 {
			next.propensity += float32(chance * w.entrants[at].weight / total)
			w.entrants[at].weight = 0
		}
		if next.row != noRow {
			w.left.Set(next.row)
		}
		w.picks = append(w.picks, next)
	}
}

// draw takes an entrant by weight.
func (w *space) draw(total float64, d *rand.Rand) int {
	x, last := d.Float64()*total, -1
	for i := range w.entrants {
		if w.entrants[i].weight == 0 {
			continue
		}
		last = i
		if x -= w.entrants[i].weight; x < 0 {
			break
		}
	}
	return last
}

// enter makes the entrants of one answer from the pool of its release.
func (w *space) enter(r *release, v view, q *Request, p *pool) {
	w.entrants = w.entrants[:0]
	prior := float32(w.norm - math.Log(float64(len(w.scores))))
	for i := range p.newcomers {
		c := &p.newcomers[i]
		e := entrant{row: c.row, number: c.number, weight: c.bonus}
		if c.row != noRow {
			if e.score = w.scores[c.row]; w.left.Has(c.row) || !finite(e.score) {
				continue
			}
		} else {
			w.meet(r, v, q)
			if w.met.Has(c.number) || q.Filter != nil && !w.allowed.Has(c.number) {
				continue
			}
			e.score = w.estimate(c, prior)
		}
		w.entrants = append(w.entrants, e)
	}
	w.standardise()
}

// estimate is the score of an item that the model does not know.
func (w *space) estimate(c *newcomer, prior float32) float32 {
	sum, n := float32(0), 0
	for _, row := range c.like {
		if s := w.scores[row]; finite(s) {
			sum += s
			n++
		}
	}
	if n == 0 {
		return prior
	}
	return sum / float32(n)
}

// standardise multiplies the weights of the entrants with exp(z).
func (w *space) standardise() {
	n, mean, square := 0.0, 0.0, 0.0 // Welford's running mean and sum of squares
	for i := range w.entrants {
		if s := float64(w.entrants[i].score); finite(w.entrants[i].score) {
			n++
			delta := s - mean
			mean += delta / n
			square += delta * (s - mean)
		}
	}
	deviation := math.Sqrt(square / max(n, 1))
	if !(deviation > 0) {
		return
	}
	for i := range w.entrants {
		if finite(w.entrants[i].score) {
			w.entrants[i].weight *= math.Exp((float64(w.entrants[i].score) - mean) / deviation)
		}
	}
}

func finite(x float32) bool { return x-x == 0 }
