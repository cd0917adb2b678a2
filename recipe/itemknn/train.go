package itemknn

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

const (
	// maxUserItems leaves users with more distinct items out of the counting:
	// they are robots or shop counters, their pairs say nothing, and the work
	// grows with the square of their history.
	maxUserItems = 10000
	// itemsAtOnce is what a goroutine takes from the queue of items.
	itemsAtOnce = 16
)

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
// independent, so goroutines change nothing but the time.
func (p parameters) neighboursOf(ctx context.Context, in recipe.Input, byUser *matrix.UserItems, byItem *matrix.ItemUsers) ([]list, error) {
	lists := make([]list, byItem.Items)
	size, weight := make([]float64, byItem.Items), make([]float64, byItem.Items) // n_j and n_j^f
	for j := range weight {
		_, users := byItem.Of(j)
		for _, w := range users {
			size[j] += float64(w)
		}
		weight[j] = math.Pow(size[j], p.discount)
	}
	in.Report(0, byItem.Items)
	var next atomic.Int64
	var telling sync.Mutex
	done := 0
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			c := &counter{parameters: p, byUser: byUser, byItem: byItem, size: size, weight: weight,
				count: make([]int32, byItem.Items), shared: make([]float64, byItem.Items), score: make([]float32, byItem.Items)}
			for ctx.Err() == nil {
				begin := int(next.Add(itemsAtOnce)) - itemsAtOnce
				if begin >= len(lists) {
					return
				}
				end := min(begin+itemsAtOnce, len(lists))
				for i := begin; i < end; i++ {
					lists[i] = c.neighbours(i)
				}
				telling.Lock()
				done += end - begin
				in.Report(done, len(lists))
				telling.Unlock()
			}
		})
	}
	workers.Wait()
	return lists, ctx.Err()
}

// counter is the scratch of one goroutine.
type counter struct {
	parameters
	byUser *matrix.UserItems
	byItem *matrix.ItemUsers
	size   []float64 // by item: its users, each as their events weigh
	weight []float64 // by item
	count  []int32   // by item: common users; zero between calls
	shared []float64 // by item: common users, each as their events weigh; zero between calls
	score  []float32 // by place in others
	others []int32   // items with a count
	top    []int32   // places in others
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
	own := math.Pow(c.size[i], 1-c.discount)
	score := c.score[:len(c.others)]
	for at, j := range c.others {
		n, shared := c.count[j], c.shared[j]
		c.count[j], c.shared[j] = 0, 0
		score[at] = float32(math.Inf(-1))
		if int(j) != i && int(n) >= c.minimum {
			score[at] = float32(shared / (float64(own*c.weight[j]) + c.shrinkage))
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
