//go:build !amd64

package kernel

func dot(a, b []float32) float32                 { return dotGeneric(a, b) }
func axpy(alpha float32, x, y []float32)         { axpyGeneric(alpha, x, y) }
func scale(alpha float32, x []float32)           { scaleGeneric(alpha, x) }
func add(dst, a, b []float32)                    { addGeneric(dst, a, b) }
func mul(dst, a, b []float32)                    { mulGeneric(dst, a, b) }
func mulAdd(dst, a, b []float32)                 { mulAddGeneric(dst, a, b) }
func sum(x []float32) float32                    { return sumGeneric(x) }
func reciprocal(dst, x []float32, least float32) { reciprocalGeneric(dst, x, least) }
func axpy64(alpha float64, x, y []float64)       { axpy64Generic(alpha, x, y) }
func turn64(c, s float64, x, y []float64)        { turn64Generic(c, s, x, y) }
func norm2(x []float32) float64                  { return norm2Generic(x) }
func largest(x []float32) float32                { return largestGeneric(x) }
func gemv(dst, a, x []float32)                   { gemvGeneric(dst, a, x) }
func gemvT(dst, a, v []float32)                  { gemvTGeneric(dst, a, v) }

func expSum(dst, x []float32, shift, least float32) float32 {
	return expSumGeneric(dst, x, shift, least)
}
func sigmoid(x []float32)                                              { sigmoidGeneric(x) }
func adamFast(_, _, _, _ []float32, _ AdamStep) int                    { return 0 }
func layerNormFast(_, _, _, _, _ []float32, _ float32) (float32, bool) { return 0, false }
func layerNormBackFast(_, _, _, _, _, _ []float32, _ float32) bool     { return false }

func above(scores []float32, skip []uint64, floor float32) (int, uint64) {
	return aboveGeneric(scores, skip, floor)
}

func (c *Coarse) boundsFast(_, _ []float32, _, _ []int8, _, _, _ float32) int { return 0 }
