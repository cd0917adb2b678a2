package ease

import (
	"context"
	"math"
	"slices"

	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/recipe"
)

const (
	// localSteps and localTolerance end the conjugate gradients of one item: what
	// is left then is far below what could change the order of two items.
	localSteps     = 40
	localTolerance = 1e-4
	// pairEntries bounds the stored part of G: 2.4 GB.
	pairEntries = 300_000_000
	// searchFrom is from how many entries per neighbour on a row is searched for
	// them instead of read from end to end.
	searchFrom = 16
)

// local solves for each item by itself, with its nearest neighbours as the only
// items that may predict it: B_Nj = (G_NN + Λ_N)⁻¹ G_Nj. That is the closed form
// of a small catalogue made for item j; the neighbours are those of the largest
// cosine, as in Ning, Karypis: SLIM (ICDM 2011), section 4.2. Items do not depend
// on each other.
func (t *training) local(ctx context.Context, in recipe.Input) ([]list, error) {
	n := t.byItem.Items
	steps := progress{in: in, all: 3 * n} // a third each for G, the items and turning the weights around
	in.Report(0, steps.all)
	g := &sparse{row: make([]list, n), diagonal: make([]float32, n)}
	t.diagonal(g.diagonal)
	limit := entriesOfRow(t.neighbourhood, n)
	if err := steps.run(ctx, stageGram, n, func() func(recipe.Block) {
		c := t.newCounter(g.diagonal, limit)
		return func(b recipe.Block) { c.block(b, g.row[b.From:b.To]) }
	}); err != nil {
		return nil, err
	}
	ridge := t.ridge(func(i int) float32 { return g.diagonal[i] })
	columns := make([]list, n)
	if err := steps.run(ctx, stageColumns, n, func() func(recipe.Block) {
		s := newRegression(g, ridge, t.neighbourhood)
		return func(b recipe.Block) { s.block(b, columns[b.From:b.To]) }
	}); err != nil {
		return nil, err
	}
	return t.turn(ctx, &steps, columns)
}

// entriesOfRow is how many entries of a row of G are kept for a neighbourhood.
func entriesOfRow(neighbourhood, items int) int {
	return max(4*neighbourhood, pairEntries/max(1, items))
}

// sparse is G: the diagonal, and by item the others it shares users with, ascending.
type sparse struct {
	row      []list
	diagonal []float32
}

// diagonal writes G_ii.
func (t *training) diagonal(to []float32) {
	for i := range to {
		users, weight := t.byItem.Of(i)
		for k, u := range users {
			to[i] += float32(weight[k] * float32(weight[k]*t.squared[u]))
		}
	}
}

// counter is the scratch of one goroutine that makes rows of G.
type counter struct {
	*training
	limit  int       // entries kept of a row
	size   []float32 // by item: the square root of G_ii
	sum    []float32 // by item; zero between calls
	others []int32
	score  []float32
	top    []int32
}

func (t *training) newCounter(diagonal []float32, limit int) *counter {
	c := &counter{training: t, limit: limit, size: make([]float32, len(diagonal)), sum: make([]float32, len(diagonal))}
	for i, d := range diagonal {
		c.size[i] = float32(math.Sqrt(float64(d)))
	}
	return c
}

// block makes the rows of G of a block.
func (c *counter) block(b recipe.Block, out []list) {
	for k := range out {
		out[k] = c.count(b.From + k)
	}
}

// count makes row i of G, of which at most limit entries with the largest cosine are kept.
func (c *counter) count(i int) list {
	c.others = c.others[:0]
	users, mine := c.byItem.Of(i)
	for k, u := range users {
		x := mine[k] * c.squared[u]
		if x == 0 {
			continue
		}
		items, theirs := c.byUser.Of(int(u))
		for l, j := range items {
			if c.sum[j] == 0 && theirs[l] != 0 {
				c.others = append(c.others, j)
			}
			c.sum[j] += float32(x * theirs[l])
		}
	}
	c.score, c.top = c.score[:0], c.top[:0]
	for at, j := range c.others {
		if int(j) != i {
			c.score, c.top = append(c.score, c.sum[j]/c.size[j]), append(c.top, int32(at))
		} else {
			c.score = append(c.score, float32(math.Inf(-1)))
		}
	}
	if len(c.top) > c.limit {
		c.top = kernel.TopK(c.top[:0], c.score, c.limit, nil)
	}
	for k, at := range c.top {
		c.top[k] = c.others[at]
	}
	slices.Sort(c.top)
	l := list{item: slices.Clone(c.top), weight: make([]float32, len(c.top))}
	for k, j := range l.item {
		l.weight[k] = c.sum[j]
	}
	for _, j := range c.others {
		c.sum[j] = 0
	}
	return l
}

// regression is the scratch of one goroutine that solves for items.
type regression struct {
	*sparse
	ridge   []float32
	most    int       // neighbours
	at      []int32   // by item: its place among the neighbours, -1 for others
	m       []float32 // G_NN + Λ_N
	score   []float32
	top     []int32
	x, b, r []float32
	p, q    []float32
}

func newRegression(g *sparse, ridge []float32, most int) *regression {
	most = min(most, len(ridge))
	s := &regression{sparse: g, ridge: ridge, most: most, at: make([]int32, len(ridge)), m: make([]float32, most*most)}
	for i := range s.at {
		s.at[i] = -1
	}
	for _, v := range []*[]float32{&s.x, &s.b, &s.r, &s.p, &s.q} {
		*v = make([]float32, most)
	}
	return s
}

// block solves for the items of a block.
func (s *regression) block(b recipe.Block, out []list) {
	for k := range out {
		out[k] = s.column(b.From + k)
	}
}

// column is what item j is predicted from.
func (s *regression) column(j int) list {
	row := s.row[j]
	s.score = s.score[:0]
	for k, i := range row.item {
		s.score = append(s.score, row.weight[k]/float32(math.Sqrt(float64(s.diagonal[i]))))
	}
	s.top = kernel.TopK(s.top[:0], s.score, s.most, nil)
	slices.Sort(s.top)
	n := len(s.top)
	l := list{item: make([]int32, n), weight: make([]float32, n)}
	for k, at := range s.top {
		l.item[k], s.b[k] = row.item[at], row.weight[at]
		s.at[l.item[k]] = int32(k)
	}
	s.fill(l.item)
	s.solve(n)
	copy(l.weight, s.x)
	for _, i := range l.item {
		s.at[i] = -1
	}
	return l
}

// fill makes G_NN + Λ_N.
func (s *regression) fill(items []int32) {
	n := len(items)
	m := s.m[:n*n]
	clear(m)
	for k, i := range items {
		m[k*n+k] = s.diagonal[i] + s.ridge[i]
		of := s.row[i]
		if len(of.item) > searchFrom*n {
			for l, j := range items {
				if at, found := slices.BinarySearch(of.item, j); found {
					m[k*n+l], m[l*n+k] = of.weight[at], of.weight[at]
				}
			}
			continue
		}
		for at, j := range of.item {
			if l := int(s.at[j]); l >= 0 {
				m[k*n+l], m[l*n+k] = of.weight[at], of.weight[at]
			}
		}
	}
}

// solve finds x with m·x = b for n unknowns by conjugate gradients, with the
// diagonal as preconditioner.
func (s *regression) solve(n int) {
	x, r, p, q, m := s.x[:n], s.r[:n], s.p[:n], s.q[:n], s.m[:n*n]
	clear(x)
	copy(r, s.b[:n])
	scaled := func(z []float32) float64 { // z ← r / diagonal
		var rz float64
		for k, v := range r {
			z[k] = v / m[k*n+k]
			rz += float64(v) * float64(z[k])
		}
		return rz
	}
	rz := scaled(p)
	small := rz * localTolerance * localTolerance
	for range localSteps {
		if !(rz > small) {
			return
		}
		kernel.Gemv(q, m, p)
		pq := float64(kernel.Dot(p, q))
		if !(pq > 0) { // entries that were not kept can make m indefinite
			return
		}
		alpha := float32(rz / pq)
		kernel.Axpy(alpha, p, x)
		kernel.Axpy(-alpha, q, r)
		next := scaled(q)
		beta := float32(next / rz)
		for k, v := range q {
			p[k] = v + float32(beta*p[k])
		}
		rz = next
	}
}

// turn makes lists by the item that gives of lists by the item that gets.
func (t *training) turn(ctx context.Context, steps *progress, columns []list) ([]list, error) {
	count := make([]int, len(columns))
	for _, c := range columns {
		for _, i := range c.item {
			count[i]++
		}
	}
	all := make([]list, len(columns))
	for i, n := range count {
		all[i] = list{item: make([]int32, 0, n), weight: make([]float32, 0, n)}
	}
	for j, c := range columns {
		for k, i := range c.item {
			all[i].item, all[i].weight = append(all[i].item, int32(j)), append(all[i].weight, c.weight[k])
		}
		columns[j] = list{}
	}
	err := steps.run(ctx, stageWeights, len(all), func() func(recipe.Block) {
		var c trimmer
		return func(b recipe.Block) { c.block(all[b.From:b.To], t.kept) }
	})
	return all, err
}

// trimmer is the scratch of one goroutine that cuts lists.
type trimmer struct {
	size []float32
	top  []int32
}

// block keeps the largest weights of each list.
func (c *trimmer) block(lists []list, kept int) {
	for i, whole := range lists {
		c.size = slices.Grow(c.size[:0], len(whole.item))[:len(whole.item)]
		var l list
		l, c.top = largest(whole.weight, c.size, c.top, kept)
		for k, at := range l.item {
			l.item[k] = whole.item[at]
		}
		lists[i] = l
	}
}
