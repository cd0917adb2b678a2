package kernel

// stretch bounds one call into assembly, during which a goroutine cannot be
// stopped for the garbage collector: so many elements take less than 50 µs.
const stretch = 1 << 16

// stretches calls do for every part of n elements.
func stretches(n int, do func(from, n int)) {
	for from := 0; from < n; from += stretch {
		do(from, min(stretch, n-from))
	}
}

func dot(a, b []float32) float32 {
	if tier < AVX2 || len(a) == 0 {
		return dotGeneric(a, b)
	}
	b = b[:len(a)]
	var sum float32
	gemvRows(&sum, &a[0], &b[0], 1, len(a), 0)
	return sum
}

func axpy(alpha float32, x, y []float32) {
	if tier < AVX2 || len(x) == 0 {
		axpyGeneric(alpha, x, y)
		return
	}
	y = y[:len(x)]
	if len(x) <= stretch {
		axpyAVX2(alpha, &x[0], &y[0], len(x))
		return
	}
	stretches(len(x), func(from, n int) { axpyAVX2(alpha, &x[from], &y[from], n) })
}

func scale(alpha float32, x []float32) {
	if tier < AVX2 || len(x) == 0 {
		scaleGeneric(alpha, x)
		return
	}
	stretches(len(x), func(from, n int) { scaleAVX2(alpha, &x[from], n) })
}

func add(dst, a, b []float32) {
	if tier < AVX2 || len(dst) == 0 {
		addGeneric(dst, a, b)
		return
	}
	a, b = a[:len(dst)], b[:len(dst)]
	stretches(len(dst), func(from, n int) { addAVX2(&dst[from], &a[from], &b[from], n) })
}

func mul(dst, a, b []float32) {
	if tier < AVX2 || len(dst) == 0 {
		mulGeneric(dst, a, b)
		return
	}
	a, b = a[:len(dst)], b[:len(dst)]
	stretches(len(dst), func(from, n int) { mulAVX2(&dst[from], &a[from], &b[from], n) })
}

func mulAdd(dst, a, b []float32) {
	if tier < AVX2 || len(dst) == 0 {
		mulAddGeneric(dst, a, b)
		return
	}
	a, b = a[:len(dst)], b[:len(dst)]
	stretches(len(dst), func(from, n int) { mulAddAVX2(&dst[from], &a[from], &b[from], n) })
}

func reciprocal(dst, x []float32, least float32) {
	if tier < AVX2 || len(dst) == 0 {
		reciprocalGeneric(dst, x, least)
		return
	}
	x = x[:len(dst)]
	stretches(len(dst), func(from, n int) { reciprocalAVX2(&dst[from], &x[from], least, n) })
}

func sum(x []float32) (total float32) {
	if tier < AVX2 || len(x) == 0 {
		return sumGeneric(x)
	}
	stretches(len(x), func(from, n int) { total += sumAVX2(&x[from], n) })
	return total
}

func norm2(x []float32) (total float64) {
	if tier < AVX2 || len(x) == 0 {
		return norm2Generic(x)
	}
	stretches(len(x), func(from, n int) { total += norm2AVX2(&x[from], n) })
	return total
}

func largest(x []float32) float32 {
	if tier < AVX2 || len(x) == 0 {
		return largestGeneric(x)
	}
	top := maxAVX2(&x[0], min(stretch, len(x)))
	for x = x[min(stretch, len(x)):]; len(x) > 0; x = x[min(stretch, len(x)):] {
		top = max(top, maxAVX2(&x[0], min(stretch, len(x))))
	}
	return top
}

// rowsAtOnce is how many rows of d elements one call into assembly takes: 1 MiB.
func rowsAtOnce(d int) int { return max(4, (4*stretch/d)&^3) }

func gemv(dst, a, x []float32) {
	d := len(x)
	if tier < AVX2 {
		gemvGeneric(dst, a, x)
		return
	}
	for many := rowsAtOnce(d); len(dst) > 0; {
		n := min(many, len(dst))
		gemvRows(&dst[0], &a[0], &x[0], n, d, 4*d)
		dst, a = dst[n:], a[n*d:]
	}
}

func gemvT(dst, a, v []float32) {
	d := len(dst)
	if tier < AVX2 {
		gemvTGeneric(dst, a, v)
		return
	}
	for many := rowsAtOnce(d); len(v) > 0; {
		n := min(many, len(v))
		if tier >= AVX512 {
			gemvTAVX512(&dst[0], &a[0], &v[0], n, d, 4*d)
		} else {
			gemvTAVX2(&dst[0], &a[0], &v[0], n, d, 4*d)
		}
		v, a = v[n:], a[n*d:]
	}
}

// gemvRows does what the kernels say, with the one of this tier.
func gemvRows(dst, a, x *float32, rows, d, stride int) {
	if tier >= AVX512 {
		gemvAVX512(dst, a, x, rows, d, stride)
	} else {
		gemvAVX2(dst, a, x, rows, d, stride)
	}
}
