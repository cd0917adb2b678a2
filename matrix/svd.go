package matrix

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
)

// SVD is the leading part of a singular value decomposition, A ≈ U·diag(S)·Vᵀ,
// of which the right side is kept.
type SVD struct {
	S []float32 // singular values, largest first; 0 beyond the rank of A
	V Dense     // columns of A × len(S): orthonormal columns, of zeros where S is 0
}

// SVDOptions say how TruncatedSVD works; the zero value is ready.
type SVDOptions struct {
	Seed       uint64
	Iterations int // passes over A and Aᵀ; 0 for 4, which tells singular values of slow decay to about 1 %
	Oversample int // vectors beyond the rank; 0 for a sixteenth of the rank, at least 8
	// Progress is told after each pass; may be nil.
	Progress func(done, total int)
}

const (
	// gramParts is into how many parts of rows a Gram matrix is cut at most,
	// whatever the number of processors: they are added up in order.
	gramParts = 8
	// productRows is how many rows a goroutine multiplies at once.
	productRows = 256
	// dependent is the squared sine of the angle below which a column says
	// nothing that those before it did not: what is left is rounding.
	dependent = 1e-5
)

// TruncatedSVD finds the rank largest singular values of a and their right
// vectors, by block power iteration from random vectors:
//
//	Q ← orth(Aᵀ·A·Q), then the eigenvectors W of (A·Q)ᵀ(A·Q) give V = Q·W.
//
// Halko, Martinsson, Tropp: Finding structure with randomness (SIAM Review 53,
// 2011), algorithms 4.4 and 5.1. The same seed gives the same bits, however many
// processors there are. Memory: four blocks of columns × (rank + oversample)
// float32, whatever the rows. A rank above what a can have is cut to it. The error is
// ctx's, or attune.Invalid where a holds something that is no number.
func TruncatedSVD(ctx context.Context, a CSR, rank int, o SVDOptions) (SVD, error) {
	rank = max(0, min(rank, a.Rows, a.Cols))
	if o.Iterations <= 0 {
		o.Iterations = 4
	}
	if o.Oversample <= 0 {
		o.Oversample = max(8, rank/16)
	}
	k := min(rank+o.Oversample, a.Rows, a.Cols)
	if k == 0 {
		return SVD{V: NewDense(a.Cols, 0)}, ctx.Err()
	}
	q, spare := NewDense(a.Cols, k), NewDense(a.Cols, k)
	r := rand.New(rand.NewPCG(o.Seed, 0x7376_64)) // the second word keeps this stream apart from others of the same seed
	for i := range q.Data {
		q.Data[i] = float32(r.NormFloat64())
	}
	for i := range o.Iterations {
		if err := a.MulNormal(ctx, spare, q); err != nil {
			return SVD{}, err
		}
		passes := 1
		if i == o.Iterations-1 {
			passes = 2 // the first leaves errors of the condition's square, the second none
		}
		for range passes {
			if err := orthonormal(ctx, q, spare); err != nil {
				return SVD{}, err
			}
			q, spare = spare, q
		}
		q, spare = spare, q
		if o.Progress != nil {
			o.Progress(i+1, o.Iterations)
		}
	}
	return ritz(ctx, a, q, rank)
}

// ritz is the singular values and vectors within the span of q.
func ritz(ctx context.Context, a CSR, q Dense, rank int) (SVD, error) {
	k := q.Cols
	gram, err := gramOf(ctx, a.Rows, k, func(from, to int, scratch []float32) []float32 {
		some := CSR{Rows: to - from, Cols: a.Cols, Start: a.Start[from : to+1], Col: a.Col, Value: a.Value}
		some.MulRows(Dense{Rows: some.Rows, Cols: k, Data: scratch}, q, 0, some.Rows)
		return scratch
	})
	if err != nil {
		return SVD{}, err
	}
	values, vectors, ok := symmetricEigen(gram, k)
	if !ok {
		return SVD{}, attune.Errorf(attune.Invalid, "singular values of a matrix (%s) that holds something that is no number", a)
	}
	s := SVD{S: make([]float32, rank), V: NewDense(a.Cols, rank)}
	turn := NewDense(rank, k)
	for j := range rank {
		if values[j] <= dependent*dependent*values[0] || values[j] <= 0 {
			break
		}
		s.S[j] = float32(math.Sqrt(values[j]))
		for i, v := range vectors[j*k : (j+1)*k] {
			turn.Row(j)[i] = float32(v)
		}
	}
	return s, timesTransposed(ctx, s.V, q, turn)
}

// orthonormal replaces dst by an orthonormal basis of what the columns of y
// span, by Cholesky: YᵀY = LLᵀ, dst = Y·L⁻ᵀ. Columns that depend on those before
// them become zeros.
func orthonormal(ctx context.Context, dst, y Dense) error {
	k := y.Cols
	gram, err := gramOf(ctx, y.Rows, k, func(from, to int, _ []float32) []float32 { return y.Data[from*k : to*k] })
	if err != nil {
		return err
	}
	return timesTransposed(ctx, dst, y, lowerInverse(gram, y.Cols))
}

// lowerInverse is L⁻¹ of gram = LLᵀ, with zero rows for dependent columns. It spoils gram.
func lowerInverse(gram []float64, n int) Dense {
	for i := range n {
		row := gram[i*n : i*n+i+1]
		whole := row[i]
		for j := range i {
			other := gram[j*n : j*n+j+1]
			if other[j] == 0 {
				row[j] = 0
				continue
			}
			row[j] = (row[j] - dot64(other[:j], row[:j])) / other[j]
		}
		rest := whole - dot64(row[:i], row[:i])
		if !(rest > dependent*whole) {
			clear(row)
			continue
		}
		row[i] = math.Sqrt(rest)
	}
	// Row i of L⁻¹ is (e_i − Σ_{j<i} L_ij·row j) / L_ii.
	inverse := make([]float64, n*n)
	out := NewDense(n, n)
	for i := range n {
		row, pivot := inverse[i*n:(i+1)*n], gram[i*n+i]
		if pivot == 0 {
			continue
		}
		for j := range i {
			kernel.Axpy64(-gram[i*n+j], inverse[j*n:j*n+j+1], row)
		}
		row[i] = 1
		for j := range i + 1 {
			row[j] /= pivot
			out.Row(i)[j] = float32(row[j])
		}
	}
	return out
}

// gramOf is YᵀY of n×k numbers, both halves, added up over parts of rows in order.
// rows gives some of them, for which it may use the scratch of their size.
func gramOf(ctx context.Context, n, k int, rows func(from, to int, scratch []float32) []float32) ([]float64, error) {
	size := max(1, (n+gramParts-1)/gramParts)
	parts := make([][]float32, (n+size-1)/size)
	err := inParts(ctx, n, size, func(part, from, to int) {
		g, scratch := make([]float32, k*k), make([]float32, min(productRows, to-from)*k)
		var gemm kernel.Gemm
		for at := from; at < to && ctx.Err() == nil; at += productRows {
			end := min(at+productRows, to)
			y := kernel.NewView(rows(at, end, scratch[:(end-at)*k]), k)
			gemm.TN(kernel.NewView(g, k), y, y)
		}
		parts[part] = g
	})
	if err != nil {
		return nil, err
	}
	sum := make([]float64, k*k)
	for _, part := range parts {
		for i, v := range part {
			sum[i] += float64(v)
		}
	}
	for i := range k { // the halves agree but for rounding
		for j := range i {
			sum[j*k+i] = sum[i*k+j]
		}
	}
	return sum, nil
}

// timesTransposed replaces dst by y·tᵀ. y: n×k, t: m×k, dst: n×m.
func timesTransposed(ctx context.Context, dst, y, t Dense) error {
	if dst.Cols == 0 {
		return ctx.Err()
	}
	var right kernel.Packed
	right.PackT(kernel.NewView(t.Data, t.Cols))
	return inParts(ctx, y.Rows, productRows, func(_, from, to int) {
		c := dst.Data[from*dst.Cols : to*dst.Cols]
		clear(c)
		var gemm kernel.Gemm
		gemm.NNPacked(kernel.NewView(c, dst.Cols), kernel.NewView(y.Data[from*y.Cols:to*y.Cols], y.Cols), &right)
	})
}
