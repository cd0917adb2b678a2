package blend

import (
	"context"
	"maps"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// train trains a member and measures it, or remembers that this was done.
func (s *search) train(ctx context.Context, a *arm, params map[string]string) (*trial, error) {
	m := a.member
	m.params = params
	in := m.input(s.in)
	in.Checkpoint = partOf(in.Checkpoint, params)
	var done recipe.Checkpoint
	if in.Checkpoint != nil {
		done, in.Checkpoint = in.Checkpoint.Part("done"), in.Checkpoint.Part("rounds")
	}
	if t, err := finished(ctx, done, s.in.Items); t != nil || err != nil {
		return t, err
	}
	t, err := s.measure(ctx, a, m, in)
	if err != nil {
		return nil, err
	}
	return t, t.keep(ctx, done)
}

// refineShare is the part of the budget that choosing among settings may take,
// where it takes longer than the training.
const refineShare = 0.05

// measure trains a member and asks what it is worth; then with other settings
// that only Decode reads, one after another from the best, while that helps.
func (s *search) measure(ctx context.Context, a *arm, m member, in recipe.Input) (*trial, error) {
	got, err := s.learn(ctx, m, in)
	if err != nil {
		return nil, err
	}
	best, err := s.set(ctx, m, got.model, got.params)
	if err != nil {
		return nil, err
	}
	cost, asked := s.cost(a, got.params), 0.0
	most := max(cost, refineShare*s.v.Seconds)
	r, refines := m.recipe.(recipe.Refiner)
	for better := refines; better; {
		better = false
		in.Params = best.params
		settings := r.Refinements(in)
		for _, with := range settings[min(1, len(settings)):] { // the first is what there is
			if asked += s.askCost(m.name); asked > most {
				asked, better = most, false
				break
			}
			t, err := s.set(ctx, m, got.model, with)
			if err != nil {
				return nil, err
			}
			if t.value > best.value {
				best, better = t, true
			}
		}
	}
	best.cost, best.spent = cost, s.cost(a, got.made)+asked
	return best, nil
}

// set is a model with some settings, measured.
func (s *search) set(ctx context.Context, m member, learned *model.Model, params map[string]string) (*trial, error) {
	t := &trial{params: params, model: refined(learned, params)}
	t.resolved = t.model.Manifest.Parameters
	said, err := m.recipe.Decode(t.model)
	if err != nil {
		return nil, err
	}
	t.value, err = s.ask(ctx, said)
	return t, err
}

// refined is a model with other parameters for Decode; the tensors are shared.
func refined(m *model.Model, params map[string]string) *model.Model {
	out := *m
	out.Manifest.Parameters = maps.Clone(m.Manifest.Parameters)
	maps.Copy(out.Manifest.Parameters, params)
	return &out
}

// ask measures what a scorer says of all cases.
func (s *search) ask(ctx context.Context, of model.Scorer) (float64, error) {
	lists, err := s.rank(ctx, s.v.Cases, of)
	if err == nil && s.v.Score != nil {
		return s.v.Score(lists), nil
	}
	return meanNDCG(lists, s.v.Cases, s.v.Cut), err
}

// rank lists the best items for each case.
func (s *search) rank(ctx context.Context, cases []dataset.Case, of model.Scorer) ([][]int32, error) {
	lists := make([][]int32, len(cases))
	err := s.batches(ctx, cases, s.queries, []model.Scorer{of}, func(from int, rows [][][]float32) {
		for i, scores := range rows[0] {
			lists[from+i] = kernel.TopK(make([]int32, 0, s.v.Cut), scores, s.v.Cut, nil)
		}
	})
	return lists, err
}

func meanNDCG(lists [][]int32, cases []dataset.Case, cut int) float64 {
	sum := 0.0
	for i, list := range lists {
		_, ndcg := evaluate.Recall(list, cases[i].Truth, cut)
		sum += ndcg
	}
	return sum / float64(max(1, len(lists)))
}

// batches scores the cases, put as queries, with each of the scorers and calls do, on all
// processors and in no order, with rows[scorer][case after from] of items that
// may be answers; others are -Inf.
func (s *search) batches(ctx context.Context, all []dataset.Case, put asking, of []model.Scorer, do func(from int, rows [][][]float32)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			rows := make([][][]float32, len(of))
			for k := range rows {
				rows[k] = make([][]float32, atOnce)
				for i := range rows[k] {
					rows[k][i] = make([]float32, len(s.in.Items))
				}
			}
			for ctx.Err() == nil {
				from := int(next.Add(atOnce)) - atOnce
				if from >= len(all) {
					return
				}
				cases := all[from:min(from+atOnce, len(all))]
				cut := make([][][]float32, len(of))
				for k, scorer := range of {
					cut[k] = rows[k][:len(cases)]
					if err := scoreAll(ctx, scorer, put(cases), cut[k]); err != nil {
						stop(err)
						return
					}
					s.leaveOut(cases, cut[k])
				}
				do(from, cut)
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// leaveOut makes what a case has unrecommendable, where that is how it is asked.
func (s *search) leaveOut(cases []dataset.Case, rows [][]float32) {
	if !s.v.LeaveOut {
		return
	}
	for i, c := range cases {
		for _, item := range c.Input.Item {
			rows[i][item] = float32(math.Inf(-1))
		}
	}
}

// asking puts cases as queries.
type asking func(cases []dataset.Case) []model.Query

// queries ask as serving would.
func (s *search) queries(cases []dataset.Case) []model.Query {
	out := make([]model.Query, len(cases))
	for i, c := range cases {
		q := model.Query{Item: model.NoItem, User: s.users[c.User], Context: c.Context(), History: make([]model.Touch, c.Input.Len())}
		for k := range q.History {
			q.History[k] = model.Touch{Item: c.Input.Item[k], Weight: 1, At: c.Input.At[k]}
			if c.Input.Weight != nil {
				q.History[k].Weight = c.Input.Weight[k]
			}
		}
		out[i] = q
	}
	return out
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(max(1, len(x)))
}
