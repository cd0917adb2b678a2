package graph

import (
	"context"
	"math"
	"strings"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// hunt is a search under way.
type hunt struct {
	*judge
	in     recipe.Input
	v      recipe.Validation
	graph  *spectrum // not normalised
	spent  float64   // seconds, as estimated
	budget float64
	best   parameters
	value  float64 // of best; nothing while there are no trials
	trials []model.Trial
}

// Search finds exponents and the response of the filter. Filters of one spectrum
// cost little, so many are measured on each; other exponents of the graph cost a
// spectrum, and are tried one at a time from the best so far while the budget lasts.
func (Recipe) Search(ctx context.Context, in recipe.Input, v recipe.Validation) (recipe.Found, error) {
	p, err := resolve(in)
	if err != nil {
		return recipe.Found{}, err
	}
	if len(v.Cases) == 0 {
		return recipe.Found{Params: in.Params}, nil
	}
	h := &hunt{judge: newJudge(v), in: in, v: v, graph: graphOf(in)}
	h.budget = v.Seconds - float64(max(1, v.After))*seconds(in)
	h.best = h.within(p)
	s, err := h.spectrum(ctx, h.best)
	if err != nil {
		return recipe.Found{}, err
	}
	if _, err := h.try(ctx, s, h.grid()); err != nil {
		return recipe.Found{}, err
	}
	if err := h.climb(ctx, s); err != nil {
		return recipe.Found{}, err
	}
	if err := h.walk(ctx, &s); err != nil {
		return recipe.Found{}, err
	}
	if _, err := h.try(ctx, s, h.recencies()); err != nil {
		return recipe.Found{}, err
	}
	if v.Progress != nil {
		v.Progress(searchSteps, searchSteps)
	}
	return recipe.Found{Params: h.best.strings(in.Params), Value: h.value, Trials: h.trials}, nil
}

// searchSteps are what Progress counts, of the budget.
const searchSteps = 1000

// within is p with every number in its range, if one is given.
func (h *hunt) within(p parameters) parameters {
	for _, r := range h.v.Ranges {
		if x := p.number(r.Name); x != nil && len(r.Values) == 0 {
			*x = max(r.Min, min(r.Max, *x))
		}
	}
	return p
}

// free says whether a parameter may be varied.
func (h *hunt) free(name string) bool {
	_, given := h.in.Params[name]
	return !given
}

// spectrum of other exponents.
func (h *hunt) spectrum(ctx context.Context, p parameters) (*spectrum, error) {
	s := h.graph.normalised(p)
	h.spent += h.spectrumCost(p)
	return s, s.decompose(ctx, p.rank, h.in.Seed, nil)
}

func (h *hunt) spectrumCost(p parameters) float64 {
	users, items := float64(h.in.Users), float64(len(h.in.Items))
	return spectrumSeconds(users, items, float64(h.in.Events.Len()), min(float64(p.rank), users, items))
}

// try measures some parameter sets, but no more than the budget allows after the
// first of all, and keeps the best. The result is which sets were better than the
// best before.
func (h *hunt) try(ctx context.Context, s *spectrum, ps []parameters) (better []parameters, err error) {
	cases, items := float64(len(h.cases)), float64(len(h.in.Items))
	listen := 4 * float64(h.in.Events.Len()) * cases / sparseRate
	respond := 2 * cases * items * float64(len(s.lambda)) / denseRate
	choose := 2 * cases * items / sparseRate
	var kept []parameters
	last := parameters{rank: -1}
	for _, p := range ps {
		cost := choose
		heard := p.input == last.input && p.recency == last.recency && last.rank >= 0
		if !heard {
			cost += listen
		}
		if !heard || p.damping != last.damping || p.ideal != last.ideal || p.sharpening != last.sharpening || p.rank != last.rank {
			cost += respond
		}
		if h.within(p) != p || h.spent+cost > h.budget && len(h.trials)+len(kept) > 0 {
			continue
		}
		h.spent, last, kept = h.spent+cost, p, append(kept, p)
	}
	if len(kept) == 0 {
		return nil, ctx.Err()
	}
	values, err := h.measure(ctx, h.in.Run, s, kept)
	if err != nil {
		return nil, err
	}
	before := h.value
	for k, p := range kept {
		if values[k] > before {
			better = append(better, p)
		}
		if len(h.trials) == 0 || values[k] > h.value {
			h.best, h.value = p, values[k]
		}
		h.trials = append(h.trials, model.Trial{Recipe: Name, Parameters: p.strings(h.in.Params), Value: values[k]})
	}
	if h.v.Progress != nil && h.budget > 0 {
		h.v.Progress(min(searchSteps-1, int(searchSteps*h.spent/h.budget)), searchSteps)
	}
	return better, nil
}

// climbs bounds the rounds of climb.
const climbs = 4

// climb tries the steps around the best, and all that were better together, until
// none is.
func (h *hunt) climb(ctx context.Context, s *spectrum) error {
	for range climbs {
		base := h.best
		better, err := h.try(ctx, s, h.around(base))
		if err != nil || len(better) == 0 {
			return err
		}
		if all := base.with(better); !h.tried(all) {
			if _, err := h.try(ctx, s, []parameters{all}); err != nil {
				return err
			}
		}
	}
	return nil
}

// with is p with every change that the others make to it; the last of several
// to one parameter.
func (p parameters) with(others []parameters) parameters {
	out := p
	for _, q := range others {
		for _, name := range []string{ParamOutput, ParamDamping, ParamInput} {
			if x := *q.number(name); x != *p.number(name) {
				*out.number(name) = x
			}
		}
		if q.rank != p.rank {
			out.rank = q.rank
		}
	}
	return out
}

// grid covers dampings and output exponents coarsely, the defaults first.
func (h *hunt) grid() []parameters {
	out := []parameters{h.best}
	dampings, outputs := []float64{0.03, 0.1, 0.3, 1, 0}, []float64{0, 0.15, 0.3, 0.45}
	if !h.free(ParamDamping) {
		dampings = []float64{h.best.damping}
	}
	if !h.free(ParamOutput) {
		outputs = []float64{h.best.output}
	}
	for _, d := range dampings {
		for _, o := range outputs {
			p := h.best
			p.damping, p.output = d, o
			if p != h.best {
				out = append(out, p)
			}
		}
	}
	return out
}

// around is one step from p in every direction that costs no spectrum. The weight
// of an ideal filter and sharpening are left as they are: beside damping neither
// got better on any set.
func (h *hunt) around(p parameters) []parameters {
	var out []parameters
	step := func(name string, change func(*parameters)) {
		q := p
		change(&q)
		if h.free(name) && q != p && !h.tried(q) {
			out = append(out, q)
		}
	}
	step(ParamOutput, func(q *parameters) { q.output = round(q.output + 0.07) })
	step(ParamOutput, func(q *parameters) { q.output = round(q.output - 0.07) })
	step(ParamDamping, func(q *parameters) { q.damping = round(q.damping * 1.7) })
	step(ParamDamping, func(q *parameters) { q.damping = round(q.damping / 1.7) })
	step(ParamRank, func(q *parameters) { q.rank = max(1, q.rank/2) })
	step(ParamInput, func(q *parameters) { q.input = round(q.input + 0.1) })
	step(ParamInput, func(q *parameters) { q.input = round(q.input - 0.1) })
	return out
}

func (h *hunt) tried(p parameters) bool {
	for _, t := range h.trials {
		q, err := resolve(recipe.Input{Params: t.Parameters})
		if err == nil && p == q {
			return true
		}
	}
	return false
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }

// mostRank is up to which more eigenvectors are tried.
const mostRank = 512

// walk tries other exponents of the graph and more eigenvectors, each with a
// spectrum of its own, as long as they get better. s becomes the spectrum of the best.
func (h *hunt) walk(ctx context.Context, s **spectrum) error {
	for _, turn := range []struct {
		name       string
		user, item float64
		rank       int
	}{{ParamUser, -0.2, 0, 1}, {ParamUser, 0.2, 0, 1}, {ParamItem, 0, -0.15, 1}, {ParamItem, 0, 0.15, 1}, {ParamRank, 0, 0, 2}} {
		for h.free(turn.name) {
			p := h.best
			p.user, p.item = round(p.user+turn.user), round(p.item+turn.item)
			p.rank *= turn.rank
			if p.user < 0 || p.user > 1 || p.item < 0 || p.item > 1 || h.spent+h.spectrumCost(p) > h.budget ||
				turn.rank > 1 && (h.best.rank != len((*s).lambda) || p.rank > mostRank) {
				break
			}
			other, err := h.spectrum(ctx, p)
			if err != nil {
				return err
			}
			better, err := h.try(ctx, other, h.turned(p, turn.item))
			if err != nil {
				return err
			}
			if len(better) == 0 {
				break
			}
			*s = other
			if err := h.climb(ctx, other); err != nil {
				return err
			}
		}
	}
	return nil
}

// turned are the sets to try of other exponents of the graph: with an item
// exponent that rose by so much, also those that bring input and output back to
// the powers of degrees that they had together with it.
func (h *hunt) turned(p parameters, rose float64) []parameters {
	out := []parameters{p}
	if rose != 0 {
		if h.free(ParamOutput) {
			p.output = round(p.output + rose)
			out = append(out, p)
		}
		if h.free(ParamInput) {
			p.input = round(p.input - rose)
			out = append(out, p)
		}
	}
	if h.free(ParamDamping) && p.rank > h.best.rank { // more that is known bears weaker damping of the rest
		p.damping = round(p.damping / 1.7)
		out = append(out, p)
	}
	return out
}

// recencies are the best so far, with other weights of age where times tell an order.
func (h *hunt) recencies() []parameters {
	off := func(name string) bool { return strings.EqualFold(h.in.Params[name], "false") }
	if !h.free(ParamRecency) || off(ParamMask) || off(ParamBias) || !recipe.Ordered(h.in.Events) {
		return nil
	}
	var out []parameters
	for _, half := range []float64{2, 5, 20} {
		p := h.best
		p.recency = half
		out = append(out, p)
	}
	return out
}

var _ recipe.Searcher = Recipe{}
