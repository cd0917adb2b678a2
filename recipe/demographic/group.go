package demographic

import (
	"math"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/recipe"
)

const (
	// ranges are those of numbers, each of about as many users.
	ranges = recipe.GroupRanges
	// valuesAtMost is how many values a column may have and still tell groups: one
	// with more is an id or a text.
	valuesAtMost = 1000
)

// reader tells the groups of a value. edges are those of columns of numbers, by
// the hash of the name: where ranges begin but the first, ascending.
type reader struct{ edges map[uint64][]float32 }

// groups appends those of one value, as profiles and snapshots have them; a
// value of another type has none.
func (r reader) groups(dst []uint64, column string, x any) []uint64 {
	number, ok := x.(float64)
	if !ok {
		return recipe.CategoryNames(dst, column, x)
	}
	edges := r.edges[recipe.GroupName(column)]
	if edges == nil || math.IsNaN(number) {
		return dst
	}
	return append(dst, recipe.RangeName(column, recipe.RangeOf(edges, number)))
}

// edges cuts a column of numbers at its quantiles; nil where there is nothing to cut.
func edges(c *dataset.Column) []float32 {
	cuts := recipe.GroupCuts(c.Number)
	if cuts == nil || c.Kind == schema.Boolean {
		return nil
	}
	out := make([]float32, ranges-1)
	for k, x := range cuts {
		out[k] = float32(min(math.MaxFloat32, max(-math.MaxFloat32, x)))
	}
	return out
}
