package dataset

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
)

// generated writes a CSV of n interactions with four columns to the store,
// without holding it. Users come in no order, items are skewed, times grow.
func generated(b testing.TB, s *artifact.Store, name string, n int) {
	b.Helper()
	w, err := s.Create(b.Context(), name)
	if err != nil {
		b.Fatal(err)
	}
	defer w.Abort()
	buf := []byte("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n")
	state := uint64(1)
	next := func() uint64 { // xorshift64*: quick, and the same every time
		state ^= state >> 12
		state ^= state << 25
		state ^= state >> 27
		return state * 0x2545F4914F6CDD1D >> 32
	}
	types := [...]string{"View", "AddToCart", "Purchase"}
	for i := range n {
		buf = append(buf, "user-"...)
		buf = strconv.AppendUint(buf, next()%uint64(max(1000, n/50)), 10)
		buf = append(buf, ",item-"...)
		buf = strconv.AppendUint(buf, next()%200*(next()%200), 10)
		buf = append(buf, ',')
		buf = strconv.AppendInt(buf, 1_700_000_000+int64(i), 10)
		buf = append(buf, ',')
		buf = append(buf, types[next()%3]...)
		buf = append(buf, '\n')
		if len(buf) > 1<<20 || i == n-1 {
			if _, err := w.Write(buf); err != nil {
				b.Fatal(err)
			}
			buf = buf[:0]
		}
	}
	if _, err := w.Commit(); err != nil {
		b.Fatal(err)
	}
}

// peakHeap samples the heap until stop is called, which gives the peak in MiB.
func peakHeap() (stop func() float64) {
	done, peak := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		var m runtime.MemStats
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse+m.StackInuse)
			select {
			case <-done:
				peak <- most
				return
			case <-tick.C:
			}
		}
	}()
	return func() float64 { close(done); return float64(<-peak) / (1 << 20) }
}

// BenchmarkImport measures one 4-column interactions file. ATTUNE_BENCH_LARGE=1 adds 10 M rows.
func BenchmarkImport(b *testing.B) {
	sizes := []int{100_000, 1_000_000}
	if os.Getenv("ATTUNE_BENCH_LARGE") != "" {
		sizes = append(sizes, 10_000_000)
	}
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := newStore(b)
			generated(b, s, "up/data.csv", n)
			spec := ImportSpec{Type: schema.Interactions, Schema: interactionsSchema(field("EVENT_TYPE", schema.String)),
				Location: "up/data.csv", Table: "table/d/i-1"}
			runtime.GC()
			stop := peakHeap()
			for b.Loop() {
				if _, err := Import(b.Context(), s, s, spec); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(stop(), "peak-MiB")
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkReadTable measures Batches over a million rows.
func BenchmarkReadTable(b *testing.B) {
	const n = 1_000_000
	s := newStore(b)
	generated(b, s, "up/data.csv", n)
	spec := ImportSpec{Type: schema.Interactions, Schema: interactionsSchema(field("EVENT_TYPE", schema.String)),
		Location: "up/data.csv", Table: "table/d/i-1"}
	if _, err := Import(b.Context(), s, s, spec); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		rows := 0
		for batch, err := range Batches(b.Context(), s, spec.Table) {
			if err != nil {
				b.Fatal(err)
			}
			rows += batch.Len
		}
		if rows != n {
			b.Fatal(rows)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
