package ease

import "github.com/attune-io/attune/recipe"

// Bytes estimates the peak memory of Train: the interactions from both sides,
// the matrix with what its inversion needs beside it, and the weights.
func (Recipe) Bytes(in recipe.Input) int64 {
	p, err := resolve(in)
	if err != nil {
		return 0 // Train says what is wrong
	}
	items := int64(len(in.Items))
	weights := 2 * 8 * items * min(int64(p.kept), items)
	events := 36*int64(in.Events.Len()) + 16*(items+int64(in.Users))
	if n := int64(p.neighbourhood); n > 0 {
		entries := min(pairEntries+4*n*items, int64(2*pairs(in)), items*items)
		return events + weights + 8*entries + 3*8*items*min(n, items)
	}
	return events + weights + 4*items*(items+1024)
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
