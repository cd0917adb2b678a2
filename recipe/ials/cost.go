package ials

import "github.com/attune-io/attune/recipe"

// Bytes estimates the peak memory of Train: both factor blocks, the
// interactions from both sides while they are being turned around, the systems of a
// batch where a side is in strips, and scratch.
func (Recipe) Bytes(in recipe.Input) int64 {
	p, err := resolve(in)
	if err != nil {
		return 0 // Train says what is wrong
	}
	rows, events := int64(in.Users)+int64(len(in.Items)), int64(in.Events.Len())
	factors, systems := 4*rows*int64(p.dimension), int64(0)
	if strip := p.strip(); strip > 0 && max(in.Users, len(in.Items)) > fewStrips*strip {
		systems = min(batchBytes, systemSize*factors)
	}
	return factors + systems + 36*events + 16*rows + (grams*4+32)*int64(p.dimension*p.dimension)
}

// What two cores with AVX2 do in a second, measured on data of many sizes.
const (
	reachPerSecond  = 4e10 // operations on rows that are gathered from everywhere
	gemmPerSecond   = 1e11
	smallPerSecond  = 2e10  // of the factorisations of small matrices
	eigenPerSecond  = 1.3e8 // factors cubed, of one core
	eventsPerSecond = 1e7   // sorted into rows
)

// Seconds estimates Train: in each round every interaction is met twice, in every
// step of the solver, and both sides are turned twice.
func (Recipe) Seconds(in recipe.Input) float64 {
	p, err := resolve(in)
	if err != nil {
		return 0
	}
	d, rows, events := float64(p.dimension), float64(in.Users+len(in.Items)), float64(in.Events.Len())
	solve := 2 * events * float64(p.steps+1) * 4 * d / reachPerSecond
	if size := float64(p.size()); size > 0 {
		solve = 2*events*(d*size+8*d)/gemmPerSecond + rows*d*size*size/3/smallPerSecond
	}
	turn := rows*6*d*d/gemmPerSecond + 2*d*d*d/eigenPerSecond
	return events/eventsPerSecond + float64(p.iterations)*(solve+turn)
}
