package kernel

import "math"

// AdamStep is one step of Adam with the decay of weights apart from the
// gradient: Kingma, Ba: Adam (ICLR 2015); Loshchilov, Hutter: Decoupled Weight
// Decay Regularization (ICLR 2019), algorithm 2. For a gradient g,
//
//	x = Scale·g,  m = Beta1·m + (1-Beta1)·x,  v = Beta2·v + (1-Beta2)·x²
//	w = Keep·w - Stride·m / (√(Unbias·v) + Epsilon)
//
// where at step n = 1, 2, … and rate r: Stride = r/(1-Beta1ⁿ), Unbias =
// 1/(1-Beta2ⁿ), Keep = 1 - r·decay, and Scale is what a long gradient is cut by.
type AdamStep struct {
	Scale, Beta1, Beta2, Unbias, Stride, Epsilon, Keep float32
}

// Adam makes the step on weights w, their moments m and v, and the gradient g,
// which is only read. All are as long as g.
func Adam(w, m, v, g []float32, s AdamStep) {
	w, m, v = w[:len(g)], m[:len(g)], v[:len(g)]
	done := adamFast(w, m, v, g, s)
	adamGeneric(w[done:], m[done:], v[done:], g[done:], s)
}

// LayerNorm is layer normalisation of one row: x without its mean, over its
// deviation, to hat; hat∘gain + shift to z. It returns one over the deviation.
// All are as long as x; z or hat may be x. epsilon keeps the deviation of a
// constant row above zero. Ba, Kiros, Hinton: Layer Normalization (2016), equation 3.
func LayerNorm(z, hat, x, gain, shift []float32, epsilon float32) float32 {
	n := len(x)
	if n == 0 {
		return 0
	}
	z, hat, gain, shift = z[:n], hat[:n], gain[:n], shift[:n]
	if inv, ok := layerNormFast(z, hat, x, gain, shift, epsilon); ok {
		return inv
	}
	mean := Sum(x) / float32(n)
	for j, v := range x {
		hat[j] = v - mean
	}
	inv := 1 / float32(math.Sqrt(float64(Dot(hat, hat)/float32(n)+epsilon)))
	for j, v := range hat {
		v *= inv
		hat[j] = v
		z[j] = float32(v*gain[j]) + shift[j]
	}
	return inv
}

// LayerNormBack adds to dx, dGain and dShift what dz, the gradient of
// LayerNorm's z, makes of them. hat is as LayerNorm left it, inv what it returned.
func LayerNormBack(dx, dz, hat, gain, dGain, dShift []float32, inv float32) {
	n := len(dz)
	if n == 0 {
		return
	}
	dx, hat, gain, dGain, dShift = dx[:n], hat[:n], gain[:n], dGain[:n], dShift[:n]
	if layerNormBackFast(dx, dz, hat, gain, dGain, dShift, inv) {
		return
	}
	var sum, along float32
	for j, v := range dz {
		dShift[j] += v
		dGain[j] += float32(v * hat[j])
		v *= gain[j]
		sum += v
		along += float32(v * hat[j])
	}
	sum, along = sum/float32(n), along/float32(n)
	for j, v := range dz {
		dx[j] += float32(inv * (float32(v*gain[j]) - sum - float32(hat[j]*along)))
	}
}

func adamGeneric(w, m, v, g []float32, s AdamStep) {
	for i, x := range g {
		x *= s.Scale
		m[i] = float32(s.Beta1*m[i]) + float32((1-s.Beta1)*x)
		v[i] = float32(s.Beta2*v[i]) + float32(float32((1-s.Beta2)*x)*x)
		step := float32(s.Stride*m[i]) / (float32(math.Sqrt(float64(v[i]*s.Unbias))) + s.Epsilon)
		w[i] = float32(s.Keep*w[i]) - step
	}
}
