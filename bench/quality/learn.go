package main

import (
	"context"
	"maps"
	"math"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/machine"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
	"github.com/attune-io/attune/recipe/blend"
)

// seed of everything: models, splits, intervals. One for all sets, never chosen.
const seed = 1

// baselines stand beside every model.
var baselines = []string{"popularity", "itemknn"}

// pipeline is what makes a model of a set's training data.
type pipeline struct {
	recipe   recipe.Recipe
	budget   float64 // seconds of recipe.Coster, for search and training
	corpus   *corpus
	split    *dataset.Split // of the training data
	cut      int
	leaveOut bool
	progress func(stage string, done, total int)
}

// newPipeline splits the training data.
func newPipeline(c *corpus, k kind, name, budget string, progress func(string, int, int)) (*pipeline, error) {
	r, ok := all.ByName(name)
	if !ok {
		return nil, attune.Errorf(attune.Invalid, "recipe %q is unknown: recipe/all lists those that there are", name)
	}
	p := &pipeline{recipe: r, budget: recipe.Budget(budget).Seconds(c.train.Len()), corpus: c, leaveOut: k.form().leaveOut, progress: progress}
	var protocol string
	protocol, p.cut = k.validation(c.ordered, len(c.items))
	var err error
	p.split, err = dataset.NewSplit(c.train, protocol, seed)
	return p, err
}

func (p *pipeline) input(e dataset.Events, params map[string]string) recipe.Input {
	return recipe.Input{Events: e, Users: p.corpus.users, Items: p.corpus.items, Params: params, Seed: seed}
}

// searchCases is how many cases a search compares on, evenly from all: two sets of
// parameters that differ by a hundredth are told apart, and asking does not take
// the time that is for learning.
const searchCases = 10_000

// memory is what training may take, as of a node on this machine.
func memory() int64 { return recipe.DefaultMemory(machine.Memory()) }

// search chooses the parameters on the validation slice: by the recipe's own
// search, or among its candidates where it has none.
func (p *pipeline) search(ctx context.Context, r recipe.Recipe) (recipe.Found, error) {
	v := recipe.Validation{Cases: dataset.Sample(p.split.Cases, searchCases), LeaveOut: p.leaveOut, Cut: p.cut, Seconds: p.budget, After: 1,
		Memory:   max(1, memory()-recipe.SplitBytes(p.corpus.train)),
		Progress: func(done, total int) { p.progress("search", done, total) }}
	if s, ok := r.(recipe.Searcher); ok {
		return s.Search(ctx, p.input(p.split.Train, nil), v)
	}
	return p.choose(ctx, r)
}

// chooseCases is how many cases candidates are compared on, evenly from all, as in recipe.Fit.
const chooseCases = 4000

// choose is the search of a recipe that has none of its own.
func (p *pipeline) choose(ctx context.Context, r recipe.Recipe) (recipe.Found, error) {
	candidates := []map[string]string{nil}
	if t, ok := r.(recipe.Tuner); ok {
		candidates = t.Candidates(p.input(p.split.Train, nil))
	}
	var asked []question
	for _, c := range dataset.Sample(p.split.Cases, chooseCases) {
		asked = append(asked, caseQuestion(c))
	}
	best := recipe.Found{Value: math.Inf(-1)}
	for _, params := range candidates {
		m, err := r.Train(ctx, p.input(p.split.Train, params))
		if err != nil {
			return best, err
		}
		refined := []map[string]string{params}
		if t, ok := r.(recipe.Refiner); ok {
			refined = t.Refinements(p.input(p.split.Train, params))
		}
		for _, with := range refined {
			value := 0.0
			if len(candidates)*len(refined) > 1 { // else there is nothing to compare
				tried := *m
				tried.Manifest.Parameters = maps.Clone(m.Manifest.Parameters)
				maps.Copy(tried.Manifest.Parameters, with)
				got, err := ask(ctx, r, &tried, asked, form{cut: p.cut, leaveOut: p.leaveOut}, nil)
				if err != nil {
					return best, err
				}
				value = average(got[1])
			}
			best.Trials = append(best.Trials, model.Trial{Recipe: r.Name(), Parameters: with, Value: value})
			if value > best.Value {
				best.Params, best.Value = with, value
			}
		}
	}
	return best, nil
}

// caseQuestion asks what a validation case asks.
func caseQuestion(c dataset.Case) question {
	q := question{truth: c.Truth}
	for i, item := range c.Input.Item {
		q.history = append(q.history, model.Touch{Item: item, Weight: 1, At: c.Input.At[i]})
	}
	return q
}

// train learns from all training data with what was found.
func (p *pipeline) train(ctx context.Context, r recipe.Recipe, found recipe.Found, stage string) (*model.Model, error) {
	in := p.input(p.corpus.train, found.Params)
	in.Progress = func(done, total int) { p.progress(stage, done, total) }
	m, err := r.Train(ctx, in)
	if err != nil {
		return nil, err
	}
	m.Manifest.Recipe = "bench/quality"
	m.Manifest.Seen = model.SeenKept
	if p.leaveOut {
		m.Manifest.Seen = model.SeenLeftOut
	}
	m.Manifest.Search = &model.Search{Metric: metricName(p.cut), Trials: found.Trials}
	return m, nil
}

// pipelineName is the recipe that the service trains for recommendations: the blend
// that searches by itself.
func pipelineName() string { return blend.Name }
