package kernel

// gramRows is how many rows are taken at once; they are packed twice, and stay
// in the nearer caches meanwhile.
const gramRows = 128

// gramFast adds the upper half of Yᵀ·diag(w)·Y to g, with w all ones where it
// is nil; false when this tier has no faster way.
func (m *Gemm) gramFast(g, y View, w []float32) bool {
	if tier < AVX2 {
		return false
	}
	d := y.Cols
	for from := 0; from < y.Rows; from += gramRows {
		part := y.Part(from, min(from+gramRows, y.Rows), 0, d)
		if w == nil {
			m.upper(g, part, nil)
		} else {
			m.upper(g, part, w[from:from+part.Rows])
		}
	}
	return true
}

// upper adds the tiles on and above the diagonal, for one slice of rows.
func (m *Gemm) upper(g, y View, w []float32) {
	d, k := y.Cols, y.Rows
	high, wide := tileSize()
	mc := max(high, blockA/k/high*high)
	m.scratch.b = grow(m.scratch.b, k*roundUp(d))
	p := panels{m.scratch.b, tileCols, k * tileCols, m.scratch.b[d/tileCols*tileCols*k:]}
	for i := 0; i < d; i += mc {
		a := m.packLeft(left{y.Data, 1, y.Stride, k}, i, min(mc, d-i))
		if i == 0 { // after the left side, which reads rows as they lie and so fetches them best
			packWeighted(m.scratch.b, y, w)
		}
		for j := i / wide * wide; j < d; j += wide {
			cols := min(wide, d-j)
			rows := min(mc, j+cols-i)
			if rows <= 0 {
				continue
			}
			m.column(View{g.Data[i*g.Stride+j:], rows, cols, g.Stride}, a, p, j/tileCols)
		}
	}
}

// packWeighted is packPanels of v with each row times its weight.
func packWeighted(dst []float32, v View, w []float32) {
	if w == nil {
		packPanels(dst, v, false)
		return
	}
	k, n := v.Rows, v.Cols
	for j := 0; j < n; j += tileCols {
		panel := dst[j*k : (j+tileCols)*k]
		if n-j >= tileCols {
			packWeightedAVX2(&panel[0], &v.Data[j], &w[0], 4*v.Stride, k)
			continue
		}
		clear(panel)
		for i, x := range w {
			for l, y := range v.Data[i*v.Stride+j : i*v.Stride+n] {
				panel[i*tileCols+l] = x * y
			}
		}
	}
}
