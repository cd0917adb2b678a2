package ease

import (
	"context"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// rowsAtOnce is what a goroutine takes from the queue of item rows; small,
// because popular items take much longer than others.
const rowsAtOnce = 8

// list is what one item gives to others, the largest weights first.
type list struct {
	item   []int32
	weight []float32
}

// Train finds the weights between items.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	p, err := resolve(in)
	if err != nil {
		return nil, err
	}
	byUser := matrix.NewUserItems(in.Users, len(in.Items), in.Events.User, in.Events.Item, in.Events.Weight)
	for i, n := range byUser.Weight {
		byUser.Weight[i] = confidence(n)
	}
	t := &training{parameters: p, byUser: byUser, byItem: byUser.Transpose(), squared: p.userWeights(byUser)}
	solve := t.dense
	if p.neighbourhood > 0 {
		solve = t.local
	}
	lists, err := solve(ctx, in)
	if err != nil {
		return nil, err
	}
	return p.model(in, t.byItem, lists)
}

// confidence of n interactions with one item: repeats say more, but less and less.
func confidence(n float32) float32 {
	if n <= 1 {
		return n
	}
	return 1 + float32(math.Log(float64(n)))
}

// userWeights are n_u^(-2·user_exponent): what a user's row of X weighs in XᵀX.
func (p parameters) userWeights(byUser *matrix.UserItems) []float32 {
	out := make([]float32, byUser.Users)
	for u := range out {
		out[u] = float32(math.Pow(float64(max(1, byUser.Start[u+1]-byUser.Start[u])), -2*p.user))
	}
	return out
}

// model puts the lists together.
func (p parameters) model(in recipe.Input, byItem *matrix.ItemUsers, lists []list) (*model.Model, error) {
	n := 0
	for _, l := range lists {
		n += len(l.item)
	}
	if n > math.MaxInt32 {
		return nil, attune.Errorf(attune.Invalid, "%d weights in all are too many to store: lower %s below %d", n, ParamKept, p.kept)
	}
	start, count := make([]int32, len(in.Items)+1), make([]int32, len(in.Items))
	item, weight := make([]int32, 0, n), make([]float32, 0, n)
	for i, l := range lists {
		item, weight = append(item, l.item...), append(weight, l.weight...)
		start[i+1] = int32(len(item))
		count[i] = int32(byItem.Start[i+1] - byItem.Start[i])
	}
	return &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: p.strings(in.Params), Seed: in.Seed, Scores: "softmax",
			Users: in.Users, Items: len(in.Items), Interactions: int64(in.Events.Len())},
		Items: in.Items,
		Tensors: map[string]model.Tensor{
			tensorStart:  {Shape: []int{len(start)}, I32: start},
			tensorItem:   {Shape: []int{n}, I32: item},
			tensorWeight: {Shape: []int{n}, F32: weight},
			tensorCount:  {Shape: []int{len(count)}, I32: count},
		},
	}, nil
}

// training is what one call of Train works on.
type training struct {
	parameters
	byUser  *matrix.UserItems
	byItem  *matrix.ItemUsers
	squared []float32 // by user
}

// dense is the closed form: with P = (G + Λ)⁻¹, B_ij = -P_ij / P_jj off the diagonal.
func (t *training) dense(ctx context.Context, in recipe.Input) ([]list, error) {
	n := t.byItem.Items
	steps := progress{in: in, total: 3 * n} // a third each for G, the inverse and the weights
	steps.report(0)
	g := matrix.NewDense(n, n)
	if err := rows(ctx, n, func() func(int) { return func(i int) { t.gramRow(g.Row(i)[:i+1], i) } }, steps.report); err != nil {
		return nil, err
	}
	for i, ridge := range t.ridge(func(i int) float32 { return g.Row(i)[i] }) {
		g.Row(i)[i] += ridge
	}
	if err := matrix.Invert(ctx, g, kernel.Split, func(done, all int) { steps.report(n + n*done/all) }); err != nil {
		return nil, err
	}
	scale := make([]float32, n)
	for j := range scale {
		scale[j] = -1 / g.Row(j)[j]
	}
	lists := make([]list, n)
	err := rows(ctx, n, func() func(int) {
		var top []int32
		size := make([]float32, n)
		return func(i int) {
			row := g.Row(i)
			for j, s := range scale {
				row[j] *= s
			}
			row[i] = 0
			lists[i], top = largest(row, size, top, t.kept)
		}
	}, func(done int) { steps.report(2*n + done) })
	return lists, err
}

// largest are the k weights of a row that are farthest from 0. size is scratch
// of the row's length, and top is given back to be used again.
func largest(row, size []float32, top []int32, k int) (list, []int32) {
	for j, w := range row {
		size[j] = max(w, -w)
		if w == 0 || w-w != 0 {
			size[j] = float32(math.Inf(-1)) // TopK leaves these out
		}
	}
	top = kernel.TopK(top[:0], size, k, nil)
	l := list{item: make([]int32, len(top)), weight: make([]float32, len(top))}
	for at, j := range top {
		l.item[at], l.weight[at] = j, row[j]
	}
	return l, top
}

// gramRow adds G_ij for j ≤ i to g.
func (t *training) gramRow(g []float32, i int) {
	users, mine := t.byItem.Of(i)
	for k, u := range users {
		items, theirs := t.byUser.Of(int(u))
		x := mine[k] * t.squared[u]
		for l, j := range items {
			if int(j) > i {
				break
			}
			g[j] += float32(x * theirs[l])
		}
	}
}

// ridge is λ_i of every item, from the diagonal of G.
func (t *training) ridge(diagonal func(i int) float32) []float32 {
	out := make([]float32, t.byItem.Items)
	var sum float64
	held := 0 // items that somebody has: a catalogue may have many more
	for i := range out {
		if d := float64(diagonal(i)); d > 0 {
			sum += d
			held++
		}
	}
	mean := 1.0
	if held > 0 {
		mean = sum / float64(held)
	}
	for i := range out {
		out[i] = float32(t.regularize*mean + t.dropout/(1-t.dropout)*float64(diagonal(i)))
	}
	return out
}

// progress of one Train, from many goroutines.
type progress struct {
	in    recipe.Input
	total int
}

func (p progress) report(done int) { p.in.Report(done, p.total) }

// rows calls a function for every row in [0, n). Each goroutine makes its own,
// with its scratch; rows must not depend on each other. done is told how many
// rows are finished, never fewer than before.
func rows(ctx context.Context, n int, worker func() func(row int), done func(int)) error {
	var next atomic.Int64
	var telling sync.Mutex
	finished := 0
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			do := worker()
			for ctx.Err() == nil {
				begin := int(next.Add(rowsAtOnce)) - rowsAtOnce
				if begin >= n {
					return
				}
				end := min(begin+rowsAtOnce, n)
				for row := begin; row < end; row++ {
					do(row)
				}
				telling.Lock()
				finished += end - begin
				done(finished)
				telling.Unlock()
			}
		})
	}
	workers.Wait()
	return ctx.Err()
}
