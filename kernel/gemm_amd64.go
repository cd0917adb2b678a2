package kernel

const (
	tileRows = 6
	tileCols = 16
	// sliceK is how much of k one pass takes: a panel of the right matrix,
	// 256×16, is then half of a 32 KiB first-level cache.
	sliceK = 256
	// blockA is how many elements of the left matrix stay in the second-level
	// cache while the panels pass by; a call into assembly then takes ≤ 15 µs.
	blockA = 40 << 10
	// sliceN is how many columns are packed at once: 1 MiB of panels.
	sliceN = 1024
	// fewRows is up to how many rows packing the right matrix costs more than it gives.
	fewRows = 24
	// nearK and nearStride say what right matrix is small enough to be read where it is.
	nearK, nearStride = 64, 256
)

// gemmScratch is what a Gemm keeps between calls.
type gemmScratch struct {
	b    []float32 // panels of the right matrix, or only the last where the others are read in place
	edge []float32 // a column of tiles of C beyond its edge
	tile tileScratch
}

// panels are the columns of a slice of the right matrix, 16 at a time. The last
// one, when the columns do not fill it, is filled up with zeros.
type panels struct {
	data      []float32
	row, step int // from row to row, from panel to panel
	last      []float32
}

// fast multiplies in assembly; false when this tier has none.
func (g *Gemm) fast(c View, a left, b right) bool {
	if tier < AVX2 {
		return false
	}
	if c.Rows == 0 || c.Cols == 0 || a.k == 0 {
		return true
	}
	if g.Precision != Full && tier >= AMX {
		g.tiles(c, a, b)
		return true
	}
	near := c.Rows <= fewRows || a.k <= nearK && b.view.Stride <= nearStride
	// Slices of equal length, which depends on k alone: the order of sums does too.
	count := (a.k + sliceK - 1) / sliceK
	kc := (a.k + count - 1) / count
	for j := 0; j < c.Cols; j += sliceN {
		cj := View{c.Data[j:], c.Rows, min(sliceN, c.Cols-j), c.Stride}
		for k := 0; k < a.k; k += kc {
			ak := left{a.data[k*a.col:], a.row, a.col, min(kc, a.k-k)}
			var p panels
			switch {
			case b.packed != nil:
				p = b.packed.panels(k, j, cj.Cols)
			case b.across:
				p = g.pack(b.view.Part(j, j+cj.Cols, k, k+ak.k), true)
			case near:
				p = g.inPlace(b.view.Part(k, k+ak.k, j, j+cj.Cols))
			default:
				p = g.pack(b.view.Part(k, k+ak.k, j, j+cj.Cols), false)
			}
			g.slice(cj, ak, p)
		}
	}
	return true
}

// slice adds the product of one slice of k, and at most sliceN columns, to c.
func (g *Gemm) slice(c View, a left, p panels) {
	if tier >= AVX512 {
		slice512(c, a, p)
		return
	}
	mc := max(tileRows, blockA/a.k/tileRows*tileRows)
	rest := c.Cols % tileCols
	for i := 0; i < c.Rows; i += mc {
		rows := min(mc, c.Rows-i)
		ai := &a.data[i*a.row]
		for j := 0; j+tileCols <= c.Cols; j += tileCols {
			gemmAVX2(&c.Data[i*c.Stride+j], 4*c.Stride, ai, 4*a.row, 4*a.col, 4*tileRows*a.row,
				&p.data[j/tileCols*p.step], 4*p.row, rows, a.k)
		}
		if rest == 0 {
			continue
		}
		g.scratch.edge = grow(g.scratch.edge, rows*tileCols)
		clear(g.scratch.edge)
		gemmAVX2(&g.scratch.edge[0], 4*tileCols, ai, 4*a.row, 4*a.col, 4*tileRows*a.row, &p.last[0], 4*tileCols, rows, a.k)
		for r := range rows {
			at := (i+r)*c.Stride + c.Cols - rest
			to, from := c.Data[at:at+rest], g.scratch.edge[r*tileCols:r*tileCols+rest]
			for j, v := range from {
				to[j] += v
			}
		}
	}
}

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
