package sequence

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Tensors of the model beside those of the layers.
const (
	tensorItems = "item_vectors" // items×d
	tensorCount = "item_count"   // items: events of each, for those who come without a history
)

// State of a checkpoint.
const (
	stateWeights = "weights"
	stateMean    = "mean"
	stateSquare  = "square"
)

// Train learns the layers and the vectors of items, in rounds of one epoch.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	p, err := resolve(in)
	if err != nil {
		return nil, err
	}
	return newTrainer(in, p).train(ctx)
}

func (t *trainer) train(ctx context.Context) (*model.Model, error) {
	in := t.in
	done, err := t.resume(ctx)
	if err != nil {
		return nil, err
	}
	total := max(1, t.epochs*t.perEpoch())
	in.Report(min(total, done*t.perEpoch()), total)
	for epoch := done; epoch < t.epochs && len(t.windows) > 0; epoch++ {
		if err := t.epoch(ctx, epoch, total); err != nil {
			return nil, err
		}
		stop, err := in.Watched(epoch+1, func() (model.Scorer, error) { return t.scorer(), nil })
		if err != nil {
			return nil, err
		}
		if stop {
			break
		}
		if err := in.Keep(ctx, epoch+1, t.state()); err != nil {
			return nil, err
		}
	}
	in.Report(total, total)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return t.model(), nil
}

// trainer is one training.
type trainer struct {
	*layout
	in       recipe.Input
	windows  []window
	counts   []int32 // events of each item
	features *features
	sampler  *sampler // nil when steps compare with all items

	packed             *weights
	compared           candidates
	w, g, mean, square []float32   // weights, their gradient, and its moments; by layout
	vectors            []float32   // items×d: each item's own and those of its features; inside w without features
	cold               []float32   // for candidates.add: -Inf for items without events; nil when there are none
	shards             [][]float32 // gradients of each shard: layers, and behind them the candidates
	nets               []*net      // by worker
	dx, positive       []float32   // tokens×d of a step: gradients by the vectors of inputs and of targets
	ranges             []span      // the flat slice cut up for reduce and adam
	norms              []float64   // of the gradient in each range
	losses             []float64   // of each shard
}

func newTrainer(in recipe.Input, p parameters) *trainer {
	t := &trainer{in: in, windows: windows(in.Events, p.length), counts: make([]int32, len(in.Items)), features: featuresOf(in)}
	for _, i := range in.Events.Item {
		t.counts[i]++
	}
	count := 0
	if t.features != nil {
		count = t.features.count
	}
	t.layout = newLayout(p, count, len(in.Items))
	t.w = t.initial(in.Seed)
	t.vectors = t.item.of(t.w)
	if t.features != nil {
		t.vectors = make([]float32, t.item.len())
	}
	if len(t.windows) == 0 {
		return t
	}
	t.g, t.mean, t.square = make([]float32, t.size), make([]float32, t.size), make([]float32, t.size)
	candidates := len(in.Items)
	if p.negatives > 0 {
		t.sampler = newSampler(p.negatives, t.counts)
		candidates = p.negatives
	} else {
		t.cold = coldest(t.counts)
	}
	t.shards = make([][]float32, maxShards)
	for s := range t.shards {
		t.shards[s] = make([]float32, t.layersEnd+candidates*p.dimension)
	}
	t.losses = make([]float64, maxShards)
	for range min(maxShards, runtime.GOMAXPROCS(0)) {
		t.nets = append(t.nets, &net{layout: t.layout, drop: newDropout(p.dropout)})
	}
	t.packed = newWeights(t.layout, t.w)
	t.ranges = t.cut()
	t.norms = make([]float64, len(t.ranges))
	return t
}

// coldest is what takes items without events out of a softmax: they would only
// learn to be wrong.
func coldest(counts []int32) (add []float32) {
	for i, n := range counts {
		if n == 0 {
			if add == nil {
				add = make([]float32, len(counts))
			}
			add[i] = float32(math.Inf(-1))
		}
	}
	return add
}

func (t *trainer) perEpoch() int { return (len(t.windows) + t.batch - 1) / t.batch }

// resume takes up a checkpoint, and says how many epochs are done.
func (t *trainer) resume(ctx context.Context) (int, error) {
	round, state, err := t.in.Resume(ctx)
	if err != nil || round == 0 || len(t.windows) == 0 {
		return 0, err
	}
	for name, to := range map[string][]float32{stateWeights: t.w, stateMean: t.mean, stateSquare: t.square} {
		if len(state[name].F32) != len(to) {
			return 0, attune.Errorf(attune.Invalid, "sequence checkpoint: %s has %d numbers, not %d: it belongs to another training", name, len(state[name].F32), len(to))
		}
		copy(to, state[name].F32)
	}
	return round, nil
}

func (t *trainer) state() map[string]model.Tensor {
	out := map[string]model.Tensor{}
	for name, x := range map[string][]float32{stateWeights: t.w, stateMean: t.mean, stateSquare: t.square} {
		out[name] = model.Tensor{Shape: []int{len(x)}, F32: x}
	}
	return out
}

// epoch goes over all windows once.
func (t *trainer) epoch(ctx context.Context, epoch, total int) error {
	order := shuffled(t.windows, t.in.Seed, epoch)
	for _, n := range t.nets {
		n.base = mix(t.in.Seed + uint64(epoch)*golden)
	}
	for s := range t.perEpoch() {
		step := epoch*t.perEpoch() + s
		batch := order[s*t.batch : min((s+1)*t.batch, len(order))]
		loss, err := t.step(ctx, batch, step)
		if err != nil {
			return err
		}
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return attune.Errorf(attune.Invalid, "training diverged in epoch %d: lower %s below %g", epoch+1, ParamRate, t.rate)
		}
		t.in.Report(step+1, total)
	}
	return nil
}

// step learns from a batch and returns its loss before that.
func (t *trainer) step(ctx context.Context, batch []window, step int) (float64, error) {
	t.refresh()
	c := t.candidates(step)
	t.parallel(ctx, packs*t.blocks+2, func(_, k int) {
		switch k {
		case 0:
			c.rows.Pack(t.operand(c.vectors))
		case 1:
			c.columns.PackT(t.operand(c.vectors))
		default:
			t.packed.pack(t.layout, k-2, true)
		}
	})
	parts := shards(batch)
	begins, tokens := make([]int, len(parts)), 0
	var weight float64
	for s, part := range parts {
		begins[s] = tokens
		for _, w := range part {
			tokens += w.len()
			weight += t.weigh(w)
		}
	}
	t.dx, t.positive = grown(t.dx, tokens*t.dimension), grown(t.positive, tokens*t.dimension)
	t.parallel(ctx, len(parts), func(worker, s int) {
		t.losses[s] = 0
		at := begins[s]
		micro(parts[s], func(ws []window) {
			if ctx.Err() == nil {
				at = t.learn(t.nets[worker], ws, c, s, at, float32(1/weight))
			}
		})
	})
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	var loss float64
	for s := range parts {
		loss += t.losses[s]
	}
	t.update(ctx, batch, len(parts), c, step)
	return loss, ctx.Err()
}

// weigh is the sum of the weights of what a window has to say.
func (t *trainer) weigh(w window) float64 {
	if t.in.Events.Weight == nil {
		return float64(w.len())
	}
	var sum float64
	for _, x := range t.in.Events.Weight[w.from+1 : w.to+1] {
		sum += float64(x)
	}
	return sum
}

// learn takes some windows of shard s forward and backward. Their tokens are
// those of the step from at on; it returns where the next begin.
func (t *trainer) learn(n *net, ws []window, c *candidates, s, at int, scale float32) int {
	p, d := t.piece(ws, scale), t.dimension
	n.forward(t.packed, p, t.vector)
	size := len(p.item)
	dh := n.take(size, d)
	here := rows(t.positive, d, at, at+size)
	t.losses[s] += n.compare(n.h, dh, p, c, rows(t.shards[s][t.layersEnd:], d, 0, c.vectors.Rows), t.vector, here)
	dx := n.backward(t.packed, t.shards[s], p, dh)
	copy(t.dx[at*d:], dx.Data)
	return at + size
}

// piece is windows as forward reads them; a token's weight grows by scale.
func (t *trainer) piece(ws []window, scale float32) *piece {
	e, p := t.in.Events, &piece{start: make([]int, 1, len(ws)+1)}
	for _, w := range ws {
		p.item, p.target = append(p.item, e.Item[w.from:w.to]...), append(p.target, e.Item[w.from+1:w.to+1]...)
		for k := w.from; k < w.to; k++ {
			weight := scale
			if e.Weight != nil {
				weight *= e.Weight[k+1]
			}
			p.token, p.weight = append(p.token, uint64(k)), append(p.weight, weight)
		}
		p.start = append(p.start, len(p.item))
	}
	return p
}

// candidates of a step.
func (t *trainer) candidates(step int) *candidates {
	c, d := &t.compared, t.dimension
	if t.sampler == nil {
		c.vectors, c.add = rows(t.vectors, d, 0, len(t.counts)), t.cold
		return c
	}
	t.sampler.draw(rand.New(rand.NewPCG(t.in.Seed, 0x6e65_6761+uint64(step)<<32)))
	c.vectors = rows(grown(c.vectors.Data, len(t.sampler.drawn)*d), d, 0, len(t.sampler.drawn))
	for k, i := range t.sampler.drawn {
		copy(c.vectors.Row(k), t.vector(i))
	}
	c.add, c.column = t.sampler.add, t.sampler.column
	return c
}

// vector is that of an item.
func (t *trainer) vector(item int32) []float32 {
	return t.vectors[int(item)*t.dimension : (int(item)+1)*t.dimension]
}

// parallel calls do for 0 … n-1 on as many goroutines as there are nets. Who
// does what must not matter.
func (t *trainer) parallel(ctx context.Context, n int, do func(worker, i int)) {
	var next atomic.Int64
	var done sync.WaitGroup
	for worker := range t.nets {
		done.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(worker, i)
			}
		})
	}
	done.Wait()
}

// grown is x with at least size elements; what is in it is anything.
func grown(x []float32, size int) []float32 {
	if len(x) < size {
		return make([]float32, size)
	}
	return x
}
