package profile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

// BenchmarkFreshness is the time from an acknowledged append to its being in the history.
func BenchmarkFreshness(b *testing.B) {
	h := newHouse(b)
	h.run(quiet(), nil)
	h.keep.Watch(group)
	v := h.awaitSeq(h.append(did("u", "s", "i", 1)))
	took := make([]time.Duration, 0, b.N)
	i := int64(1)
	for b.Loop() {
		i++
		h.append(did("u", "s", "i", i))
		start := time.Now()
		for {
			if hist := v.History("u"); hist[len(hist)-1].At == i {
				break
			}
			time.Sleep(20 * time.Microsecond)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}

// BenchmarkHistory is what a recommendation pays, with 50,000 users.
func BenchmarkHistory(b *testing.B) {
	v := newView(defaultHistory, newVocabulary())
	f := &feed{t: b, v: v}
	for i := range 50_000 {
		f.add(did(fmt.Sprintf("user-%d", i), "s", "i", int64(i)))
	}
	keys := make([]string, 1024)
	for i := range keys {
		keys[i] = fmt.Sprintf("user-%d", i*37)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if len(v.History(keys[i%1024])) != 1 {
				b.Error("no history")
				return
			}
		}
	})
}

// BenchmarkFold is the pace of a replay, without reading the log: every event
// new, histories growing to their full length.
func BenchmarkFold(b *testing.B) {
	v := newView(defaultHistory, newVocabulary())
	records := make([]event.Record, 100_000)
	for i := range records {
		records[i].Body = did(fmt.Sprintf("user-%d", i*7919%1000), fmt.Sprintf("session-%d", i/10), fmt.Sprintf("item-%d", i*104729%5000), 0)
	}
	n := uint64(0)
	for b.Loop() {
		b.StopTimer()
		for i := range records {
			n++
			records[i].Seq.Message = n
			x := records[i].Body.(*event.Interaction)
			x.At, x.EventID = time.UnixMilli(int64(n)), fmt.Sprintf("event-%d", n)
		}
		b.StartTimer()
		if err := v.fold(b.Context(), nil, records); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkTable is the pace of taking in an import.
func BenchmarkTable(b *testing.B) {
	const rows = 200_000
	s := newStore(b)
	var csv strings.Builder
	csv.WriteString("USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP,DEVICE\n")
	for i := range rows {
		fmt.Fprintf(&csv, "user-%d,item-%d,Watch,,%d,tv\n", i*7919%5003, i*104729%2003, i*15485863%1_000_003)
	}
	makeTable(b, s, schema.Interactions, "table/d/1", csv.String())
	for b.Loop() {
		v := newView(defaultHistory, newVocabulary())
		if err := v.foldTable(b.Context(), reader(s), schema.Interactions, "table/d/1"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*rows/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkCheckpoint writes and reads back 1,000 users of 500 touches.
func BenchmarkCheckpoint(b *testing.B) {
	v := newView(defaultHistory, newVocabulary())
	f := &feed{t: b, v: v}
	for i := range 500_000 {
		x := did(fmt.Sprintf("user-%d", i%1000), "", fmt.Sprintf("item-%d", i%5000), int64(i)*1000)
		x.EventID = fmt.Sprint(i)
		f.add(x)
	}
	var buf bytes.Buffer
	for b.Loop() {
		buf.Reset()
		if err := v.capture(group).encode(&buf); err != nil {
			b.Fatal(err)
		}
		c, err := decode(bytes.NewReader(buf.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		c.restore()
	}
	b.ReportMetric(float64(buf.Len())/500_000, "bytes/touch")
}
