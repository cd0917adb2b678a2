package kernel

import "math"

// lanes is the number of partial sums of a dot product: element j goes to lane
// j mod 8, and the lanes are folded in one fixed tree.
const lanes = 8

func dotGeneric(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	for len(a) >= lanes && len(b) >= lanes {
		// The conversions forbid fused multiply-add, which other
		// architectures would otherwise use and round differently.
		s0 += float32(a[0] * b[0])
		s1 += float32(a[1] * b[1])
		s2 += float32(a[2] * b[2])
		s3 += float32(a[3] * b[3])
		s4 += float32(a[4] * b[4])
		s5 += float32(a[5] * b[5])
		s6 += float32(a[6] * b[6])
		s7 += float32(a[7] * b[7])
		a, b = a[lanes:], b[lanes:]
	}
	if len(a) > 0 {
		var tail [lanes]float32
		for j, v := range a {
			tail[j] = float32(v * b[j])
		}
		s0, s1, s2, s3 = s0+tail[0], s1+tail[1], s2+tail[2], s3+tail[3]
		s4, s5, s6, s7 = s4+tail[4], s5+tail[5], s6+tail[6], s7+tail[7]
	}
	return ((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))
}

func axpyGeneric(alpha float32, x, y []float32) {
	y = y[:len(x)]
	for len(x) >= 4 && len(y) >= 4 {
		y[0] += float32(alpha * x[0])
		y[1] += float32(alpha * x[1])
		y[2] += float32(alpha * x[2])
		y[3] += float32(alpha * x[3])
		x, y = x[4:], y[4:]
	}
	for i, v := range x {
		y[i] += float32(alpha * v)
	}
}

func scaleGeneric(alpha float32, x []float32) {
	for i := range x {
		x[i] *= alpha
	}
}

func norm2Generic(x []float32) float64 {
	var s float64
	for _, v := range x {
		s += float64(float64(v) * float64(v)) // exact product: no fusing either
	}
	return s
}

func addGeneric(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

func mulGeneric(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] * b[i]
	}
}

func mulAddGeneric(dst, a, b []float32) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] += float32(a[i] * b[i])
	}
}

func reciprocalGeneric(dst, x []float32, least float32) {
	x = x[:len(dst)]
	for i, v := range x {
		if !(v > least) {
			v = least
		}
		dst[i] = 1 / v
	}
}

func sumGeneric(x []float32) float32 {
	var s [lanes]float32
	for i, v := range x {
		s[i%lanes] += v
	}
	return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]))
}

func largestGeneric(x []float32) float32 {
	top := float32(math.Inf(-1))
	for _, v := range x {
		if v > top {
			top = v
		}
	}
	return top
}

func gemvGeneric(dst, a, x []float32) {
	d := len(x)
	for i := range dst {
		dst[i] = dotGeneric(a[i*d:(i+1)*d], x)
	}
}

func gemvTGeneric(dst, a, v []float32) {
	rowGeneric(dst, View{a, len(v), len(dst), len(dst)}, v)
}

func gramGeneric(g []float32, y View, w []float32) {
	d := y.Cols
	for r := range y.Rows {
		row := y.Row(r)
		for i, v := range row {
			if w != nil {
				v *= w[r]
			}
			axpyGeneric(v, row[i:], g[i*d+i:(i+1)*d])
		}
	}
}
