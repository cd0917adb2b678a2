package kernel

// peakFast does n rounds of fused multiply-adds on registers and says how many
// floating-point operations that is: the bound that benchmarks compare with.
func peakFast(n int) float64 {
	switch {
	case tier < AVX2:
		return 0
	case tier >= AVX512:
		peakAVX512(n)
		return 768 * float64(n)
	}
	peakAVX2(n)
	return 192 * float64(n)
}
