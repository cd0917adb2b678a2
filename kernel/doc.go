// Package kernel is the arithmetic under every recipe and every answer:
// dot products, matrix-vector products, Gram matrices, small solvers,
// soft maximum and top-k selection over float32 slices.
//
// Sums run in a fixed order: element j of a dot product goes to lane j mod 8,
// and the lanes are folded in one fixed tree. Every implementation, generic Go
// or AVX2, keeps that order and rounds after each multiplication, so a model
// trained on one machine is bit for bit the model trained on another.
//
// Takes:  slices that the caller owns, row-major where they are matrices.
// Makes:  numbers written into slices that the caller gave.
// Never:  allocates on hot paths, starts goroutines, does I/O.
// Start:  vector.go, then solve.go and selection.go.
package kernel
