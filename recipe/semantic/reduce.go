package semantic

import (
	"context"
	"math"
	"slices"

	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/recipe"
)

const (
	// termsMost bounds the terms that the latent part is found from, the most
	// frequent first: those that few items have link few, and there is no room
	// for them among the leading directions.
	termsMost = 1 << 17
	// passes over the matrix and its transpose: two, since only the space that
	// the leading directions span matters, and not each of them (Halko et al.,
	// section 9.3).
	passes = 2
)

// reduce projects the items on the d leading right singular vectors of their
// terms, A ≈ U·S·Vᵀ: the rows of A·V = U·S. The square of a row's length is the
// share of the item that these directions hold, at most 1. Items × d, or fewer where A has a lower rank.
func reduce(ctx context.Context, in recipe.Input, a matrix.CSR, d int) (matrix.Dense, error) {
	frequent := cut(a)
	s, err := matrix.TruncatedSVD(ctx, frequent, d, matrix.SVDOptions{Seed: in.Seed, Iterations: passes, Progress: func(done, total int) {
		in.Report(stepsRead+(stepsReduce-1)*done/total, stepsOfWhole)
	}})
	if err != nil {
		return matrix.Dense{}, err
	}
	out := matrix.NewDense(a.Rows, s.V.Cols)
	if out.Cols == 0 {
		return out, ctx.Err()
	}
	return out, frequent.Mul(ctx, out, s.V)
}

// cut leaves out terms until there are termsMost at most, the rarest first.
func cut(a matrix.CSR) matrix.CSR {
	if a.Cols <= termsMost {
		return a
	}
	df := make([]int32, a.Cols)
	for _, c := range a.Col {
		df[c]++
	}
	order := make([]int32, a.Cols)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(x, y int32) int { return int(df[y] - df[x]) })
	name := make([]int32, a.Cols)
	for i := range name {
		name[i] = -1
	}
	slices.Sort(order[:termsMost])
	for i, c := range order[:termsMost] {
		name[c] = int32(i)
	}
	out := matrix.CSR{Rows: a.Rows, Cols: termsMost, Start: make([]int, 1, a.Rows+1)}
	for i := range a.Rows {
		cols, values := a.Of(i)
		for k, c := range cols {
			if name[c] >= 0 {
				out.Col, out.Value = append(out.Col, name[c]), append(out.Value, values[k])
			}
		}
		out.Start = append(out.Start, len(out.Col))
	}
	return out
}

// join weighs the two parts of every item, so that the inner product of two
// items is the cosine of their terms and that of their directions, together.
// With s the share of an item that the directions hold, they have the weight
//
//	w = weight·(1−s)²
//
// and the terms the rest: where the directions hold nearly all, as of a title and
// two genres, they say again what the terms say, only less sharply.
func join(terms matrix.CSR, vectors matrix.Dense, weight float64) {
	for i := range terms.Rows {
		_, values := terms.Of(i)
		row := vectors.Row(i)
		share := min(1, kernel.Norm2(row))
		if !(share > 0) {
			continue
		}
		w := weight * (1 - share) * (1 - share)
		kernel.Scale(float32(math.Sqrt(1-w)), values)
		kernel.Scale(float32(math.Sqrt(w/share)), row)
	}
}
