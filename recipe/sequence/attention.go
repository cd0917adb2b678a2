package sequence

import (
	"math"

	"github.com/attune-io/attune/kernel"
)

// attentionRows is how many rows of attention are multiplied at once: products
// end at the last column that any of them may look at, so most of what lies
// after a token is never computed.
const attentionRows = 32

// attend fills mixed: every token gathers the values of those up to itself.
// Vaswani et al.: Attention Is All You Need (2017), equation 1; what is added
// for the distance between two tokens is that of Shaw et al. (2018) with one
// number for each head, as in T5.
func (n *net) attend(w *weights, p *piece, b int) {
	t := &n.traces[b]
	size := 0
	for s := range len(p.start) - 1 {
		size += (p.start[s+1] - p.start[s]) * (p.start[s+1] - p.start[s])
	}
	t.chance = n.slice(size * n.heads)
	clear(t.chance)
	n.squares(p, t, func(s, h int, q, k, v, mixed, chance kernel.View) {
		distance := n.distance.view(w.flat).Row(h)
		for from := 0; from < q.Rows; from += attentionRows {
			to := min(from+attentionRows, q.Rows)
			n.chances(chance.Part(from, to, 0, to), q.Part(from, to, 0, q.Cols), k.Part(0, to, 0, k.Cols), from, distance)
			left := n.leave(chance.Part(from, to, 0, to), p, b, h, p.start[s]+from)
			n.gemm.NN(mixed.Part(from, to, 0, v.Cols), left, v.Part(0, to, 0, v.Cols))
		}
	})
}

// squares calls do for every window and head with the parts of t that are theirs.
func (n *net) squares(p *piece, t *trace, do func(s, h int, q, k, v, mixed, chance kernel.View)) {
	d, each, used := n.dimension, n.dimension/n.heads, 0
	for s := range len(p.start) - 1 {
		from, to := p.start[s], p.start[s+1]
		size := to - from
		for h := range n.heads {
			at := h * each
			chance := kernel.NewView(t.chance[used:used+size*size], size)
			used += size * size
			do(s, h, t.in.Part(from, to, at, at+each), t.in.Part(from, to, d+at, d+at+each),
				t.in.Part(from, to, 2*d+at, 2*d+at+each), t.mixed.Part(from, to, at, at+each), chance)
		}
	}
}

// chances fills rows [from, …) of attention: softmax(q·kᵀ/√each + distance) over
// the tokens up to each row's own. c, which holds zeros, has as many columns as k has rows.
func (n *net) chances(c, q, k kernel.View, from int, distance []float32) {
	n.gemm.NT(c, q, k)
	scale := float32(1 / math.Sqrt(float64(q.Cols)))
	for i := range c.Rows {
		row := c.Row(i)
		last := from + i
		clear(row[last+1:])
		row = row[:last+1]
		near := distance[len(distance)-1-last:]
		kernel.Scale(scale, row)
		kernel.Axpy(1, near[:len(row)], row)
		kernel.Softmax(row)
	}
}

// leave is attention after dropout: chance itself without it, else a copy.
func (n *net) leave(chance kernel.View, p *piece, b, h, token int) kernel.View {
	if n.drop.threshold == 0 {
		return chance
	}
	left := n.scratch(&n.dropped, chance.Rows, chance.Cols)
	for i := range chance.Rows {
		n.drop.apply(left.Row(i), chance.Row(i), n.key(b, siteAttention, p.token[token+i])+uint64(h)<<32*golden)
	}
	return left
}

// scratch is rows×cols of a slice that grows as needed; what is in it is anything.
func (n *net) scratch(of *[]float32, rows, cols int) kernel.View {
	if len(*of) < rows*cols {
		*of = make([]float32, rows*cols)
	}
	return kernel.View{Data: (*of)[:rows*cols], Rows: rows, Cols: cols, Stride: cols}
}
