package sequence

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// span is one group of weights inside the flat slice that holds them all: a
// row-major matrix, or a vector with rows = 1.
type span struct {
	name       string
	from       int
	rows, cols int
	first      float64 // deviation of the first weights; negative for a constant 1
	decays     bool
}

func (s span) len() int { return s.rows * s.cols }

// of is the group as a slice of the flat one.
func (s span) of(flat []float32) []float32 { return flat[s.from : s.from+s.len()] }

// view is the group as a matrix.
func (s span) view(flat []float32) kernel.View { return kernel.NewView(s.of(flat), s.cols) }

// layer is the groups of one block. With f the inner width:
//
//	z = norm1(x);  q k v [g] = z·in;   x += σ(g) ⊙ (attention(q, k, v)·out)
//	z = norm2(x);  a b [g]   = z·up;   x += σ(g) ⊙ ((silu(a) ⊙ b)·down)
//
// Without gates there are no g and b, and relu stands for silu.
type layer struct {
	norm1, shift1, in, inBias, out, outBias   span
	norm2, shift2, up, upBias, down, downBias span
}

// layout says where in the flat slice each group is. Items come last, and
// features, which only items have gradients for, before them.
type layout struct {
	parameters
	place       span // max_length×d: position counted from the newest, 0
	distance    span // heads×max_length: added to attention, reversed: column max_length-1-k is for k places back
	layers      []layer
	norm, shift span
	feature     span // features×d
	item        span // items×d
	spans       []span
	loud        float32 // √d: what an item vector grows by where it is read, as in Vaswani et al., section 3.4
	layersEnd   int     // groups of the layers lie below it
	size        int
	precision   kernel.Precision              // of large products
	rounded     func(kernel.View) kernel.View // what they are made of; nil but in tests
}

// smallFirst is the deviation of first embeddings: so small that the first
// softmax is nearly even.
const smallFirst = 0.02

// newLayout lays the groups out. First matrices are normal with the variance of
// a uniform ±1/√rows, a third of LeCun's (Efficient BackProp, 1998, section 4.6):
// what the layers add is then quiet beside what they are given, and a third
// fewer epochs are needed than with the three times as much of Glorot, Bengio (2010).
func newLayout(p parameters, features, items int) *layout {
	l := &layout{parameters: p, loud: float32(math.Sqrt(float64(p.dimension))), precision: precisionFor(p.dimension)}
	d, f := p.dimension, p.dimension*p.wide
	inner, gate := f, 0
	if p.gated == 1 {
		inner, gate = 2*f, d
	}
	l.place = l.add("position", p.length, d, smallFirst, false)
	l.distance = l.add("distance", p.heads, p.length, 0, false)
	for b := range p.blocks {
		at := func(name string) string { return fmt.Sprintf("block_%d.%s", b, name) }
		matrix := func(name string, rows, cols int) span {
			return l.add(at(name), rows, cols, math.Sqrt(1/float64(3*rows)), true)
		}
		l.layers = append(l.layers, layer{
			norm1: l.add(at("norm_1"), 1, d, -1, false), shift1: l.add(at("shift_1"), 1, d, 0, false),
			in: matrix("in", d, 3*d+gate), inBias: l.add(at("in_bias"), 1, 3*d+gate, 0, false),
			out: matrix("out", d, d), outBias: l.add(at("out_bias"), 1, d, 0, false),
			norm2: l.add(at("norm_2"), 1, d, -1, false), shift2: l.add(at("shift_2"), 1, d, 0, false),
			up: matrix("up", d, inner+gate), upBias: l.add(at("up_bias"), 1, inner+gate, 0, false),
			down: matrix("down", f, d), downBias: l.add(at("down_bias"), 1, d, 0, false),
		})
	}
	l.norm, l.shift = l.add("norm", 1, d, -1, false), l.add("shift", 1, d, 0, false)
	l.layersEnd = l.size
	l.feature = l.add("feature", features, d, smallFirst, true)
	l.item = l.add("item", items, d, smallFirst, true)
	return l
}

func (l *layout) add(name string, rows, cols int, first float64, decays bool) span {
	s := span{name: name, from: l.size, rows: rows, cols: cols, first: first, decays: decays}
	l.size += s.len()
	l.spans = append(l.spans, s)
	return s
}

// initial makes the first weights.
func (l *layout) initial(seed uint64) []float32 {
	w := make([]float32, l.size)
	r := rand.New(rand.NewPCG(seed, 0x7365_7175)) // the second word keeps this stream apart from others of the same seed
	for _, s := range l.spans {
		part := s.of(w)
		for i := range part {
			switch {
			case s.first < 0:
				part[i] = 1
			case s.first > 0:
				part[i] = float32(r.NormFloat64() * s.first)
			}
		}
	}
	return w
}

// tensorLayers is the groups of the layers, one after the other as layout has
// them: one tensor, for a file holds only so many and a blend has several models.
const tensorLayers = "layers"

// stored is the layers of a model, which share its memory; attune.Invalid where
// they do not fit the parameters.
func (l *layout) stored(m *model.Model) ([]float32, error) {
	t, err := recipe.CheckTensor(m, tensorLayers, l.layersEnd)
	if err != nil {
		return nil, err
	}
	if len(t.F32) != l.layersEnd {
		return nil, notFloats(tensorLayers)
	}
	return t.F32, nil
}

// weights are those of the layers, with their matrices laid out for products:
// as they are for the way forward, and transposed for the way back.
type weights struct {
	flat            []float32
	forth, backward []kernel.Packed // four for each layer: in, out, up, down
}

// The places of a layer's matrices in weights.
const (
	packIn = iota
	packOut
	packUp
	packDown
	packs
)

// matrices of a layer, by their places in weights.
func (l layer) matrices() [packs]span { return [packs]span{l.in, l.out, l.up, l.down} }

// pack lays matrix k of all, counted through the layers, out anew.
func (w *weights) pack(l *layout, k int, back bool) {
	view := l.operand(l.layers[k/packs].matrices()[k%packs].view(w.flat))
	w.forth[k].Pack(view)
	if back {
		w.backward[k].PackT(view)
	}
}

func newWeights(l *layout, flat []float32) *weights {
	return &weights{flat: flat, forth: make([]kernel.Packed, packs*len(l.layers)), backward: make([]kernel.Packed, packs*len(l.layers))}
}
