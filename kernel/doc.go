// Package kernel is the arithmetic under every recipe and every answer:
// dot products, matrix products, Gram matrices, small solvers,
// soft maximum and top-k selection over float32 slices.
//
// There is a tier for each family of machines: plain Go, AVX2 with fused
// multiply-add, AVX-512, and AMX. The best one that the machine and its
// operating system have is chosen once, before anything is computed; the
// environment variable ATTUNE_KERNEL (generic, avx2, avx512, amx) forces one,
// for tests. Within a tier sums run in an order that depends on
// sizes alone, so the same call gives the same bits, a row of Gemv is Dot of
// that row, and an element of a matrix product is the same alone and in a
// batch. Between tiers results agree within rounding (ADR 11): a model's
// manifest names the tier that trained it. AVX-512 sums in the order of AVX2
// and gives its bits; so does AMX, but where a product's Precision asks for less.
//
// Takes:  slices that the caller owns, row-major where they are matrices.
// Makes:  numbers written into slices that the caller gave.
// Never:  allocates on hot paths, starts goroutines, does I/O.
// Start:  tier.go, vector.go and gemm.go, then sparse.go, reach.go, exp.go, layer.go,
// solve.go, double.go, selection.go and coarse.go. _asm writes what is in assembly; benchmarks report
// shares of what registers alone can do, in processor time.
package kernel
