package sequence

import (
	"math"

	"github.com/attune-io/attune/kernel"
)

// epsilon keeps the deviation of a constant row above zero.
const epsilon = 1e-6

// normaliseBack adds to dx what dz, the gradient of normalise's z, makes of it,
// and to dGain and dShift.
func normaliseBack(dx, dz, hat kernel.View, inv, gain, dGain, dShift []float32) {
	for i := range dz.Rows {
		kernel.LayerNormBack(dx.Row(i), dz.Row(i), hat.Row(i), gain, dGain, dShift, inv[i])
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
