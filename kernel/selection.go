package kernel

import (
	"math"
	"math/bits"
)

// Bitmap is a set of rows, 64 to a word. A nil Bitmap is empty.
type Bitmap []uint64

// NewBitmap makes an empty set of rows 0 … n-1.
func NewBitmap(n int) Bitmap { return make(Bitmap, (n+63)/64) }

// Set adds a row. The row must be below the n it was made for.
func (b Bitmap) Set(row int32) { b[row>>6] |= 1 << (row & 63) }

// Clear takes a row out.
func (b Bitmap) Clear(row int32) { b[row>>6] &^= 1 << (row & 63) }

// Has reports whether the row is in the set; rows beyond its size are not.
func (b Bitmap) Has(row int32) bool {
	w := int(row >> 6)
	return w >= 0 && w < len(b) && b[w]&(1<<(row&63)) != 0
}

// TopK appends to dst the rows of the k largest scores, best first; equal
// scores keep the lower row first. Rows in skip, and scores that are -Inf or
// NaN, are never chosen, so fewer than k may come back.
func TopK(dst []int32, scores []float32, k int, skip Bitmap) []int32 {
	if k <= 0 {
		return dst
	}
	c := chooser{scores: scores, k: k, base: len(dst), rows: dst, floor: float32(math.Inf(-1))}
	for at := 0; at < len(scores); at += 64 {
		var rows uint64
		if at, rows = c.next(at, skip); rows == 0 {
			break
		}
		for ; rows != 0; rows &= rows - 1 {
			c.offer(int32(at + bits.TrailingZeros64(rows)))
		}
	}
	heap := c.rows[c.base:]
	for n := len(heap) - 1; n > 0; n-- {
		heap[0], heap[n] = heap[n], heap[0]
		siftDown(heap[:n], scores)
	}
	return c.rows
}

// Above appends to dst the rows whose scores are above the floor and that are not
// in skip, in order. NaN is above nothing.
func Above(dst []int32, scores []float32, floor float32, skip Bitmap) []int32 {
	c := chooser{scores: scores, floor: floor}
	for at := 0; at < len(scores); at += 64 {
		var rows uint64
		if at, rows = c.next(at, skip); rows == 0 {
			break
		}
		for ; rows != 0; rows &= rows - 1 {
			dst = append(dst, int32(at+bits.TrailingZeros64(rows)))
		}
	}
	return dst
}

// chooser keeps the k best rows so far, as a heap whose root is the worst.
type chooser struct {
	scores []float32
	k      int
	base   int     // where the heap begins in rows
	rows   []int32 // those chosen, after what was there before
	floor  float32 // only scores above it can enter
}

// offer takes a row in if it is good enough. Rows come in order.
func (c *chooser) offer(row int32) {
	if !(c.scores[row] > c.floor) { // false for NaN as well
		return
	}
	heap := c.rows[c.base:]
	if len(heap) < c.k {
		c.rows = append(c.rows, row)
		heap = c.rows[c.base:]
		siftUp(heap, c.scores)
	} else {
		heap[0] = row
		siftDown(heap, c.scores)
	}
	if len(heap) == c.k {
		// Later rows lose ties, so an equal score cannot enter.
		c.floor = c.scores[heap[0]]
	}
}

// blocksAtOnce bounds one call into assembly, during which a goroutine cannot be stopped.
const blocksAtOnce = 1024

// next is the first block of 64 rows, from row at on, with scores above the floor in rows
// that skip does not have: where it begins, and the bits of those rows; 0 when there is none.
func (c *chooser) next(at int, skip Bitmap) (int, uint64) {
	for at+64 <= len(c.scores) {
		from := at >> 6
		blocks := min(len(c.scores)>>6-from, blocksAtOnce)
		var without []uint64
		if from < len(skip) {
			blocks = min(blocks, len(skip)-from)
			without = skip[from : from+blocks]
		}
		block, rows := above(c.scores[at:at+64*blocks], without, c.floor)
		if at += 64 * block; rows != 0 {
			return at, rows
		}
	}
	var rows uint64
	for i, s := range c.scores[min(at, len(c.scores)):] {
		if s > c.floor && !skip.Has(int32(at+i)) {
			rows |= 1 << i
		}
	}
	return at, rows
}

// aboveGeneric is the first block of 64 scores with some above the floor in rows
// without a bit in skip, and their bits; the number of blocks, and 0, when there is none.
func aboveGeneric(scores []float32, skip []uint64, floor float32) (int, uint64) {
	for block := range len(scores) / 64 {
		var without uint64
		if skip != nil {
			if without = skip[block]; without == ^uint64(0) {
				continue // a filter may leave few rows
			}
		}
		var rows uint64
		for i, s := range scores[64*block : 64*block+64] {
			if s > floor {
				rows |= 1 << i
			}
		}
		if rows &^= without; rows != 0 {
			return block, rows
		}
	}
	return len(scores) / 64, 0
}

// worse orders the heap: its root is the chosen row to give up first.
func worse(a, b int32, scores []float32) bool {
	return scores[a] < scores[b] || scores[a] == scores[b] && a > b
}

func siftUp(h []int32, scores []float32) {
	for i := len(h) - 1; i > 0; {
		p := (i - 1) / 2
		if !worse(h[i], h[p], scores) {
			return
		}
		h[i], h[p] = h[p], h[i]
		i = p
	}
}

func siftDown(h []int32, scores []float32) {
	for i := 0; ; {
		c := 2*i + 1
		if c >= len(h) {
			return
		}
		if c+1 < len(h) && worse(h[c+1], h[c], scores) {
			c++
		}
		if !worse(h[c], h[i], scores) {
			return
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
}
