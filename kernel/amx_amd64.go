package kernel

//go:generate go run -C _asm ./amx -out ../amx_amd64.s -stubs ../amx_amd64.gen.go -pkg kernel

const (
	// A tile is 16 rows of 16 pairs of bfloat16, which are as long as 256 float32.
	strip      = 16         // rows or columns of a tile
	stepK      = 32         // elements of k in a tile
	tileFloats = strip * 16 // in float32
	block      = 2 * strip  // rows and columns of C that the sums in tiles cover
	halfK      = 512        // how much of k one pass takes: reading and writing C is then a tenth of it
	splitK     = halfK / 2  // the same room for two tiles instead of one
	stepsA     = 16 * halfK // steps × rows of A that stay in the second-level cache: 512 KiB, and a call of ≤ 50 µs
	padding    = stepK * strip
)

// tileScratch is what a Gemm keeps between products in tiles.
type tileScratch struct {
	a, b []float32 // tiles
	pad  []float32 // one tile's elements where the matrix ends
	edge []float32 // a column of blocks of C beyond its edge
}

// tiles multiplies in bfloat16. The sums of an element depend on nothing but k.
func (g *Gemm) tiles(c View, a left, b right) {
	limit, parts := halfK, 1
	if g.Precision == Split {
		limit, parts = splitK, 2
	}
	count := (a.k + limit - 1) / limit
	kc := ((a.k+count-1)/count + stepK - 1) / stepK * stepK
	for j := 0; j < c.Cols; j += sliceN {
		cj := View{c.Data[j:], c.Rows, min(sliceN, c.Cols-j), c.Stride}
		for k := 0; k < a.k; k += kc {
			depth := min(kc, a.k-k)
			g.tileRight(b, j, cj.Cols, k, depth, parts)
			g.tileSlice(cj, left{a.data[k*a.col:], a.row, a.col, depth}, parts)
		}
	}
}

// tileSlice adds the product of one slice of k, and at most sliceN columns, to c.
func (g *Gemm) tileSlice(c View, a left, parts int) {
	steps := (a.k + stepK - 1) / stepK
	size := parts * steps * tileFloats // of a strip
	mc := max(block, stepsA/(parts*steps)/block*block)
	product := tilesBF16
	if parts == 2 {
		product = tilesSplit
	}
	s := &g.scratch.tile
	for i := 0; i < c.Rows; i += mc {
		rows := min(mc, c.Rows-i)
		blocks := (rows + block - 1) / block
		s.a = grow(s.a, 2*blocks*size)
		for n := range 2 * blocks {
			from, dst := i+n*strip, s.a[n*size:(n+1)*size]
			if from >= c.Rows {
				clear(dst)
				continue
			}
			g.round(dst, a.data[from*a.row:], a.row, a.col, min(strip, c.Rows-from), a.k, parts, a.col != 1)
		}
		for j := 0; j < c.Cols; j += block {
			bj := &s.b[j/strip*size]
			whole := rows / block
			if c.Cols-j < block {
				whole = 0
			}
			if whole > 0 {
				product(&c.Data[i*c.Stride+j], 4*c.Stride, &s.a[0], bj, steps, whole)
			}
			if whole == blocks {
				continue
			}
			// C ends within a block: its part is copied out and back, for the same sums.
			part := c.Part(i+whole*block, i+rows, j, min(j+block, c.Cols))
			s.edge = grow(s.edge, (blocks-whole)*block*block)
			clear(s.edge)
			for r := range part.Rows {
				copy(s.edge[r*block:], part.Row(r))
			}
			product(&s.edge[0], 4*block, &s.a[2*whole*size], bj, steps, blocks-whole)
			for r := range part.Rows {
				copy(part.Row(r), s.edge[r*block:])
			}
		}
	}
}

// tileRight rounds columns [j, j+n) and rows [k, k+depth) of b into tiles, a
// whole number of blocks.
func (g *Gemm) tileRight(b right, j, n, k, depth, parts int) {
	size := parts * ((depth + stepK - 1) / stepK) * tileFloats
	strips := (n + block - 1) / block * 2
	s := &g.scratch.tile
	s.b = grow(s.b, strips*size)
	for i := range strips {
		from, dst := j+i*strip, s.b[i*size:(i+1)*size]
		columns := max(0, min(strip, n-i*strip))
		switch {
		case columns == 0:
			clear(dst)
		case b.packed != nil: // its panels are as wide as a strip
			panel := b.packed.panels(k, from, tileCols)
			g.round(dst, panel.data, 1, panel.row, strip, depth, parts, false)
		case b.across:
			g.round(dst, b.view.Data[from*b.view.Stride+k:], b.view.Stride, 1, columns, depth, parts, true)
		default:
			g.round(dst, b.view.Data[k*b.view.Stride+from:], 1, b.view.Stride, columns, depth, parts, false)
		}
	}
}

// round writes a strip of n ≤ 16 rows or columns over k into tiles, filled up
// with zeros. Element (i, l) is src[i*row+l*col], where one of row and col is 1.
// across turns the tiles from how they lie in src to how the other side wants them.
func (g *Gemm) round(dst, src []float32, row, col, n, k, parts int, across bool) {
	long, next := col == 1, row // whether a row of src runs along k
	if !long {
		next = col
	}
	whole := 0
	if n == strip {
		whole = k / stepK
	}
	if whole > 0 {
		roundTiles(dst, src, next, whole, parts, long, across)
	}
	s := &g.scratch.tile
	for step := whole; step < (k+stepK-1)/stepK; step++ {
		s.pad = grow(s.pad, padding)
		clear(s.pad)
		depth := min(stepK, k-step*stepK)
		if long {
			for i := range n {
				copy(s.pad[i*stepK:(i+1)*stepK], src[i*row+step*stepK:][:depth])
			}
			roundTiles(dst[step*parts*tileFloats:], s.pad, stepK, 1, parts, long, across)
			continue
		}
		for l := range depth {
			copy(s.pad[l*strip:(l+1)*strip], src[(step*stepK+l)*col:][:n])
		}
		roundTiles(dst[step*parts*tileFloats:], s.pad, strip, 1, parts, long, across)
	}
}

// roundTiles rounds whole tiles, and behind each what that lost when there are two parts.
func roundTiles(dst, src []float32, next, steps, parts int, long, across bool) {
	high, low := roundCols, roundColsLow
	switch {
	case long && across:
		high, low = roundRowsAcross, roundRowsAcrossLow
	case long:
		high, low = roundRows, roundRowsLow
	case across:
		high, low = roundColsAcross, roundColsAcrossLow
	}
	high(&dst[0], &src[0], 4*next, 4*parts*tileFloats, steps)
	if parts == 2 {
		low(&dst[tileFloats], &src[0], 4*next, 4*parts*tileFloats, steps)
	}
}
