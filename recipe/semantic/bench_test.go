package semantic

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// described is a catalogue of items with a title of 6 words, a description of 60
// and two categories; words are Zipf's.
func described(items int) recipe.Input {
	r := rand.New(rand.NewPCG(1, 2))
	syllables := strings.Fields("ka lo mi ru te zo fy ban dur gop sel tri vun wex yar chi")
	words := make([]string, 50_000)
	for i := range words {
		for range 2 + r.IntN(3) {
			words[i] += syllables[r.IntN(len(syllables))]
		}
	}
	zipf := rand.NewZipf(r, 1.1, 10, uint64(len(words)-1))
	some := func(n int) string {
		of := make([]string, n)
		for i := range of {
			of[i] = words[zipf.Uint64()]
		}
		return strings.Join(of, " ")
	}
	kinds, titles, texts := make([]string, items), make([]string, items), make([]string, items)
	in := recipe.Input{Items: make([]string, items), Seed: 1}
	for i := range items {
		kinds[i], titles[i], texts[i] = fmt.Sprintf("kind%d|kind%d", r.IntN(30), r.IntN(30)), some(6), some(60)
	}
	in.ItemAttributes = &dataset.Attributes{Columns: []dataset.Column{{Name: "KIND", Categorical: true, Text: kinds},
		{Name: "TEXT", Textual: true, Text: texts}, {Name: "TITLE", Textual: true, Text: titles}}}
	return in
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

var catalogues = map[string]int{"10k": 10_000, "100k": 100_000}

// BenchmarkTrain reports the seconds that Coster estimates and the mebibytes
// that Sizer does, beside what it takes:
//
//	GOMAXPROCS=1 go test ./recipe/semantic -run xxx -bench Train -benchtime 1x
func BenchmarkTrain(b *testing.B) {
	for name, items := range catalogues {
		b.Run(name, func(b *testing.B) {
			in := described(items)
			before := processorTime(b)
			for b.Loop() {
				if _, err := New(nil).Train(b.Context(), in); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric((processorTime(b)-before).Seconds()/float64(b.N), "cpu-s/op")
			b.ReportMetric(New(nil).Seconds(in), "estimate-s")
			b.ReportMetric(float64(New(nil).Bytes(in)>>20), "estimate-MiB")
		})
	}
}

// BenchmarkScore is one request for items like an item; p50 is of 200 of them.
func BenchmarkScore(b *testing.B) {
	for name, items := range catalogues {
		b.Run(name, func(b *testing.B) {
			in := described(items)
			m, err := New(nil).Train(b.Context(), in)
			if err != nil {
				b.Fatal(err)
			}
			s, err := New(nil).Decode(m)
			if err != nil {
				b.Fatal(err)
			}
			before := processorTime(b)
			dst, took := make([]float32, items), make([]time.Duration, 200)
			for b.Loop() {
				for i := range took {
					began := time.Now()
					if err := s.Score(b.Context(), model.Query{Item: int32(i * 31 % items)}, dst); err != nil {
						b.Fatal(err)
					}
					took[i] = time.Since(began)
				}
			}
			cpu := processorTime(b) - before
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(cpu.Microseconds())/float64(b.N*len(took)), "cpu-µs/request")
			b.ReportMetric(float64(len(m.Tensors[tensorTerm].I32))/float64(items), "terms/item")
		})
	}
}
