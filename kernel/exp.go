package kernel

import "math"

// LogSumExp returns ln Σ exp(x), stable for any size of x, in float64.
// Elements that are -Inf or NaN count as absent; -Inf when nothing is present.
func LogSumExp(x []float32) float64 {
	top := float32(math.Inf(-1))
	for _, v := range x {
		if v > top {
			top = v
		}
	}
	if math.IsInf(float64(top), 0) {
		return float64(top)
	}
	var sum float64
	for _, v := range x {
		if v >= top-expReach {
			sum += math.Exp(float64(v) - float64(top))
		}
	}
	return float64(top) + math.Log(sum)
}

// expReach is how far below the largest element an exponential still counts:
// e⁻⁸⁰ is beyond what float64 sums of any catalogue can feel, and smaller
// values would only make denormals, which are many times slower.
const expReach = 80
