package sequence

import (
	"context"
	"math"
	"sync"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// scorer reads histories. It is safe for concurrent use.
type scorer struct {
	*layout
	w       *weights
	keys    kernel.Packed // the columns of the last layer's in that make keys and values
	vectors []float32     // items×d
	unknown []int32       // items of which nothing is known, neither events nor features
	newborn []float32     // scores for an empty history: the logarithm of popularity
	readers sync.Pool     // *reader
}

// reader is the scratch of one query.
type reader struct {
	net
	piece piece
	state []float32 // d: what is known of who asks, already scaled
}

// Decode checks that the tensors fit together.
func (Recipe) Decode(m *model.Model) (model.Scorer, error) {
	p, err := resolve(recipe.Input{Params: m.Manifest.Parameters, Items: m.Items})
	if err != nil {
		return nil, err
	}
	l := newLayout(p, 0, 0)
	w, err := l.stored(m)
	if err != nil {
		return nil, err
	}
	vectors, err := recipe.CheckTensor(m, tensorItems, len(m.Items), p.dimension)
	if err != nil {
		return nil, err
	}
	count, err := recipe.CheckTensor(m, tensorCount, len(m.Items))
	if err != nil {
		return nil, err
	}
	if len(vectors.F32) != len(m.Items)*p.dimension {
		return nil, notFloats(tensorItems)
	}
	if len(count.I32) != len(m.Items) {
		return nil, attune.Errorf(attune.Invalid, "sequence model: %s must be int32", tensorCount)
	}
	return newScorer(l, w, vectors.F32, count.I32), nil
}

func notFloats(name string) error {
	return attune.Errorf(attune.Invalid, "sequence model: %s must be float32", name)
}

func newScorer(l *layout, w, vectors []float32, counts []int32) *scorer {
	s := &scorer{layout: l, w: newWeights(l, w), vectors: vectors, newborn: make([]float32, len(counts))}
	for i, n := range counts {
		s.newborn[i] = float32(math.Log(float64(max(n, 0)) + 0.5)) // half an event for those without: less than one, more than none
		if n <= 0 && kernel.Norm2(s.vector(int32(i))) == 0 {
			s.unknown = append(s.unknown, int32(i))
		}
	}
	for k := range s.w.forth {
		s.w.pack(l, k, false)
	}
	d := l.dimension
	s.keys.Pack(l.operand(l.layers[l.blocks-1].in.view(w).Part(0, d, d, 3*d)))
	s.readers.New = func() any { return &reader{net: net{layout: l}, state: make([]float32, l.dimension)} }
	return s
}

func (s *scorer) vector(item int32) []float32 {
	return s.vectors[int(item)*s.dimension : (int(item)+1)*s.dimension]
}

// Score is the inner product of every item with the state after the newest
// interaction; without a history it is popularity.
func (s *scorer) Score(ctx context.Context, q model.Query, dst []float32) error {
	if err := s.check(ctx, dst); err != nil {
		return err
	}
	r := s.readers.Get().(*reader)
	defer s.readers.Put(r)
	if !s.read(r, q.History) {
		copy(dst, s.newborn)
		return nil
	}
	kernel.Gemv(dst, s.vectors, r.state)
	s.lower(dst)
	return nil
}

// ScoreMany reads all histories first, and then goes over the items once.
func (s *scorer) ScoreMany(ctx context.Context, queries []model.Query, dst [][]float32) error {
	r := s.readers.Get().(*reader)
	defer s.readers.Put(r)
	known := make([][]float32, 0, len(queries))
	states := make([]float32, 0, len(queries)*s.dimension)
	for i, q := range queries {
		if err := s.check(ctx, dst[i]); err != nil {
			return err
		}
		if !s.read(r, q.History) {
			copy(dst[i], s.newborn)
			continue
		}
		known, states = append(known, dst[i]), append(states, r.state...)
	}
	kernel.GemvMany(known, s.vectors, states)
	for _, scores := range known {
		s.lower(scores)
	}
	return nil
}

func (s *scorer) check(ctx context.Context, dst []float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(dst) != len(s.newborn) {
		return attune.Errorf(attune.Internal, "%d scores asked for of a model with %d items", len(dst), len(s.newborn))
	}
	return nil
}

// lower gives items of which nothing is known the least score of all.
func (s *scorer) lower(scores []float32) {
	if len(s.unknown) == 0 {
		return
	}
	least := scores[0]
	for _, v := range scores {
		least = min(least, v)
	}
	for _, i := range s.unknown {
		scores[i] = least
	}
}

// read makes the state of who has the history, its newest max_length; false says
// that there is nothing to read.
func (s *scorer) read(r *reader, history []model.Touch) bool {
	p := &r.piece
	p.item, p.token = p.item[:0], p.token[:0]
	for k := len(history) - 1; k >= 0 && len(p.item) < s.length; k-- {
		t := history[k]
		if t.Item < 0 || int(t.Item) >= len(s.newborn) || !(t.Weight > 0) || math.IsInf(float64(t.Weight), 0) {
			continue
		}
		p.item, p.token = append(p.item, t.Item), append(p.token, 0)
	}
	n := len(p.item)
	if n == 0 {
		return false
	}
	for i := range n / 2 {
		p.item[i], p.item[n-1-i] = p.item[n-1-i], p.item[i]
	}
	p.start = append(p.start[:0], 0, n)
	r.embed(s.w, p, s.vector)
	for b := range s.blocks - 1 {
		r.block(s.w, p, b)
	}
	copy(r.state, r.newest(s.w, &s.keys, p))
	kernel.Scale(float32(s.scale), r.state)
	return true
}

// newest is the last layer and what follows, for the last token only: of the
// others it needs no more than keys and values. It comes to the bits of forward.
func (r *reader) newest(w *weights, keys *kernel.Packed, p *piece) []float32 {
	b, d, last := r.blocks-1, r.dimension, len(p.item)-1
	l, t := r.layers[b], &r.traces[b]
	each := d / r.heads
	z, hat, inv := r.take(last+1, d), r.take(last+1, d), r.slice(last+1)
	r.normalise(z, hat, inv, l.norm1.of(w.flat), l.shift1.of(w.flat))
	kv := r.take(last+1, 2*d)
	setRows(kv, l.inBias.of(w.flat)[d:3*d])
	r.times(kv, z, keys)
	t.in, t.mixed = r.take(1, l.in.cols), r.take(1, d)
	setRows(t.in, l.inBias.of(w.flat))
	r.times(t.in, z.Part(last, last+1, 0, d), &w.forth[b*packs+packIn])
	clear(t.mixed.Data)
	for h := range r.heads {
		at := h * each
		chance := r.take(1, last+1)
		clear(chance.Data)
		r.chances(chance, t.in.Part(0, 1, at, at+each), kv.Part(0, last+1, at, at+each), last, r.distance.view(w.flat).Row(h))
		r.gemm.NN(t.mixed.Part(0, 1, at, at+each), chance, kv.Part(0, last+1, d+at, d+at+each))
	}
	r.x = r.x.Part(last, last+1, 0, d)
	r.rest(w, b, p.token[last:])
	h := r.take(1, d)
	r.normalise(h, hat.Part(0, 1, 0, d), inv, r.norm.of(w.flat), r.shift.of(w.flat))
	return h.Data
}
