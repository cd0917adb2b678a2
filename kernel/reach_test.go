package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Every tier comes near the sum in float64, whatever the number of rows, their
// length and where they lie.
func TestReach(t *testing.T) {
	before := tier
	defer func() { tier = before }()
	r := rand.New(rand.NewPCG(3, 4))
	for _, tier = range Tiers() {
		for _, d := range []int{1, 7, 8, 16, 20, 32, 48, 64, 100, 128, 256} {
			for n := range 14 {
				data, x := make([]float32, 30*d), make([]float32, d)
				for i := range data {
					data[i] = float32(r.NormFloat64())
				}
				index, weight := make([]int32, n), make([]float32, n)
				for k := range index {
					index[k], weight[k] = int32(r.IntN(30)), r.Float32()
				}
				dst, want := make([]float32, d), make([]float64, d)
				for j := range x {
					x[j], dst[j] = float32(r.NormFloat64()), float32(r.NormFloat64())
					want[j] = float64(dst[j])
				}
				a, b := []float32{0, 1, 0.5}[n%3], []float32{1, -1, 0}[n%3]
				size := 1.0
				for k, i := range index {
					y, dot := data[int(i)*d:int(i+1)*d], 0.0
					for j, v := range y {
						dot += float64(v) * float64(x[j])
					}
					f := float64(weight[k]) * (float64(a) + float64(b)*dot)
					for j, v := range y {
						want[j] += f * float64(v)
					}
					size += math.Abs(f)
				}
				Reach(dst, data, index, weight, x, a, b)
				for j, v := range dst {
					if !(math.Abs(float64(v)-want[j]) < 2e-6*size*math.Sqrt(float64(d))) {
						t.Fatalf("%s, d = %d, %d rows: element %d is %g, want %g", tier, d, n, j, v, want[j])
					}
				}
			}
		}
	}
}

func TestReachLooksWhereItReaches(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a row beyond the data was read")
		}
	}()
	Reach(make([]float32, 16), make([]float32, 64), []int32{0, 1, 2, 4}, make([]float32, 4), make([]float32, 16), 1, 1)
}

func BenchmarkReach(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	const rows, n = 20000, 72
	for _, d := range []int{64, 128, 256} {
		b.Run(fmt.Sprint(d), func(b *testing.B) {
			data, x, dst := make([]float32, rows*d), make([]float32, d), make([]float32, d)
			for i := range data {
				data[i] = r.Float32()
			}
			index, weight := make([]int32, n), make([]float32, n)
			for k := range index {
				index[k], weight[k] = int32(r.IntN(rows)), 1
			}
			for b.Loop() {
				Reach(dst, data, index, weight, x, 0, 1)
			}
			b.ReportMetric(float64(4*n*d)*float64(b.N)/b.Elapsed().Seconds()/1e9, "Gflop/s")
		})
	}
}
