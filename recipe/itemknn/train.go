package itemknn

import (
	"context"
	"math"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

const (
	// maxUserItems leaves users with more distinct items out of the counting:
	// they are robots or shop counters, their pairs say nothing, and the work
	// grows with the square of their history.
	maxUserItems = 10000
	// itemsAtOnce is a block of items.
	itemsAtOnce = 16
)

// stageLists is the stage whose rows are the neighbours of an item.
const stageLists = "lists"

// neighbour lists of one item.
type list struct {
	item       []int32
	similarity []float32
}

// Train finds the neighbours of every item.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	p, err := resolve(in)
	if err != nil {
		return nil, err
	}
	byUser := matrix.NewUserItems(in.Users, len(in.Items), in.Events.User, in.Events.Item, in.Events.Weight)
	for i, w := range byUser.Weight {
		byUser.Weight[i] = min(w, 1) // a user counts once, however often they came back
	}
	byItem := byUser.Transpose()
	lists, err := p.neighboursOf(ctx, in, byUser, byItem)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, l := range lists {
		n += len(l.item)
	}
	if n > math.MaxInt32 {
		return nil, attune.Errorf(attune.Invalid, "%d neighbours in all are too many to store: lower %s below %d", n, ParamNeighbours, p.neighbours)
	}
	start, count := make([]int32, len(in.Items)+1), make([]int32, len(in.Items))
	item, similarity := make([]int32, 0, n), make([]float32, 0, n)
	for i, l := range lists {
		item, similarity = append(item, l.item...), append(similarity, l.similarity...)
		start[i+1] = int32(len(item))
		count[i] = int32(byItem.Start[i+1] - byItem.Start[i])
	}
	return &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: p.strings(in.Params), Seed: in.Seed, Scores: "none",
			Users: in.Users, Items: len(in.Items), Interactions: int64(in.Events.Len())},
		Items: in.Items,
		Tensors: map[string]model.Tensor{
			tensorStart:      {Shape: []int{len(start)}, I32: start},
			tensorItem:       {Shape: []int{n}, I32: item},
			tensorSimilarity: {Shape: []int{n}, F32: similarity},
			tensorCount:      {Shape: []int{len(count)}, I32: count},
		},
	}, nil
}

// neighboursOf counts, item by item, who else its users chose. Items are
// independent, so who computes their blocks changes nothing but the time.
func (p parameters) neighboursOf(ctx context.Context, in recipe.Input, byUser *matrix.UserItems, byItem *matrix.ItemUsers) ([]list, error) {
	g := p.graphOf(byUser, byItem)
	lists := make([]list, byItem.Items)
	in.Report(0, len(lists))
	err := in.Run(ctx, recipe.Stage{Name: stageLists, Blocks: recipe.Cut(len(lists), itemsAtOnce)}, func() func(recipe.Block) {
		c := newCounter(g)
		return func(b recipe.Block) { c.block(b, lists[b.From:b.To]) }
	}, in.Report)
	return lists, err
}

// graph is what every block of lists is computed of.
type graph struct {
	parameters
	byUser *matrix.UserItems
	byItem *matrix.ItemUsers
	size   []float64 // n_j, by item: its users, each as their events weigh
	weight []float64 // n_j^f, by item
}

func (p parameters) graphOf(byUser *matrix.UserItems, byItem *matrix.ItemUsers) *graph {
	g := &graph{parameters: p, byUser: byUser, byItem: byItem, size: make([]float64, byItem.Items), weight: make([]float64, byItem.Items)}
	for j := range g.weight {
		_, users := byItem.Of(j)
		for _, w := range users {
			g.size[j] += float64(w)
		}
		g.weight[j] = math.Pow(g.size[j], p.discount)
	}
	return g
}

// counter is the scratch of one goroutine.
type counter struct {
	*graph
	count  []int32   // by item: common users; zero between calls
	shared []float64 // by item: common users, each as their events weigh; zero between calls
	score  []float32 // by place in others
	others []int32   // items with a count
	top    []int32   // places in others
}

func newCounter(g *graph) *counter {
	n := g.byItem.Items
	return &counter{graph: g, count: make([]int32, n), shared: make([]float64, n), score: make([]float32, n)}
}

// block finds the neighbours of the items of a block.
func (c *counter) block(b recipe.Block, out []list) {
	for k := range out {
		out[k] = c.neighbours(b.From + k)
	}
}

func (c *counter) neighbours(i int) list {
	c.others = c.others[:0]
	users, mine := c.byItem.Of(i)
	for k, u := range users {
		items, theirs := c.byUser.Of(int(u))
		if len(items) > maxUserItems {
			continue
		}
		for l, j := range items {
			if c.count[j] == 0 {
				c.others = append(c.others, j)
			}
			c.count[j]++
			c.shared[j] += float64(mine[k] * theirs[l])
		}
	}
	own, g := math.Pow(c.size[i], 1-c.discount), *c.graph // a copy, which the loop need not look up again
	score := c.score[:len(c.others)]
	for at, j := range c.others {
		n, shared := c.count[j], c.shared[j]
		c.count[j], c.shared[j] = 0, 0
		score[at] = float32(math.Inf(-1))
		if int(j) != i && int(n) >= g.minimum {
			score[at] = float32(shared / (float64(own*g.weight[j]) + g.shrinkage))
		}
	}
	// Places in others follow the order of counting, which is the order of the
	// data, so ties are the same every time.
	c.top = kernel.TopK(c.top[:0], score, c.parameters.neighbours, nil)
	l := list{item: make([]int32, len(c.top)), similarity: make([]float32, len(c.top))}
	for k, at := range c.top {
		l.item[k], l.similarity[k] = c.others[at], score[at]
	}
	return l
}
