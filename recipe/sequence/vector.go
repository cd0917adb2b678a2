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

// sigmoidReach is beyond what 1/(1+exp(-x)) is 0 or 1 to a float32.
const sigmoidReach = 30

// sigmoid is 1/(1+exp(-x)) in place.
func sigmoid(x []float32) {
	for i, v := range x {
		x[i] = -min(max(v, -sigmoidReach), sigmoidReach)
	}
	exponentials(x, 0)
	for i, v := range x {
		x[i] = 1 / (1 + v)
	}
}

// dropout leaves out elements with a chance that depends only on key and where
// they are, so that backward meets the same ones; the rest grows by as much.
// Elements of one row share a key of their own.
//
// Srivastava et al.: Dropout (JMLR 2014).
type dropout struct {
	threshold uint64           // of 1<<dropBits
	factors   *[256][8]float32 // what eight elements are multiplied with, by which of them stay
}

// dropBits is how many random bits decide about one element: 64 bits are eight
// of so many, and eight to spare, so that all are compared at once.
const dropBits = 7

func newDropout(p float64) dropout {
	o := dropout{threshold: uint64(math.Round(p * (1 << dropBits))), factors: new([256][8]float32)}
	for stay := range o.factors {
		for k := range 8 {
			if stay>>k&1 == 1 {
				o.factors[stay][k] = 1 / float32(1-float64(o.threshold)/(1<<dropBits))
			}
		}
	}
	return o
}

// stay says by eight bits which of eight elements do.
func (o dropout) stay(key uint64) *[8]float32 {
	const ones = 0x0101_0101_0101_0101
	// A byte's highest bit is set where its random number reaches the threshold; the product gathers those bits.
	reached := (mix(key)&(ones*(1<<dropBits-1)) + ones*(1<<dropBits-o.threshold)) >> dropBits & ones
	return &o.factors[reached*0x0102_0408_1020_4080>>56]
}

// apply writes to dst what is left of x; they may be the same.
func (o dropout) apply(dst, x []float32, key uint64) {
	if o.threshold == 0 {
		copy(dst, x)
		return
	}
	dst = dst[:len(x)]
	for len(x) >= 8 && len(dst) >= 8 {
		f := o.stay(key)
		key += golden
		dst[0], dst[1], dst[2], dst[3] = x[0]*f[0], x[1]*f[1], x[2]*f[2], x[3]*f[3]
		dst[4], dst[5], dst[6], dst[7] = x[4]*f[4], x[5]*f[5], x[6]*f[6], x[7]*f[7]
		x, dst = x[8:], dst[8:]
	}
	if len(x) > 0 {
		f := o.stay(key)
		for i, v := range x {
			dst[i] = v * f[i]
		}
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

// exponentials makes exp(x - top) of every x, to about 2 in the last place, and
// 0 where that is below e to the expLeast; it returns their sum. No x is above
// top by more than 88.
func exponentials(x []float32, top float32) (sum float32) {
	const shift = 3 << 22 // adding it rounds to a whole number, in the lowest bits
	for i, v := range x {
		v -= top
		if !(v >= expLeast) {
			x[i] = 0
			continue
		}
		k := float32(v*math.Log2E) + shift
		exponent := math.Float32bits(k) << 23
		k -= shift
		r := v - k*0.693359375 + k*2.12194440e-4
		p := ((((1.9875691500e-4*r+1.3981999507e-3)*r+8.3334519073e-3)*r+4.1665795894e-2)*r+1.6666665459e-1)*r + 5.0000001201e-1
		v = math.Float32frombits(math.Float32bits(p*r*r+r+1) + exponent)
		x[i] = v
		sum += v
	}
	return sum
}
