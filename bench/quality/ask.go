package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/index"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// askedAtOnce questions are scored together, by models that are quicker so.
const askedAtOnce = 32

func metricName(cut int) string { return fmt.Sprintf("NDCG@%d", cut) }

// ask gives both metrics of a form for each question. did, if not nil, hears how
// many are done; it is never called by two at once. A form without names is that
// of recall and NDCG.
func ask(ctx context.Context, r recipe.Recipe, m *model.Model, asked []question, f form, did func(done, total int)) ([2][]float64, error) {
	out := [2][]float64{make([]float64, len(asked)), make([]float64, len(asked))}
	s, err := recipe.Decode(r, m)
	if err != nil {
		return out, err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var telling sync.Mutex
	done := 0
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			scores := make([][]float32, askedAtOnce)
			for i := range scores {
				scores[i] = make([]float32, len(m.Items))
			}
			for ctx.Err() == nil {
				begin := int(next.Add(askedAtOnce)) - askedAtOnce
				if begin >= len(asked) {
					return
				}
				some := asked[begin:min(begin+askedAtOnce, len(asked))]
				if err := scoreSome(ctx, s, some, scores[:len(some)]); err != nil {
					stop(err)
					return
				}
				for i, q := range some {
					a, b, err := f.measure(q, scores[i])
					if err != nil {
						stop(err)
						return
					}
					out[0][begin+i], out[1][begin+i] = a, b
				}
				if did != nil {
					telling.Lock()
					done += len(some)
					did(done, len(asked))
					telling.Unlock()
				}
			}
		})
	}
	workers.Wait()
	return out, context.Cause(ctx)
}

func scoreSome(ctx context.Context, s model.Scorer, asked []question, scores [][]float32) error {
	queries := make([]model.Query, len(asked))
	for i, q := range asked {
		queries[i] = model.Query{History: q.history, Item: model.NoItem}
	}
	if many, ok := s.(model.ManyScorer); ok {
		return many.ScoreMany(ctx, queries, scores)
	}
	for i, q := range queries {
		if err := s.Score(ctx, q, scores[i]); err != nil {
			return err
		}
	}
	return nil
}

// measure gives both metrics of one question; it changes scores.
func (f form) measure(q question, scores []float32) (a, b float64, err error) {
	for row, s := range scores {
		if math.IsNaN(float64(s)) {
			return 0, 0, attune.Errorf(attune.Internal, "the model gives item row %d a score that is not a number", row)
		}
	}
	if q.others != nil {
		at := func(row int32) float32 {
			if int(row) < len(scores) {
				return scores[row]
			}
			return float32(math.Inf(-1)) // nothing is known of it
		}
		others := make([]float32, len(q.others))
		for i, row := range q.others {
			others[i] = at(row)
		}
		a, b = evaluate.AtRank(evaluate.RankAmong(at(q.truth[0]), others), f.cut)
		return a, b, nil
	}
	var mask index.Mask
	if f.leaveOut {
		mask = index.NewMask(len(scores))
		for _, t := range q.history {
			mask.Set(t.Item)
		}
	}
	ranked := make([]int32, 0, f.cut)
	for _, hit := range index.Top(scores, f.cut, mask) {
		ranked = append(ranked, hit.Row)
	}
	a, b = evaluate.Recall(ranked, q.truth, f.cut)
	if f.names[1] == "MRR@20" {
		b = evaluate.Reciprocal(ranked, q.truth, f.cut)
	}
	return a, b, nil
}

func average(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(max(1, len(x)))
}

// units adds the values of questions up by unit, with their number.
func units(asked []question, values []float64) (sum, count []float64) {
	last := -1
	for i, q := range asked { // questions of a unit stand together
		if q.unit != last {
			sum, count = append(sum, 0), append(count, 0)
			last = q.unit
		}
		sum[len(sum)-1] += values[i]
		count[len(count)-1]++
	}
	return sum, count
}

// interval is a metric's mean over questions, with units resampled.
func interval(asked []question, values []float64) evaluate.Interval {
	sum, count := units(asked, values)
	return evaluate.BootstrapRatios(seed, evaluate.Ratio{Over: sum, Under: count})[0]
}

// difference compares a model with another on the same questions.
func difference(asked []question, mine, theirs []float64) compared {
	a, count := units(asked, mine)
	b, _ := units(asked, theirs)
	d := evaluate.Difference(a, b)
	return compared{Interval: told(evaluate.BootstrapRatios(seed, evaluate.Ratio{Over: d, Under: count})[0]), P: evaluate.Paired(seed, a, b, 0).P}
}
