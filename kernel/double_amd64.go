package kernel

func axpy64(alpha float64, x, y []float64) {
	if tier < AVX2 {
		axpy64Generic(alpha, x, y)
		return
	}
	stretches(len(x), func(from, n int) { axpy64AVX2(alpha, &x[from], &y[from], n) })
}

func turn64(c, s float64, x, y []float64) {
	if tier < AVX2 {
		turn64Generic(c, s, x, y)
		return
	}
	stretches(len(x), func(from, n int) { turn64AVX2(c, s, &x[from], &y[from], n) })
}
