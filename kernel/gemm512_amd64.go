package kernel

//go:generate go run -C _asm ./gemm512 -out ../gemm512_amd64.s -stubs ../gemm512_amd64.gen.go -pkg kernel

const (
	// wideRows and wideCols are the tile of AVX-512. Panels stay 16 columns wide
	// for every tier, so that a Packed is the same for all: a tile takes two of them.
	wideRows = 14
	wideCols = 2 * tileCols
)

// column512 is column with AVX-512, two panels wide. It sums in the same order
// and rounds at the same places, so it gives the bits that AVX2 gives.
func column512(c View, a group, p panels, j int) {
	if c.Cols == wideCols {
		gemmAVX512(&c.Data[0], 4*c.Stride, a.data, a.row, a.col, a.step, &p.data[j*p.step], 4*p.row, 4*p.step, c.Rows, a.k)
		return
	}
	if c.Cols >= tileCols {
		gemmEdgeAVX512(&c.Data[0], 4*c.Stride, a.data, a.row, a.col, a.step, &p.data[j*p.step], 4*p.row, 1<<tileCols-1, c.Rows, a.k)
		c.Data, c.Cols = c.Data[tileCols:], c.Cols-tileCols
	}
	if c.Cols > 0 {
		gemmEdgeAVX512(&c.Data[0], 4*c.Stride, a.data, a.row, a.col, a.step, &p.last[0], 4*tileCols, 1<<c.Cols-1, c.Rows, a.k)
	}
}

// packLeft512 is packLeft in groups of 14 rows, of which each step has 16 places.
func (g *Gemm) packLeft512(a left, i, rows int) group {
	step := tileCols * a.k
	g.scratch.a = grow(g.scratch.a, (rows+wideRows-1)/wideRows*step)
	for r := 0; r < rows; r += wideRows {
		packLeftAVX512(&g.scratch.a[r/wideRows*step], &a.data[i+r], 4*a.col, 1<<min(wideRows, rows-r)-1, a.k)
	}
	return group{&g.scratch.a[0], 4, 4 * tileCols, 4 * step, a.k}
}
