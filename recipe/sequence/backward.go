package sequence

import (
	"math"

	"github.com/attune-io/attune/kernel"
)

// backScratch is what only backward needs.
type backScratch struct{ out, in, z, inner, up, square []float32 }

// backward adds to g, gradients of the layers, what the gradient dh of n.h
// makes of them, after forward of the same piece. It returns the gradient of
// the vectors of items, as embed read them.
func (n *net) backward(w *weights, g []float32, p *piece, dh kernel.View) kernel.View {
	dx := n.take(len(p.item), n.dimension)
	clear(dx.Data)
	normaliseBack(dx, dh, n.hat, n.inv, n.norm.of(w.flat), n.norm.of(g), n.shift.of(g))
	for b := n.blocks - 1; b >= 0; b-- {
		n.blockBack(w, g, p, b, dx)
	}
	place := n.place.view(g)
	for s := range len(p.start) - 1 {
		for t := p.start[s]; t < p.start[s+1]; t++ {
			row := dx.Row(t)
			n.drop.apply(row, row, n.key(0, siteEmbedding, p.token[t]))
			kernel.Axpy(1, row, place.Row(p.start[s+1]-1-t))
			kernel.Scale(n.loud, row)
		}
	}
	return dx
}

// blockBack turns dx, the gradient of what a layer gives, into that of what it takes.
func (n *net) blockBack(w *weights, g []float32, p *piece, b int, dx kernel.View) {
	l, t := n.layers[b], &n.traces[b]
	tokens, d := dx.Rows, n.dimension

	dy := n.scratch(&n.back.out, tokens, d)
	dUp := n.scratch(&n.back.up, tokens, l.up.cols)
	n.joinBack(dx, dy, t.down, gate(t.up, l.up.cols-d), gate(dUp, l.up.cols-d), siteDown, b, p)
	inner := n.scratch(&n.back.inner, tokens, l.down.rows)
	n.product(inner, dy, t.inner, l.down, l.downBias, &w.backward[b*packs+packDown], g)
	for i := range tokens {
		row := inner.Row(i)
		n.drop.apply(row, row, n.key(b, siteInner, p.token[i]))
		activateBack(dUp.Row(i), row, t.up.Row(i))
	}
	dz := n.scratch(&n.back.z, tokens, d)
	n.product(dz, dUp, t.z2, l.up, l.upBias, &w.backward[b*packs+packUp], g)
	normaliseBack(dx, dz, t.hat2, t.inv2, l.norm2.of(w.flat), l.norm2.of(g), l.shift2.of(g))

	dIn := n.scratch(&n.back.in, tokens, l.in.cols)
	n.joinBack(dx, dy, t.out, gate(t.in, 3*d), gate(dIn, 3*d), -1, b, p)
	n.product(dz, dy, t.mixed, l.out, l.outBias, &w.backward[b*packs+packOut], g) // dz is the gradient of mixed now
	n.attendBack(g, p, b, dz, dIn)
	n.product(dz, dIn, t.z1, l.in, l.inBias, &w.backward[b*packs+packIn], g)
	normaliseBack(dx, dz, t.hat1, t.inv1, l.norm1.of(w.flat), l.norm1.of(g), l.shift1.of(g))
}

// product is the way back through y = x·matrix + bias: dx becomes dy·matrixᵀ,
// and the gradients of matrix and bias are added to g.
func (n *net) product(dx, dy, x kernel.View, matrix, bias span, transposed *kernel.Packed, g []float32) {
	clear(dx.Data)
	n.times(dx, dy, transposed)
	n.timesT(matrix.view(g), x, dy)
	sumRows(bias.of(g), dy)
}

// joinBack writes to dy the gradient of a branch from dx, that of the sum, and
// to dg that of its gate before σ. y is the branch after dropout, open σ(g).
func (n *net) joinBack(dx, dy, y, open, dg kernel.View, site, b int, p *piece) {
	for i := range dx.Rows {
		row, out := dx.Row(i), dy.Row(i)
		copy(out, row)
		if n.gated == 1 {
			s, v, gate := open.Row(i), y.Row(i), dg.Row(i)
			kernel.Mul(out, row, s)
			for j, x := range out {
				gate[j] = x * v[j] * (1 - s[j])
			}
		}
		if site >= 0 {
			n.drop.apply(out, out, n.key(b, site, p.token[i]))
		}
	}
}

// activateBack writes to dUp the gradient of what activate read from that of what it made.
func activateBack(dUp, d, up []float32) {
	f := len(d)
	if len(up) < 2*f {
		for j, v := range up {
			if v > 0 {
				dUp[j] = d[j]
			} else {
				dUp[j] = 0
			}
		}
		return
	}
	s := dUp[:f]
	copy(s, up[:f])
	kernel.Sigmoid(s)
	da, db := dUp[:f], dUp[f:2*f]
	for j, v := range d {
		a, b, open := up[j], up[f+j], s[j]
		db[j] = v * a * open
		da[j] = v * b * open * (1 + a*(1-open))
	}
}

// attendBack writes to dIn the gradients of q, k and v from that of mixed, and
// adds those of distance to g.
func (n *net) attendBack(g []float32, p *piece, b int, dMixed, dIn kernel.View) {
	t, d, each := &n.traces[b], n.dimension, n.dimension/n.heads
	for i := range dIn.Rows {
		clear(dIn.Row(i)[:3*d])
	}
	scale := float32(1 / math.Sqrt(float64(each)))
	n.squares(p, t, func(s, h int, q, k, v, _, chance kernel.View) {
		begin, end, at := p.start[s], p.start[s+1], h*each
		dq, dk := dIn.Part(begin, end, at, at+each), dIn.Part(begin, end, d+at, d+at+each)
		dv, dm := dIn.Part(begin, end, 2*d+at, 2*d+at+each), dMixed.Part(begin, end, at, at+each)
		distance := n.distance.view(g).Row(h)
		for from := 0; from < q.Rows; from += attentionRows {
			to := min(from+attentionRows, q.Rows)
			c := chance.Part(from, to, 0, to)
			left := n.leave(c, p, b, h, begin+from)
			rows := dm.Part(from, to, 0, each)
			n.gemm.TN(dv.Part(0, to, 0, each), left, rows)
			dc := n.scratch(&n.back.square, to-from, to)
			clear(dc.Data)
			n.gemm.NT(dc, rows, v.Part(0, to, 0, each))
			for i := range dc.Rows {
				last := from + i
				row := dc.Row(i)
				n.drop.apply(row, row, n.key(b, siteAttention, p.token[begin+last])+uint64(h)<<32*golden)
				softmaxBack(row[:last+1], c.Row(i)[:last+1])
				clear(row[last+1:])
				kernel.Axpy(1, row[:last+1], distance[len(distance)-1-last:])
				kernel.Scale(scale, row[:last+1])
			}
			n.gemm.NN(dq.Part(from, to, 0, each), dc, k.Part(0, to, 0, each))
			n.gemm.TN(dk.Part(0, to, 0, each), dc, q.Part(from, to, 0, each))
		}
	})
}

// softmaxBack turns d, the gradient of a softmax, into that of what went into it.
func softmaxBack(d, chance []float32) {
	along := kernel.Dot(d, chance)
	for j, c := range chance {
		d[j] = c * (d[j] - along)
	}
}
