package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Both products equal one Axpy after another on every tier, bit for bit,
// whatever the number of columns and rows, and rows that occur twice.
func TestGatherAndScatter(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const rows = 30
	normal := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	same := func(a, b []float32) bool {
		return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
	}
	inTiers(t, func(t *testing.T) {
		for _, d := range []int{1, 2, 7, 8, 9, 16, 31, 32, 48, 64, 65, 127, 138, 200} {
			for _, n := range []int{0, 1, 2, 5, 40} {
				data, x, weight, index := normal(rows*d), normal(d), normal(n), make([]int32, n)
				for k := range index {
					index[k] = int32(r.IntN(rows))
				}
				got, want := slices.Clone(x), slices.Clone(x)
				Gather(got, data, index, weight)
				for k, i := range index {
					Axpy(weight[k], data[int(i)*d:int(i+1)*d], want)
				}
				if !same(got, want) {
					t.Fatalf("d = %d, %d rows: gathered %v, want %v", d, n, got, want)
				}
				into, expected := slices.Clone(data), slices.Clone(data)
				Scatter(into, x, index, weight)
				for k, i := range index {
					Axpy(weight[k], x, expected[int(i)*d:int(i+1)*d])
				}
				if !same(into, expected) {
					t.Fatalf("d = %d, %d rows: scattered %v, want %v", d, n, into, expected)
				}
			}
		}
	})
}

func TestGatherAndScatterLookWhereTheyReach(t *testing.T) {
	data := make([]float32, 6*16)[:4*16] // what lies behind is somebody else's
	for _, i := range []int32{4, 5, -1, math.MaxInt32} {
		for name, do := range map[string]func(){
			"gather":  func() { Gather(make([]float32, 16), data, []int32{0, i}, make([]float32, 2)) },
			"scatter": func() { Scatter(data, make([]float32, 16), []int32{0, i}, make([]float32, 2)) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s: row %d of 4 was reached", name, i)
					}
				}()
				do()
			}()
		}
	}
}

// Memory of any place and length may be fetched, its last line and none too.
func TestPrefetch(t *testing.T) {
	x := make([]int32, 1000)
	for from := range 40 {
		for _, n := range []int{0, 1, 15, 16, 17, 900} {
			Prefetch(x[from : from+n])
		}
	}
	Prefetch([]float32(nil))
}

func BenchmarkGather(b *testing.B) { benchmarkSparse(b, Gather) }

func BenchmarkScatter(b *testing.B) {
	benchmarkSparse(b, func(x, data []float32, index []int32, weight []float32) { Scatter(data, x, index, weight) })
}

// benchmarkSparse times a product beside one Axpy after another.
func benchmarkSparse(b *testing.B, product func(x, data []float32, index []int32, weight []float32)) {
	r := rand.New(rand.NewPCG(5, 6))
	const rows, n, many = 5000, 50, 50_000
	for _, d := range []int{16, 64, 138} {
		data, x, weight, index := make([]float32, rows*d), make([]float32, d), make([]float32, n), make([]int32, many)
		for k := range index {
			index[k] = int32(r.IntN(rows))
		}
		at := 0
		for name, do := range map[string]func([]int32){
			"whole": func(index []int32) { product(x, data, index, weight) },
			"axpy": func(index []int32) {
				for k, i := range index {
					Axpy(weight[k], data[int(i)*d:int(i+1)*d], x)
				}
			},
		} {
			b.Run(fmt.Sprintf("%s/%d", name, d), func(b *testing.B) {
				share(b, 2*n*float64(d), func() {
					at = (at + n) % (len(index) - n)
					do(index[at : at+n])
				})
			})
		}
	}
}
