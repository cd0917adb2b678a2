package filter

import "math/bits"

// Bitmap is a set of row numbers: row r is bit r%64 of word r/64.
type Bitmap []uint64

// words is how many words hold n rows.
func words(n int) int { return (n + 63) / 64 }

// Resize returns a bitmap with room for exactly n rows, all absent, reusing b's memory where it can.
func (b Bitmap) Resize(n int) Bitmap {
	w := words(n)
	if cap(b) < w {
		return make(Bitmap, w)
	}
	b = b[:w]
	clear(b)
	return b
}

// Has reports whether row r is in the set; rows outside the bitmap are not.
func (b Bitmap) Has(r int32) bool {
	w := int(r) >> 6
	return r >= 0 && w < len(b) && b[w]>>(uint(r)&63)&1 != 0
}

// Add puts row r into the set; rows outside the bitmap are dropped.
func (b Bitmap) Add(r int32) {
	if w := int(r) >> 6; r >= 0 && w < len(b) {
		b[w] |= 1 << (uint(r) & 63)
	}
}

// Count is the number of rows in the set.
func (b Bitmap) Count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// or adds every row of o that fits.
func (b Bitmap) or(o Bitmap) {
	n := min(len(b), len(o))
	for i, w := range o[:n] {
		b[i] |= w
	}
}

// and keeps the rows that are also in o.
func (b Bitmap) and(o Bitmap) {
	n := min(len(b), len(o))
	for i, w := range o[:n] {
		b[i] &= w
	}
	clear(b[n:])
}

// andNot removes the rows that are in o.
func (b Bitmap) andNot(o Bitmap) {
	n := min(len(b), len(o))
	for i, w := range o[:n] {
		b[i] &^= w
	}
}

// complement turns the set into all other rows below n.
func (b Bitmap) complement(n int) {
	for i := range b {
		b[i] = ^b[i]
	}
	b.trim(n)
}

// fill puts every row below n into the set.
func (b Bitmap) fill(n int) {
	for i := range b {
		b[i] = ^uint64(0)
	}
	b.trim(n)
}

// trim removes rows from n on.
func (b Bitmap) trim(n int) {
	if w := n >> 6; w < len(b) {
		b[w] &= 1<<(uint(n)&63) - 1
		clear(b[w+1:])
	}
}
