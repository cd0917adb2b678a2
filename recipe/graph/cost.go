package graph

import "github.com/attune-io/attune/recipe"

// Bytes estimates the peak memory of Train: the graph from both sides twice
// while it is being normalised, the blocks of the decomposition, and the lists
// twice, as found and as stored, with a block of rows for each of a few processors.
func (Recipe) Bytes(in recipe.Input) int64 {
	p, err := resolve(in)
	if err != nil {
		return 0 // Train says what is wrong
	}
	users, items, events := int64(in.Users), int64(len(in.Items)), int64(in.Events.Len())
	rank := min(int64(p.rank), users, items)
	vectors := rank + max(8, rank/16)
	blocks := 4*vectors*4*items + 8*gramCopies*vectors*vectors
	lists := 2*8*items*min(int64(p.neighbours), items) + processors*4*(rowsAtOnce+1)*items
	return 44*events + 16*(users+items) + max(blocks, 4*rank*items+lists)
}

const (
	gramCopies = 12 // of the decomposition: parts of a Gram matrix, and eigenvectors
	processors = 8  // that a block of rows is counted for
)

// Seconds estimates Train on two cores.
func (Recipe) Seconds(in recipe.Input) float64 { return seconds(in) }

func seconds(in recipe.Input) float64 {
	p, err := resolve(in)
	if err != nil {
		return 0
	}
	users, items, events := float64(in.Users), float64(len(in.Items)), float64(in.Events.Len())
	rank := min(float64(p.rank), users, items)
	return (spectrumSeconds(users, items, events, rank) + listSeconds(users, items, events, rank))
}

// Measured rates of two cores, in operations a second.
const (
	sparseRate = 2.5e9 // of products of sparse and dense
	denseRate  = 80e9  // of products of dense blocks
	eigenRate  = 0.5e9 // of eigenvectors, which one core finds
)

// spectrumSeconds estimates the decomposition.
func spectrumSeconds(users, items, events, rank float64) float64 {
	k := rank * 17 / 16
	passes := float64(powerIterations)
	sparse := (2*passes + 1) * 2 * events * k
	dense := (passes+1)*4*items*k*k + 2*users*k*k + 2*items*k*k
	return sparse/sparseRate + dense/denseRate + 12*k*k*k/eigenRate
}

// listSeconds estimates the rows of the filter: products of eigenvectors, pairs
// of items of each user, and the choice of the largest.
func listSeconds(users, items, events, rank float64) float64 {
	each := events / max(1, users)
	return 2*items*items*rank/denseRate + 6*events*each/sparseRate + 4*items*items/sparseRate
}
