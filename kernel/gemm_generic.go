package kernel

func nnGeneric(c, a, b View) {
	if c.Cols == 0 {
		return
	}
	i := 0
	for ; i+1 < c.Rows; i += 2 {
		rowsGeneric(c.Row(i), c.Row(i+1), b, a.Row(i), a.Row(i+1))
	}
	if i < c.Rows {
		rowGeneric(c.Row(i), b, a.Row(i))
	}
}

func ntGeneric(c, a, b View) {
	for i := range c.Rows {
		row, ai := c.Row(i), a.Row(i)
		for j := range row {
			row[j] += dotGeneric(ai, b.Row(j))
		}
	}
}

// tnGeneric copies two columns of a at a time to where they are rows.
func tnGeneric(c, a, b View) {
	if c.Cols == 0 {
		return
	}
	var x [2][256]float32
	for from := 0; from < a.Rows; from += len(x[0]) {
		n := min(len(x[0]), a.Rows-from)
		part := b.Part(from, from+n, 0, b.Cols)
		for i := 0; i < c.Rows; i += 2 {
			two := min(2, c.Rows-i)
			for k := range n {
				for l, v := range a.Row(from + k)[i : i+two] {
					x[l][k] = v
				}
			}
			if two == 2 {
				rowsGeneric(c.Row(i), c.Row(i+1), part, x[0][:n], x[1][:n])
			} else {
				rowGeneric(c.Row(i), part, x[0][:n])
			}
		}
	}
}

// rowGeneric adds Σ v[k]·b[k] to c, four rows of b at a time, so that c is read
// and written a quarter as often.
func rowGeneric(c []float32, b View, v []float32) {
	k := 0
	for ; k+4 <= len(v); k += 4 {
		v0, v1, v2, v3 := v[k], v[k+1], v[k+2], v[k+3]
		b0, b1, b2, b3 := b.Row(k)[:len(c)], b.Row(k + 1)[:len(c)], b.Row(k + 2)[:len(c)], b.Row(k + 3)[:len(c)]
		for j := range c {
			c[j] += (float32(v0*b0[j]) + float32(v1*b1[j])) + (float32(v2*b2[j]) + float32(v3*b3[j]))
		}
	}
	for ; k < len(v); k++ {
		axpyGeneric(v[k], b.Row(k), c)
	}
}

// rowsGeneric is rowGeneric for two rows, which share what is read of b.
func rowsGeneric(c, d []float32, b View, v, w []float32) {
	d, w = d[:len(c)], w[:len(v)]
	k := 0
	for ; k+4 <= len(v); k += 4 {
		v0, v1, v2, v3 := v[k], v[k+1], v[k+2], v[k+3]
		w0, w1, w2, w3 := w[k], w[k+1], w[k+2], w[k+3]
		b0, b1, b2, b3 := b.Row(k)[:len(c)], b.Row(k + 1)[:len(c)], b.Row(k + 2)[:len(c)], b.Row(k + 3)[:len(c)]
		for j := range c {
			x0, x1, x2, x3 := b0[j], b1[j], b2[j], b3[j]
			c[j] += (float32(v0*x0) + float32(v1*x1)) + (float32(v2*x2) + float32(v3*x3))
			d[j] += (float32(w0*x0) + float32(w1*x1)) + (float32(w2*x2) + float32(w3*x3))
		}
	}
	for ; k < len(v); k++ {
		axpyGeneric(v[k], b.Row(k), c)
		axpyGeneric(w[k], b.Row(k), d)
	}
}
