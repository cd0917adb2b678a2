package index

import (
	"math"

	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
)

// Coarse searches a block of item vectors as Exact does, with the same answers
// to the last bit. It first passes over a copy of them in 8 bits, which says
// what each score lies between, and computes only the scores of those that may
// be among the best. It pays from some thousands of items on. It is safe for
// concurrent use as long as nobody writes to the block.
type Coarse struct {
	exact Exact
	rows  *kernel.Coarse
}

// NewCoarse indexes items, one row each, and keeps a copy of a quarter of their size.
func NewCoarse(items matrix.Dense) *Coarse {
	return &Coarse{exact: Exact{items}, rows: kernel.NewCoarse(kernel.NewView(items.Data, items.Cols))}
}

// Scores writes the inner product of query with every item into dst, as Exact does.
func (x *Coarse) Scores(query, dst []float32) { x.exact.Scores(query, dst) }

// Search is the k items with the largest inner product with query that are not masked.
func (x *Coarse) Search(query []float32, k int, leaveOut Mask) []Hit {
	items := x.exact.items
	if k = min(k, items.Rows); k <= 0 {
		return nil
	}
	n := x.rows.Padded()
	both := make([]float32, 2*n)
	upper, lower := both[:n], both[n:]
	if !x.rows.Bounds(upper, lower, query) {
		return x.exact.Search(query, k, leaveOut)
	}
	upper, lower = upper[:items.Rows], lower[:items.Rows]
	// What is certainly below k others cannot be among the best k.
	floor := float32(math.Inf(-1))
	sure := kernel.TopK(make([]int32, 0, k), lower, k, leaveOut)
	if len(sure) == k {
		floor = math.Nextafter32(lower[sure[k-1]], floor)
	}
	may := kernel.Above(sure[:0], upper, floor, leaveOut)
	scores := lower[:len(may)]
	for i, row := range may {
		scores[i] = kernel.Dot(items.Row(int(row)), query)
	}
	hits := Top(scores, k, nil)
	for i := range hits {
		hits[i].Row = may[hits[i].Row]
	}
	return hits
}
