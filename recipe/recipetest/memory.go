package recipetest

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attune-io/attune/recipe"
)

const (
	// generous is how many times what a training takes its estimate may be: one
	// that is too high refuses what would have worked.
	generous = 4
	// fewBytes is what a training may take beside the data without telling, for
	// constants that do not matter where memory does.
	fewBytes = 1 << 20
	// collectAt is by how many percent the heap may grow between two collections,
	// so that what is measured is what is held, and not what is left lying about.
	collectAt = 5
	// hands is how many processors a training is measured with: each takes scratch.
	hands = 2
	// lookEvery is how long the heap is left alone: what lies longer is seen.
	lookEvery = 200 * time.Microsecond
)

// Memory trains on in, which should be large enough to hide constants, and asks
// that the estimate is no less than what the heap held at most beside in, and no
// more than a few times that. No other test may run beside it.
func Memory(t *testing.T, r recipe.Recipe, in recipe.Input) {
	t.Helper()
	sizer, ok := r.(recipe.Sizer)
	if !ok {
		t.Fatal("it does not tell what memory it takes")
	}
	took, told := heapOf(t, r, in), sizer.Bytes(in)
	t.Logf("told %.1f MiB, took %.1f MiB: %.2f", float64(told)/(1<<20), float64(took)/(1<<20), float64(told)/float64(took))
	if told+fewBytes < took {
		t.Errorf("it tells of %d bytes and takes %d", told, took)
	}
	if told > generous*(took+fewBytes) {
		t.Errorf("it tells of %d bytes, more than %d times the %d that it takes", told, generous, took)
	}
}

// heapOf is the most that the heap holds while r trains, beside what it held before.
func heapOf(t *testing.T, r recipe.Recipe, in recipe.Input) int64 {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(collectAt))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(hands))
	runtime.GC()
	runtime.GC() // what pools held is gone after two
	before := heapNow()
	var most atomic.Int64
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			most.Store(max(most.Load(), heapNow()))
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	m, err := r.Train(t.Context(), in)
	close(done)
	<-stopped
	if err != nil {
		t.Fatal(err)
	}
	took := max(most.Load(), heapNow()) - before
	runtime.KeepAlive(m)
	runtime.KeepAlive(in)
	return took
}

// heapNow is the bytes of the heap's objects, dead ones not yet collected among them.
func heapNow() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}
