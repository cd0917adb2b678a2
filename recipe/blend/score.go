package blend

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// atOnce bounds the scratch of ScoreMany: rows of scores beside those asked for.
const atOnce = 32

// scorer adds its members up. It is safe for concurrent use.
type scorer struct {
	voices   []voice
	newborn  []float32 // scores for an empty history: the logarithm of popularity, as far as no voice opens
	lender   *lender   // of scores to cold items; nil for none
	listener *listener // to the context; nil for none
	rows     sync.Pool // *scratch
}

// voice is one member that is asked.
type voice struct {
	scorer model.Scorer
	weight float64 // times score_scale; 0 of one that only opens
	opens  float64 // of an answer without a history
}

// Decode makes the members' scorers.
func (r Recipe) Decode(m *model.Model) (model.Scorer, error) {
	if _, ok := m.Manifest.Parameters[ParamMembers]; !ok {
		return nil, attune.Errorf(attune.Invalid, "blend model: its manifest does not say what its %s are", ParamMembers)
	}
	b, err := r.resolve(recipe.Input{Params: m.Manifest.Parameters, Items: m.Items})
	if err != nil {
		return nil, err
	}
	users, err := recipe.CheckTensor(m, tensorPopular, len(m.Items))
	if err != nil {
		return nil, err
	}
	if users.F32 == nil && len(users.I32) > 0 {
		return nil, attune.Errorf(attune.Invalid, "blend model: %s must be float32", tensorPopular)
	}
	s := &scorer{newborn: make([]float32, len(m.Items))}
	for i, n := range users.F32 {
		s.newborn[i] = newborn(n)
		if s.newborn[i] != s.newborn[i] || s.newborn[i] > math.MaxFloat32 {
			return nil, attune.Errorf(attune.Invalid, "blend model: %s of item %d is %g", tensorPopular, i, n)
		}
	}
	for _, of := range b.used() {
		said, err := of.recipe.Decode(of.part(m))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", of.name, err)
		}
		s.voices = append(s.voices, voice{said, of.weight * b.scale, of.opens})
	}
	if b.gain > 0 {
		if s.lender, err = newLender(m, b.gain); err != nil {
			return nil, err
		}
	}
	if s.listener, err = r.newListener(m, b); err != nil {
		return nil, err
	}
	s.rows.New = func() any { return &scratch{scores: make([]float32, len(m.Items))} }
	return s, nil
}

// Score is Σ weight · scale · score over the members, see toScale, of which cold
// items borrow, see lender. Without a history it is what open says.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.fits(dst); err != nil {
		return err
	}
	if !s.known(q.History) {
		if err := s.open(ctx, q, dst); err != nil {
			return err
		}
		return s.heed(ctx, q, false, dst)
	}
	q.Item = model.NoItem
	clear(dst)
	row := s.rows.Get().(*scratch)
	defer s.rows.Put(row)
	row.seen = rowsOf(row.seen, q.History, len(dst))
	for _, v := range s.voices {
		if v.weight == 0 {
			continue
		}
		if err := v.scorer.Score(ctx, q, row.scores); err != nil {
			return err
		}
		add(dst, row.scores, row.seen, v.weight)
	}
	s.lender.lend(dst, row.seen)
	return s.heed(ctx, q, true, dst)
}

// scratch is that of one query.
type scratch struct {
	scores []float32
	seen   []int32
}

// ScoreMany asks each member for some queries at once.
func (s *scorer) ScoreMany(ctx context.Context, queries []model.Query, dst [][]float32) error {
	var known []model.Query
	var to [][]float32
	for i, q := range queries {
		if err := s.fits(dst[i]); err != nil {
			return err
		}
		if !s.known(q.History) {
			if err := s.open(ctx, q, dst[i]); err != nil {
				return err
			}
			if err := s.heed(ctx, q, false, dst[i]); err != nil {
				return err
			}
			continue
		}
		q.Item = model.NoItem
		clear(dst[i])
		known, to = append(known, q), append(to, dst[i])
	}
	rows, each := make([][]float32, min(atOnce, len(known))), make([]*scratch, min(atOnce, len(known)))
	for i := range rows {
		each[i] = s.rows.Get().(*scratch)
		defer s.rows.Put(each[i])
		rows[i] = each[i].scores
	}
	for from := 0; from < len(known); from += atOnce {
		end := min(from+atOnce, len(known))
		for i := from; i < end; i++ {
			each[i-from].seen = rowsOf(each[i-from].seen, known[i].History, len(s.newborn))
		}
		for _, v := range s.voices {
			if v.weight == 0 {
				continue
			}
			if err := scoreAll(ctx, v.scorer, known[from:end], rows[:end-from]); err != nil {
				return err
			}
			for i := from; i < end; i++ {
				add(to[i], rows[i-from], each[i-from].seen, v.weight)
			}
		}
		for i := from; i < end; i++ {
			s.lender.lend(to[i], each[i-from].seen)
			if err := s.heed(ctx, known[i], true, to[i]); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// scoreAll is ScoreMany of those that have it and Score, one by one, of others.
func scoreAll(ctx context.Context, s model.Scorer, queries []model.Query, dst [][]float32) error {
	if many, ok := s.(model.ManyScorer); ok {
		return many.ScoreMany(ctx, queries, dst)
	}
	for i, q := range queries {
		if err := s.Score(ctx, q, dst[i]); err != nil {
			return err
		}
	}
	return nil
}

func (s *scorer) fits(dst []float32) error {
	if len(dst) != len(s.newborn) {
		return attune.Errorf(attune.Internal, "%d scores asked for of a model with %d items", len(dst), len(s.newborn))
	}
	return nil
}

// known says whether a history tells anything.
func (s *scorer) known(history []model.Touch) bool {
	for _, t := range history {
		if t.Item >= 0 && int(t.Item) < len(s.newborn) && t.Weight > 0 && !math.IsInf(float64(t.Weight), 0) {
			return true
		}
	}
	return false
}

// add adds a member's scores to dst at the scale that all have in common. What
// one member cannot recommend, none can.
func add(dst, scores []float32, seen []int32, weight float64) {
	factor := weight * toScale(scores, seen)
	if !(factor > 0) || factor > math.MaxFloat32 { // they are all alike
		for i, x := range scores {
			if math.IsInf(float64(x), -1) {
				dst[i] = x
			}
		}
		return
	}
	kernel.Axpy(float32(factor), scores, dst)
}

// toScale is what scores are multiplied by so that their standard deviation is
// one over the items that the asker has not seen; 0 when they are all alike.
// Items that were seen, distinct rows, stand out by far in some members and not
// at all in others. What is added to all scores alike changes neither an order
// nor a softmax, so the mean stays. Items that cannot be recommended do not count.
func toScale(scores []float32, seen []int32) float64 {
	n, sum, squares := 0, 0.0, 0.0
	for _, x := range scores {
		if x-x == 0 {
			n++
			sum += float64(x)
			squares += float64(x) * float64(x)
		}
	}
	rest, restSum, restSquares := n, sum, squares
	for _, row := range seen {
		if x := scores[row]; x-x == 0 {
			rest--
			restSum -= float64(x)
			restSquares -= float64(x) * float64(x)
		}
	}
	if scale := inverseDeviation(rest, restSum, restSquares); scale > 0 {
		return scale
	}
	return inverseDeviation(n, sum, squares) // everything was seen
}

func inverseDeviation(n int, sum, squares float64) float64 {
	if n < 2 {
		return 0
	}
	mean := sum / float64(n)
	variance := squares/float64(n) - mean*mean
	if !(variance > 1e-12*mean*mean) || math.IsInf(variance, 0) {
		return 0
	}
	return 1 / math.Sqrt(variance)
}

// rowsOf are the distinct rows of a history that a model of n items knows, ascending; dst is used again.
func rowsOf(dst []int32, history []model.Touch, n int) []int32 {
	dst = dst[:0]
	for _, t := range history {
		if t.Item >= 0 && int(t.Item) < n {
			dst = append(dst, t.Item)
		}
	}
	slices.Sort(dst)
	return slices.Compact(dst)
}

var (
	_ recipe.Recipe    = Recipe{}
	_ recipe.Sizer     = Recipe{}
	_ recipe.Coster    = Recipe{}
	_ recipe.Searcher  = Recipe{}
	_ model.ManyScorer = (*scorer)(nil)
)
