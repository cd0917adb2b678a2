package ials

import (
	"context"
	"slices"

	"github.com/attune-io/attune/matrix"
)

const (
	// stripBytes is how much of the standing side passes by at a time: a part of
	// a third-level cache that others use as well.
	stripBytes = 4 << 20
	// fewStrips is up to how many strips the standing side is left whole.
	fewStrips = 2
	// visit is how many observations a row must have in a strip, on average, for
	// the visit to pay.
	visit = 16
	// batchBytes bounds the memory of a batch, in which each long row has a system.
	batchBytes = 16 << 20
	// batchPairs is with how many observations a batch ends: enough to read a strip
	// ten times over, and few enough to be put in order beside the data.
	batchPairs = 2 << 20
	// reachGroup is how many observations kernel.Reach adds at once: cut between
	// two groups, a sum has the same bits.
	reachGroup = 4
)

// pairs is the observations of each row of one side. Where the other side is too
// large for a cache, the long rows of a batch are solved together, one strip of
// the other side after another; and the observations are stored in the order in
// which they are met.
type pairs struct {
	matrix.CSR         // Of is a row's only where there are no strips
	strip      int     // rows of the other side in a strip; 0 where it is not cut
	batches    []batch // of which each row is in one
}

// batch is rows [begin, end). The observations of the long ones are stored strip
// by strip, and behind them those of the short ones as they are.
type batch struct {
	begin, end  int
	long, short []int32 // rows
	at          []int   // long row i in strip s has those from s·len(long)+i up to the next
}

// newPairs takes m over and cuts its columns into strips of so many, unless that
// is 0, and its rows into batches of at most so many.
func newPairs(m matrix.CSR, strip, batchRows int) *pairs {
	p := &pairs{CSR: m}
	if strip == 0 || m.Cols <= fewStrips*strip {
		return p
	}
	p.strip = strip
	var was matrix.CSR // Col and Value of a batch before
	for begin := 0; begin < m.Rows; {
		b := batch{begin: begin, end: begin + 1}
		for b.end < min(begin+batchRows, m.Rows) && p.Start[b.end]-p.Start[begin] < batchPairs {
			b.end++
		}
		p.lay(&b, &was)
		p.batches = append(p.batches, b)
		begin = b.end
	}
	return p
}

// lay puts the observations of a batch in order; was is scratch.
func (p *pairs) lay(b *batch, was *matrix.CSR) {
	start, end := p.Start[b.begin], p.Start[b.end]
	var next []int // of each long row, the observation that comes next
	for row := b.begin; row < b.end; row++ {
		if (p.Start[row+1]-p.Start[row])*p.strip >= visit*p.Cols {
			b.long, next = append(b.long, int32(row)), append(next, p.Start[row]-start)
		} else {
			b.short = append(b.short, int32(row))
		}
	}
	if len(b.long) == 0 {
		return
	}
	was.Col, was.Value = append(was.Col[:0], p.Col[start:end]...), append(was.Value[:0], p.Value[start:end]...)
	at := start
	put := func(from, to int) {
		copy(p.Col[at:], was.Col[from:to])
		at += copy(p.Value[at:], was.Value[from:to])
	}
	for first := 0; first < p.Cols; first += p.strip {
		border := int32(min(first+p.strip, p.Cols))
		for i, row := range b.long {
			b.at = append(b.at, at)
			from, to := next[i], p.Start[row+1]-start
			n, _ := slices.BinarySearch(was.Col[from:to], border)
			if n = (n + reachGroup - 1) / reachGroup * reachGroup; from+n < to {
				to = from + n
			}
			put(from, to)
			next[i] = to
		}
	}
	b.at = append(b.at, at)
	for _, row := range b.short {
		put(p.Start[row]-start, p.Start[row+1]-start)
	}
}

// strips solves the rows of one batch after another.
type strips struct {
	parameters
	*fixed
	*pairs
	to      matrix.Dense
	memory  []float32
	systems []system // of the long rows
}

// solve does what solver.solve does with each row of a batch, to the bit.
func (s *strips) solve(ctx context.Context, b batch) error {
	s.rows(ctx, b)
	s.pass(ctx, b, s.reach)
	s.all(ctx, b, func(y *system, _ int) { y.rz = precondition(y.p, y.m, y.r) })
	for step := range s.steps {
		s.all(ctx, b, func(y *system, _ int) { y.done = y.done || !s.direct(y, 0) })
		s.pass(ctx, b, s.image)
		s.all(ctx, b, func(y *system, _ int) { y.done = y.done || !y.advance(step == s.steps-1) })
	}
	return ctx.Err()
}

// rows turns all rows of a batch, solves the short ones and sets up the systems
// of the long ones.
func (s *strips) rows(ctx context.Context, b batch) {
	_ = each(ctx, b.end-b.begin, rowsAtOnce, func() func(from, to int) {
		turn := newSolver(s.parameters, s.fixed)
		return func(from, to int) { turn.rotate(s.to, b.begin+from, b.begin+to) }
	})
	// Behind the observations of the long rows.
	behind := make([]int, len(b.short)+1)
	behind[len(b.short)] = s.Start[b.end]
	for i := len(b.short) - 1; i >= 0; i-- {
		row := b.short[i]
		behind[i] = behind[i+1] - (s.Start[row+1] - s.Start[row])
	}
	_ = each(ctx, len(b.short), rowsAtOnce, func() func(from, to int) {
		one := newSolver(s.parameters, s.fixed)
		return func(from, to int) {
			for i := from; i < to; i++ {
				left, right := behind[i], behind[i+1]
				one.solve(s.to.Row(int(b.short[i])), s.Col[left:right], s.Value[left:right])
			}
		}
	})
	d := s.to.Cols
	size := systemSize * d
	if n := len(b.long); len(s.systems) < n {
		s.memory, s.systems = make([]float32, n*size), make([]system, n)
	}
	s.all(ctx, b, func(y *system, i int) {
		*y = system{}
		y.place(s.memory[i*size:(i+1)*size], d)
		row := int(b.long[i])
		index, weight := s.Of(row) // only how many there are matters to start
		s.start(s.parameters, y, s.to.Row(row), index, weight)
		y.index, y.weight = nil, nil // pass hands them out
		s.residual(y)
	})
}

// all does something with the system of each long row.
func (s *strips) all(ctx context.Context, b batch, do func(y *system, i int)) {
	_ = each(ctx, len(b.long), rowsAtOnce, func() func(from, to int) {
		return func(from, to int) {
			for i := from; i < to; i++ {
				do(&s.systems[i], i)
			}
		}
	})
}

// pass does something with all observations of the long rows, strip by strip, so
// that all processors have the same strip in their caches.
func (s *strips) pass(ctx context.Context, b batch, do func(y *system, index []int32, weight []float32)) {
	for k := 0; k+1 < len(b.at); k += len(b.long) {
		s.all(ctx, b, func(y *system, i int) {
			if left, right := b.at[k+i], b.at[k+i+1]; left < right && !y.done {
				do(y, s.Col[left:right], s.Value[left:right])
			}
		})
	}
}
