package matrix

import "fmt"

// Dense is a row-major block: row i is Data[i*Cols : (i+1)*Cols].
type Dense struct {
	Rows, Cols int
	Data       []float32
}

// NewDense makes a block of zeros.
func NewDense(rows, cols int) Dense {
	data := make([]float32, rows*cols)
	large(data)
	return Dense{Rows: rows, Cols: cols, Data: data}
}

// Row is row i, sharing memory with the block.
func (m Dense) Row(i int) []float32 { return m.Data[i*m.Cols : (i+1)*m.Cols : (i+1)*m.Cols] }

// String introduces the block.
func (m Dense) String() string { return fmt.Sprintf("dense %d × %d", m.Rows, m.Cols) }
