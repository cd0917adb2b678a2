package dataset

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

// BenchmarkFreeze measures Freeze and then Open of imported interactions.
// ATTUNE_BENCH_LARGE=1 adds 10 M rows.
func BenchmarkFreeze(b *testing.B) {
	sizes := []int{100_000, 1_000_000}
	if os.Getenv("ATTUNE_BENCH_LARGE") != "" {
		sizes = append(sizes, 10_000_000)
	}
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := newStore(b)
			generated(b, s, "up/data.csv", n)
			rep, err := Import(b.Context(), s, s, ImportSpec{Type: schema.Interactions, Schema: interactionsSchema(field("EVENT_TYPE", schema.String)),
				Location: "up/data.csv", Table: "table/d/i-1"})
			if err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			stop := peakHeap()
			round := 0
			for b.Loop() {
				round++
				info, err := freeze(b.Context(), records(&event.Imported{Dataset: "INTERACTIONS", Table: rep.Table, Mode: event.Full, Rows: rep.Rows, Job: "j"}), s,
					FreezeSpec{Group: event.Group(fmt.Sprintf("g%d", round)), AsOf: epoch})
				if err != nil {
					b.Fatal(err)
				}
				if _, err := Open(b.Context(), s, info.Name); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(stop(), "peak-MiB")
		})
	}
}
