package recipe

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// Block is rows [From, To) of a stage: what is computed at once, by one pair of hands.
type Block struct{ From, To int }

// Len is the number of rows.
func (b Block) Len() int { return b.To - b.From }

// Cut parts rows [0, n) into blocks of size, the last of what is left. It depends
// on nothing else, least of all on how many processors there are.
func Cut(n, size int) []Block {
	out := make([]Block, 0, (n+size-1)/size)
	for from := 0; from < n; from += size {
		out = append(out, Block{from, min(from+size, n)})
	}
	return out
}

// Stage is a part of a training in which no row depends on another: half a sweep
// of factors, lists of neighbours, columns of weights. All blocks read the same,
// which stands still, and each writes rows of its own and nothing else. So they
// can be computed in any order, and anywhere: what they are computed of is known
// before the first begins. ADR 13.
type Stage struct {
	Name   string  // "users": what its rows are
	Blocks []Block // every row once
	// AtOnce is how many blocks are computed at once at most: those that take much
	// memory, or in which all processors work on stages of their own; 0 for any.
	AtOnce int
}

// Runner computes every block of a stage. worker makes what computes one block
// after another, with its scratch; what it makes is used by one goroutine at a
// time. told, unless nil, hears how many rows are done of how many: never fewer
// than before, never by two at once. The error is ctx's, with blocks left out.
type Runner func(ctx context.Context, s Stage, worker func() func(Block), told func(done, total int)) error

// Run is the Runner of this machine: all processors take blocks from one queue.
func Run(ctx context.Context, s Stage, worker func() func(Block), told func(done, total int)) error {
	hands := min(runtime.GOMAXPROCS(0), len(s.Blocks))
	if s.AtOnce > 0 {
		hands = min(hands, s.AtOnce)
	}
	p := progress{told: told}
	for _, b := range s.Blocks {
		p.total += b.Len()
	}
	var next atomic.Int64
	var working sync.WaitGroup
	for range hands {
		working.Go(func() {
			do := worker()
			for ctx.Err() == nil {
				k := int(next.Add(1)) - 1
				if k >= len(s.Blocks) {
					return
				}
				do(s.Blocks[k])
				p.add(s.Blocks[k].Len())
			}
		})
	}
	working.Wait()
	return ctx.Err()
}

// progress of a stage, from many goroutines.
type progress struct {
	sync.Mutex
	done, total int
	told        func(done, total int)
}

func (p *progress) add(rows int) {
	if p.told == nil {
		return
	}
	p.Lock()
	defer p.Unlock()
	p.done += rows
	p.told(p.done, p.total)
}

// Run computes a stage of the training, as Runner says.
func (in Input) Run(ctx context.Context, s Stage, worker func() func(Block), told func(done, total int)) error {
	run := in.Runner
	if run == nil {
		run = Run
	}
	return run(ctx, s, worker, told)
}
