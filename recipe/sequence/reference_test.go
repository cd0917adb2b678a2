package sequence

import (
	"math"
)

// reference is the loss of a piece, written down once more without matrices and
// in float64, as the paper has it: what forward and compare must come to, and
// what finite differences are taken of.
type reference struct {
	*layout
	w    []float64
	drop dropout
	net  *net // for the keys of dropout
}

func (r reference) at(s span, row, col int) float64 { return r.w[s.from+row*s.cols+col] }

func (r reference) norm(x []float64, gain, shift span) []float64 {
	var mean, square float64
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		square += (v - mean) * (v - mean) / float64(len(x))
	}
	out := make([]float64, len(x))
	for j, v := range x {
		out[j] = (v-mean)/math.Sqrt(square+epsilon)*r.at(gain, 0, j) + r.at(shift, 0, j)
	}
	return out
}

func (r reference) linear(x []float64, matrix, bias span) []float64 {
	out := make([]float64, matrix.cols)
	for j := range out {
		out[j] = r.at(bias, 0, j)
		for i, v := range x {
			out[j] += v * r.at(matrix, i, j)
		}
	}
	return out
}

// leave is dropout of one row.
func (r reference) leave(x []float64, key uint64) []float64 {
	ones := make([]float32, len(x))
	for i := range ones {
		ones[i] = 1
	}
	r.drop.apply(ones, ones, key)
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v * float64(ones[i])
	}
	return out
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// window is the states after one window, which starts at token first of p.
func (r reference) window(p *piece, first, end int, vector func(int32) []float64) [][]float64 {
	d, n := r.dimension, end-first
	x := make([][]float64, n)
	for t := range x {
		x[t] = append([]float64(nil), vector(p.item[first+t])...)
		for j := range x[t] {
			x[t][j] = x[t][j]*math.Sqrt(float64(d)) + r.at(r.place, n-1-t, j)
		}
		x[t] = r.leave(x[t], r.net.key(0, siteEmbedding, p.token[first+t]))
	}
	for b, l := range r.layers {
		in, mixed := make([][]float64, n), make([][]float64, n)
		for t := range x {
			in[t] = r.linear(r.norm(x[t], l.norm1, l.shift1), l.in, l.inBias)
		}
		for t := range x {
			mixed[t] = make([]float64, d)
			for h := range r.heads {
				r.attention(mixed[t], in, t, h, r.net.key(b, siteAttention, p.token[first+t])+uint64(h)<<32*golden)
			}
		}
		for t := range x {
			token := p.token[first+t]
			out := r.linear(mixed[t], l.out, l.outBias)
			for j := range out {
				if r.gated == 1 {
					out[j] *= logistic(in[t][3*d+j])
				}
				x[t][j] += out[j]
			}
			up := r.linear(r.norm(x[t], l.norm2, l.shift2), l.up, l.upBias)
			inner := make([]float64, l.down.rows)
			for j := range inner {
				if r.gated == 1 {
					inner[j] = up[j] * logistic(up[j]) * up[len(inner)+j]
				} else {
					inner[j] = max(up[j], 0)
				}
			}
			down := r.leave(r.linear(r.leave(inner, r.net.key(b, siteInner, token)), l.down, l.downBias), r.net.key(b, siteDown, token))
			for j := range down {
				if r.gated == 1 {
					down[j] *= logistic(up[2*len(inner)+j])
				}
				x[t][j] += down[j]
			}
		}
	}
	for t := range x {
		x[t] = r.norm(x[t], r.layout.norm, r.shift)
	}
	return x
}

// attention of token t by one head.
func (r reference) attention(mixed []float64, in [][]float64, t, h int, key uint64) {
	d, each := r.dimension, r.dimension/r.heads
	chance := make([]float64, t+1)
	var sum float64
	for s := range chance {
		for j := h * each; j < (h+1)*each; j++ {
			chance[s] += in[t][j] * in[s][d+j] / math.Sqrt(float64(each))
		}
		chance[s] = math.Exp(chance[s] + r.at(r.distance, h, r.length-1-(t-s)))
		sum += chance[s]
	}
	for s := range chance {
		chance[s] /= sum
	}
	for s, c := range r.leave(chance, key) {
		for j := h * each; j < (h+1)*each; j++ {
			mixed[j] += c * in[s][2*d+j]
		}
	}
}

// loss of the whole piece.
func (r reference) loss(p *piece, items int, c *candidates, vector func(int32) []float64) (loss float64) {
	for s := range len(p.start) - 1 {
		first := p.start[s]
		for k, state := range r.window(p, first, p.start[s+1], vector) {
			target := p.target[first+k]
			score := func(item int32) (sum float64) {
				for j, v := range vector(item) {
					sum += v * state[j]
				}
				return sum
			}
			right := score(target)
			var all float64
			if c.column != nil {
				all = math.Exp(right)
			}
			for i := range int32(items) {
				switch {
				case c.column == nil && (c.add == nil || !math.IsInf(float64(c.add[i]), -1)):
					all += math.Exp(score(i))
				case c.column != nil && c.column[i] >= 0 && i != target:
					all += math.Exp(score(i) + float64(c.add[c.column[i]]))
				}
			}
			loss += float64(p.weight[first+k]) * (math.Log(all) - right)
		}
	}
	return loss
}
