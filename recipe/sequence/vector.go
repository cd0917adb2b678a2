package sequence

import (
	"math"

	"github.com/attune-io/attune/kernel"
)

// epsilon keeps the deviation of a constant row above zero.
const epsilon = 1e-6

// normalise is layer normalisation: unit rows of x without their mean go to
// hat, with gain and shift to z. inv gets one over each row's deviation.
// Ba, Kiros, Hinton: Layer Normalization (2016), equation 3.
func normalise(z, hat, x kernel.View, inv, gain, shift []float32) {
	for i := range x.Rows {
		row, h, out := x.Row(i), hat.Row(i), z.Row(i)
		h, out, gain, shift := h[:len(row)], out[:len(row)], gain[:len(row)], shift[:len(row)]
		var sum float32
		for _, v := range row {
			sum += v
		}
		mean := sum / float32(len(row))
		var square float32
		for j, v := range row {
			v -= mean
			h[j] = v
			square += float32(v * v)
		}
		s := 1 / float32(math.Sqrt(float64(square/float32(len(row))+epsilon)))
		inv[i] = s
		for j := range h {
			v := float32(h[j] * s)
			h[j] = v
			out[j] = float32(v*gain[j]) + shift[j]
		}
	}
}

// normaliseBack adds to dx what dz, the gradient of normalise's z, makes of it,
// and to dGain and dShift.
func normaliseBack(dx, dz, hat kernel.View, inv, gain, dGain, dShift []float32) {
	for i := range dz.Rows {
		g, h, out := dz.Row(i), hat.Row(i), dx.Row(i)
		h, out, gain, dGain, dShift := h[:len(g)], out[:len(g)], gain[:len(g)], dGain[:len(g)], dShift[:len(g)]
		var sum, along float32
		for j, v := range g {
			dShift[j] += v
			dGain[j] += float32(v * h[j])
			v *= gain[j]
			sum += v
			along += float32(v * h[j])
		}
		n := float32(len(g))
		sum, along = sum/n, along/n
		for j, v := range g {
			out[j] += float32(inv[i] * (float32(v*gain[j]) - sum - float32(h[j]*along)))
		}
	}
}

// setRows makes every row the bias.
func setRows(x kernel.View, bias []float32) {
	for i := range x.Rows {
		copy(x.Row(i), bias)
	}
}

// sumRows adds every row to sum.
func sumRows(sum []float32, x kernel.View) {
	for i := range x.Rows {
		kernel.Axpy(1, x.Row(i), sum)
	}
}

// sigmoid is 1/(1+exp(-x)) in place.
func sigmoid(x []float32) {
	for i, v := range x {
		x[i] = 1 / (1 + exp(-v))
	}
}

// dropout leaves out elements with a chance that depends only on key and where
// they are, so that backward meets the same ones; the rest grows by as much.
// Elements of one row share a key of their own.
//
// Srivastava et al.: Dropout (JMLR 2014).
type dropout struct {
	threshold uint32 // out of 1<<16
	scale     [2]float32
}

func newDropout(p float64) dropout {
	t := uint32(math.Round(p * (1 << 16)))
	return dropout{threshold: t, scale: [2]float32{0, 1 / float32(1-float64(t)/(1<<16))}}
}

// apply writes to dst what is left of x; they may be the same.
func (o dropout) apply(dst, x []float32, key uint64) {
	if o.threshold == 0 {
		copy(dst, x)
		return
	}
	dst = dst[:len(x)]
	for len(x) >= 4 {
		bits := mix(key)
		key += golden
		// The carry bit of the sum says whether 16 random bits reach the threshold; a branch would be guessed wrong.
		dst[0] = x[0] * o.scale[(uint32(bits&0xffff)+(1<<16)-o.threshold)>>16&1]
		dst[1] = x[1] * o.scale[(uint32(bits>>16&0xffff)+(1<<16)-o.threshold)>>16&1]
		dst[2] = x[2] * o.scale[(uint32(bits>>32&0xffff)+(1<<16)-o.threshold)>>16&1]
		dst[3] = x[3] * o.scale[(uint32(bits>>48)+(1<<16)-o.threshold)>>16&1]
		x, dst = x[4:], dst[4:]
	}
	bits := mix(key)
	for i, v := range x {
		dst[i] = v * o.scale[(uint32(bits>>(16*i)&0xffff)+(1<<16)-o.threshold)>>16&1]
	}
}

const golden = 0x9e37_79b9_7f4a_7c15

// mix spreads the bits of a counter: Steele, Lea, Flood: Fast Splittable
// Pseudorandom Number Generators (OOPSLA 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58_476d_1ce4_e5b9
	z = (z ^ z>>27) * 0x94d0_49bb_1331_11eb
	return z ^ z>>31
}

// expLeast is below what exponentials are 0: smaller ones would only become
// denormals once they are multiplied, which are many times slower.
const expLeast = -40

// exp is e to the x, to about 2 in the last place; 0 below expLeast.
func exp(x float32) float32 {
	if !(x >= expLeast) {
		return 0
	}
	const shift = 3 << 22 // adding it rounds to a whole number, in the lowest bits
	k := float32(min(x, 88)*math.Log2E) + shift
	exponent := math.Float32bits(k) << 23
	k -= shift
	r := x - k*0.693359375 + k*2.12194440e-4
	p := ((((1.9875691500e-4*r+1.3981999507e-3)*r+8.3334519073e-3)*r+4.1665795894e-2)*r+1.6666665459e-1)*r + 5.0000001201e-1
	return math.Float32frombits(math.Float32bits(p*r*r+r+1) + exponent)
}
