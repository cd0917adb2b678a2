package kernel

import "math"

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
	base := len(dst)
	floor := float32(math.Inf(-1)) // only scores above it can enter
	for i := 0; i < len(scores); i++ {
		if w := i >> 6; i&63 == 0 && w < len(skip) && skip[w] == ^uint64(0) {
			i += 63 // a filter may leave few rows
			continue
		}
		s := scores[i]
		if !(s > floor) { // false for NaN as well
			continue
		}
		if row := int32(i); !skip.Has(row) {
			heap := dst[base:]
			if len(heap) < k {
				dst = append(dst, row)
				siftUp(dst[base:], scores)
			} else {
				heap[0] = row
				siftDown(heap, scores)
			}
			if heap = dst[base:]; len(heap) == k {
				// Later rows lose ties, so an equal score cannot enter.
				floor = scores[heap[0]]
			}
		}
	}
	heap := dst[base:]
	for n := len(heap) - 1; n > 0; n-- {
		heap[0], heap[n] = heap[n], heap[0]
		siftDown(heap[:n], scores)
	}
	return dst
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
