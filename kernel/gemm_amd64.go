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
	// manyCols and farStride say when the left matrix is worth copying.
	manyCols, farStride = 192, 512
)

// gemmScratch is what a Gemm keeps between calls.
type gemmScratch struct {
	b    []float32 // panels of the right matrix, or only the last where the others are read in place
	a    []float32 // groups of rows of the left matrix
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

// tileSize is the rows and columns of C that the kernel of this tier sums at once.
func tileSize() (rows, cols int) {
	if tier >= AVX512 {
		return wideRows, wideCols
	}
	return tileRows, tileCols
}

// slice adds the product of one slice of k, and at most sliceN columns, to c.
func (g *Gemm) slice(c View, a left, p panels) {
	high, wide := tileSize()
	mc := max(high, blockA/a.k/high*high)
	for i := 0; i < c.Rows; i += mc {
		rows := min(mc, c.Rows-i)
		l := a.group(i)
		switch {
		case a.row == 1 && c.Cols > tileCols:
			l = g.packLeft(a, i, rows)
		case a.col == 1 && c.Cols >= manyCols && a.row >= farStride:
			l = g.copyLeft(a, i, rows)
		}
		for j := 0; j < c.Cols; j += wide {
			g.column(View{c.Data[i*c.Stride+j:], rows, min(wide, c.Cols-j), c.Stride}, l, p, j/tileCols)
		}
	}
}

// group is rows of a left matrix, some at a time, as assembly takes them: bytes
// from row to row, from column to column and from one group to the next.
type group struct {
	data           *float32
	row, col, step int
	k              int
}

// group is a from row i on, where it is.
func (a left) group(i int) group {
	high, _ := tileSize()
	return group{&a.data[i*a.row], 4 * a.row, 4 * a.col, 4 * high * a.row, a.k}
}

// packLeft copies rows of a, whose rows are the columns of what is stored, so
// that what one step of the kernel reads is in one place.
func (g *Gemm) packLeft(a left, i, rows int) group {
	if tier >= AVX512 {
		return g.packLeft512(a, i, rows)
	}
	step := tileRows*a.k + 2 // the copying writes so much beyond each group
	g.scratch.a = grow(g.scratch.a, (rows+tileRows-1)/tileRows*step)
	packLeftAVX2(&g.scratch.a[0], &a.data[i], 4*a.col, 4*step, rows, a.k)
	return group{&g.scratch.a[0], 4, 4 * tileRows, 4 * step, a.k}
}

// copyLeft copies rows of a next to each other. Where they lie, rows that are a
// power of two apart would compete for the same few places in the nearest cache.
func (g *Gemm) copyLeft(a left, i, rows int) group {
	high, _ := tileSize()
	stride := a.k + cacheLine
	g.scratch.a = grow(g.scratch.a, rows*stride)
	for r := range rows {
		copy(g.scratch.a[r*stride:], a.data[(i+r)*a.row:][:a.k])
	}
	return group{&g.scratch.a[0], 4 * stride, 4, 4 * high * stride, a.k}
}

// column adds the product with the panels from number j on to c, which has no
// more columns than a tile.
func (g *Gemm) column(c View, a group, p panels, j int) {
	if tier >= AVX512 {
		column512(c, a, p, j)
		return
	}
	if c.Cols == tileCols {
		gemmAVX2(&c.Data[0], 4*c.Stride, a.data, a.row, a.col, a.step, &p.data[j*p.step], 4*p.row, c.Rows, a.k)
		return
	}
	g.scratch.edge = grow(g.scratch.edge, c.Rows*tileCols)
	clear(g.scratch.edge)
	gemmAVX2(&g.scratch.edge[0], 4*tileCols, a.data, a.row, a.col, a.step, &p.last[0], 4*tileCols, c.Rows, a.k)
	for r := range c.Rows {
		to := c.Data[r*c.Stride : r*c.Stride+c.Cols]
		for j, v := range g.scratch.edge[r*tileCols : r*tileCols+c.Cols] {
			to[j] += v
		}
	}
}
