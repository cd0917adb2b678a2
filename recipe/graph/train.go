package graph

import (
	"context"
	"math"
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

const (
	// rowsAtOnce is a block of rows of the filter, which are made together by one
	// product of two blocks of vectors.
	rowsAtOnce = 64
	// progressOfSpectrum is the share of Progress, of progressTotal, that goes to the spectrum.
	progressOfSpectrum, progressTotal = 500, 1000
	// The stages: lists of items, and lists for the users that filters are judged by.
	stageLists, stageCases = "lists", "cases"
)

// Train finds the spectrum of the graph, and the filter as factors and lists.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	p, err := resolve(in)
	if err != nil {
		return nil, err
	}
	in.Report(0, progressTotal)
	s := graphOf(in).normalised(p)
	err = s.decompose(ctx, p.rank, in.Seed, func(done, total int) { in.Report(progressOfSpectrum*done/total, progressTotal) })
	if err != nil {
		return nil, err
	}
	f := p.filterOf(s)
	lists, err := f.lists(ctx, in.Run, func(done, total int) {
		in.Report(progressOfSpectrum+(progressTotal-progressOfSpectrum)*done/total, progressTotal)
	})
	if err != nil {
		return nil, err
	}
	in.Report(progressTotal, progressTotal)
	n := 0
	for _, l := range lists {
		n += len(l.item)
	}
	if n > math.MaxInt32 {
		return nil, attune.Errorf(attune.Invalid, "%d neighbours in all are too many to store: lower %s below %d", n, ParamNeighbours, p.neighbours)
	}
	start, item, value := make([]int32, 1, len(in.Items)+1), make([]int32, 0, n), make([]float32, 0, n)
	for i, l := range lists {
		item, value = append(item, l.item...), append(value, l.value...)
		start = append(start, int32(len(item)))
		lists[i] = list{}
	}
	factors, ratio := f.factors()
	return &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: p.strings(in.Params), Seed: in.Seed, Scores: "softmax",
			Users: in.Users, Items: len(in.Items), Interactions: int64(in.Events.Len())},
		Items: in.Items,
		Tensors: map[string]model.Tensor{
			tensorStart:   {Shape: []int{len(start)}, I32: start},
			tensorItem:    {Shape: []int{n}, I32: item},
			tensorValue:   {Shape: []int{n}, F32: value},
			tensorFactors: {Shape: []int{factors.Rows, factors.Cols}, F32: factors.Data},
			tensorRatio:   {Shape: []int{len(ratio)}, F32: ratio},
			tensorCount:   {Shape: []int{len(s.count)}, I32: s.count},
		},
	}, nil
}

// Tensors of the model: beside what its factors say, item i adds to the items at
// [start[i], start[i+1]), in order of items.
const (
	tensorStart   = "neighbour_start" // items+1
	tensorItem    = "neighbour_item"  // rows of items
	tensorValue   = "neighbour_value" // what they get
	tensorFactors = "item_factors"    // items × factors
	tensorRatio   = "item_ratio"      // items: factors as the asker's, over factors as the asked
	tensorCount   = "item_count"      // items: distinct users of each, for those who come without a history
)

// filter is what scores are made of: F = D_i^(-input)·(c·NᵀN + V·diag(w)·Vᵀ)·D_i^(output).
type filter struct {
	*spectrum
	tail       float32   // c
	response   []float32 // h(λ), by eigenvalue
	whole      int       // eigenvectors kept as factors
	neighbours int       // kept of an item on average
	in, out    []float32 // by item: degrees to their powers
	keeps      []int     // by item: elements kept of its row
}

// filterOf is the filter that the parameters say.
func (p parameters) filterOf(s *spectrum) *filter {
	known := min(s.known(), p.rank)
	f := &filter{spectrum: s, tail: 1, response: make([]float32, known), whole: min(p.factors, known), neighbours: min(p.neighbours, len(s.count)),
		in: make([]float32, len(s.degree)), out: make([]float32, len(s.degree))}
	for k := range f.response {
		f.response[k] = float32(p.response(float64(s.lambda[k])))
	}
	if known > 0 {
		f.tail = float32(p.tail(float64(s.lambda[known-1])))
	}
	for i, d := range s.degree {
		f.in[i], f.out[i] = float32(power(d, -p.input)), float32(power(d, p.output))
	}
	f.keeps = shares(f.neighbours, s.count)
	return f
}

// fewest is what an item keeps in any case.
const fewest = 32

// shares divides neighbours, so many an item, by the square roots of the items'
// users: what is cut off a row is missed as often as its item is in a history.
func shares(neighbours int, count []int32) []int {
	sum := 0.0
	for _, n := range count {
		sum += math.Sqrt(float64(n))
	}
	out := make([]int, len(count))
	for i, n := range count {
		if n > 0 {
			share := int(math.Round(float64(neighbours) * float64(len(count)) * math.Sqrt(float64(n)) / sum))
			if out[i] = min(len(count), max(min(neighbours, fewest), share)); neighbours == len(count) {
				out[i] = neighbours
			}
		}
	}
	return out
}

// factors are √h(λ)·V, as who is asked has them, and what makes of them those of
// who asks.
func (f *filter) factors() (matrix.Dense, []float32) {
	m, ratio := matrix.NewDense(len(f.count), f.whole), make([]float32, len(f.count))
	for i := range m.Rows {
		if f.out[i] > 0 {
			ratio[i] = f.in[i] / f.out[i]
		}
		for k, v := range f.vectors.Row(i)[:f.whole] {
			m.Row(i)[k] = f.out[i] * v * float32(math.Sqrt(float64(f.response[k])))
		}
	}
	return m, ratio
}

// list is what one item adds to others.
type list struct {
	item  []int32
	value []float32
}

// lists are, of every row of the filter without what the factors say, the
// elements that are largest by size. Rows are independent, so who computes their
// blocks changes nothing but the time.
func (f *filter) lists(ctx context.Context, run recipe.Runner, progress func(done, total int)) ([]list, error) {
	out := make([]list, len(f.count))
	if f.neighbours == 0 {
		return out, ctx.Err()
	}
	right := f.right()
	packed := new(kernel.Packed)
	packed.PackT(kernel.NewView(right.Data, max(1, right.Cols)))
	err := run(ctx, recipe.Stage{Name: stageLists, Blocks: recipe.Cut(len(out), rowsAtOnce)}, func() func(recipe.Block) {
		m := &maker{filter: f, right: right, packed: packed, row: matrix.NewDense(rowsAtOnce, len(out)), left: matrix.NewDense(rowsAtOnce, len(f.response))}
		return func(b recipe.Block) { m.block(b, out[b.From:b.To]) }
	}, progress)
	return out, err
}

// right is V without the columns beyond the response.
func (f *filter) right() matrix.Dense {
	k := len(f.response)
	if k == f.vectors.Cols {
		return f.vectors
	}
	m := matrix.NewDense(f.vectors.Rows, k)
	for i := range m.Rows {
		copy(m.Row(i), f.vectors.Row(i))
	}
	return m
}

// maker is the scratch of one goroutine.
type maker struct {
	*filter
	right     matrix.Dense
	packed    *kernel.Packed // its transpose, shared
	left, row matrix.Dense   // rowsAtOnce × eigenvalues, and × items
	tally     [buckets]int   // elements of a row by size
	chosen    []int32        // elements that may be among the largest
	border    []int32        // those of the last bucket, and their sizes
	size      []float32
	top       []int32
	gemm      kernel.Gemm
}

// block makes the rows of a block and keeps their largest elements.
// What the factors say is left out of them: w_k = h(λ_k) of the others only, and
// -c·λ_k for all, which c·NᵀN has besides.
func (m *maker) block(of recipe.Block, out []list) {
	k := len(m.response)
	clear(m.row.Data[:len(out)*m.row.Cols])
	if k > 0 {
		for b := range out {
			v, left := m.right.Row(of.From+b), m.left.Row(b)
			for j, lambda := range m.lambda[:k] {
				w := -m.tail * lambda
				if j >= m.whole {
					w += m.response[j]
				}
				left[j] = m.in[of.From+b] * w * v[j]
			}
		}
		m.gemm.NNPacked(kernel.NewView(m.row.Data[:len(out)*m.row.Cols], m.row.Cols), kernel.NewView(m.left.Data[:len(out)*k], k), m.packed)
	}
	for b := range out {
		out[b] = m.largest(of.From+b, m.row.Row(b))
	}
}

// fetched is how many histories ahead are brought near.
const fetched = 4

// largest adds c·NᵀN to a row, scales it, and takes its largest elements.
func (m *maker) largest(i int, row []float32) list {
	if m.count[i] == 0 {
		return list{}
	}
	users, mine := m.byItem.Of(i)
	for k, u := range users {
		if ahead := k + fetched; ahead < len(users) { // histories lie far apart
			items, theirs := m.byUser.Of(int(users[ahead]))
			kernel.Prefetch(items)
			kernel.Prefetch(theirs)
		}
		items, theirs := m.byUser.Of(int(u))
		v := m.in[i] * m.tail * mine[k]
		for l, j := range items {
			row[j] += v * theirs[l]
		}
	}
	kernel.Mul(row, row, m.out)
	return m.keep(row, m.keeps[i])
}

// buckets of the size of a float32: its exponent and three bits.
const buckets = 1 << 11

func bucket(v float32) uint32 { return math.Float32bits(v) << 1 >> 21 }

// keep takes the largest elements of a row by their buckets, which are told
// without comparing; only those of the last bucket that has room are compared.
// The list is in order of items, of which equals keep the first.
func (m *maker) keep(row []float32, most int) list {
	m.choose(row, most)
	clear(m.tally[:])
	for _, j := range m.chosen {
		m.tally[bucket(row[j])]++
	}
	last, room := uint32(buckets-1), most
	for last > 0 && m.tally[last] <= room {
		room -= m.tally[last]
		last--
	}
	m.border, m.size = m.border[:0], m.size[:0]
	if last > 0 { // else there is room for all that are more than nothing
		for _, j := range m.chosen {
			if bucket(row[j]) == last {
				m.border, m.size = append(m.border, j), append(m.size, float32(math.Abs(float64(row[j]))))
			}
		}
		m.top = kernel.TopK(m.top[:0], m.size, room, nil)
		slices.Sort(m.top)
	}
	l := list{item: make([]int32, 0, most), value: make([]float32, 0, most)}
	next := 0 // in top, which are places in border
	for _, j := range m.chosen {
		b := bucket(row[j])
		if b < last || b == 0 {
			continue
		}
		if b == last {
			if next == len(m.top) || m.border[m.top[next]] != j {
				continue
			}
			next++
		}
		l.item, l.value = append(l.item, j), append(l.value, row[j])
	}
	return l
}

// sampled is one of how many elements choose looks at first.
const sampled = 16

// choose lists the elements that may be among the largest: all above what a
// sample says is about twice too low, or all if that leaves too few.
func (m *maker) choose(row []float32, most int) {
	clear(m.tally[:])
	for j := 0; j < len(row); j += sampled {
		m.tally[bucket(row[j])]++
	}
	floor, seen := uint32(buckets-1), m.tally[buckets-1]
	for floor > 0 && seen*sampled < 2*most+8*sampled {
		floor--
		seen += m.tally[floor]
	}
	for {
		least := floor << 20 // the bits of the smallest size in its bucket
		m.chosen = m.chosen[:0]
		for j, v := range row {
			if math.Float32bits(v)&^signBit >= least {
				m.chosen = append(m.chosen, int32(j))
			}
		}
		if len(m.chosen) >= most || floor == 0 {
			return
		}
		floor = 0
	}
}

const signBit = 1 << 31
