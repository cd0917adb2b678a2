package kernel

//go:generate go run -C _asm ./gemm512 -out ../gemm512_amd64.s -stubs ../gemm512_amd64.gen.go -pkg kernel

const (
	// wideRows and wideCols are the tile of AVX-512. Panels stay 16 columns wide
	// for every tier, so that a Packed is the same for all: a tile takes two of them.
	wideRows = 14
	wideCols = 2 * tileCols
)

// slice512 is slice with AVX-512. It sums in the same order and rounds at the
// same places, so it gives the bits that slice gives.
func slice512(c View, a left, p panels) {
	mc := max(wideRows, blockA/a.k/wideRows*wideRows)
	for i := 0; i < c.Rows; i += mc {
		rows := min(mc, c.Rows-i)
		ai, row, col, step := &a.data[i*a.row], 4*a.row, 4*a.col, 4*wideRows*a.row
		j := 0
		for ; j+wideCols <= c.Cols; j += wideCols {
			gemmAVX512(&c.Data[i*c.Stride+j], 4*c.Stride, ai, row, col, step,
				&p.data[j/tileCols*p.step], 4*p.row, 4*p.step, rows, a.k)
		}
		if j+tileCols <= c.Cols {
			gemmEdgeAVX512(&c.Data[i*c.Stride+j], 4*c.Stride, ai, row, col, step,
				&p.data[j/tileCols*p.step], 4*p.row, 1<<tileCols-1, rows, a.k)
			j += tileCols
		}
		if rest := c.Cols - j; rest > 0 {
			gemmEdgeAVX512(&c.Data[i*c.Stride+j], 4*c.Stride, ai, row, col, step,
				&p.last[0], 4*tileCols, 1<<rest-1, rows, a.k)
		}
	}
}
