package recipe

import (
	"context"
	"math"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
)

// Fixed is a scorer that answers everybody alike: one score per item row.
type Fixed []float32

// Score writes the scores; attune.Internal when dst is not as long.
func (f Fixed) Score(ctx context.Context, _ model.Query, dst []float32) error {
	if len(dst) != len(f) {
		return wrongLength(dst, f)
	}
	copy(dst, f)
	return ctx.Err()
}

// ScoreRelated scores by what items have in common. add gives every item that
// has something in common with an item row that much, times a weight. With an
// item in focus that is what it has in common with the others, and it gets -Inf
// itself; otherwise what the items of the history have in common adds up. An
// item that gets nothing keeps its score in rest, which is below zero. The
// error is ctx's, or attune.Internal when dst is not as long as rest.
func ScoreRelated(ctx context.Context, q model.Query, rest, dst []float32, add func(dst []float32, row int32, weight float32)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(dst) != len(rest) {
		return wrongLength(dst, rest)
	}
	copy(dst, rest)
	if q.Item != model.NoItem {
		if q.Item >= 0 && int(q.Item) < len(dst) {
			add(dst, q.Item, 1)
			dst[q.Item] = float32(math.Inf(-1))
		}
		return nil
	}
	for _, t := range q.History {
		if t.Item >= 0 && int(t.Item) < len(dst) && t.Weight > 0 && !math.IsInf(float64(t.Weight), 0) {
			add(dst, t.Item, t.Weight)
		}
	}
	return nil
}

func wrongLength(dst, items []float32) error {
	return attune.Errorf(attune.Internal, "%d scores asked for of a model with %d items", len(dst), len(items))
}
