package matrix

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/attune-io/attune/kernel"
)

// CSR is a sparse matrix by row, whatever its rows and columns stand for: those
// of row i that are not zero have columns Col[Start[i]:Start[i+1]], ascending,
// and Value beside them.
type CSR struct {
	Rows, Cols int
	Start      []int // Rows+1 offsets into Col and Value
	Col        []int32
	Value      []float32
}

// CSR is the matrix with users as rows; shared memory.
func (m *UserItems) CSR() CSR {
	return CSR{Rows: m.Users, Cols: m.Items, Start: m.Start, Col: m.Item, Value: m.Weight}
}

// CSR is the matrix with items as rows; shared memory.
func (m *ItemUsers) CSR() CSR {
	return CSR{Rows: m.Items, Cols: m.Users, Start: m.Start, Col: m.User, Value: m.Weight}
}

// Of is a row's columns and values; shared memory.
func (m CSR) Of(row int) (cols []int32, values []float32) {
	from, to := m.Start[row], m.Start[row+1]
	return m.Col[from:to:to], m.Value[from:to:to]
}

// Like is a matrix of zeros at the same places, which it shares.
func (m CSR) Like() CSR {
	m.Value = make([]float32, len(m.Value))
	large(m.Value)
	return m
}

// Transpose turns the matrix around.
func (m CSR) Transpose() CSR {
	t := CSR{Rows: m.Cols, Cols: m.Rows}
	t.Start, t.Col, t.Value = transpose(m.Rows, m.Cols, m.Start, m.Col, m.Value)
	return t
}

// String introduces the matrix.
func (m CSR) String() string {
	return fmt.Sprintf("sparse %d × %d, %d values", m.Rows, m.Cols, len(m.Col))
}

// Mul replaces dst by m·x. x: Cols×n, dst: Rows×n. Every row of dst is a sum of
// rows of x in order of their columns, so the inner loop runs over n numbers
// that lie side by side. The error is ctx's.
func (m CSR) Mul(ctx context.Context, dst, x Dense) error {
	return inParts(ctx, m.Rows, rowsAtOnce, func(_, from, to int) { m.MulRows(dst, x, from, to) })
}

// MulRows is Mul of rows [from, to) only, on this goroutine.
func (m CSR) MulRows(dst, x Dense, from, to int) {
	for i := from; i < to; i++ {
		row := dst.Row(i)
		clear(row)
		cols, values := m.Of(i)
		kernel.Gather(row, x.Data, cols, values)
	}
}

const (
	// widestPanel and leastPanel bound the columns that MulNormal takes at once.
	// Registers hold the widest; panels of a few thousand items stay near a
	// processor. The least is a line of cache, and bounds how many processors have
	// something to do: for 136 columns nine.
	widestPanel, leastPanel = 64, 16
	// lanes is what the width of a panel is filled up to a multiple of.
	lanes = 8
	// rowsUntold is after how many rows MulNormal looks whether it shall end.
	rowsUntold = 1 << 12
)

// MulNormal replaces dst by mᵀ·m·x without keeping m·x, which is large where m has
// many rows: row by row, for some columns of x at a time. x, dst: Cols×n. It equals
// Mul by m and then by its transpose, bit for bit. The error is ctx's.
func (m CSR) MulNormal(ctx context.Context, dst, x Dense) error {
	width := widestPanel
	for width > leastPanel && (x.Cols+width-1)/width < runtime.GOMAXPROCS(0) {
		width /= 2
	}
	return inParts(ctx, x.Cols, width, func(_, from, to int) {
		width := (to - from + lanes - 1) / lanes * lanes // else single columns take as long as eight
		in, out, sum := NewDense(m.Cols, width), NewDense(m.Cols, width), make([]float32, width)
		for j := range in.Rows {
			copy(in.Row(j), x.Row(j)[from:to])
		}
		for i := range m.Rows {
			if i%rowsUntold == 0 && ctx.Err() != nil {
				return
			}
			cols, values := m.Of(i)
			clear(sum)
			kernel.Gather(sum, in.Data, cols, values)
			kernel.Scatter(out.Data, sum, cols, values)
		}
		for j := range out.Rows {
			copy(dst.Row(j)[from:to], out.Row(j))
		}
	})
}

// rowsAtOnce is what a goroutine takes from the queue of rows.
const rowsAtOnce = 64

// inParts cuts n rows into parts of size and does each once, on all processors;
// the cut depends on nothing but n and size. The error is ctx's, with parts left out.
func inParts(ctx context.Context, n, size int, do func(part, from, to int)) error {
	parts := (n + size - 1) / size
	var next atomic.Int64
	var done sync.WaitGroup
	for range min(parts, runtime.GOMAXPROCS(0)) {
		done.Go(func() {
			for ctx.Err() == nil {
				p := int(next.Add(1)) - 1
				if p >= parts {
					return
				}
				do(p, p*size, min((p+1)*size, n))
			}
		})
	}
	done.Wait()
	return ctx.Err()
}
