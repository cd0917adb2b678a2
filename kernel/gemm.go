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
// safe for concurrent use; the zero value is ready.
//
// An element of a product depends on nothing but the tier, its row of the left
// matrix and its column of the right one: the same bits come out however many
// other rows and columns are multiplied beside it, and whether the right matrix
// was packed before or not. So a row computed alone equals that row in a batch.
// Sizes that do not fit together are a mistake in the program and panic.
type Gemm struct {
	Precision Precision // Full unless something less will do
	scratch   gemmScratch
}

// NN adds A·B to C. a: m×k, b: k×n, c: m×n. C must not share memory with A or B.
func (g *Gemm) NN(c, a, b View) {
	fits(c, a, a.Rows, a.Cols, b, b.Rows, b.Cols)
	if !g.fast(c, left{a.Data, a.Stride, 1, a.Cols}, right{view: b}) {
		nnGeneric(c, a, b)
	}
}

// NT adds A·Bᵀ to C. a: m×k, b: n×k, c: m×n.
func (g *Gemm) NT(c, a, b View) {
	fits(c, a, a.Rows, a.Cols, b, b.Cols, b.Rows)
	if !g.fast(c, left{a.Data, a.Stride, 1, a.Cols}, right{view: b, across: true}) {
		ntGeneric(c, a, b)
	}
}

// TN adds Aᵀ·B to C. a: k×m, b: k×n, c: m×n.
func (g *Gemm) TN(c, a, b View) {
	fits(c, a, a.Cols, a.Rows, b, b.Rows, b.Cols)
	if !g.fast(c, left{a.Data, 1, a.Stride, a.Rows}, right{view: b}) {
		tnGeneric(c, a, b)
	}
}

// NNPacked adds A·B to C. a: m×k, b: k×n as it was packed, c: m×n.
func (g *Gemm) NNPacked(c, a View, b *Packed) {
	fits(c, a, a.Rows, a.Cols, View{}, b.k, b.n)
	if !g.fast(c, left{a.Data, a.Stride, 1, a.Cols}, right{packed: b}) {
		nnGeneric(c, a, View{b.data, b.k, b.n, b.n})
	}
}

// TNPacked adds Aᵀ·B to C. a: k×m, b: k×n as it was packed, c: m×n.
func (g *Gemm) TNPacked(c, a View, b *Packed) {
	fits(c, a, a.Cols, a.Rows, View{}, b.k, b.n)
	if !g.fast(c, left{a.Data, 1, a.Stride, a.Rows}, right{packed: b}) {
		tnGeneric(c, a, View{b.data, b.k, b.n, b.n})
	}
}

// Packed is a right-hand matrix laid out for the kernel, worth making when many
// products use it, such as the weights of a layer over a batch. It is read only
// while products run, so goroutines may share it.
type Packed struct {
	k, n int
	data []float32 // as the tier that packed it wants it
}

// Pack copies b (k×n) into p, in place of what p held.
func (p *Packed) Pack(b View) { p.pack(b, b.Rows, b.Cols, false) }

// PackT copies the transpose of b (n×k) into p: NNPacked then does what NT does.
func (p *Packed) PackT(b View) { p.pack(b, b.Cols, b.Rows, true) }

func (p *Packed) pack(b View, k, n int, across bool) {
	inside(b)
	p.k, p.n = k, n
	if p.packFast(b, across) {
		return
	}
	p.data = grow(p.data, k*n)
	for i := range b.Rows {
		row := b.Row(i)
		if !across {
			copy(p.data[i*n:], row)
			continue
		}
		for j, v := range row {
			p.data[j*n+i] = v
		}
	}
}

// left is an m×k matrix by its strides: element (i, l) is data[i*row+l*col].
type left struct {
	data        []float32
	row, col, k int
}

// right is a k×n matrix: a view, a view of its transpose, or a packed one.
type right struct {
	view   View
	across bool
	packed *Packed
}

// grow is a slice of n elements, x's memory where that is enough.
func grow(x []float32, n int) []float32 {
	if cap(x) < n {
		return aligned(n + n/4)[:n]
	}
	return x[:n]
}

// fits panics unless A (m×k) times B (kb×n) is of C's size, and all are within their data.
func fits(c, a View, m, k int, b View, kb, n int) {
	if c.Rows != m && m*k*n > 0 || c.Cols != n && m*k*n > 0 || k != kb && m*n > 0 {
		panic("kernel: the sizes of the matrices do not fit together")
	}
	inside(a)
	inside(b)
	inside(c)
}

// inside panics unless v's rows and columns lie in its data; assembly does not look.
func inside(v View) {
	if v.Rows > 0 && v.Cols > 0 && (v.Stride < v.Cols && v.Rows > 1 || (v.Rows-1)*v.Stride+v.Cols > len(v.Data)) {
		panic("kernel: a matrix reaches beyond its data")
	}
}
