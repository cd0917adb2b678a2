package sequence

import (
	"slices"

	"github.com/attune-io/attune/kernel"
)

// piece is whole windows that go through the layers together, one after the
// other without padding.
type piece struct {
	start  []int    // windows+1: the tokens of window w are [start[w], start[w+1])
	token  []uint64 // what tells a token from all others of the epoch, for dropout
	item   []int32
	target []int32
	weight []float32 // of the loss of each token
}

// trace is what forward leaves for backward of one layer. n tokens, d dimensions.
type trace struct {
	z1, hat1, z2, hat2 kernel.View // n×d, of both norms
	inv1, inv2         []float32
	in                 kernel.View // n×3d: q k v; with gates n×4d, the last σ(g)
	chance             []float32   // attention after softmax: for each window and head a square
	mixed              kernel.View // n×d: attention
	out                kernel.View // n×d: mixed·out after dropout, before the gate
	up                 kernel.View // n×inner, before activation; with gates σ(g) behind
	inner              kernel.View // n×f, after activation
	down               kernel.View // n×d: inner·down after dropout, before the gate
}

// net runs the layers over pieces. It is the scratch of one goroutine.
type net struct {
	*layout
	gemm    kernel.Gemm // of attention
	large   kernel.Gemm // of times and timesT
	drop    dropout     // none outside of training
	base    uint64      // of dropout: seed and epoch
	traces  []trace
	x       kernel.View // n×d: what goes from layer to layer
	hat, h  kernel.View // n×d: of the last norm
	inv     []float32
	dropped []float32 // attention of some rows after dropout
	scores  []float32 // of compare
	back    backScratch
	memory  []float32
	used    int
}

// The places of dropout inside a layer, and before all of them.
const (
	siteEmbedding = iota
	siteAttention
	siteInner
	siteDown
	sites
)

// key tells one row of one place of dropout from all others.
func (n *net) key(layer, site int, token uint64) uint64 {
	return mix(n.base + mix(uint64(layer*sites+site)<<56|token)*golden)
}

// take cuts rows×cols out of the net's memory; what is in them is anything.
func (n *net) take(rows, cols int) kernel.View {
	return kernel.View{Data: n.slice(rows * cols), Rows: rows, Cols: cols, Stride: cols}
}

func (n *net) slice(size int) []float32 {
	if n.used+size > len(n.memory) {
		n.memory, n.used = make([]float32, max(size, 2*len(n.memory), 1<<16)), 0
	}
	part := n.memory[n.used : n.used+size : n.used+size]
	n.used += size
	return part
}

// forward leaves in n.h what is known at every token of what comes next.
// w: all weights of the layers. vector gives the vector of an item.
func (n *net) forward(w *weights, p *piece, vector func(int32) []float32) {
	tokens, d := len(p.item), n.dimension
	n.embed(w, p, vector)
	for b := range n.layers {
		n.block(w, p, b)
	}
	n.hat, n.h, n.inv = n.take(tokens, d), n.take(tokens, d), n.slice(tokens)
	n.normalise(n.h, n.hat, n.inv, n.norm.of(w.flat), n.shift.of(w.flat))
}

// embed begins a piece: it puts the vector of each item, made as long as it must
// be to be heard beside what the layers add, and of its place counted from the
// newest, into x.
func (n *net) embed(w *weights, p *piece, vector func(int32) []float32) {
	n.used = 0
	n.traces = slices.Grow(n.traces[:0], n.blocks)[:n.blocks]
	n.x = n.take(len(p.item), n.dimension)
	place := n.place.view(w.flat)
	for s := range len(p.start) - 1 {
		for t := p.start[s]; t < p.start[s+1]; t++ {
			row := n.x.Row(t)
			copy(row, vector(p.item[t]))
			kernel.Scale(n.loud, row)
			kernel.Axpy(1, place.Row(p.start[s+1]-1-t), row)
			n.drop.apply(row, row, n.key(0, siteEmbedding, p.token[t]))
		}
	}
}

func (n *net) block(w *weights, p *piece, b int) {
	l, t := n.layers[b], &n.traces[b]
	tokens, d := len(p.item), n.dimension
	t.z1, t.hat1, t.inv1 = n.take(tokens, d), n.take(tokens, d), n.slice(tokens)
	n.normalise(t.z1, t.hat1, t.inv1, l.norm1.of(w.flat), l.shift1.of(w.flat))
	t.in = n.take(tokens, l.in.cols)
	setRows(t.in, l.inBias.of(w.flat))
	n.times(t.in, t.z1, &w.forth[b*packs+packIn])
	t.mixed = n.take(tokens, d)
	clear(t.mixed.Data)
	n.attend(w, p, b)
	n.rest(w, b, p.token)
}

// rest is what a layer does after attention, with each token alone: it takes
// the rows of n.x, and of the trace's in and mixed.
func (n *net) rest(w *weights, b int, token []uint64) {
	l, t := n.layers[b], &n.traces[b]
	tokens, d := n.x.Rows, n.dimension
	t.out = n.take(tokens, d)
	setRows(t.out, l.outBias.of(w.flat))
	n.times(t.out, t.mixed, &w.forth[b*packs+packOut])
	n.join(t.out, gate(t.in, 3*d), -1, b, token)

	t.z2, t.hat2, t.inv2 = n.take(tokens, d), n.take(tokens, d), n.slice(tokens)
	n.normalise(t.z2, t.hat2, t.inv2, l.norm2.of(w.flat), l.shift2.of(w.flat))
	t.up = n.take(tokens, l.up.cols)
	setRows(t.up, l.upBias.of(w.flat))
	n.times(t.up, t.z2, &w.forth[b*packs+packUp])
	t.inner = n.take(tokens, l.down.rows)
	for i := range tokens {
		activate(t.inner.Row(i), t.up.Row(i))
		n.drop.apply(t.inner.Row(i), t.inner.Row(i), n.key(b, siteInner, token[i]))
	}
	t.down = n.take(tokens, d)
	setRows(t.down, l.downBias.of(w.flat))
	n.times(t.down, t.inner, &w.forth[b*packs+packDown])
	n.join(t.down, gate(t.up, l.up.cols-d), siteDown, b, token)
}

// gate is the columns of x from one on; none when x has none.
func gate(x kernel.View, from int) kernel.View { return x.Part(0, x.Rows, from, x.Cols) }

// normalise is layer normalisation of n.x: without gain and shift to hat, with
// them to z, and one over each row's deviation to inv.
func (n *net) normalise(z, hat kernel.View, inv, gain, shift []float32) {
	for i := range n.x.Rows {
		inv[i] = kernel.LayerNorm(z.Row(i), hat.Row(i), n.x.Row(i), gain, shift, epsilon)
	}
}

// join adds to x what a branch of a layer says, after dropout, as far as its
// gate is open; g becomes σ(g). site -1 has no dropout.
func (n *net) join(y, g kernel.View, site, b int, token []uint64) {
	for i := range y.Rows {
		row, x := y.Row(i), n.x.Row(i)
		if site >= 0 {
			n.drop.apply(row, row, n.key(b, site, token[i]))
		}
		if n.gated == 0 {
			kernel.Axpy(1, row, x)
			continue
		}
		open := g.Row(i)
		kernel.Sigmoid(open)
		kernel.MulAdd(x, open, row)
	}
}

// activate is relu, or silu(a) ⊙ b where up has both (Shazeer: GLU Variants
// Improve Transformer, 2020); what is behind them in up stays alone.
func activate(inner, up []float32) {
	f := len(inner)
	if len(up) < 2*f {
		for j, v := range up {
			inner[j] = max(v, 0)
		}
		return
	}
	copy(inner, up[:f])
	kernel.Sigmoid(inner)
	kernel.Mul(inner, inner, up[:f])
	kernel.Mul(inner, inner, up[f:2*f])
}
