package blend

import (
	"context"
	"math"
	"slices"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// openers are the recipes that have something to say to who comes without a
// history, as logarithms of shares, so that they can be mixed as they are.
func openers() []string { return []string{"demographic"} }

// leastCases are how many validation cases must tell of newcomers, or of a
// context, for it to be weighed: of fewer the error of a mean is itself not known.
const leastCases = 30

// open answers without a history: Σ opens·score over the voices that open, and
// popularity for what is left of 1. Of logarithms of probabilities that is the
// logarithmic pool of experts (Genest, Zidek: Combining Probability
// Distributions, Statistical Science 1986, section 3).
func (s *scorer) open(ctx context.Context, q model.Query, dst []float32) error {
	q.Item, q.History = model.NoItem, nil
	rest := 1.0
	clear(dst)
	var row *scratch
	for _, v := range s.voices {
		if v.opens == 0 {
			continue
		}
		if row == nil {
			row = s.rows.Get().(*scratch)
			defer s.rows.Put(row)
		}
		if err := v.scorer.Score(ctx, q, row.scores); err != nil {
			return err
		}
		kernel.Axpy(float32(v.opens), row.scores, dst)
		rest -= v.opens
	}
	if row == nil {
		copy(dst, s.newborn)
		return nil
	}
	if rest > 1e-6 { // else what is left is rounding
		kernel.Axpy(float32(rest), s.newborn, dst)
	}
	return nil
}

// newborn is the logarithm of popularity, with half a user for those nobody
// has: less than one, more than none.
func newborn(users float32) float32 { return float32(math.Log(max(float64(users), 0) + 0.5)) }

// opening weighs those who can answer without a history, popularity included, on
// the validation cases with their history hidden. Each half of the users is asked
// about models of the other half: in a group of a few dozen the users themselves
// would speak for their taste. It is nil where popularity is as good, or
// nearly so: everybody who is new gets it, and noise must not pass.
func (s *search) opening(ctx context.Context, arms []*arm) (map[string]float64, error) {
	arms = slices.DeleteFunc(slices.Clone(arms), func(a *arm) bool { return !slices.Contains(openers(), base(a.name)) })
	if len(arms) == 0 || len(s.v.Cases) < leastCases {
		return nil, nil
	}
	p := &pool{members: 1 + len(arms), cut: s.v.Cut}
	for half := range int32(2) {
		asked := *s
		asked.v.Cases = slices.DeleteFunc(slices.Clone(s.v.Cases), func(c dataset.Case) bool { return c.User%2 != half })
		asked.in.Events = s.in.Events.Where(func(i int) bool { return s.in.Events.User[i]%2 != half })
		of, err := asked.strangersTo(ctx, arms)
		if err != nil {
			return nil, err
		}
		part, err := asked.collect(ctx, of, s.hidden, asTheyAre)
		if err != nil {
			return nil, err
		}
		p.cases = append(p.cases, part.cases...)
	}
	w, alone := p.choose(), make([]float64, p.members)
	alone[0] = 1
	if gain, err := difference(p.crossed(w), p.each(alone)); gain <= sure*err {
		return nil, nil
	}
	out := map[string]float64{}
	for k, a := range arms {
		if w[k+1] > 0 {
			out[a.name] = w[k+1]
		}
	}
	return out, nil
}

// strangersTo are popularity and the members, learned from s.in.
func (s *search) strangersTo(ctx context.Context, arms []*arm) ([]model.Scorer, error) {
	users := popular(s.in)
	shares := make(recipe.Fixed, len(users))
	for i, n := range users {
		shares[i] = newborn(n)
	}
	of := []model.Scorer{shares}
	for _, a := range arms {
		m := a.member
		m.params = a.best.params
		in := m.input(s.in)
		in.Checkpoint = nil
		learned, err := a.recipe.Train(ctx, in)
		if err != nil {
			return nil, err
		}
		said, err := a.recipe.Decode(learned)
		if err != nil {
			return nil, err
		}
		of = append(of, said)
	}
	return of, nil
}

// hidden are the queries of cases of whom no history is known.
func (s *search) hidden(cases []dataset.Case) []model.Query {
	out := s.queries(cases)
	for i := range out {
		out[i].History = nil
	}
	return out
}

// asTheyAre is the scale of scores that are added up as they are.
func asTheyAre([]float32, []int32) float64 { return 1 }
