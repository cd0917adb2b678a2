package ease

import "github.com/attune-io/attune/recipe"

const processors = 4 // that scratch is counted for

// Bytes estimates the peak memory of Train: the interactions from both sides, the
// matrix with what its inversion needs beside it, and the weights; of neighbourhoods
// the stored part of G with the weights, or then those from both sides.
func (Recipe) Bytes(in recipe.Input) int64 {
	p, err := resolve(in)
	if err != nil {
		return 0 // Train says what is wrong
	}
	items := int64(len(in.Items))
	events := 36*int64(in.Events.Len()) + 16*(items+int64(in.Users))
	if n := p.neighbourhood; n > 0 {
		entries, weights := 8*in.Common(entriesOfRow(n, len(in.Items)), 1), 8*in.Common(n, 1)
		scratch := processors * (4*min(int64(n), items)*min(int64(n), items) + 24*items)
		return events + 192*items + scratch + weights + max(entries, 2*weights)
	}
	return events + 2*8*items*min(int64(p.kept), items) + 4*items*(items+1024)
}

// What two cores with AVX2 do in a second.
const (
	inversionsPerSecond = 1e11 // operations, of which an inversion takes the cube of the items
	pairsPerSecond      = 4e8  // pairs of items of one user, counted
	lookupsPerSecond    = 1e9  // entries of G, read
	gemvPerSecond       = 1e10 // operations
	usualSteps          = 15   // of conjugate gradients
)

// sparing is how much quicker neighbourhoods must be to be taken instead of the
// closed form, which is surer: on sparse data they are ten times.
const sparing = 2

// Seconds estimates Train: counting pairs, and the inversion or the small solutions.
func (Recipe) Seconds(in recipe.Input) float64 {
	p, err := resolve(in)
	if err != nil {
		return 0
	}
	if p.neighbourhood > 0 {
		return localSeconds(in, float64(p.neighbourhood))
	}
	return denseSeconds(in)
}

func denseSeconds(in recipe.Input) float64 {
	n := float64(len(in.Items))
	return pairs(in)/pairsPerSecond + n*n*n/inversionsPerSecond
}

func localSeconds(in recipe.Input, near float64) float64 {
	n, counted := float64(len(in.Items)), pairs(in)
	entries := min(2*counted, n*n) // of G
	near = min(near, entries/max(1, n))
	return 2*counted/pairsPerSecond + near*min(entries, n*near*searchFrom)/lookupsPerSecond + n*usualSteps*2*near*near/gemvPerSecond
}

// pairs of items that the users have, counted from one side.
func pairs(in recipe.Input) float64 {
	var sum float64
	in.Events.ByUser(func(_ int32, from, to int) { sum += float64(to-from) * float64(to-from) / 2 })
	return sum
}
