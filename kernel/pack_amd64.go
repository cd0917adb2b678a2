package kernel

// pack copies v, or its transpose, into panels of the scratch.
func (g *Gemm) pack(v View, across bool) panels {
	k, n := v.Rows, v.Cols
	if across {
		k, n = n, k
	}
	g.scratch.b = grow(g.scratch.b, k*roundUp(n))
	packPanels(g.scratch.b, v, across)
	return panels{g.scratch.b, tileCols, k * tileCols, g.scratch.b[n/tileCols*tileCols*k:]}
}

// inPlace reads v where it is, but for a last panel that its columns do not fill.
func (g *Gemm) inPlace(v View) panels {
	p := panels{data: v.Data, row: v.Stride, step: tileCols}
	if rest := v.Cols % tileCols; rest > 0 {
		g.scratch.b = grow(g.scratch.b, v.Rows*tileCols)
		packPanels(g.scratch.b, v.Part(0, v.Rows, v.Cols-rest, v.Cols), false)
		p.last = g.scratch.b
	}
	return p
}

// panels are rows from k on and n columns from j on, a multiple of tileCols.
func (p *Packed) panels(k, j, n int) panels {
	at := j*p.k + k*tileCols
	return panels{p.data[at:], tileCols, p.k * tileCols, p.data[at+min(len(p.data)-at, n/tileCols*tileCols*p.k):]}
}

// packFast lays b out in panels; false when this tier has no use for them.
func (p *Packed) packFast(b View, across bool) bool {
	if tier < AVX2 {
		return false
	}
	p.data = grow(p.data, p.k*roundUp(p.n))
	packPanels(p.data, b, across)
	return true
}

// packPanels writes v (k×n), or the transpose of v (n×k), to dst as panels of
// k×tileCols, the last one filled up with zeros.
func packPanels(dst []float32, v View, across bool) {
	k, n := v.Rows, v.Cols
	if across {
		k, n = n, k
	}
	for j := 0; j < n && k > 0; j += tileCols {
		panel := dst[j*k : (j+tileCols)*k]
		switch {
		case n-j < tileCols:
			clear(panel)
			if across {
				transpose(panel, v.Part(j, n, 0, k), 0)
				continue
			}
			for i := range k {
				copy(panel[i*tileCols:], v.Data[i*v.Stride+j:i*v.Stride+n])
			}
		case across:
			part, done := v.Part(j, j+tileCols, 0, k), k&^7
			for l := 0; l < done; l += packedAtOnce {
				packTAVX2(&panel[l*tileCols], &part.Data[l], 4*v.Stride, min(packedAtOnce, done-l))
			}
			transpose(panel, part, done)
		default:
			for l := 0; l < k; l += packedAtOnce {
				packAVX2(&panel[l*tileCols], &v.Data[l*v.Stride+j], 4*v.Stride, min(packedAtOnce, k-l))
			}
		}
	}
}

// packedAtOnce bounds one call into assembly, during which a goroutine cannot
// be stopped: a megabyte is moved in less than 50 µs.
const packedAtOnce = 16 << 10

// transpose writes columns from on of v into a panel, one to a row.
func transpose(panel []float32, v View, from int) {
	for i := range v.Rows {
		for l, x := range v.Row(i)[from:] {
			panel[(from+l)*tileCols+i] = x
		}
	}
}

// roundUp is the columns of whole panels.
func roundUp(n int) int { return (n + tileCols - 1) / tileCols * tileCols }
