package demographic

import (
	"hash/fnv"
	"math"
	"slices"
	"sort"
	"strconv"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
)

const (
	// ranges is into how many parts, of about as many users, numbers are cut.
	ranges = 8
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
	switch x := x.(type) {
	case string:
		return r.groups(dst, column, schema.Values(x))
	case []string:
		for _, v := range x {
			dst = append(dst, hash(column, "=", v))
		}
	case bool:
		return append(dst, hash(column, "=", strconv.FormatBool(x)))
	case float64:
		edges := r.edges[hash(column)]
		if edges == nil || math.IsNaN(x) {
			return dst
		}
		at := sort.Search(len(edges), func(i int) bool { return float64(edges[i]) > x })
		return append(dst, hash(column, "#", strconv.Itoa(at)))
	}
	return dst
}

func hash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p)) // never fails
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

// edges cuts a column of numbers at its quantiles; nil where there is nothing to cut.
func edges(c *dataset.Column) []float32 {
	var known []float64
	for _, x := range c.Number {
		if !math.IsNaN(x) && !math.IsInf(x, 0) {
			known = append(known, x)
		}
	}
	if len(known) == 0 || c.Kind == schema.Boolean {
		return nil
	}
	slices.Sort(known)
	out := make([]float32, ranges-1)
	for k := range out {
		out[k] = float32(min(math.MaxFloat32, max(-math.MaxFloat32, known[(k+1)*len(known)/ranges])))
	}
	return out
}

// halves are a hash as two numbers of a tensor.
func halves(h uint64) (high, low int32) { return int32(uint32(h >> 32)), int32(uint32(h)) }

// whole is the hash of two halves.
func whole(high, low int32) uint64 { return uint64(uint32(high))<<32 | uint64(uint32(low)) }
