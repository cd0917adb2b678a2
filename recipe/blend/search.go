package blend

import (
	"context"
	"fmt"
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

const (
	// defaultCut is that of NDCG where the Validation does not say another.
	defaultCut = 25
	// farBehind is the part of the best member's metric under which another
	// member's parameters are not worth trainings.
	farBehind = 0.5
	// nearTop is the part of the best member's metric from which on another is
	// trained a second time.
	nearTop = 0.85
	// searchSteps are what Progress counts, of the budget.
	searchSteps = 1000
)

// search is one run of Search.
type search struct {
	Recipe
	in     recipe.Input
	v      recipe.Validation
	arms   []*arm
	spent  float64 // seconds of Coster
	trials []model.Trial
	told   int
	asking map[string]float64       // seconds that asking about all cases takes, by recipe
	users  map[int32]map[string]any // attributes by user row, of those who are asked about
	beside int64                    // bytes that the context takes beside the members
	aside  aside                    // seconds of what is still to be done beside them

	refused error // of the last training that was passed over
}

// arm is a member that is looked at, and where its parameters may go.
type arm struct {
	member
	axes   []axis
	others []map[string]string // parameters that its recipe would try besides
	tried  map[string]bool
	best   *trial
	closed bool // nothing is left to try, or nothing that the budget bears
}

// trial is one training of a member, measured.
type trial struct {
	params   map[string]string // to train with, those that only Decode reads included
	model    *model.Model      // the member's own
	resolved map[string]string
	cost     float64 // of training so again
	spent    float64 // in finding it
	value    float64
}

// Search trains every member that the data bears with its defaults, moves the
// parameters of the good ones step by step for as long as they get better and
// the budget lasts, and then weighs the members.
//
// The budget is one of nominal seconds, told by the members (recipe.Coster), so
// that what is tried follows from data and parameters alone. Before each
// training it is asked whether what was spent, that training, v.After trainings
// of the members kept so far, and what is done beside them fit in it. One member is trained in any
// case.
func (r Recipe) Search(ctx context.Context, in recipe.Input, v recipe.Validation) (recipe.Found, error) {
	b, err := r.resolve(in)
	if err != nil {
		return recipe.Found{}, err
	}
	if len(v.Cases) == 0 || b.settled(in.Params) {
		return recipe.Found{Params: in.Params}, nil
	}
	if v.Cut == 0 {
		v.Cut = defaultCut
	}
	if in.Checkpoint != nil {
		in.Checkpoint = in.Checkpoint.Part("search")
	}
	s := &search{Recipe: r, in: in, v: v, asking: askCosts(in, v.Cases), users: attributesOf(in, v.Cases), beside: r.heedingBytes(in)}
	if err := s.open(ctx, b); err != nil {
		return recipe.Found{}, err
	}
	s.setAside(b)
	s.report()
	for _, stage := range []func(context.Context) error{s.defaultsOfAll, s.climb, s.again} {
		if err := stage(ctx); err != nil {
			return recipe.Found{}, err
		}
	}
	return s.finish(ctx)
}

// attributesOf are the attributes of those whom cases are about; nil where none are known.
func attributesOf(in recipe.Input, cases []dataset.Case) map[int32]map[string]any {
	if in.UserAttributes == nil {
		return nil
	}
	out := map[int32]map[string]any{}
	for _, c := range cases {
		if out[c.User] == nil {
			out[c.User] = in.UserAttributes.Row(c.User)
		}
	}
	return out
}

// settled says that nothing is left to choose: members and weights are given.
func (b blended) settled(given map[string]string) bool {
	_, ok := given[ParamMembers]
	for _, m := range b.members {
		_, weighed := given[weightOf+m.name]
		ok = ok && weighed
	}
	return ok
}

// open lists the members to look at: those given, or what the data bears.
func (s *search) open(ctx context.Context, b blended) error {
	names := s.bearable()
	if _, given := s.in.Params[ParamMembers]; given {
		names = nil
		for _, m := range b.used() {
			names = append(names, m.name)
		}
	}
	for _, name := range names {
		of, copies, _ := s.find(name)
		m := member{name: name, recipe: of, copies: copies, weight: 1, params: s.own(s.in.Params, name)}
		if err := m.check(ctx); err != nil {
			return err
		}
		s.arms = append(s.arms, &arm{member: m, axes: axes(base(name), m.params), tried: map[string]bool{}})
	}
	if len(s.arms) == 0 {
		return attune.Errorf(attune.Internal, "a blend of no recipes was asked to search")
	}
	s.fit()
	return nil
}

// fit drops members, the largest first, until those left fit in memory together;
// one stays in any case.
func (s *search) fit() {
	for s.v.Memory > 0 && len(s.arms) > 1 && s.bytes(nil, nil) > s.v.Memory {
		most := 0
		for i, a := range s.arms {
			if a.bytes(s.in, a.params) > s.arms[most].bytes(s.in, s.arms[most].params) {
				most = i
			}
		}
		a := s.arms[most]
		s.trials = append(s.trials, model.Trial{Recipe: a.name, Words: fmt.Sprintf("passed over: it takes about %d MiB, and all members together may take %d MiB",
			a.bytes(s.in, a.params)>>20, s.v.Memory>>20)})
		s.arms = slices.Delete(s.arms, most, most+1)
	}
}

// bytes is what the members take together, each with its best parameters so far
// and one with others, and the context beside them.
func (s *search) bytes(with *arm, params map[string]string) int64 {
	sum := s.beside
	for _, a := range s.arms {
		own := int64(0)
		if a.best != nil || a != with {
			own = a.bytes(s.in, a.bestParams())
		}
		if a == with {
			own = max(own, a.bytes(s.in, params))
		}
		sum += own
	}
	return sum
}

// bytes is what a member takes with some parameters; 0 of one that does not say.
func (m member) bytes(in recipe.Input, params map[string]string) int64 {
	sizer, ok := m.recipe.(recipe.Sizer)
	if !ok {
		return 0
	}
	m.params = params
	return sizer.Bytes(m.input(in))
}

func (a *arm) bestParams() map[string]string {
	if a.best == nil {
		return a.params
	}
	return a.best.params
}

// check reads a member's parameters, by training it on nothing.
func (m member) check(ctx context.Context) error {
	_, err := m.recipe.Train(ctx, m.input(recipe.Input{Items: []string{""}, Users: 1}))
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	return nil
}

// defaultsOfAll trains every member once, the quickest first.
func (s *search) defaultsOfAll(ctx context.Context) error {
	order := slices.Clone(s.arms)
	cost := func(a *arm) float64 { return s.cost(a, s.start(a)) }
	slices.SortStableFunc(order, func(a, b *arm) int {
		switch x, y := cost(a), cost(b); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	for i, a := range order {
		params := s.start(a)
		if i > 0 && !s.affordable(a, params) {
			a.closed = true
			continue
		}
		params, err := s.itself(ctx, a, params)
		if err == nil {
			err = s.try(ctx, a, params)
		}
		if err == nil {
			err = s.within(ctx, a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// itself lets a member that knows how to search do so, in its part of the budget.
func (s *search) itself(ctx context.Context, a *arm, params map[string]string) (map[string]string, error) {
	r, ok := a.recipe.(recipe.Searcher)
	share := s.left() / float64(2*len(s.arms))
	if !ok || share < 2*s.cost(a, params) {
		return params, nil
	}
	in, v := a.input(s.in), s.v
	if in.Checkpoint != nil {
		in.Checkpoint = in.Checkpoint.Part("search")
	}
	in.Params, v.Seconds, v.After, v.Progress = params, share, 1, nil
	found, err := r.Search(ctx, in, v)
	if err != nil {
		return nil, err
	}
	s.spent += share
	for _, t := range found.Trials {
		t.Recipe = a.name
		s.trials = append(s.trials, t)
	}
	return found.Params, nil
}

// climb tries a neighbour of the best parameters of each member in turn, the
// better members first, until nothing gets better or affordable, or v.Jobs were tried.
func (s *search) climb(ctx context.Context) error {
	jobs := 0
	for open := true; open; {
		open = false
		order := slices.Clone(s.arms)
		slices.SortStableFunc(order, func(a, b *arm) int {
			switch x, y := a.value(), b.value(); {
			case x > y:
				return -1
			case x < y:
				return 1
			}
			return 0
		})
		for _, a := range order {
			if a.closed || a.value() < farBehind*order[0].value() {
				continue
			}
			params, ok := a.next()
			for ok && !s.affordable(a, params) {
				params, ok = a.next()
			}
			if !ok {
				a.closed = true
				continue
			}
			if jobs++; s.v.Jobs > 0 && jobs > s.v.Jobs {
				return nil
			}
			open = true
			if err := s.try(ctx, a, params); err != nil {
				return err
			}
		}
	}
	return nil
}

// again trains the members whose seeds matter once more, with another seed, while
// the budget lasts: two that err differently are better than either.
func (s *search) again(ctx context.Context) error {
	top := 0.0
	for _, a := range s.arms {
		top = max(top, a.value())
	}
	if _, given := s.in.Params[ParamMembers]; given {
		return nil
	}
	for _, name := range []string{"sequence", "ials"} {
		at := slices.IndexFunc(s.arms, func(a *arm) bool { return a.name == name })
		if at < 0 || s.arms[at].best == nil || s.arms[at].value() < nearTop*top || len(s.arms) == maxMembers {
			continue
		}
		first := s.arms[at]
		second := &arm{member: first.member, tried: map[string]bool{}}
		second.name, second.copies, second.axes = name+"#2", 1, nil
		second.params = s.own(s.in.Params, second.name)
		s.arms = append(s.arms, second)
		if !s.affordable(second, first.best.params) {
			continue
		}
		if err := s.try(ctx, second, first.best.params); err != nil {
			return err
		}
	}
	return nil
}

func (a *arm) value() float64 {
	if a.best == nil {
		return 0
	}
	return a.best.value
}

// try trains a member and keeps it if it is the best of its kind. Parameters
// that a member cannot learn with, and that the customer did not choose, are
// passed over.
func (s *search) try(ctx context.Context, a *arm, params map[string]string) error {
	t, err := s.train(ctx, a, params)
	if attune.KindOf(err) == attune.Invalid {
		s.refused = fmt.Errorf("%s: %w", a.name, err)
		return nil
	}
	if err != nil {
		return err
	}
	s.spent += t.spent
	a.tried[a.pointOf(t.resolved)] = true
	s.trials = append(s.trials, model.Trial{Recipe: a.name, Parameters: a.varied(t), Value: t.value})
	if a.best == nil || t.value > a.best.value {
		a.best = t
	}
	s.report()
	return nil
}

// varied are the parameters of a trial that the search could have chosen otherwise.
func (a *arm) varied(t *trial) map[string]string {
	out := map[string]string{}
	for _, x := range a.axes {
		if value, ok := t.resolved[x.name]; ok {
			out[x.name] = value
		}
	}
	for key, value := range t.params {
		if a.params[key] != value {
			out[key] = value
		}
	}
	return out
}

// report tells how much of the budget is spent.
func (s *search) report() {
	if s.v.Progress == nil {
		return
	}
	if s.v.Seconds > 0 {
		s.told = max(s.told, min(searchSteps-1, int(searchSteps*s.spent/s.v.Seconds)))
	}
	s.v.Progress(s.told, searchSteps)
}
