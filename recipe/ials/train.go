package ials

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

const (
	// grams is into how many parts a Gram matrix is cut, whatever the number of
	// processors: the parts are added up in order, so the sum is always the same.
	grams = 16
	// rowsAtOnce is what a goroutine takes from the queue of rows to solve;
	// small, because the heavy rows of a power law are not spread evenly.
	rowsAtOnce = 16
	// spread of the first factors, over the square root of the dimension.
	spread = 0.1
)

// Train learns item factors.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	p, err := resolve(in)
	if err != nil {
		return nil, err
	}
	byUser := matrix.NewUserItems(in.Users, len(in.Items), in.Events.User, in.Events.Item, in.Events.Weight)
	for i, n := range byUser.Weight {
		byUser.Weight[i] = confidence(n)
	}
	byItem := byUser.Transpose()
	users, items := matrix.NewDense(in.Users, p.dimension), matrix.NewDense(len(in.Items), p.dimension)
	r := rand.New(rand.NewPCG(in.Seed, 0x6941_4c53)) // the second word keeps this stream apart from others of the same seed
	scale := spread / math.Sqrt(float64(p.dimension))
	for i := range items.Data {
		items.Data[i] = float32(r.NormFloat64() * scale)
	}
	in.Report(0, 2*p.iterations)
	for epoch := range p.iterations {
		if err := p.halfStep(ctx, users, items, byUser.Of); err != nil {
			return nil, err
		}
		in.Report(2*epoch+1, 2*p.iterations)
		if err := p.halfStep(ctx, items, users, byItem.Of); err != nil {
			return nil, err
		}
		in.Report(2*epoch+2, 2*p.iterations)
	}
	for _, v := range items.Data {
		if v != v || math.IsInf(float64(v), 0) {
			return nil, attune.Errorf(attune.Invalid, "training diverged: raise %s above %g or %s above %g",
				ParamRegularize, p.regularize, ParamUnobserved, p.unobserved)
		}
	}
	count := make([]int32, len(in.Items))
	for i := range count {
		count[i] = int32(byItem.Start[i+1] - byItem.Start[i])
	}
	return &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: p.strings(in.Params), Seed: in.Seed, Scores: "softmax",
			Users: in.Users, Items: len(in.Items), Interactions: int64(in.Events.Len())},
		Items: in.Items,
		Tensors: map[string]model.Tensor{
			tensorFactors: {Shape: []int{len(in.Items), p.dimension}, F32: items.Data},
			tensorCount:   {Shape: []int{len(in.Items)}, I32: count},
		},
	}, nil
}

// confidence of n interactions with one item: repeats say more, but less and less.
func confidence(n float32) float32 {
	if n <= 1 {
		return n
	}
	return 1 + float32(math.Log(float64(n)))
}

// halfStep solves all rows of to while from stands still. of lists a row's
// pairs. Rows are independent of each other, so their order does not matter.
func (p parameters) halfStep(ctx context.Context, to, from matrix.Dense, of func(int) ([]int32, []float32)) error {
	gram := p.gram(from)
	workers := runtime.GOMAXPROCS(0)
	var next atomic.Int64
	var done sync.WaitGroup
	for range workers {
		done.Go(func() {
			s := newSolver(p, gram, from)
			for ctx.Err() == nil {
				begin := int(next.Add(rowsAtOnce)) - rowsAtOnce
				if begin >= to.Rows {
					return
				}
				for row := begin; row < min(begin+rowsAtOnce, to.Rows); row++ {
					index, weight := of(row)
					s.solve(to.Row(row), index, weight, p.steps, 0)
				}
			}
		})
	}
	done.Wait()
	return ctx.Err()
}

// gram is unobserved_weight · YᵀY, both halves.
func (p parameters) gram(y matrix.Dense) []float32 {
	d := y.Cols
	parts := make([][]float32, grams)
	size := (y.Rows + grams - 1) / grams
	var next atomic.Int64
	var done sync.WaitGroup
	for range min(grams, runtime.GOMAXPROCS(0)) {
		done.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= grams {
					return
				}
				parts[i] = make([]float32, d*d)
				kernel.Gram(parts[i], y.Data[min(i*size, y.Rows)*d:min((i+1)*size, y.Rows)*d], d)
			}
		})
	}
	done.Wait()
	sum := parts[0]
	for _, part := range parts[1:] {
		kernel.Axpy(1, part, sum)
	}
	kernel.Scale(float32(p.unobserved), sum)
	kernel.Mirror(sum, d)
	return sum
}

// solver is the scratch of one goroutine.
type solver struct {
	parameters
	gram []float32
	from matrix.Dense
	cg   *kernel.CG
	rows []float32 // gathered rows of from
	b    []float32
}

func newSolver(p parameters, gram []float32, from matrix.Dense) *solver {
	return &solver{parameters: p, gram: gram, from: from, cg: kernel.NewCG(from.Cols), b: make([]float32, from.Cols)}
}

// solve improves x, the factors of somebody who has the given rows of from,
// starting from what x holds. Nobody has nothing: without rows x becomes 0.
func (s *solver) solve(x []float32, index []int32, weight []float32, steps int, tolerance float64) {
	if len(index) == 0 {
		clear(x)
		return
	}
	d := s.from.Cols
	s.rows = s.rows[:0]
	for _, i := range index {
		s.rows = append(s.rows, s.from.Row(int(i))...)
	}
	clear(s.b)
	kernel.GemvT(s.b, s.rows[:len(index)*d], weight)
	reach := float64(len(index)) + float64(s.unobserved*float64(s.from.Rows))
	ridge := s.regularize * math.Pow(reach, s.exponent)
	a := kernel.Weighted{Gram: s.gram, Rows: s.rows, Weight: weight, Ridge: float32(ridge)}
	s.cg.Solve(a, x, s.b, steps, tolerance)
}
