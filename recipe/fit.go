package recipe

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe/spec"
)

// Least is the least data that is trained on; zero members ask for nothing
// beyond what can be measured: one user with two interactions.
type Least struct {
	Interactions int     // that count
	Users        int     // with two of them or more
	UserShare    float64 // of the users with any of them, who must have two or more
}

// repeatsLeftOut is the share of validation events that repeat an item of the
// user's, under which items a user already has are left out of answers.
const repeatsLeftOut = 0.02

// FitSpec says what to learn, from what.
type FitSpec struct {
	Snapshot  *dataset.Snapshot
	Recipe    Recipe
	Name      string            // of the recipe as the service calls it, e.g. aws-user-personalization
	Baselines []Recipe          // measured on the same users; one with Recipe's own algorithm is passed over
	Params    map[string]string // hyper-parameters as given; absent means the default
	Seed      uint64
	Rules     model.EventRules // which interactions count, and how much
	Negative  model.Outcomes   // which interactions tell against their item
	Least     Least            // data under this is refused
	Uses      Uses             // which columns may be learned from; nil for all
	Protocol  string           // of dataset.Protocols; "" for dataset.Tail10, and dataset.Tail20 for segments
	Memory    int64            // bytes that training may take; 0 for DefaultMemory(0)
	Search    *Search          // nil for the parameters as given
	Objective *Objective       // beside relevance; nil for none
	Live      []Live           // measured beside, at most model.MaxAgainst; recipes of actions are not
	Budget    Budget           // of a Searcher, or a duration; "" for Standard, and Thorough where Search is given
	Progress  func(stage string, done, total int)
	Clock     attune.Clock // nil for attune.WallClock

	// Checkpoint keeps what a training cut short goes on from, for recipes that
	// have a use for it; nil for nothing. It belongs to this FitSpec.
	Checkpoint Checkpoint

	tried *model.Search // by FitBest
}

// The stages that Progress names, in order.
const (
	StageTune    = "tune"    // choices on the validation slice
	StageLearn   = "learn"   // from the training slice, to be measured
	StageMeasure = "measure" // on the test slice, beside baselines
	StageTrain   = "train"   // from everything
)

// Fit learns a model from a snapshot and measures how good it is.
//
// Before anything is learned the data and the split are searched for duplicates
// and leaks; what is found is told in the manifest, and stops nothing.
//
// The events that count are split by the protocol. A validation slice, carved
// by the same protocol from the training part, decides whether items a user
// already has are left out, and the parameters of a Tuner: the recipe and the
// baselines alike, or all that a Searcher finds in its Budget. Recipe and
// baselines then learn from the training part and
// are measured on the users held out, ranking the whole catalogue. At last the
// recipe learns from everything; that is the model that comes back. What it did
// for each user is in Measured, and beside it what Live models did.
//
// Negative outcomes take away what they are the outcome of, before all this.
//
// Recipes of actions are measured otherwise: see OffersByTime.
//
// Data that is too small, a protocol or parameter that is not known, and an
// estimate above Memory are attune.Invalid.
func Fit(ctx context.Context, s FitSpec) (*model.Model, error) {
	if facts, ok := spec.ByARN(string(attune.Public("recipe", s.Name))); ok && facts.Kind == spec.Action {
		return fitActions(ctx, s)
	}
	f, err := newFit(s)
	if err != nil {
		return nil, err
	}
	if err := f.checkMemory(); err != nil {
		return nil, err
	}
	started := f.Clock()
	outer, err := dataset.NewSplit(f.events, f.Protocol, f.Seed)
	if err != nil {
		return nil, err
	}
	findings := f.inspect(outer)
	plans, err := f.tune(ctx, outer)
	if err != nil {
		return nil, fmt.Errorf("tune %s: %w", f.Recipe.Name(), err)
	}
	evaluation, err := f.measure(ctx, outer, plans)
	if err != nil {
		return nil, fmt.Errorf("measure %s: %w", f.Recipe.Name(), err)
	}
	evaluation.Findings = findings
	if !f.Snapshot.AsOf.IsZero() {
		f.now = f.Snapshot.AsOf.UnixMilli()
	}
	m, err := f.train(ctx, plans[0], f.events, StageTrain)
	if err != nil {
		return nil, fmt.Errorf("train %s: %w", f.Recipe.Name(), err)
	}
	if err := f.aim(m); err != nil {
		return nil, err
	}
	if f.influenced {
		f.influence(m)
	}
	f.describe(m, evaluation)
	m.Measured, m.Manifest.Against = f.measured, f.against
	m.Manifest.Created = started.UTC().Format(time.RFC3339)
	m.Manifest.TrainingSeconds = f.Clock().Sub(started).Seconds()
	if m.Manifest.Digest, err = model.Digest(m); err != nil {
		return nil, err
	}
	return m, nil
}

// inspect looks for duplicates and leaks, before anything is learned.
func (f *fit) inspect(split *dataset.Split) []model.Finding {
	now := int64(0)
	if !f.Snapshot.AsOf.IsZero() {
		now = f.Snapshot.AsOf.UnixMilli()
	}
	var out []model.Finding
	for _, found := range slices.Concat(dataset.Inspect(f.events, now), dataset.InspectSplit(split)) {
		out = append(out, model.Finding(found))
	}
	return out
}

// fit is one run of Fit.
type fit struct {
	FitSpec
	events      dataset.Events // those that count
	related     bool           // asked for items like an item, not for a user
	segment     bool           // asked for users of an item
	leaveOut    bool           // items the asker already has
	same        bool           // everybody gets the same answer
	strangers   bool           // those asked about are put as if nothing had been done by them
	influenced  bool           // campaigns may set rankingInfluence
	repeatShare float64
	chosen      choice            // of Recipe, on the validation slice
	trials      []model.Trial     // of Search
	negative    dataset.Events    // outcomes that tell against their items
	data        *dataset.Snapshot // what may be learned from
	now         int64             // see Input.Now; set for the last training, which is from everything
	measured    *model.Measured   // by measure
	against     []model.Against   // likewise
}

// plan is a recipe with the parameters it will learn with.
type plan struct {
	recipe Recipe
	params map[string]string
}

func newFit(s FitSpec) (*fit, error) {
	facts, _ := spec.ByARN(string(attune.Public("recipe", s.Name)))
	if s.Protocol == "" {
		s.Protocol = dataset.Tail10
		if facts.Kind == spec.Segment {
			s.Protocol = dataset.Tail20
		}
	}
	s.Memory = allowed(s.Memory)
	if s.Clock == nil {
		s.Clock = attune.WallClock
	}
	if s.Budget == "" && s.Search != nil {
		s.Budget = Thorough
	}
	if err := s.Budget.Check(); err != nil {
		return nil, err
	}
	f := &fit{FitSpec: s, data: s.Uses.learnable(s.Snapshot)}
	f.events, f.negative = occurred(f.data.Events, s.Rules, s.Negative)
	f.related, f.same, f.segment = facts.Kind == spec.Related, facts.Same, facts.Kind == spec.Segment
	f.influenced = facts.Text
	if err := f.checkSize(); err != nil {
		return nil, err
	}
	return f, nil
}

// counting is the events that count under the rules, with their weights.
func counting(e dataset.Events, rules model.EventRules) dataset.Events {
	if rules.All() {
		return e
	}
	of := make([]model.EventRule, len(e.Types))
	for i, t := range e.Types {
		of[i] = rules.For(t)
	}
	return e.Weigh(func(t uint16, value float32) float32 { return of[t].Weigh(value) })
}

// input is what a recipe learns from, without parameters.
func (f *fit) input(e dataset.Events) Input {
	return Input{Events: e, Users: f.Snapshot.Users.Len(), Items: f.Snapshot.Items.IDs(), Seed: f.Seed,
		ItemAttributes: f.data.ItemAttributes, UserAttributes: f.data.UserAttributes, Now: f.now}
}

// train learns; the stage hears of it, and is where it would go on: "" for what
// is quick.
func (f *fit) train(ctx context.Context, p plan, e dataset.Events, stage string) (*model.Model, error) {
	in, err := f.learnFrom(p, e, stage)
	if err != nil {
		return nil, err
	}
	return p.recipe.Train(ctx, in)
}

// learnFrom is the input of one training, complete.
func (f *fit) learnFrom(p plan, e dataset.Events, stage string) (Input, error) {
	trimmed, err := trim(e, p.params)
	in := f.input(trimmed)
	in.Params = p.params
	if stage != "" {
		in.Progress = f.stage(stage)
		if f.Checkpoint != nil {
			in.Checkpoint = f.Checkpoint.Part(stage)
		}
	}
	return in, err
}

// stage makes a Progress of one stage.
func (f *fit) stage(name string) func(done, total int) {
	if f.Progress == nil {
		return nil
	}
	return func(done, total int) { f.Progress(name, done, total) }
}

// report is for stages that count their own steps.
func (f *fit) report(stage string, done, total int) {
	if f.Progress != nil {
		f.Progress(stage, done, total)
	}
}

// measure learns from the training part and asks about everybody held out.
func (f *fit) measure(ctx context.Context, split *dataset.Split, plans []plan) (*model.Evaluation, error) {
	out := &model.Evaluation{Protocol: split.Protocol, Users: len(split.Cases), Holdout: holdout(f.Snapshot, split)}
	var mine []float64
	for i, p := range plans {
		stage := StageLearn
		if i > 0 {
			stage = "" // baselines are quick
		}
		m, err := f.train(ctx, p, split.Train, stage)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.recipe.Name(), err)
		}
		if i == 0 {
			if err := f.aim(m); err != nil {
				return nil, err
			}
		}
		step, steps := i*len(split.Cases), len(plans)*len(split.Cases)
		a, err := f.ask(ctx, p.recipe, m, split.Cases, func(done int) { f.report(StageMeasure, step+done, steps) })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.recipe.Name(), err)
		}
		ndcg := ndcg25(a.users)
		if i == 0 {
			mine = ndcg
			if err := f.measureOwn(ctx, p, m, a, split, out); err != nil {
				return nil, err
			}
			continue
		}
		both := evaluate.Bootstrap(f.Seed, ndcg, evaluate.Difference(mine, ndcg))
		out.Baselines = append(out.Baselines, model.Baseline{Name: p.recipe.Name(), Parameters: maps.Clone(m.Manifest.Parameters),
			Metrics: a.mean(), NDCG25: model.Interval(both[0]), Difference: model.Interval(both[1])})
		if err := f.measureSlices(ctx, out, p, m, false, a, split); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// measureOwn measures the recipe itself, which a baseline is not: with the
// metrics of its kind, kept user by user, and beside the live models.
func (f *fit) measureOwn(ctx context.Context, p plan, m *model.Model, a *answers, split *dataset.Split, out *model.Evaluation) error {
	out.Metrics = a.mean()
	if err := f.measureItself(p, out.Metrics); err != nil {
		return err
	}
	if f.segment {
		var err error
		if out.Metrics, err = f.measureSegments(ctx, p.recipe, m, split); err != nil {
			return err
		}
		out.Metrics[evaluate.Coverage] = a.coverage
	}
	out.NDCG25 = model.Interval(evaluate.Bootstrap(f.Seed, ndcg25(a.users))[0])
	if err := f.measureSlices(ctx, out, p, m, true, a, split); err != nil {
		return err
	}
	f.measured = &model.Measured{Own: kept(evaluate.PerUser(a.users))}
	return f.measureLive(ctx, split, a, out.Holdout)
}

// measureItself adds the metrics that a recipe has of its own.
func (f *fit) measureItself(p plan, metrics map[string]float64) error {
	r, ok := p.recipe.(Measurer)
	if !ok {
		return nil
	}
	in := f.input(f.events)
	in.Params = p.params
	own, err := r.Measure(in)
	maps.Copy(metrics, own)
	return err
}

func ndcg25(users []evaluate.User) []float64 {
	out := make([]float64, len(users))
	for i, u := range users {
		out[i] = u.NDCG25
	}
	return out
}

// describe completes the manifest.
func (f *fit) describe(m *model.Model, e *model.Evaluation) {
	m.Manifest.Format = 1
	m.Manifest.Recipe = f.Name
	m.Manifest.Snapshot = f.Snapshot.Name
	m.Manifest.Newest = newest(f.Snapshot.Events)
	m.Manifest.Events, m.Manifest.Negative = f.Rules, f.Negative
	m.Manifest.Seed = f.Seed
	m.Manifest.Kernel = kernel.Using().String()
	m.Manifest.Seen = model.SeenKept
	if f.leaveOut {
		m.Manifest.Seen = model.SeenLeftOut
	}
	m.Manifest.RepeatShare = f.repeatShare
	m.Manifest.Evaluation = e
	m.Manifest.Search = f.tried
	if len(f.trials) > 0 {
		m.Manifest.Search = &model.Search{Metric: f.Search.metric(), Trials: f.trials}
	}
}
