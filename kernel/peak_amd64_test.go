package kernel

// peakFast does n rounds of fused multiply-adds on registers and says how many
// floating-point operations that is: the bound that benchmarks compare with.
func peakFast(n int) float64 {
	if tier < AVX2 {
		return 0
	}
	peakAVX2(n)
	return 192 * float64(n)
}
