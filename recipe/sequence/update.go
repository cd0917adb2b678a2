package sequence

import (
	"context"
	"math"

	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
)

const (
	// rangeElements is how many weights are updated together.
	rangeElements = 1 << 14
	// itemRanges is into how many parts the items are cut at most, each of which
	// looks through the tokens of a step for its own.
	itemRanges = 64

	// Kingma, Ba: Adam (ICLR 2015), with the second decay of the attention paper.
	meanDecay, squareDecay, adamEpsilon = 0.9, 0.98, 1e-8
	// warmSteps is over how many steps the rate rises, or two epochs of fewer.
	warmSteps = 200
	// slowSteps is how many steps it takes for the rate to fall to 0.7, and three times as many to half.
	slowSteps = 1000
	// longestGradient bounds the norm of a step's gradient: a rare batch cannot undo
	// what was learned.
	longestGradient = 5
)

// rows [from, to) of a slice with d columns.
func rows(x []float32, d, from, to int) kernel.View {
	return kernel.View{Data: x[from*d : to*d], Rows: to - from, Cols: d, Stride: d}
}

// cut cuts each group of weights into ranges of whole rows, the items last.
func (t *trainer) cut() (out []span) {
	for _, s := range t.spans {
		if s.rows == 0 {
			continue
		}
		step := max(1, rangeElements/s.cols)
		if s.from == t.item.from {
			step = max(step, (s.rows+itemRanges-1)/itemRanges)
		}
		for r := 0; r < s.rows; r += step {
			out = append(out, span{name: s.name, from: s.from + r*s.cols, rows: min(step, s.rows-r), cols: s.cols, decays: s.decays})
		}
	}
	return out
}

// refresh makes the items' vectors of their own and their features'.
func (t *trainer) refresh() {
	if t.features == nil {
		return
	}
	t.parallel(context.Background(), itemRanges, func(_, k int) {
		n := len(t.counts)
		for i := k * n / itemRanges; i < (k+1)*n/itemRanges; i++ {
			row := t.vector(int32(i))
			copy(row, t.item.view(t.w).Row(i))
			t.features.add(row, t.feature.of(t.w), i)
		}
	})
}

// update adds the gradients of the shards up and takes a step of Adam.
func (t *trainer) update(ctx context.Context, batch []window, parts int, c *candidates, step int) {
	items, features := len(t.ranges), len(t.ranges)
	for k := len(t.ranges) - 1; k >= 0; k-- {
		if t.ranges[k].from >= t.item.from {
			items = k
		}
		if t.ranges[k].from >= t.feature.from {
			features = k
		}
	}
	t.parallel(ctx, len(t.ranges), func(_, k int) {
		switch {
		case k >= items:
			t.reduceItems(t.ranges[k], batch, parts, c)
		case k < features:
			t.reduce(t.ranges[k].of(t.g), t.ranges[k].from, parts)
		}
	})
	t.parallel(ctx, items-features, func(_, k int) { t.reduceFeatures(t.ranges[features+k]) })
	t.parallel(ctx, len(t.ranges), func(_, k int) { t.norms[k] = kernel.Norm2(t.ranges[k].of(t.g)) })
	var norm float64
	for _, n := range t.norms {
		norm += n
	}
	scale := float32(1)
	if norm = math.Sqrt(norm); norm > longestGradient {
		scale = float32(longestGradient / norm)
	}
	rate := t.rate * min(1, float64(step+1)/float64(min(warmSteps, 2*t.perEpoch()))) / math.Sqrt(1+float64(step)/slowSteps)
	t.parallel(ctx, len(t.ranges), func(_, k int) { t.adam(t.ranges[k], scale, rate, step) })
}

// reduce makes to the sum over the shards of what they have at from on, and clears that.
func (t *trainer) reduce(to []float32, from, parts int) {
	clear(to)
	for s := range parts {
		part := t.shards[s][from : from+len(to)]
		kernel.Axpy(1, part, to)
		clear(part)
	}
}

// reduceItems makes the gradient of a range of items: of candidates, of inputs,
// and where they are no candidates of targets, in the order of the tokens.
func (t *trainer) reduceItems(r span, batch []window, parts int, c *candidates) {
	d, g := t.dimension, r.view(t.g)
	first := int32((r.from - t.item.from) / d)
	own := func(item int32) bool { return item >= first && item < first+int32(r.rows) }
	if t.sampler == nil {
		t.reduce(r.of(t.g), t.layersEnd+int(first)*d, parts)
	} else {
		clear(g.Data)
		for k, item := range t.sampler.drawn {
			if own(item) {
				t.reduceRow(g.Row(int(item-first)), k, parts)
			}
		}
	}
	e, at := t.in.Events, 0
	for _, w := range batch {
		for k := w.from; k < w.to; k++ {
			if own(e.Item[k]) {
				kernel.Axpy(1, t.dx[at*d:(at+1)*d], g.Row(int(e.Item[k]-first)))
			}
			if t.sampler != nil && own(e.Item[k+1]) {
				kernel.Axpy(1, t.positive[at*d:(at+1)*d], g.Row(int(e.Item[k+1]-first)))
			}
			at++
		}
	}
}

// reduceRow adds what the shards have of candidate k, and clears that.
func (t *trainer) reduceRow(to []float32, k, parts int) {
	for s := range parts {
		part := t.shards[s][t.layersEnd+k*len(to):][:len(to)]
		kernel.Axpy(1, part, to)
		clear(part)
	}
}

// reduceFeatures makes the gradient of a range of features of those of their items.
func (t *trainer) reduceFeatures(r span) {
	g := r.view(t.g)
	clear(g.Data)
	first := (r.from - t.feature.from) / t.dimension
	for k := range r.rows {
		t.features.back(g.Row(k), t.item.of(t.g), first+k)
	}
}

// adam is one step on a range of weights: Adam, with the decay of weights apart
// from the gradient as in Loshchilov, Hutter: Decoupled Weight Decay
// Regularization (ICLR 2019), algorithm 2.
func (t *trainer) adam(r span, scale float32, rate float64, step int) {
	w, g, m, v := r.of(t.w), r.of(t.g), r.of(t.mean), r.of(t.square)
	n := float64(step + 1)
	a := kernel.AdamStep{Scale: scale, Beta1: meanDecay, Beta2: squareDecay, Epsilon: adamEpsilon, Keep: 1,
		Stride: float32(rate / (1 - math.Pow(meanDecay, n))), Unbias: float32(1 / (1 - math.Pow(squareDecay, n)))}
	if r.decays {
		a.Keep = float32(1 - rate*t.decay)
	}
	kernel.Adam(w, m, v, g, a)
}

// learned is the items' vectors to serve with: an item without events has what is
// usual for its features.
func (t *trainer) learned() []float32 {
	t.refresh()
	out := append([]float32(nil), t.vectors...)
	var means []float32
	var had []int
	if t.features != nil {
		means, had = t.features.usual(t.vectors, t.counts)
	}
	for i, n := range t.counts {
		if n == 0 {
			row := out[i*t.dimension : (i+1)*t.dimension]
			clear(row)
			if t.features != nil {
				t.features.stead(row, means, had, i)
			}
		}
	}
	return out
}

func (t *trainer) scorer() model.Scorer {
	return newScorer(t.layout, t.w, t.learned(), t.counts)
}

func (t *trainer) model() *model.Model {
	return &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: t.strings(t.in.Params), Seed: t.in.Seed, Scores: "softmax",
			Users: t.in.Users, Items: len(t.in.Items), Interactions: int64(t.in.Events.Len())},
		Items: t.in.Items,
		Tensors: map[string]model.Tensor{
			tensorLayers: {Shape: []int{t.layersEnd}, F32: t.w[:t.layersEnd:t.layersEnd]},
			tensorItems:  {Shape: []int{len(t.in.Items), t.dimension}, F32: t.learned()},
			tensorCount:  {Shape: []int{len(t.in.Items)}, I32: t.counts},
		},
	}
}
