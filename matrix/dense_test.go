package matrix

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/attune-io/attune/kernel"
)

// Blocks of every size are zeros that can be written, with large pages or without.
func TestNewDense(t *testing.T) {
	for _, n := range []int{0, 1, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3 << 20} {
		m := NewDense(n, 1)
		for i, v := range m.Data {
			if v != 0 {
				t.Fatalf("%d rows: row %d is %g", n, i, v)
			}
			m.Data[i] = 1
		}
		if len(m.Data) != n {
			t.Fatalf("%d rows have %d values", n, len(m.Data))
		}
	}
}

// What a row costs that lies anywhere in a block, within the caches and beyond.
func BenchmarkGather(b *testing.B) {
	const d, n = 64, 2000
	r := rand.New(rand.NewPCG(1, 2))
	for _, rows := range []int{2000, 20_000, 200_000} {
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			m, x, dst := NewDense(rows, d), make([]float32, d), make([]float32, d)
			for i := range m.Data {
				m.Data[i] = r.Float32()
			}
			index, weight := make([]int32, 1<<20), make([]float32, n)
			for k := range index {
				index[k] = int32(r.IntN(rows))
			}
			at := 0
			for b.Loop() {
				kernel.Reach(dst, m.Data, index[at:at+n], weight, x, 0, 1)
				if at += n; at+n > len(index) {
					at = 0
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
		})
	}
}
