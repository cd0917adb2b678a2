package recipe

import (
	"context"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
)

// searchSteps are what StageTune counts of a Searcher.
const searchSteps = 1000

// wholeSearch is from how many jobs on a Search has all of a budget that goes by
// the size of the data; one of fewer has that part of it.
const wholeSearch = 40

// find lets a Searcher choose the parameters on the validation slice.
//
// Its budget is that of the whole Fit, of which the search may take what is left
// after two trainings with what it finds: the one that is measured, on the
// training part of the outer split, and the last one, on everything.
func (f *fit) find(ctx context.Context, s Searcher, p plan, split *dataset.Split, total int) (choice, error) {
	in, err := f.learnFrom(p, split.Train, StageTune)
	if err != nil {
		return choice{}, err
	}
	in.Progress = nil
	v := Validation{Cases: dataset.Sample(split.Cases, tuneCases), LeaveOut: f.leaveOut, Cut: evaluate.Depth,
		Seconds: f.Budget.Seconds(f.events.Len()), After: 2, Memory: f.left(),
		Progress: func(done, all int) { f.report(StageTune, searchSteps*done/max(1, all), total) }}
	if f.Search != nil {
		v.Ranges, v.Jobs = f.Search.Ranges, f.Search.Jobs
		if f.Search.Jobs > 0 && f.Search.Jobs < wholeSearch && f.Budget.named() {
			v.Seconds = max(Standard.Seconds(f.events.Len()), v.Seconds*float64(f.Search.Jobs)/wholeSearch)
		}
		if f.Search.metric() != evaluate.NDCG25 || f.Search.Least {
			if v.Score, err = f.scoreLists(v.Cases, len(in.Items)); err != nil {
				return choice{}, err
			}
		}
	}
	found, err := s.Search(ctx, in, v)
	if err != nil {
		return choice{}, err
	}
	f.report(StageTune, searchSteps, total)
	for _, t := range found.Trials {
		if f.Search != nil && f.Search.Least {
			t.Value = -t.Value // as the metric has it
		}
		f.trials = append(f.trials, t)
	}
	c := choice{trained: found.Params, params: found.Params, model: found.Model, value: found.Value}
	if _, scaled := c.params[paramScale]; c.model == nil && !scaled {
		c.model, err = f.train(ctx, plan{p.recipe, found.Params}, split.Train, "")
	}
	return c, err
}

// scoreLists is the metric of a Search, turned so that more is better.
func (f *fit) scoreLists(cases []dataset.Case, items int) (func(lists [][]int32) float64, error) {
	values, err := f.rewards()
	if err != nil {
		return nil, err
	}
	return func(lists [][]int32) float64 {
		users := make([]evaluate.User, len(lists))
		for i, list := range lists {
			users[i] = f.measureList(list, cases[i].Truth, values)
		}
		v := evaluate.Mean(users, evaluate.Covered(lists, items))[f.Search.metric()]
		if f.Search.Least {
			return -v
		}
		return v
	}, nil
}
