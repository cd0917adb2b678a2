package blend

import (
	"strconv"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/recipe"
)

// start are the parameters that a member is first trained with. One that learns
// in rounds gets as many as a good part of what is left of the budget bears,
// and stops by itself when they no longer help.
func (s *search) start(a *arm) map[string]string {
	params := a.params
	if t, ok := a.recipe.(recipe.Tuner); ok {
		all := t.Candidates(a.input(s.in))
		params = all[0]
		if len(a.axes) == 0 { // else its axes are better than a list
			a.others = all[1:]
		}
	}
	of := roundsOf(base(a.name))
	if _, given := params[of]; of == "" || given {
		return params
	}
	one := s.cost(a, recipe.With(params, of, "1"))
	most := roundsShare * s.left() / float64(1+max(1, s.v.After)) / one
	return recipe.With(params, of, strconv.Itoa(int(min(maxRounds, max(minRounds, most)))))
}

// cost is that of a training and of asking what it is worth.
func (s *search) cost(a *arm, params map[string]string) float64 {
	m := a.member
	m.params = params
	asked := s.askCost(a.name)
	if n, err := strconv.Atoi(params[roundsOf(base(a.name))]); err == nil {
		asked += float64(n) * s.askCost(a.name) * float64(min(watchCases, len(s.v.Cases))) / float64(len(s.v.Cases))
	}
	return seconds(m.recipe, m.input(s.in)) + asked
}

// askCost is that of asking a member about all cases.
func (s *search) askCost(name string) float64 {
	if c, ok := s.asking[base(name)]; ok {
		return c
	}
	return s.asking[""]
}

// affordable says whether a training fits in the budget, with what follows if it
// is kept, and in memory.
func (s *search) affordable(a *arm, params map[string]string) bool {
	if s.v.Memory > 0 && s.bytes(a, params) > s.v.Memory {
		return false
	}
	cost := s.cost(a, params)
	later := 0.0
	for _, b := range s.arms {
		own := 0.0
		if b.best != nil {
			own = b.best.cost
		}
		if a == b {
			own = max(own, cost)
		}
		later += own
	}
	return s.spent+cost+later*float64(max(1, s.v.After))+s.reserved() <= s.v.Seconds
}

// The cost of a member that does not tell it: so much for every interaction
// and item.
const (
	secondsEvent = 3e-6
	secondsItem  = 2e-5
)

// seconds estimates the training of a member.
func seconds(r recipe.Recipe, in recipe.Input) float64 {
	if c, ok := r.(recipe.Coster); ok {
		return c.Seconds(in)
	}
	return secondsEvent*float64(in.Events.Len()) + secondsItem*float64(len(in.Items))
}

// What asking takes, for one case.
const (
	secondsAsk   = 5e-9 // for every item of the catalogue
	secondsTouch = 3e-7 // for every event of the case's history, of which neighbours are looked up
	secondsToken = 3e-6 // the same, where it goes through the layers of a transformer
	secondsVote  = 5e-9 // for every event of the sessions that vote
	tokensAtMost = 200
	votersAtMost = 1000
)

// askCosts estimates what it takes to ask each member about all cases, by the name
// of its recipe; "" stands for those that are not among them.
func askCosts(in recipe.Input, cases []dataset.Case) map[string]float64 {
	count := make([]float64, len(in.Items))
	for _, item := range in.Events.Item {
		count[item]++
	}
	users := 0
	in.Events.ByUser(func(int32, int, int) { users++ })
	voters := votersAtMost * float64(in.Events.Len()) / float64(max(1, users))
	plain, tokens, votes := 0.0, 0.0, 0.0
	for _, c := range cases {
		plain += secondsAsk*float64(len(in.Items)) + secondsTouch*float64(c.Input.Len())
		tokens += secondsToken * float64(min(c.Input.Len(), tokensAtMost))
		votes += secondsVote * min(voters, float64(in.Events.Len()))
		for _, item := range c.Input.Item {
			votes += secondsVote * count[item]
		}
	}
	return map[string]float64{"": plain, "sequence": plain + tokens, "session": plain + votes}
}
