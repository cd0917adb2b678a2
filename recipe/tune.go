package recipe

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
)

// paramScale is the parameter by which a recipe with softmax scores multiplies
// them, so that the softmax is as sure as it should be and no surer.
const paramScale = "score_scale"

// scoresSoftmax is Manifest.Scores of recipes that take paramScale.
const scoresSoftmax = "softmax"

// tune chooses, on a validation slice of the training part, what Fit must not
// choose on the test slice: the treatment of seen items, and the parameters of
// the recipe, which comes first among the plans, and of the baselines.
func (f *fit) tune(ctx context.Context, outer *dataset.Split) ([]plan, error) {
	inner, err := dataset.NewSplit(outer.Train, f.Protocol, f.Seed+1) // +1: another draw of users, where the protocol draws
	if err != nil {
		// Everybody has one event left, so there is nothing to choose on and the
		// defaults stand. No repeat has been seen, and the test slice, which may
		// hold some, must not be asked.
		inner = nil
	} else {
		repeats, targets := inner.Repeats()
		f.repeatShare = float64(repeats) / float64(targets)
	}
	// Someone who looks for items like an item is not known, so nothing of
	// theirs can be left out, and what is the same for everybody has no asker. In
	// some protocols what was had is a right answer.
	f.leaveOut = f.repeatShare < repeatsLeftOut && !f.related && !f.same && !outer.Unmasked()

	plans := []plan{{f.Recipe, f.Params}}
	for _, b := range f.Baselines {
		if b.Name() != f.Recipe.Name() {
			plans = append(plans, plan{recipe: b})
		}
	}
	if inner == nil {
		return plans, nil
	}
	searcher, searches := f.Recipe.(Searcher)
	searches = searches && !f.related
	candidates, total := make([][]map[string]string, len(plans)), 0
	for i, p := range plans {
		if searches && i == 0 {
			total += searchSteps
			continue
		}
		candidates[i] = f.candidates(p.recipe, p.params, inner)
		total += len(candidates[i])
	}
	if !searches {
		total += f.Search.jobs(inner.Train.Len())
	}
	done := 0
	did := func() {
		done++
		f.report(StageTune, done, total)
	}
	for i, p := range plans {
		var c choice
		var err error
		if searches && i == 0 {
			c, err = f.find(ctx, searcher, p, inner, total)
			done = searchSteps
		} else {
			c, err = f.chooseOrSearch(ctx, p.recipe, candidates[i], inner, i == 0, did)
		}
		if err == nil {
			plans[i].params, err = f.settle(ctx, p.recipe, c, inner)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.recipe.Name(), err)
		}
		if i == 0 {
			f.chosen = c
		}
	}
	return plans, nil
}

// chooseOrSearch chooses among candidates, and of the recipe itself looks
// further where a Search is asked for.
func (f *fit) chooseOrSearch(ctx context.Context, r Recipe, candidates []map[string]string, inner *dataset.Split, itself bool, did func()) (choice, error) {
	var s *Search
	if itself {
		s = f.Search
	}
	c, err := f.choose(ctx, r, s, candidates, inner, did)
	if err == nil && s.jobs(inner.Train.Len()) > 0 {
		c, err = f.search(ctx, r, c, inner, did)
	}
	return c, err
}

// choice is the best of some candidates.
type choice struct {
	trained map[string]string // the parameters it was trained with
	params  map[string]string // and with those that only Decode reads
	model   *model.Model      // on the training part of the validation split
	value   float64           // of the metric; 0 where there was nothing to compare
}

// tuneCases is how many users are asked for a choice, evenly from all: enough
// to tell a good parameter from a bad one, and the time does not grow with the data.
const tuneCases = 4000

// choose is the candidate with the best NDCG@25 (or what a Search compares) on
// the validation cases, the first of equals.
func (f *fit) choose(ctx context.Context, r Recipe, s *Search, candidates []map[string]string, split *dataset.Split, did func()) (choice, error) {
	cases, metric, sign := dataset.Sample(split.Cases, tuneCases), s.metric(), 1.0
	if s != nil && s.Least {
		sign = -1
	}
	best := choice{}
	for _, candidate := range candidates {
		trained, err := f.train(ctx, plan{r, candidate}, split.Train, "")
		if err != nil {
			return choice{}, err
		}
		refined := f.refinements(r, candidate, split)
		for _, params := range refined {
			m := refine(trained, params)
			v := 0.0
			if len(candidates)*len(refined) > 1 || s != nil { // else there is nothing to compare
				a, err := f.ask(ctx, r, m, cases, nil)
				if err != nil {
					return choice{}, err
				}
				v = a.mean()[metric]
			}
			if best.model == nil || sign*v > sign*best.value {
				best = choice{trained: candidate, params: params, model: m, value: v}
			}
		}
		did()
	}
	return best, nil
}

// settle is what was chosen, with the scale of its scores if it has one.
func (f *fit) settle(ctx context.Context, r Recipe, c choice, split *dataset.Split) (map[string]string, error) {
	if _, given := c.params[paramScale]; given || c.model.Manifest.Scores != scoresSoftmax {
		return c.params, nil
	}
	scale, err := f.calibrate(ctx, r, c.model, split.Cases)
	if err != nil {
		return nil, err
	}
	return With(c.params, paramScale, FormatFloat(scale)), nil
}

// candidates are the parameter sets to train with. An answer for an item is
// what its parameters say it is, so related items are not tuned.
func (f *fit) candidates(r Recipe, params map[string]string, split *dataset.Split) []map[string]string {
	if t, ok := r.(Tuner); ok && !f.related {
		in := f.input(split.Train)
		in.Params = params
		return f.fitting(r, params, t.Candidates(in), split.Train)
	}
	return []map[string]string{params}
}

func (f *fit) refinements(r Recipe, params map[string]string, split *dataset.Split) []map[string]string {
	if t, ok := r.(Refiner); ok && !f.related {
		in := f.input(split.Train)
		in.Params = params
		return t.Refinements(in)
	}
	return []map[string]string{params}
}

// refine is m with other parameters for Decode; the tensors are shared.
func refine(m *model.Model, params map[string]string) *model.Model {
	out := *m
	out.Manifest.Parameters = maps.Clone(m.Manifest.Parameters)
	maps.Copy(out.Manifest.Parameters, params)
	return &out
}

const (
	// calibrationCases bounds the work of calibration; the scale is one number,
	// and a thousand users tell it to a few per cent.
	calibrationCases = 1000
	// minScale and maxScale are as far as calibration looks.
	minScale, maxScale = 0.1, 1000
	scaleSteps         = 24 // golden sections: (1000/0.1) narrows to under 1 %
)

// calibrate finds the factor for a model's scores under which the softmax over
// the catalogue gives what users did next the greatest likelihood.
func (f *fit) calibrate(ctx context.Context, r Recipe, m *model.Model, cases []dataset.Case) (float64, error) {
	s, err := r.Decode(m)
	if err != nil {
		return 0, err
	}
	chosen := dataset.Sample(cases, calibrationCases)
	loss := func(scale float64) (float64, error) {
		each := make([]float64, len(chosen))
		err := f.scoreAll(ctx, s, len(m.Items), chosen, func(i int, scores []float32) {
			each[i] = surprise(scores, chosen[i].Truth, float32(scale))
		}, nil)
		var sum float64
		for _, v := range each {
			sum += v
		}
		return sum, err
	}
	return goldenSection(minScale, maxScale, loss)
}

// surprise is the negative log-likelihood of truth under softmax(scale·scores),
// per true item; it changes scores. Items that cannot be recommended are no
// evidence about the scale.
func surprise(scores []float32, truth []int32, scale float32) float64 {
	kernel.Scale(scale, scores)
	norm := kernel.LogSumExp(scores)
	sum, n := 0.0, 0
	for _, row := range truth {
		if v := float64(scores[row]); !math.IsInf(v, 0) {
			sum += norm - v
			n++
		}
	}
	return sum / float64(max(1, n))
}

// goldenSection finds the least of a function with one valley, over the
// logarithm of its argument.
func goldenSection(low, high float64, f func(float64) (float64, error)) (float64, error) {
	const golden = 0.6180339887498949
	a, b := math.Log(low), math.Log(high)
	at := []float64{b - golden*(b-a), a + golden*(b-a)}
	var value [2]float64
	for i := range at {
		v, err := f(math.Exp(at[i]))
		if err != nil {
			return 0, err
		}
		value[i] = v
	}
	for range scaleSteps {
		i := 0 // the end that moves inward
		if value[0] <= value[1] {
			b, at[1], value[1] = at[1], at[0], value[0]
			at[0] = b - golden*(b-a)
		} else {
			a, at[0], value[0] = at[0], at[1], value[1]
			at[1] = a + golden*(b-a)
			i = 1
		}
		v, err := f(math.Exp(at[i]))
		if err != nil {
			return 0, err
		}
		value[i] = v
	}
	return roundScale(math.Exp(at[slices.Index(value[:], min(value[0], value[1]))])), nil
}

// roundScale keeps three digits: the rest is noise, and manifests are read by people.
func roundScale(x float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	if err != nil {
		return x
	}
	return short
}
