package kernel

import "unsafe"

// cacheLine is 64 bytes, in elements.
const cacheLine = 16

// aligned is n zeros that begin on a cache line, so that no wide load straddles two.
func aligned(n int) []float32 {
	x := make([]float32, n+cacheLine)
	at := int(-(uintptr(unsafe.Pointer(&x[0])) / 4) & (cacheLine - 1)) //nolint:gosec // only the low bits are looked at
	return x[at : at+n : at+n]
}
