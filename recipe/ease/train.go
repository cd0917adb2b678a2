package ease

import (
	"context"
	"math"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// rowsAtOnce is a block of items; small, because popular items take much longer
// than others.
const rowsAtOnce = 8

// The stages, of rows by item.
const (
	stageGram    = "gram"    // rows of G
	stageColumns = "columns" // of weights: what an item is predicted from
	stageWeights = "weights" // rows of weights: what an item gives to others
)

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

// dense is the closed form: with P = (G + Λ)⁻¹, B_ij = -P_ij / P_jj off the
// diagonal. G and the weights are made in blocks; every element of the inverse
// depends on all of G, so that is one piece of work, on this machine.
func (t *training) dense(ctx context.Context, in recipe.Input) ([]list, error) {
	n := t.byItem.Items
	steps := progress{in: in, all: 3 * n} // a third each for G, the inverse and the weights
	in.Report(0, steps.all)
	g := matrix.NewDense(n, n)
	if err := steps.run(ctx, stageGram, n, func() func(recipe.Block) {
		return func(b recipe.Block) { t.gram(b, rows(g, b)) }
	}); err != nil {
		return nil, err
	}
	for i, ridge := range t.ridge(func(i int) float32 { return g.Row(i)[i] }) {
		g.Row(i)[i] += ridge
	}
	if err := matrix.Invert(ctx, g, kernel.Split, func(done, all int) { in.Report(n+n*done/all, steps.all) }); err != nil {
		return nil, err
	}
	steps.done = 2 * n
	inverse := &inverted{kept: t.kept, scale: make([]float32, n)}
	for j := range inverse.scale {
		inverse.scale[j] = -1 / g.Row(j)[j]
	}
	lists := make([]list, n)
	err := steps.run(ctx, stageWeights, n, func() func(recipe.Block) {
		c := &chooser{inverted: inverse, size: make([]float32, n)}
		return func(b recipe.Block) { c.block(b, rows(g, b), lists[b.From:b.To]) }
	})
	return lists, err
}

// rows are those of a block; shared memory.
func rows(m matrix.Dense, b recipe.Block) []float32 { return m.Data[b.From*m.Cols : b.To*m.Cols] }

// inverted is what rows of weights are made of, beside those of the inverse.
type inverted struct {
	kept  int
	scale []float32 // by item: -1/P_jj
}

// chooser is the scratch of one goroutine that makes weights.
type chooser struct {
	*inverted
	size []float32 // by item
	top  []int32
}

// block makes weights of the rows of P of a block, which it spoils.
func (c *chooser) block(b recipe.Block, inverse []float32, out []list) {
	n := len(c.scale)
	for k := range out {
		row := inverse[k*n : (k+1)*n]
		for j, s := range c.scale {
			row[j] *= s
		}
		row[b.From+k] = 0
		out[k], c.top = largest(row, c.size, c.top, c.kept)
	}
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

// gram adds G_ij for j ≤ i to the rows of a block.
func (t *training) gram(b recipe.Block, g []float32) {
	for i := b.From; i < b.To; i++ {
		row := g[(i-b.From)*t.byItem.Items:]
		users, mine := t.byItem.Of(i)
		for k, u := range users {
			items, theirs := t.byUser.Of(int(u))
			x := mine[k] * t.squared[u]
			for l, j := range items {
				if int(j) > i {
					break
				}
				row[j] += float32(x * theirs[l])
			}
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

// progress of one Train, over its stages.
type progress struct {
	in        recipe.Input
	done, all int
}

// run computes a stage of n rows.
func (p *progress) run(ctx context.Context, name string, n int, worker func() func(recipe.Block)) error {
	before := p.done
	p.done += n
	return p.in.Run(ctx, recipe.Stage{Name: name, Blocks: recipe.Cut(n, rowsAtOnce)}, worker,
		func(done, _ int) { p.in.Report(before+done, p.all) })
}
