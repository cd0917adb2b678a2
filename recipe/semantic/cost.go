package semantic

import (
	"github.com/attune-io/attune/recipe"
)

// likelySize is the length of an Embedder's vectors, which is not known before
// it is asked: few models have longer ones.
const likelySize = 1536

// Bytes estimates the peak memory of Train and of the scorer.
func (r Recipe) Bytes(in recipe.Input) int64 {
	items := int64(len(in.Items))
	if r.embedder != nil {
		return 2 * 4 * likelySize * items
	}
	p, err := resolve(in)
	if err != nil {
		return 0 // Train says why
	}
	terms := r.terms(in)
	// The sparse part twice, where terms are cut, four blocks of the decomposition,
	// the counts and numbers of places.
	blocks := 4 * int64(p.dimension+max(8, p.dimension/16)) * min(terms, termsMost)
	return 2*8*terms + 4*blocks + 4*int64(p.dimension)*items + 8*places
}

// terms estimates how many terms all items have together: a category each, and
// of a text a word, a pair and nine pieces for every six bytes.
func (Recipe) terms(in recipe.Input) (n int64) {
	most := 0
	for _, f := range voices {
		most += f.most
	}
	for _, c := range spoken(in.ItemAttributes) {
		for _, text := range c.Text {
			n += int64(min(most, 1+len(text)*11/6))
		}
	}
	return n
}

// Seconds estimates Train: reading by what is read, and the decomposition by
// its products. What an Embedder takes is not known, only what its vectors do.
func (r Recipe) Seconds(in recipe.Input) float64 {
	const (
		readByte    = 0.7e-6 // twice
		multiplyAdd = 0.5e-9
	)
	bytes := 0
	for _, c := range spoken(in.ItemAttributes) {
		for _, text := range c.Text {
			bytes += len(text)
		}
	}
	if r.embedder != nil {
		return multiplyAdd * likelySize * float64(len(in.Items))
	}
	p, err := resolve(in)
	if err != nil {
		return 0
	}
	width := float64(p.dimension + max(8, p.dimension/16))
	return readByte*float64(bytes) + multiplyAdd*width*float64(r.terms(in))*(2*passes+2)
}
