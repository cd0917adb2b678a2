package kernel

// View is a row-major matrix inside a slice: element (i, j) is Data[i*Stride+j].
// It owns nothing.
type View struct {
	Data               []float32
	Rows, Cols, Stride int
}

// NewView is a whole slice as a matrix of the given number of columns.
func NewView(data []float32, cols int) View {
	if cols == 0 {
		return View{}
	}
	return View{Data: data, Rows: len(data) / cols, Cols: cols, Stride: cols}
}

// Row is row i, only its columns.
func (v View) Row(i int) []float32 { return v.Data[i*v.Stride : i*v.Stride+v.Cols] }

// Part is rows [from, to) and columns [left, right) of v; it shares v's data.
func (v View) Part(from, to, left, right int) View {
	if from >= to || left >= right {
		return View{Stride: v.Stride}
	}
	return View{Data: v.Data[from*v.Stride+left : (to-1)*v.Stride+right], Rows: to - from, Cols: right - left, Stride: v.Stride}
}

// Gemm multiplies matrices. It holds the scratch of one goroutine and is not
// safe for concurrent use; the zero value is ready. Sums over the inner
// dimension run in one fixed order that depends on nothing but the sizes and
// the tier, so the same call gives the same bits.
type Gemm struct{}

// NN adds A·B to C. a: m×k, b: k×n, c: m×n. C must not share memory with A or B.
func (g *Gemm) NN(c, a, b View) {
	for i := range c.Rows {
		row, ai := c.Row(i), a.Row(i)
		for k, v := range ai {
			Axpy(v, b.Row(k), row)
		}
	}
}

// NT adds A·Bᵀ to C. a: m×k, b: n×k, c: m×n.
func (g *Gemm) NT(c, a, b View) {
	for i := range c.Rows {
		row, ai := c.Row(i), a.Row(i)
		for j := range row {
			row[j] += Dot(ai, b.Row(j))
		}
	}
}

// TN adds Aᵀ·B to C. a: k×m, b: k×n, c: m×n.
func (g *Gemm) TN(c, a, b View) {
	for k := range a.Rows {
		ak, bk := a.Row(k), b.Row(k)
		for i, v := range ak {
			Axpy(v, bk, c.Row(i))
		}
	}
}
