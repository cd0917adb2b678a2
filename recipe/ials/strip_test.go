package ials

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/recipetest"
)

// lopsided is a matrix some rows of which are full and some nearly empty or empty.
func lopsided(r *rand.Rand, rows, cols int) matrix.CSR {
	m := matrix.CSR{Rows: rows, Cols: cols, Start: []int{0}}
	for i := range rows {
		density := []float64{0, 0.01, 0.2, 0.5, 1}[i%5]
		for j := range cols {
			if r.Float64() < density {
				m.Col, m.Value = append(m.Col, int32(j)), append(m.Value, 0.5+r.Float32())
			}
		}
		m.Start = append(m.Start, len(m.Col))
	}
	return m
}

func noise(r *rand.Rand, rows, cols int) matrix.Dense {
	m := matrix.NewDense(rows, cols)
	for i := range m.Data {
		m.Data[i] = float32(r.NormFloat64())
	}
	return m
}

// Rows solved strip by strip have the bits of rows solved one by one, with any
// number of processors, and with the last block of every stage first.
func TestStripsChangeNothing(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(3, 4))
	for _, d := range []int{6, 16, 48} {
		p, err := resolve(recipe.Input{Params: map[string]string{ParamSteps: "3"}})
		if err != nil {
			t.Fatal(err)
		}
		p.dimension = d
		m := lopsided(r, 70, 331)
		to, from := noise(r, m.Rows, d), noise(r, m.Cols, d)
		solved := func(run recipe.Runner, strip, batchRows int) matrix.Dense {
			own := m // newPairs takes it over
			own.Col, own.Value = slices.Clone(m.Col), slices.Clone(m.Value)
			pairs := newPairs(stageUsers, own, strip, batchRows)
			if strip > 0 && (len(pairs.batches) != (m.Rows+batchRows-1)/batchRows || len(pairs.batches[0].long) == 0 || len(pairs.batches[0].short) == 0) {
				t.Fatalf("strips of %d, batches of %d: the batches are %+v", strip, batchRows, pairs.batches)
			}
			x, y := to, from
			x.Data, y.Data = slices.Clone(to.Data), slices.Clone(from.Data)
			if err := p.halfStep(t.Context(), run, x, y, pairs); err != nil {
				t.Fatal(err)
			}
			return x
		}
		want := solved(recipe.Run, 0, 0)
		for _, procs := range []int{1, 2, 7} {
			runtime.GOMAXPROCS(procs)
			for _, c := range [][2]int{{40, 70}, {100, 33}, {33, 6}} {
				if got := solved(recipe.Run, c[0], c[1]); !slices.Equal(got.Data, want.Data) {
					t.Errorf("%d factors, %d processors, strips of %d, batches of %d: not the same bits", d, procs, c[0], c[1])
				}
			}
		}
		backwards := &recipetest.Backwards{TB: t}
		if got := solved(backwards.Run, 33, 6); !slices.Equal(got.Data, want.Data) || backwards.Blocks < 12 {
			t.Errorf("%d factors, at most %d blocks, the last first: not the same bits", d, backwards.Blocks)
		}
	}
}

// A half step that is told to end does, with its error.
func TestStripsStop(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	p, err := resolve(recipe.Input{})
	if err != nil {
		t.Fatal(err)
	}
	p.dimension = 8
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.halfStep(ctx, recipe.Run, noise(r, 50, 8), noise(r, 300, 8), newPairs(stageUsers, lopsided(r, 50, 300), 50, 50)); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}
