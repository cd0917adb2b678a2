package recipe

import (
	"hash/fnv"
	"math"
	"slices"
	"sort"
	"strconv"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// What recipes share that count interactions by group, of users or of what was
// the case, and add up what the groups say of items: naive Bayes.

// GroupRanges is into how many parts, of about as many values, numbers are cut:
// each is a group.
const GroupRanges = 8

// GroupCuts is where ranges of numbers begin but the first, ascending: at the
// quantiles of those that are finite. It is nil where none is.
func GroupCuts[T ~float32 | ~float64](all []T) []T {
	var known []T
	for _, x := range all {
		if x-x == 0 {
			known = append(known, x)
		}
	}
	if len(known) == 0 {
		return nil
	}
	slices.Sort(known)
	out := make([]T, GroupRanges-1)
	for k := range out {
		out[k] = known[(k+1)*len(known)/GroupRanges]
	}
	return out
}

// RangeOf is the range that a number lies in, given where ranges begin. Edges are
// themselves numbers of the column, so one that is asked about must have lost the same digits.
func RangeOf[T ~float32 | ~float64](edges []T, x float64) int {
	return sort.Search(len(edges), func(i int) bool { return float64(edges[i]) > x })
}

// GroupName is a group of a column, or with no value the column, as a model keeps it:
// hashed, so that what users say of themselves is not in it.
func GroupName(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p)) // never fails
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

// CategoryNames appends the groups of a category, of which a string may hold
// several, or of a boolean; of anything else none.
func CategoryNames(dst []uint64, column string, x any) []uint64 {
	switch x := x.(type) {
	case string:
		return CategoryNames(dst, column, schema.Values(x))
	case []string:
		for _, v := range x {
			dst = append(dst, GroupName(column, "=", v))
		}
	case bool:
		dst = append(dst, GroupName(column, "=", strconv.FormatBool(x)))
	}
	return dst
}

// RangeName is the group of the k-th range of a column of numbers.
func RangeName(column string, k int) uint64 { return GroupName(column, "#", strconv.Itoa(k)) }

// HashHalves are a hash as two numbers of a tensor.
func HashHalves(h uint64) (high, low int32) { return int32(uint32(h >> 32)), int32(uint32(h)) }

// WholeHash is the hash of two halves.
func WholeHash(high, low int32) uint64 { return uint64(uint32(high))<<32 | uint64(uint32(low)) }

// Groups is how often each group was seen with each item.
type Groups struct {
	Start []int32 // by group, and the end
	Entry []int32 // pairs: an item, and how often
}

// Check finds what does not fit together in a model read from outside, of an
// algorithm, so many groups and items; the error is attune.Invalid.
func (g Groups) Check(algorithm string, groups, items int) error {
	if len(g.Start) != groups+1 || g.Start[0] != 0 || 2*int(g.Start[groups]) != len(g.Entry) {
		return attune.Errorf(attune.Invalid, "%s model: tensors of %d groups do not fit together", algorithm, groups)
	}
	for k := range groups {
		if g.Start[k] > g.Start[k+1] {
			return attune.Errorf(attune.Invalid, "%s model: the entries of group %d end before they begin", algorithm, k)
		}
	}
	for at := 0; at < len(g.Entry); at += 2 {
		if i, n := g.Entry[at], g.Entry[at+1]; i < 0 || int(i) >= items || n < 0 {
			return attune.Errorf(attune.Invalid, "%s model: entry %d is of item %d of %d, %d times", algorithm, at/2, i, items, n)
		}
	}
	return nil
}

// Add adds to the scores of the items of a group what it says of each; said is by pair of Entry.
func (g Groups) Add(dst, said []float32, group int32) {
	for at := g.Start[group]; at < g.Start[group+1]; at++ {
		dst[g.Entry[2*at]] += said[at]
	}
}

// Shares are the parts of items in all that was counted, with one more of each
// item: they sum to one, and none is zero.
func Shares(count []int32) []float64 {
	all := float64(len(count))
	for _, n := range count {
		all += float64(max(n, 0))
	}
	out := make([]float64, len(count))
	for i, n := range count {
		out[i] = float64(max(n, 0)+1) / all
	}
	return out
}

// LogShares are the logarithms of shares times a weight.
func LogShares(shares []float64, weight float64) Fixed {
	out := make(Fixed, len(shares))
	for i, share := range shares {
		out[i] = float32(weight * math.Log(share))
	}
	return out
}

// Variants appends params with each of some values of one parameter, unless the
// customer gave it.
func Variants(to []map[string]string, params map[string]string, name string, values ...string) []map[string]string {
	if _, given := params[name]; given {
		return to
	}
	for _, v := range values {
		to = append(to, With(params, name, v))
	}
	return to
}
