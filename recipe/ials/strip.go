package ials

import (
	"context"
	"slices"

	"github.com/attune-io/attune/matrix"
	"github.com/attune-io/attune/recipe"
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
	name       string  // of the rows: stageUsers or stageItems
	matrix.CSR         // Of is a row's only where there are no strips
	strip      int     // rows of the other side in a strip; 0 where it is not cut
	batches    []batch // of which each row is in one
}

// batch is a block of rows. The observations of the long ones are stored strip
// by strip, and behind them those of the short ones as they are.
type batch struct {
	recipe.Block
	long, short []int32 // rows
	at          []int   // long row i in strip s has those from s·len(long)+i up to the next
}

// strip is how many rows a strip has; 0 for solvers that know none.
func (p parameters) strip() int {
	if p.size() > 0 {
		return 0
	}
	return stripBytes / (4 * p.dimension)
}

// newPairs takes m over and cuts its columns into strips of so many, unless that
// is 0, and its rows into batches of at most so many.
func newPairs(name string, m matrix.CSR, strip, batchRows int) *pairs {
	p := &pairs{name: name, CSR: m}
	if strip == 0 || m.Cols <= fewStrips*strip {
		return p
	}
	p.strip = strip
	var was matrix.CSR // Col and Value of a batch before
	for begin := 0; begin < m.Rows; {
		b := batch{Block: recipe.Block{From: begin, To: begin + 1}}
		for b.To < min(begin+batchRows, m.Rows) && p.Start[b.To]-p.Start[begin] < batchPairs {
			b.To++
		}
		p.lay(&b, &was)
		p.batches = append(p.batches, b)
		begin = b.To
	}
	return p
}

// lay puts the observations of a batch in order; was is scratch.
func (p *pairs) lay(b *batch, was *matrix.CSR) {
	start, end := p.Start[b.From], p.Start[b.To]
	var next []int // of each long row, the observation that comes next
	for row := b.From; row < b.To; row++ {
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

// halfStepInStrips is the second part of a half step where the standing side is in
// strips. A block is a batch: all processors work on it, for they share the strip
// in their caches, and one batch comes after another.
func (p parameters) halfStepInStrips(ctx context.Context, run recipe.Runner, to matrix.Dense, f *fixed, pairs *pairs) error {
	stage := recipe.Stage{Name: pairs.name, AtOnce: 1}
	for _, b := range pairs.batches {
		stage.Blocks = append(stage.Blocks, b.Block)
	}
	var failed error // of a stage within a block
	err := run(ctx, stage, func() func(recipe.Block) {
		s := &strips{parameters: p, fixed: f, run: run}
		return func(b recipe.Block) {
			at := slices.IndexFunc(pairs.batches, func(of batch) bool { return of.Block == b })
			if err := s.block(ctx, pairs.batches[at], &pairs.CSR, rows(to, b)); failed == nil {
				failed = err
			}
		}
	}, nil)
	if err == nil {
		err = failed
	}
	return err
}

// strips solves the rows of one batch after another.
type strips struct {
	parameters
	*fixed
	run     recipe.Runner
	memory  []float32
	systems []system // of the long rows

	batch                // the one at hand,
	observed *matrix.CSR // its observations,
	to       []float32   // and its factors
}

// block does what solver.block does with each row of a batch, to the bit.
func (s *strips) block(ctx context.Context, b batch, observed *matrix.CSR, to []float32) error {
	s.batch, s.observed, s.to = b, observed, to
	stages := []func() error{
		func() error { return s.turnRows(ctx) },
		func() error { return s.solveShort(ctx) },
		func() error { return s.setUp(ctx) },
		func() error { return s.pass(ctx, s.reach) },
		func() error { return s.all(ctx, func(y *system, _ int) { y.rz = precondition(y.p, y.m, y.r) }) },
	}
	for step := range s.steps {
		stages = append(stages,
			func() error { return s.all(ctx, func(y *system, _ int) { y.done = y.done || !s.direct(y, 0) }) },
			func() error { return s.pass(ctx, s.image) },
			func() error {
				return s.all(ctx, func(y *system, _ int) { y.done = y.done || !y.advance(step == s.steps-1) })
			})
	}
	for _, stage := range stages {
		if err := stage(); err != nil {
			return err
		}
	}
	return nil
}

// row is the factors of a row of the batch.
func (s *strips) row(row int) []float32 {
	d := len(s.spectrum)
	return s.to[(row-s.From)*d : (row-s.From+1)*d]
}

// turnRows turns all rows of the batch.
func (s *strips) turnRows(ctx context.Context) error {
	d := len(s.spectrum)
	return s.run(ctx, recipe.Stage{Name: stageTurn, Blocks: recipe.Cut(s.Len(), rowsAtOnce)}, func() func(recipe.Block) {
		turn := newSolver(s.parameters, s.fixed)
		return func(b recipe.Block) { turn.rotate(s.to[b.From*d : b.To*d]) }
	}, nil)
}

// solveShort solves the short rows, one by one.
func (s *strips) solveShort(ctx context.Context) error {
	// Behind the observations of the long rows.
	behind := make([]int, len(s.short)+1)
	behind[len(s.short)] = s.observed.Start[s.To]
	for i := len(s.short) - 1; i >= 0; i-- {
		row := s.short[i]
		behind[i] = behind[i+1] - (s.observed.Start[row+1] - s.observed.Start[row])
	}
	return s.run(ctx, recipe.Stage{Name: stageShort, Blocks: recipe.Cut(len(s.short), rowsAtOnce)}, func() func(recipe.Block) {
		one := newSolver(s.parameters, s.fixed)
		return func(b recipe.Block) {
			for i := b.From; i < b.To; i++ {
				left, right := behind[i], behind[i+1]
				one.solve(s.row(int(s.short[i])), s.observed.Col[left:right], s.observed.Value[left:right])
			}
		}
	}, nil)
}

// setUp begins the systems of the long rows.
func (s *strips) setUp(ctx context.Context) error {
	d := len(s.spectrum)
	size := systemSize * d
	if n := len(s.long); len(s.systems) < n {
		s.memory, s.systems = make([]float32, n*size), make([]system, n)
	}
	return s.all(ctx, func(y *system, i int) {
		*y = system{}
		y.place(s.memory[i*size:(i+1)*size], d)
		row := int(s.long[i])
		index, weight := s.observed.Of(row) // only how many there are matters to start
		s.start(s.parameters, y, s.row(row), index, weight)
		y.index, y.weight = nil, nil // pass hands them out
		s.residual(y)
	})
}

// all does something with the system of each long row.
func (s *strips) all(ctx context.Context, do func(y *system, i int)) error {
	return s.run(ctx, recipe.Stage{Name: stageLong, Blocks: recipe.Cut(len(s.long), rowsAtOnce)}, func() func(recipe.Block) {
		return func(b recipe.Block) {
			for i := b.From; i < b.To; i++ {
				do(&s.systems[i], i)
			}
		}
	}, nil)
}

// pass does something with all observations of the long rows, strip by strip, so
// that all processors have the same strip in their caches.
func (s *strips) pass(ctx context.Context, do func(y *system, index []int32, weight []float32)) error {
	for k := 0; k+1 < len(s.at); k += len(s.long) {
		if err := s.all(ctx, func(y *system, i int) {
			if left, right := s.at[k+i], s.at[k+i+1]; left < right && !y.done {
				do(y, s.observed.Col[left:right], s.observed.Value[left:right])
			}
		}); err != nil {
			return err
		}
	}
	return nil
}
