package kernel

import "math"

// expLeast is below what Exp is 0: smaller results would be denormals, which
// are many times slower to compute with.
const expLeast = -86

// softLeast is how far below the shift an exponential still counts in ExpSum,
// Softmax: e⁻⁴⁰ is far below what a float32 sum can feel, and what is
// smaller would become a denormal as soon as it is multiplied.
const softLeast = -40

// Exp writes e to the power of each element of x to dst, which may be x, to 2
// in the last place: 0 below -86, +Inf beyond float32, NaN for NaN.
func Exp(dst, x []float32) { expSum(dst[:len(x)], x, 0, expLeast) }

// ExpSum writes exp(x-shift) to dst, which may be x, and returns the sum of it.
// Elements more than 40 below the shift become 0. With Max(x) as the shift it is
// the numerators and the denominator of a softmax.
func ExpSum(dst, x []float32, shift float32) float32 {
	return expSum(dst[:len(x)], x, shift, softLeast)
}

// Softmax makes x its own softmax and returns ln Σ exp(x), both stable for any
// size of x. Elements that are -Inf, or more than 40 below the largest, become
// 0; when all are -Inf, or there are none, so do all, and -Inf is returned. A NaN
// makes everything NaN.
func Softmax(x []float32) float32 {
	top := Max(x)
	if math.IsInf(float64(top), -1) {
		top = 0 // only -Inf, which become 0, or NaN
	}
	sum := ExpSum(x, x, top)
	if sum == 0 {
		return float32(math.Inf(-1))
	}
	Scale(1/sum, x)
	return top + float32(math.Log(float64(sum)))
}

// Sigmoid makes every element v of x 1/(1+exp(-v)), to 3 in the last place.
func Sigmoid(x []float32) { sigmoid(x) }

func expSumGeneric(dst, x []float32, shift, least float32) float32 {
	for i, v := range x {
		v -= shift
		if v < least {
			dst[i] = 0
			continue
		}
		dst[i] = float32(math.Exp(float64(v)))
	}
	return sumGeneric(dst)
}

func sigmoidGeneric(x []float32) {
	for i, v := range x {
		x[i] = float32(1 / (1 + math.Exp(-float64(v))))
	}
}

// LogSumExp returns ln Σ exp(x), stable for any size of x, to 10⁻⁶.
// Elements that are -Inf or NaN count as absent; -Inf when nothing is present.
func LogSumExp(x []float32) float64 {
	top := Max(x)
	if math.IsInf(float64(top), 0) {
		return float64(top)
	}
	var part [512]float32
	var total float64
	for len(x) > 0 {
		n := min(len(part), len(x))
		if sum := ExpSum(part[:n], x[:n], top); sum == sum {
			total += float64(sum)
		} else { // something is NaN, and absent
			for _, v := range part[:n] {
				if v == v {
					total += float64(v)
				}
			}
		}
		x = x[n:]
	}
	return float64(top) + math.Log(total)
}
