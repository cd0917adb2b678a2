package blend

import (
	"context"
	"maps"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

const (
	// circumstances is the recipe that tells what the context of a query says, and
	// aloneOf its parameter that keeps it from saying anything else.
	circumstances = "circumstance"
	aloneOf       = "popularity_weight"
	// heedSure is how many standard errors a context must help by.
	heedSure = 1
)

// heeds are what a context may be heard with, the faintest first.
func heeds() []float64 { return []float64{0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3} }

// listener adds what is the case to what is known of who asks:
//
//	s'(i) = s(i) + gain·ln(p(c|i)/p(c)).
//
// By Bayes' rule that is the logarithm of p(i|u,c) with a gain of 1, if s is
// that of p(i|u) and who asks and what is the case say independent things of an
// item; since they do not quite, and s is at a scale of its own, the search
// chooses the gain. Without a context, or with one that says nothing, s stays.
type listener struct {
	said  model.Scorer
	known float64 // gain for those with a history, times score_scale
	opens float64 // for the others
}

// heeding is the recipe of circumstances as a blend asks it.
func (r Recipe) heeding(given map[string]string) (member, bool) {
	of, _, ok := r.find(circumstances)
	if !ok {
		return member{}, false
	}
	return member{name: circumstances, recipe: of, params: recipe.With(r.own(given, circumstances), aloneOf, "0")}, true
}

// heedingBytes is what the context takes beside the members; 0 where there is none.
func (r Recipe) heedingBytes(in recipe.Input) int64 {
	m, ok := r.heeding(in.Params)
	if !ok || len(in.Events.Context) == 0 {
		return 0
	}
	return m.bytes(in, m.params)
}

// attend trains the recipe of circumstances for a blend that listens, and adds it to the model.
func (r Recipe) attend(ctx context.Context, in recipe.Input, b blended, to *model.Model, progress func(done, total int)) error {
	if !b.listens() {
		return nil
	}
	m, ok := r.heeding(in.Params)
	if !ok {
		return attune.Errorf(attune.Invalid, "hyper-parameters %s and %s need the recipe %s, which this blend does not have: leave them out", ParamContext, ParamContextOpening, circumstances)
	}
	part := m.input(in)
	part.Progress = progress
	learned, err := m.recipe.Train(ctx, part)
	if err == nil {
		listen(to, m, learned)
	}
	return err
}

// listen adds the model of circumstances to that of a blend.
func listen(to *model.Model, m member, learned *model.Model) {
	to.Manifest.AsksContext = to.Manifest.AsksContext || learned.Manifest.AsksContext
	for name, t := range learned.Tensors {
		to.Tensors[m.name+"."+name] = t
	}
	for key, value := range learned.Manifest.Parameters {
		if m.forAll(to.Manifest.Parameters, key) && to.Manifest.Parameters[key] == value {
			continue
		}
		to.Manifest.Parameters[m.name+"."+key] = value
	}
}

// newListener reads it back; nil for a blend that does not listen.
func (r Recipe) newListener(of *model.Model, b blended) (*listener, error) {
	m, ok := r.heeding(of.Manifest.Parameters)
	if !ok || !b.listens() {
		return nil, nil
	}
	said, err := m.recipe.Decode(m.part(of))
	return &listener{said, b.heeds * b.scale, b.heedsOpening}, err
}

// heed adds the word of the context to scores of somebody with a history, or of
// somebody without one.
func (s *scorer) heed(ctx context.Context, q model.Query, known bool, dst []float32) error {
	if s.listener == nil || len(q.Context) == 0 {
		return nil
	}
	gain := s.listener.opens
	if known {
		gain = s.listener.known
	}
	if gain == 0 {
		return nil
	}
	row := s.rows.Get().(*scratch)
	defer s.rows.Put(row)
	if err := s.listener.said.Score(ctx, model.Query{Item: model.NoItem, Context: q.Context}, row.scores); err != nil {
		return err
	}
	kernel.Axpy(float32(gain), row.scores, dst)
	return nil
}

// heed chooses the gains of the context, and adds what circumstances say to the
// model that was found: nothing where the cases do not show that it helps.
func (s *search) heed(ctx context.Context, found *recipe.Found) error {
	if heedsGiven(s.in.Params) { // also where there is none: what is decoded listens
		b, err := s.resolve(recipe.Input{Params: found.Params, Items: s.in.Items})
		if err != nil {
			return err
		}
		return s.attend(ctx, s.in, b, found.Model, nil)
	}
	m, ok := s.heeding(s.in.Params)
	if !ok || len(s.in.Events.Context) == 0 {
		return nil
	}
	told := 0
	for _, c := range s.v.Cases {
		if c.Context() != nil {
			told++
		}
	}
	if told < leastCases {
		return nil
	}
	learned, err := m.recipe.Train(ctx, m.input(s.in))
	if err != nil || !learned.Manifest.AsksContext {
		return err
	}
	return s.hear(ctx, found, m, learned)
}

// hear weighs what circumstances say, under every setting of their recipe.
func (s *search) hear(ctx context.Context, found *recipe.Found, m member, learned *model.Model) error {
	said, err := s.Decode(found.Model)
	if err != nil {
		return err
	}
	settings, of := []map[string]string{m.params}, []model.Scorer{said}
	if r, ok := m.recipe.(recipe.Refiner); ok {
		settings = r.Refinements(m.input(s.in))
	}
	for _, params := range settings {
		scorer, err := m.recipe.Decode(refined(learned, params))
		if err != nil {
			return err
		}
		of = append(of, scorer)
	}
	p, err := s.collect(ctx, of, s.queries, asTheyAre)
	if err != nil {
		return err
	}
	setting, known := p.heeds(s.scale())
	if p, err = s.collect(ctx, []model.Scorer{said, of[1+setting]}, s.hidden, asTheyAre); err != nil {
		return err
	}
	_, opens := p.heeds(1)
	if known == 0 && opens == 0 {
		return nil
	}
	for key, gain := range map[string]float64{ParamContext: known, ParamContextOpening: opens} {
		found.Params[key] = recipe.FormatFloat(gain)
		found.Model.Manifest.Parameters[key] = recipe.FormatFloat(gain)
	}
	for key, value := range settings[setting] {
		if given, ok := s.in.Params[key]; !ok || given != value {
			found.Params[circumstances+"."+key] = value
		}
	}
	m.params = settings[setting]
	listen(found.Model, m, refined(learned, m.params))
	return nil
}

// heeds chooses among the members after the first, and the gain to add it with;
// 0 where the cases of each half, under what is best for the other half, do not
// show that it helps. scale is that of the first.
func (p *pool) heeds(scale float64) (setting int, gain float64) {
	best := func(half int) (setting int, gain float64, weights []float64) {
		weights = p.heeding(0, 0)
		top := p.value(weights, half)
		for k := range p.members - 1 {
			for _, g := range heeds() {
				w := p.heeding(k, g*scale)
				if v := p.value(w, half); v > top {
					setting, gain, weights, top = k, g, w, v
				}
			}
		}
		return setting, gain, weights
	}
	alone := p.each(p.heeding(0, 0))
	crossed := make([]float64, len(alone))
	for _, half := range []int{even, odd} {
		_, _, w := best(1 - half)
		for i, v := range p.each(w) {
			if i%2 == half {
				crossed[i] = v
			}
		}
	}
	setting, gain, _ = best(all)
	if more, err := difference(crossed, alone); !(more > heedSure*err) {
		return setting, 0
	}
	return setting, gain
}

// heeding are the weights of the first member and one after it.
func (p *pool) heeding(k int, weight float64) []float64 {
	out := make([]float64, p.members)
	out[0], out[1+k] = 1, weight
	return out
}

// gains of the context, as trials tell them.
func contextGains(params map[string]string) map[string]string {
	out := maps.Clone(params)
	maps.DeleteFunc(out, func(key, _ string) bool { return key != ParamContext && key != ParamContextOpening })
	return out
}
