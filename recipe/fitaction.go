package recipe

import (
	"context"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/index"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
)

// OffersByTime is the protocol that recipes of actions are measured with. The
// newest tenth of all offers is the test slice and the newest tenth of the
// others chooses parameters; what is learned from ends, for everybody, where
// the slice begins, and so do the outcomes that are known of earlier offers.
// Each offer is asked about as serving would have been asked, with all that the
// user had done by then.
const OffersByTime = "offers-by-time-v1"

const (
	// minOffers is the least that is measured on; fewer make every number noise.
	minOffers = 200
	// measuredOffers bounds the offers asked about, evenly from all: enough for
	// a calibration error of a tenth of a per cent, and the time does not grow with the data.
	measuredOffers = 20_000
	// pseudoOffers is how many offers of the average action every action is given
	// in the baseline of rates.
	pseudoOffers = 20
	// RatesBaseline answers everybody with how often an action is taken.
	RatesBaseline = "action_rates"
)

// paramPeriod is how many days an offer has to be taken.
const paramPeriod = "action_optimization_period"

const defaultPeriod, minPeriod, maxPeriod = 14, 1, 365

// Period reads how long an offer has to be taken; 14 days when not given.
func (in Input) Period() (time.Duration, error) {
	days, err := in.Int(paramPeriod, defaultPeriod, minPeriod, maxPeriod)
	return time.Duration(days) * 24 * time.Hour, err
}

// actionFit is one run of Fit for a recipe of actions.
type actionFit struct {
	FitSpec
	period   time.Duration
	outcomes []schema.ActionOutcome
	kept     *model.Measured // by evaluate
}

// fitActions is Fit for recipes of actions: see OffersByTime. Actions without
// any events can be learned, and then nothing is measured.
func fitActions(ctx context.Context, s FitSpec) (*model.Model, error) {
	s.Snapshot = s.Uses.learnable(s.Snapshot)
	f := &actionFit{FitSpec: s, outcomes: OutcomesOf(s.Snapshot.ActionEvents.Types)}
	if f.Clock == nil {
		f.Clock = attune.WallClock
	}
	f.Memory = allowed(f.Memory)
	if s.Snapshot.Actions.Len() == 0 {
		return nil, attune.Errorf(attune.Invalid, "the Actions dataset has no actions: import some, or send them with PutActions, before training")
	}
	var err error
	if f.period, err = f.input(dataset.Events{}, s.Params).Period(); err != nil {
		return nil, err
	}
	if sizer, ok := f.Recipe.(Sizer); ok {
		if need := sizer.Bytes(f.input(s.Snapshot.ActionEvents, s.Params)); need > f.Memory {
			return nil, attune.Errorf(attune.Invalid, "training %s on %d action interactions takes about %s, more than the %s allowed: lower hash_bits, or allow more with 'attune serve --train-memory'",
				f.Recipe.Name(), s.Snapshot.ActionEvents.Len(), above(need), below(f.Memory))
		}
	}
	started := f.Clock()
	params, evaluation, err := f.measured(ctx)
	if err != nil {
		return nil, fmt.Errorf("measure %s: %w", f.Recipe.Name(), err)
	}
	m, err := f.learn(ctx, s.Snapshot.ActionEvents, params, StageTrain)
	if err != nil {
		return nil, fmt.Errorf("train %s: %w", f.Recipe.Name(), err)
	}
	man := &m.Manifest
	man.Format, man.Recipe, man.Snapshot, man.Seed = 1, f.Name, f.Snapshot.Name, f.Seed
	man.Kernel = kernel.Using().String()
	man.Seen, man.Evaluation, man.Newest = model.SeenKept, evaluation, newest(s.Snapshot.ActionEvents)
	m.Measured = f.kept
	man.Created, man.TrainingSeconds = started.UTC().Format(time.RFC3339), f.Clock().Sub(started).Seconds()
	man.Digest, err = model.Digest(m)
	return m, err
}

func (f *actionFit) input(e dataset.Events, params map[string]string) Input {
	s := f.Snapshot
	return Input{Events: e, Users: s.Users.Len(), Items: s.Actions.IDs(), ItemAttributes: s.ActionAttributes, UserAttributes: s.UserAttributes,
		Params: params, Seed: f.Seed}
}

func (f *actionFit) learn(ctx context.Context, e dataset.Events, params map[string]string, stage string) (*model.Model, error) {
	in := f.input(e, params)
	if f.Progress != nil && stage != "" {
		in.Progress = func(done, total int) { f.Progress(stage, done, total) }
	}
	return f.Recipe.Train(ctx, in)
}

// measured chooses parameters on the validation slice and measures on the test
// slice; without enough offers the parameters stay and there is no evaluation.
func (f *actionFit) measured(ctx context.Context) (map[string]string, *model.Evaluation, error) {
	all := f.Snapshot.ActionEvents
	offers := Offers(all, f.period)
	if len(offers) < minOffers {
		return f.Params, nil, nil
	}
	testAt := offers[len(offers)*9/10].At
	train := all.Before(testAt)
	test := since(offers, testAt)
	known := Offers(train, f.period)
	if !mixed(known) || !mixed(test) {
		return f.Params, nil, nil
	}
	params, err := f.choose(ctx, train, known)
	if err != nil {
		return nil, nil, err
	}
	m, err := f.learn(ctx, train, params, StageLearn)
	if err != nil {
		return nil, nil, err
	}
	e, err := f.evaluate(ctx, m, known, test, testAt)
	return params, e, err
}

// choose takes the parameters under which the validation slice is likeliest,
// and calibrates them on it.
func (f *actionFit) choose(ctx context.Context, train dataset.Events, known []Offer) (map[string]string, error) {
	validAt := known[len(known)*9/10].At
	inner := train.Before(validAt)
	valid := dataset.Sample(since(known, validAt), measuredOffers)
	if !mixed(valid) || !mixed(Offers(inner, f.period)) {
		return f.Params, nil
	}
	candidates := []map[string]string{f.Params}
	if t, ok := f.Recipe.(Tuner); ok {
		candidates = t.Candidates(f.input(inner, f.Params))
	}
	var chosen map[string]string
	var propensities []float64
	least := math.Inf(1)
	for i, params := range candidates {
		m, err := f.learn(ctx, inner, params, "")
		if err != nil {
			return nil, err
		}
		p, err := f.ask(ctx, m, valid)
		if err != nil {
			return nil, err
		}
		if loss := evaluate.MeasurePropensities(p, outcomesOf(valid)).LogLoss; loss < least || chosen == nil {
			least, chosen, propensities = loss, params, p
		}
		if f.Progress != nil {
			f.Progress(StageTune, i+1, len(candidates))
		}
	}
	if _, given := chosen[paramSlope]; given {
		return chosen, nil
	}
	z := make([]float64, len(propensities))
	for i, p := range propensities {
		p = min(1-1e-6, max(1e-6, p)) // what float32 holds
		z[i] = math.Log(p / (1 - p))
	}
	slope, intercept := platt(z, outcomesOf(valid))
	return With(With(chosen, paramSlope, FormatFloat(roundScale(slope))), paramIntercept, FormatFloat(roundScale(intercept))), nil
}

// evaluate measures on the test slice: propensities offer by offer, and lists
// of actions for those who took some, beside the rates of actions.
func (f *actionFit) evaluate(ctx context.Context, m *model.Model, known, test []Offer, at int64) (*model.Evaluation, error) {
	users, truth := takers(test)
	asked := dataset.Sample(test, measuredOffers)
	p, err := f.ask(ctx, m, asked)
	if err != nil {
		return nil, err
	}
	lists, err := f.rank(ctx, m, users, at)
	if err != nil {
		return nil, err
	}
	rates := f.rates(known)
	rateOf, sameList := make([]float64, len(asked)), make([][]int32, len(users))
	for i, o := range asked {
		rateOf[i] = float64(rates[o.Action])
	}
	best := top(rates)
	for i := range sameList {
		sameList[i] = best
	}
	mine, measured := f.metrics(lists, truth, p, asked)
	theirs, measuredRates := f.metrics(sameList, truth, rateOf, asked)
	ndcg, ndcgRates := ndcg25(measured), ndcg25(measuredRates)
	both := evaluate.Bootstrap(f.Seed, ndcgRates, evaluate.Difference(ndcg, ndcgRates))
	f.kept = &model.Measured{Own: kept(evaluate.PerUser(measured))}
	s := f.Snapshot
	return &model.Evaluation{
		Protocol: OffersByTime, Users: len(users), Metrics: mine, NDCG25: model.Interval(evaluate.Bootstrap(f.Seed, ndcg)[0]),
		Holdout: holdoutOf(OffersByTime, len(users), func(i int) (string, int, []int32) {
			return s.Users.ID(users[i]), s.ActionEvents.Of(users[i]).Before(at).Len(), truth[i]
		}, s.Actions),
		Baselines: []model.Baseline{{Name: RatesBaseline, Metrics: theirs, NDCG25: model.Interval(both[0]), Difference: model.Interval(both[1])}},
	}, nil
}

func (f *actionFit) metrics(lists, truth [][]int32, p []float64, asked []Offer) (map[string]float64, []evaluate.User) {
	users := make([]evaluate.User, len(lists))
	for i := range users {
		users[i] = evaluate.Measure(lists[i], truth[i])
	}
	out := evaluate.Mean(users, evaluate.Covered(lists, f.Snapshot.Actions.Len()))
	maps.Copy(out, evaluate.MeasurePropensities(p, outcomesOf(asked)).Metrics())
	return out, users
}

// rates are how often each action is taken when it is offered, drawn towards
// the average of all.
func (f *actionFit) rates(offers []Offer) []float32 {
	n, taken := make([]float64, f.Snapshot.Actions.Len()), make([]float64, f.Snapshot.Actions.Len())
	var all float64
	for _, o := range offers {
		n[o.Action]++
		if o.Taken {
			taken[o.Action]++
			all++
		}
	}
	out := make([]float32, len(n))
	for i := range out {
		out[i] = float32((taken[i] + pseudoOffers*all/float64(len(offers))) / (n[i] + pseudoOffers))
	}
	return out
}

// ask gives the propensity of each offer as it was when the offer began.
func (f *actionFit) ask(ctx context.Context, m *model.Model, offers []Offer) ([]float64, error) {
	out := make([]float64, len(offers))
	err := f.score(ctx, m, len(offers), func(i int) (int32, int64) { return offers[i].User, offers[i].At }, func(i int, scores []float32) {
		p := float64(scores[offers[i].Action])
		if p < 0 {
			p++ // an action without enough evidence to be told
		}
		out[i] = p
	})
	return out, err
}

// rank gives the list of actions for each user at a moment.
func (f *actionFit) rank(ctx context.Context, m *model.Model, users []int32, at int64) ([][]int32, error) {
	out := make([][]int32, len(users))
	err := f.score(ctx, m, len(users), func(i int) (int32, int64) { return users[i], at }, func(i int, scores []float32) { out[i] = top(scores) })
	return out, err
}

// score asks n times on all processors, about the user and moment that who
// says, and gives the scores to do.
func (f *actionFit) score(ctx context.Context, m *model.Model, n int, who func(i int) (int32, int64), do func(i int, scores []float32)) error {
	s, err := f.Recipe.Decode(m)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			scores, q := make([]float32, len(m.Items)), model.Query{Item: model.NoItem}
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				user, at := who(i)
				q.History = ActionTouches(q.History, f.Snapshot.ActionEvents.Of(user), f.outcomes, at)
				q.User, q.Now = f.Snapshot.UserAttributes.Row(user), at
				if err := s.Score(ctx, q, scores); err != nil {
					stop(err)
					return
				}
				do(i, scores)
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

func top(scores []float32) []int32 {
	var rows []int32
	for _, hit := range index.Top(scores, evaluate.Depth, nil) {
		rows = append(rows, hit.Row)
	}
	return rows
}

// since are the offers from a moment on.
func since(offers []Offer, at int64) []Offer {
	n, _ := slices.BinarySearchFunc(offers, at, func(o Offer, at int64) int { return int(min(1, max(-1, o.At-at))) })
	return offers[n:]
}

// mixed says whether some offers were taken and some were not.
func mixed(offers []Offer) bool {
	taken := func(o Offer) bool { return o.Taken }
	left := func(o Offer) bool { return !o.Taken }
	return slices.ContainsFunc(offers, taken) && slices.ContainsFunc(offers, left)
}

func outcomesOf(offers []Offer) []bool {
	out := make([]bool, len(offers))
	for i, o := range offers {
		out[i] = o.Taken
	}
	return out
}

// takers are the users who took something, in order, at most tuneCases evenly
// from all, and what each took.
func takers(offers []Offer) (users []int32, truth [][]int32) {
	of := map[int32][]int32{}
	for _, o := range offers {
		if o.Taken {
			of[o.User] = append(of[o.User], o.Action)
		}
	}
	for _, user := range dataset.Sample(slices.Sorted(maps.Keys(of)), tuneCases) {
		slices.Sort(of[user])
		users, truth = append(users, user), append(truth, slices.Compact(of[user]))
	}
	return users, truth
}
