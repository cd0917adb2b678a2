package rule

import (
	"context"
	"math"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

const (
	// sessionAtMost is how many events stay together; pairs further apart than
	// rule_steps are not counted anyway, so cuts lose a few of many.
	sessionAtMost = 1000
	// itemsAtOnce is a block of items.
	itemsAtOnce = 16
	// What Seconds reckons with, on two cores.
	secondsOfPair, secondsOfEvent, secondsOfItem = 2.5e-9, 3e-8, 2e-6
)

// stageLists is the stage whose rows are the rules of an item.
const stageLists = "lists"

// list is the rules of one item.
type list struct {
	item   []int32
	weight []float32
}

// Train counts the pairs of every item.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	p, err := resolve(in)
	if err != nil {
		return nil, err
	}
	in.Report(0, len(in.Items)+1)
	b := newBook(in, p)
	lists, err := b.rules(ctx, in)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, l := range lists {
		n += len(l.item)
	}
	if n > math.MaxInt32 {
		return nil, attune.Errorf(attune.Invalid, "%d rules in all are too many to store: lower %s below %d", n, ParamKept, p.kept)
	}
	start, count := make([]int32, len(in.Items)+1), make([]int32, len(in.Items))
	item, weight := make([]int32, 0, n), make([]float32, 0, n)
	for i, l := range lists {
		item, weight = append(item, l.item...), append(weight, l.weight...)
		start[i+1] = int32(len(item))
		count[i] = b.from[i+1] - b.from[i]
	}
	in.Report(len(in.Items)+1, len(in.Items)+1)
	return &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: p.strings(in.Params), Seed: in.Seed, Scores: "none",
			Users: in.Users, Items: len(in.Items), Interactions: int64(in.Events.Len())},
		Items: in.Items,
		Tensors: map[string]model.Tensor{
			tensorStart:  {Shape: []int{len(start)}, I32: start},
			tensorItem:   {Shape: []int{n}, I32: item},
			tensorWeight: {Shape: []int{n}, F32: weight},
			tensorCount:  {Shape: []int{len(count)}, I32: count},
		},
	}, ctx.Err()
}

// book is the events, to be looked up by item.
type book struct {
	parameters
	item      []int32   // by event
	weight    []float32 // by event; nil when all count as 1
	low, high []int32   // by event: the session that it lies in
	from      []int32   // by item: its events are event[from[i]:from[i+1]]
	event     []int32
	target    []float64 // by item: n^f, with n its events, each as it weighs
	source    []float64 // by item: n^(1-f)
	harmonic  []float32 // by distance: 1/d
}

func newBook(in recipe.Input, p parameters) *book {
	e, items := in.Events, len(in.Items)
	b := &book{parameters: p, item: e.Item, weight: e.Weight, low: make([]int32, e.Len()), high: make([]int32, e.Len()),
		from: make([]int32, items+1), event: make([]int32, e.Len()), target: make([]float64, items), source: make([]float64, items),
		harmonic: make([]float32, p.steps+1)}
	for _, s := range recipe.Sessions(e, int64(p.gap*60_000), sessionAtMost) {
		for at := s.From; at < s.To; at++ {
			b.low[at], b.high[at] = int32(s.From), int32(s.To)
		}
	}
	for at, i := range e.Item {
		b.from[i+1]++
		b.target[i] += float64(b.weigh(at))
	}
	for i, n := range b.target {
		b.from[i+1] += b.from[i]
		b.target[i], b.source[i] = math.Pow(n, p.discount), math.Pow(n, 1-p.discount)
	}
	next := append([]int32(nil), b.from[:items]...)
	for at, i := range e.Item {
		b.event[next[i]] = int32(at)
		next[i]++
	}
	for d := 1; d <= p.steps; d++ {
		b.harmonic[d] = 1 / float32(d)
	}
	return b
}

func (b *book) weigh(event int) float32 {
	if b.weight == nil {
		return 1
	}
	return b.weight[event]
}

// rules are those of every item. Items are independent, so who computes their
// blocks changes nothing but the time.
func (b *book) rules(ctx context.Context, in recipe.Input) ([]list, error) {
	lists := make([]list, len(in.Items))
	err := in.Run(ctx, recipe.Stage{Name: stageLists, Blocks: recipe.Cut(len(lists), itemsAtOnce)}, func() func(recipe.Block) {
		c := &counter{book: b, pairs: make([]float32, len(lists)), score: make([]float32, len(lists))}
		return func(b recipe.Block) { c.block(b, lists[b.From:b.To]) }
	}, func(done, all int) { in.Report(done, all+1) })
	return lists, err
}

// counter is the scratch of one goroutine.
type counter struct {
	*book
	pairs  []float32 // by item: c_ij; zero between calls
	others []int32   // items with a count
	score  []float32 // by place in others
	top    []int32   // places in others
}

// block finds the rules of the items of a block.
func (c *counter) block(b recipe.Block, out []list) {
	for k := range out {
		out[k] = c.rules(int32(b.From + k))
	}
}

// rules of item i: c_ij is the sum of 1/d over pairs of events of i and j, d
// places apart in one session, with those in which j came first discounted.
func (c *counter) rules(i int32) list {
	c.others = c.others[:0]
	for _, at := range c.event[c.from[i]:c.from[i+1]] {
		mine := c.weigh(int(at))
		for to := min(c.high[at], at+int32(c.steps)+1) - 1; to > at; to-- {
			c.count(i, to, mine*c.harmonic[to-at])
		}
		for to := max(c.low[at], at-int32(c.steps)); to < at && c.backward > 0; to++ {
			c.count(i, to, mine*float32(c.backward)*c.harmonic[at-to])
		}
	}
	score := c.score[:len(c.others)]
	for at, j := range c.others {
		score[at] = float32(float64(c.pairs[j]) / float64(c.source[i]*c.target[j]))
		c.pairs[j] = 0
	}
	// Places in others follow the order of counting, which is the order of the
	// data, so ties are the same every time.
	c.top = kernel.TopK(c.top[:0], score, c.kept, nil)
	l := list{item: make([]int32, len(c.top)), weight: make([]float32, len(c.top))}
	for k, at := range c.top {
		l.item[k], l.weight[k] = c.others[at], score[at]
	}
	return l
}

// count adds one pair. Coming back to the same item is no rule: return_weight
// says what it is worth.
func (c *counter) count(i, event int32, much float32) {
	j := c.item[event]
	if j == i {
		return
	}
	if c.pairs[j] == 0 {
		c.others = append(c.others, j)
	}
	c.pairs[j] += float32(much * c.weigh(int(event)))
}
