package index

import (
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
)

// Hit is a row and its score.
type Hit struct {
	Row   int32
	Score float32
}

// Mask is a set of rows to leave out. Nil leaves out nothing.
type Mask = kernel.Bitmap

// NewMask makes an empty mask over n rows.
func NewMask(n int) Mask { return kernel.NewBitmap(n) }

// Top is the rows of the k largest scores that are not masked, best first, at
// most k; equal scores keep the lower row first. Scores of -Inf or NaN are
// never chosen.
func Top(scores []float32, k int, leaveOut Mask) []Hit {
	k = min(k, len(scores))
	if k <= 0 {
		return nil
	}
	rows := kernel.TopK(make([]int32, 0, k), scores, k, leaveOut)
	hits := make([]Hit, len(rows))
	for i, r := range rows {
		hits[i] = Hit{Row: r, Score: scores[r]}
	}
	return hits
}

// Exact searches a block of item vectors by looking at all of them. It is safe
// for concurrent use as long as nobody writes to the block.
type Exact struct{ items matrix.Dense }

// NewExact indexes items, one row each, without copying.
func NewExact(items matrix.Dense) *Exact { return &Exact{items} }

// Scores writes the inner product of query with every item into dst, whose
// length is the number of items; query has one element per column.
func (x *Exact) Scores(query, dst []float32) { kernel.Gemv(dst, x.items.Data, query) }

// Search is the k items with the largest inner product with query that are not masked.
func (x *Exact) Search(query []float32, k int, leaveOut Mask) []Hit {
	scores := make([]float32, x.items.Rows)
	x.Scores(query, scores)
	return Top(scores, k, leaveOut)
}
