package recipe_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/attune-io/attune/recipe"
)

// All blocks are computed once, whatever the machine has; progress ends at all
// rows; and no more are under way at once than a stage bears.
func TestRunEveryBlockOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, procs := range []int{1, 2, 7} {
		runtime.GOMAXPROCS(procs)
		for _, n := range []int{0, 1, 15, 16, 17, 1000} {
			times := make([]int32, n)
			var now, most atomic.Int32
			last := 0
			s := recipe.Stage{Name: "rows", Blocks: recipe.Cut(n, 16), AtOnce: 3}
			err := recipe.Run(t.Context(), s, func() func(recipe.Block) {
				return func(b recipe.Block) {
					if k := now.Add(1); k > most.Load() {
						most.Store(k)
					}
					for i := b.From; i < b.To; i++ {
						times[i]++
					}
					runtime.Gosched()
					now.Add(-1)
				}
			}, func(done, total int) {
				if done <= last || total != n {
					t.Errorf("%d of %d rows done after %d, of %d", done, total, last, n)
				}
				last = done
			})
			if err != nil || last != n || slices.ContainsFunc(times, func(k int32) bool { return k != 1 }) {
				t.Errorf("%d processors, %d rows: %v, %d told of, rows computed %v times", procs, n, err, last, times)
			}
			if most.Load() > 3 {
				t.Errorf("%d blocks at once", most.Load())
			}
		}
	}
}

// A stage that is told to end leaves out the blocks not yet begun.
func TestRunStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var done atomic.Int32
	err := recipe.Run(ctx, recipe.Stage{Name: "rows", Blocks: recipe.Cut(1000, 1)}, func() func(recipe.Block) {
		return func(recipe.Block) { done.Add(1); stop() }
	}, nil)
	if !errors.Is(err, context.Canceled) || int(done.Load()) > runtime.GOMAXPROCS(0) {
		t.Errorf("%v after %d blocks", err, done.Load())
	}
}

func TestCut(t *testing.T) {
	if got := recipe.Cut(10, 4); !slices.Equal(got, []recipe.Block{{From: 0, To: 4}, {From: 4, To: 8}, {From: 8, To: 10}}) {
		t.Errorf("10 rows by 4 are %v", got)
	}
	if got := recipe.Cut(0, 4); len(got) != 0 {
		t.Errorf("no rows are %v", got)
	}
}
