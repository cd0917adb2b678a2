package sequence

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/recipe"
)

// someEvents are histories of the given lengths over items 1 … items-1; item 0 has none.
func someEvents(lengths []int, items int, weighed bool, seed uint64) dataset.Events {
	r := rand.New(rand.NewPCG(seed, 1))
	var e dataset.Events
	for u, n := range lengths {
		for k := range n {
			e.User, e.Item, e.At = append(e.User, int32(u)), append(e.Item, int32(1+r.IntN(items-1))), append(e.At, int64(k))
			if weighed {
				e.Weight = append(e.Weight, 0.5+r.Float32())
			}
		}
	}
	return e
}

// Every group of weights has the gradient that finite differences of the
// textbook loss have: both kinds of layer, both losses, with and without
// dropout, features and weights of events, windows of one token and of more
// than attention takes at once.
func TestGradients(t *testing.T) {
	const items = 23
	attributes := &dataset.Attributes{Columns: []dataset.Column{{Name: "GENRE", Kind: schema.String, Categorical: true, Text: make([]string, items)}}}
	for i := range items {
		attributes.Columns[0].Text[i] = []string{"a", "b", "a|b", "c", "", "c | a"}[i%6]
	}
	for _, c := range []struct {
		params   string
		features bool
	}{
		{"gated=0 dropout=0", false},
		{"gated=1 dropout=0", false},
		{"gated=0 dropout=0.3", true},
		{"gated=1 dropout=0.3 heads=3 blocks=1", true},
		{"gated=1 dropout=0 negatives=9", true},
		{"gated=0 dropout=0.2 negatives=40", false},
	} {
		t.Run(c.params, func(t *testing.T) {
			in := recipe.Input{Events: someEvents([]int{2, 1, 41, 6}, items, c.features, 3), Users: 4, Items: make([]string, items), Seed: 4,
				Params: map[string]string{"hidden_dimension": "6", "max_length": "37", "batch_size": "50"}}
			for _, kv := range strings.Fields(c.params) {
				name, value, _ := strings.Cut(kv, "=")
				in.Params[name] = value
			}
			if c.features {
				in.ItemAttributes = attributes
			}
			checkGradients(t, in)
		})
	}
}

func checkGradients(t *testing.T, in recipe.Input) {
	p, err := resolve(in)
	if err != nil {
		t.Fatal(err)
	}
	tr := newTrainer(in, p)
	r := rand.New(rand.NewPCG(8, 9))
	for i := range tr.w {
		tr.w[i] += float32(r.NormFloat64() * 0.3) // so that no gradient is small by accident
	}
	w := make([]float64, len(tr.w))
	for i, v := range tr.w {
		w[i] = float64(v)
	}
	tr.refresh()
	c := tr.candidates(0)
	var weight float64
	for _, win := range tr.windows {
		weight += tr.weigh(win)
	}
	all := tr.piece(tr.windows, float32(1/weight))
	tr.nets[0].base = mix(in.Seed) // as in the first epoch
	ref := reference{layout: tr.layout, w: w, drop: newDropout(p.dropout), net: tr.nets[0]}
	loss := func() float64 {
		return ref.loss(all, len(in.Items), c, func(item int32) []float64 {
			v := append([]float64(nil), w[tr.item.from+int(item)*p.dimension:][:p.dimension]...)
			if f := tr.features; f != nil {
				for j := f.start[item]; j < f.start[item+1]; j++ {
					for k := range v {
						v[k] += float64(f.weight[j]) * ref.at(tr.feature, int(f.index[j]), k)
					}
				}
			}
			return v
		})
	}
	for _, n := range tr.nets {
		n.base = mix(in.Seed)
	}
	got, err := tr.step(t.Context(), tr.windows, 0) // moves tr.w, but not w
	if err != nil {
		t.Fatal(err)
	}
	if want := loss(); math.Abs(got-want) > 1e-5*want {
		t.Errorf("the loss is %g, by the book %g", got, want)
	}
	for _, s := range tr.spans {
		if s.rows == 0 {
			continue
		}
		t.Run(s.name, func(t *testing.T) { checkSpan(t, s, w, tr.g, loss) })
	}
}

// checkSpan compares the gradient of one group with differences of the loss.
func checkSpan(t *testing.T, s span, w []float64, g []float32, loss func() float64) {
	const step = 1e-5
	var off, size, worst float64
	var where string
	for k := range s.len() {
		if s.len() > 24 && k%11 != 0 { // evenly, whatever the sizes
			continue
		}
		i := s.from + k
		old := w[i]
		w[i] = old + step
		up := loss()
		w[i] = old - step
		down := loss()
		w[i] = old
		want := (up - down) / (2 * step)
		if d := math.Abs(float64(g[i]) - want); d > worst {
			worst, where = d, fmt.Sprintf("element %d is %g, by differences %g", k, g[i], want)
		}
		off, size = off+math.Pow(float64(g[i])-want, 2), size+want*want
	}
	if size == 0 || math.Sqrt(off/size) > 2e-4 {
		t.Errorf("off by %.2g of %.2g; %s", math.Sqrt(off), math.Sqrt(size), where)
	}
}
