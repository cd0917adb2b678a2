package kernel

// adamFast makes the step on leading elements and says how many.
func adamFast(w, m, v, g []float32, s AdamStep) int {
	whole := len(g) &^ 7
	if tier < AVX2 || whole == 0 {
		return 0
	}
	c := [9]float32{s.Scale, s.Beta1, 1 - s.Beta1, s.Beta2, 1 - s.Beta2, s.Unbias, s.Stride, s.Epsilon, s.Keep}
	const some = stretch / 4 // four slices, a root and a division each
	for from := 0; from < whole; from += some {
		adamAVX2(&w[from], &m[from], &v[from], &g[from], min(some, whole-from), &c[0])
	}
	return whole
}

// rowFits tells whether a row is one that the kernels of layers take in one call.
func rowFits(n int) bool { return tier >= AVX2 && n%8 == 0 && n <= stretch/8 }

func layerNormFast(z, hat, x, gain, shift []float32, epsilon float32) (float32, bool) {
	n := len(x)
	if !rowFits(n) {
		return 0, false
	}
	return layerNormAVX2(&z[0], &hat[0], &x[0], &gain[0], &shift[0], n, 1, 1/float32(n), epsilon), true
}

func layerNormBackFast(dx, dz, hat, gain, dGain, dShift []float32, inv float32) bool {
	n := len(dz)
	if !rowFits(n) {
		return false
	}
	layerNormBackAVX2(&dx[0], &dz[0], &hat[0], &gain[0], &dGain[0], &dShift[0], n, inv, 1/float32(n))
	return true
}

func expSum(dst, x []float32, shift, least float32) (total float32) {
	if tier < AVX2 || len(x) == 0 {
		return expSumGeneric(dst, x, shift, least)
	}
	const some = stretch / 4
	for from := 0; from < len(x); from += some {
		if n := min(some, len(x)-from); tier >= AVX512 {
			total += expAVX512(&dst[from], &x[from], n, shift, least)
		} else {
			total += expAVX2(&dst[from], &x[from], n, shift, least)
		}
	}
	return total
}

func sigmoid(x []float32) {
	if tier < AVX2 || len(x) == 0 {
		sigmoidGeneric(x)
		return
	}
	const some = stretch / 4
	for from := 0; from < len(x); from += some {
		sigmoidAVX2(&x[from], min(some, len(x)-from), expLeast)
	}
}
