package recipe

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
)

// casesAtOnce is what a goroutine takes from the queue of cases.
const casesAtOnce = 16

// answers are the lists for some cases, and how good they are.
type answers struct {
	lists    [][]int32
	users    []evaluate.User
	coverage float64
}

func (a *answers) mean() map[string]float64 { return evaluate.Mean(a.users, a.coverage) }

// ask ranks the whole catalogue for every case and measures the lists. did, if
// not nil, hears how many cases are done; it is never called by two at once.
func (f *fit) ask(ctx context.Context, r Recipe, m *model.Model, cases []dataset.Case, did func(done int)) (*answers, error) {
	s, err := Decode(r, m)
	if err != nil {
		return nil, err
	}
	values, err := f.rewards()
	if err != nil {
		return nil, err
	}
	a := &answers{users: make([]evaluate.User, len(cases))}
	if a.lists, err = f.rank(ctx, s, len(m.Items), cases, did); err != nil {
		return nil, err
	}
	for i, list := range a.lists {
		a.users[i] = f.measureList(list, cases[i].Truth, values)
	}
	a.coverage = evaluate.Covered(a.lists, len(m.Items))
	return a, nil
}

// measureList measures one list as the protocol says; values are those of rewards.
func (f *fit) measureList(list, truth []int32, values []float64) evaluate.User {
	u := evaluate.Measure(list, truth)
	if f.Protocol == dataset.AWS2019 {
		u = evaluate.Measure2019(list, truth)
	}
	if values != nil {
		u.Reward, u.Rewarded = reward(list, truth, values)
	}
	return u
}

// rank gives the list for each case.
func (f *fit) rank(ctx context.Context, s model.Scorer, items int, cases []dataset.Case, did func(done int)) ([][]int32, error) {
	lists := make([][]int32, len(cases))
	err := f.scoreAll(ctx, s, items, cases, func(i int, scores []float32) {
		lists[i] = top(scores) // seen items already have -Inf here, so nothing is left to mask
	}, did)
	return lists, err
}

// scoreAll calls do with each case's number and its scores, on all processors
// and in no order; do may change the scores. Items that are left out are -Inf.
func (f *fit) scoreAll(ctx context.Context, s model.Scorer, items int, cases []dataset.Case, do func(i int, scores []float32), did func(done int)) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var telling sync.Mutex
	done := 0
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			scores, q := make([]float32, items), model.Query{}
			for ctx.Err() == nil {
				begin := int(next.Add(casesAtOnce)) - casesAtOnce
				if begin >= len(cases) {
					return
				}
				end := min(begin+casesAtOnce, len(cases))
				for i := begin; i < end; i++ {
					f.query(&q, cases[i])
					if !f.related {
						q.Context = cases[i].Context()
					}
					if err := s.Score(ctx, q, scores); err != nil {
						stop(err)
						return
					}
					if q.Item != model.NoItem {
						// As in serving, whatever the recipe: nothing is like itself.
						scores[q.Item] = float32(math.Inf(-1))
					}
					if f.leaveOut {
						leaveOut(scores, cases[i].Input.Item)
					}
					if !f.related && !f.same {
						leaveRefused(scores, f.negative, cases[i])
					}
					do(i, scores)
				}
				if did != nil {
					telling.Lock()
					done += end - begin
					did(done)
					telling.Unlock()
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

// leaveOut makes items unrecommendable.
func leaveOut(scores []float32, items []int32) {
	for _, row := range items {
		scores[row] = float32(math.Inf(-1))
	}
}

// query asks as serving would: with the history, and for related items with
// the newest item of it in focus. Of strangers there is no history.
func (f *fit) query(q *model.Query, c dataset.Case) {
	input := c.Input
	q.History, q.Item, q.User, q.Context = q.History[:0], model.NoItem, nil, nil
	if f.data.UserAttributes != nil {
		q.User = f.data.UserAttributes.Row(c.User)
	}
	if f.strangers {
		return
	}
	for i, item := range input.Item {
		weight := float32(1)
		if input.Weight != nil {
			weight = input.Weight[i]
		}
		q.History = append(q.History, model.Touch{Item: item, Weight: weight, At: input.At[i]})
	}
	if f.related && len(input.Item) > 0 {
		q.Item = input.Item[len(input.Item)-1]
	}
}
