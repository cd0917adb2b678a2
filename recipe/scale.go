package recipe

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
)

// Numbers say less than words: that two items have about the same price makes
// them alike only where people keep to prices. So a column of numbers has a
// voice only as far as the interactions show that they do.
//
// Numbers are cut into ranges at their quantiles, and an item stands in its
// range and half as much in those beside it. With s(i,j) the cosine of two
// items by the column alone, the assortativity of those who choose is
//
//	a = (o - e) / (1 - e),
//
// after Newman: Mixing Patterns in Networks (Physical Review E 2003), where o is
// the mean of s over the pairs of items of a user, users counting alike, and e
// the mean of o after the numbers were dealt out among the items anew. Where o
// is not beyond what dealing does by chance the column is silent; elsewhere the
// square of its voice is a / (a + h), beside 1 of a column of words.

const (
	// beside is what an item stands with in the ranges beside its own.
	beside = 0.5
	// half is the assortativity at which a column has half the say of one of words. It was
	// set by hand, once.
	half = 0.05
	// deals is how often numbers are dealt out anew, and beyond is by how many
	// standard deviations of that they must tell more to be heard: by chance one
	// column in some hundreds does.
	deals, beyond = 20, 3
	// usersAtMost and ownAtMost bound who is looked at, evenly from all users, and
	// how many of the items of one.
	usersAtMost, ownAtMost = 2000, 200
)

// Scale is a column of numbers of items with a voice.
type Scale struct {
	Name   string
	of     []int8  // by item: its range; -1 where nothing is known
	ranges int     // of which it may be one
	soft   bool    // ranges beside each other are alike
	Voice  float64 // above 0 and below 1: length of the column in the vector of an item, where a column of words has 1
}

// Numeric are the columns of numbers that may tell what an item is: not when it came, which
// is about who could have had it.
func Numeric(a *dataset.Attributes) (columns []*dataset.Column) {
	if a == nil {
		return nil
	}
	for i := range a.Columns {
		if c := &a.Columns[i]; c.Number != nil && c.Name != schema.CreationTimestamp {
			columns = append(columns, c)
		}
	}
	return columns
}

// Scales are the columns of numbers that are heard. It takes well under a second for each.
func Scales(in Input) (out []Scale) {
	columns := Numeric(in.ItemAttributes)
	if len(columns) == 0 {
		return nil
	}
	owned := owned(in.Events)
	for k, c := range columns {
		x := cut(c)
		// The second word keeps columns and other streams of the seed apart.
		r := rand.New(rand.NewPCG(in.Seed, 0x6465_616c<<8+uint64(k)))
		if x.Voice = x.heard(owned, r); x.Voice > 0 {
			out = append(out, x)
		}
	}
	return out
}

// ScalesLooked is how many items Scales looks at, dealings included.
func ScalesLooked(in Input) int {
	return min(in.Events.Len(), usersAtMost*ownAtMost) * (1 + deals) * len(Numeric(in.ItemAttributes))
}

// cut finds the ranges of a column. A boolean has two, which are not alike.
func cut(c *dataset.Column) Scale {
	x := Scale{Name: c.Name, of: make([]int8, len(c.Number)), soft: c.Kind != schema.Boolean}
	edges := []float64{1}
	if x.soft {
		edges = slices.Compact(GroupCuts(c.Number)) // one value in several ranges is one range
	}
	x.ranges = len(edges) + 1
	for i, v := range c.Number {
		if x.of[i] = -1; v-v == 0 {
			x.of[i] = int8(RangeOf(edges, v))
		}
	}
	return x
}

// owned are the distinct items of some users who have two or more.
func owned(e dataset.Events) [][]int32 {
	var all [][]int32
	e.ByUser(func(_ int32, from, to int) {
		if to-from < 2 {
			return
		}
		mine := slices.Clone(e.Item[from:to])
		slices.Sort(mine)
		if mine = slices.Compact(mine); len(mine) > 1 {
			all = append(all, dataset.Sample(mine, ownAtMost))
		}
	})
	return dataset.Sample(all, usersAtMost)
}

// heard is the voice of a column; 0 for none.
func (x *Scale) heard(owned [][]int32, r *rand.Rand) float64 {
	var known []int32 // items with a number that somebody has
	for _, mine := range owned {
		for _, i := range mine {
			if x.of[i] >= 0 {
				known = append(known, i)
			}
		}
	}
	slices.Sort(known)
	known = slices.Compact(known)
	alike := x.alike()
	observed := x.mean(owned, alike)
	dealt := *x
	dealt.of = slices.Clone(x.of)
	var sum, squares float64
	for range deals {
		r.Shuffle(len(known), func(i, j int) {
			a, b := known[i], known[j]
			dealt.of[a], dealt.of[b] = dealt.of[b], dealt.of[a]
		})
		m := dealt.mean(owned, alike)
		sum, squares = sum+m, squares+m*m
	}
	mean := sum / deals
	deviation := math.Sqrt(max(0, squares/deals-mean*mean) * deals / (deals - 1))
	// What is the same after every deal differs by rounding.
	if more := observed - mean; more > beyond*deviation && more > 1e-6 && mean < 1 {
		a := more / (1 - mean)
		return math.Sqrt(a / (a + half))
	}
	return 0
}

// alike is the cosine of ranges by how far apart they are.
func (x *Scale) alike() [3]float64 {
	if !x.soft {
		return [3]float64{1}
	}
	all := 1 + 2*beside*beside
	return [3]float64{1, 2 * beside / all, beside * beside / all}
}

// mean is the mean likeness of two items of a user.
func (x *Scale) mean(owned [][]int32, alike [3]float64) float64 {
	sum, users := 0.0, 0
	n := make([]float64, x.ranges)
	for _, mine := range owned {
		clear(n)
		all := 0.0
		for _, i := range mine {
			if k := x.of[i]; k >= 0 {
				n[k]++
				all++
			}
		}
		if all < 2 {
			continue
		}
		pairs := -all // an item is no pair with itself
		for k := range n {
			for d := range alike {
				if k+d < len(n) {
					both := n[k] * n[k+d] * alike[d]
					if d > 0 {
						both *= 2
					}
					pairs += both
				}
			}
		}
		sum, users = sum+pairs/(all*(all-1)), users+1
	}
	return sum / float64(max(1, users))
}

// Stands calls f with the ranges that an item stands in, from 0 to Places-1, and
// how much: squares sum to 1. An item without a number stands in none.
func (x *Scale) Stands(item int32, f func(place int, weight float64)) {
	k := int(x.of[item])
	switch {
	case k < 0:
	case !x.soft:
		f(k+1, 1)
	default:
		// Places go one beyond either end, so that all ranges are of one length.
		length := math.Sqrt(1 + 2*beside*beside)
		f(k+1, 1/length)
		f(k, beside/length)
		f(k+2, beside/length)
	}
}

// Places is how many places there are to stand in.
func (x *Scale) Places() int { return x.ranges + 2 }
