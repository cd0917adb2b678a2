package matrix

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"github.com/attune-io/attune/kernel"

	"github.com/attune-io/attune"
)

// full is a dense matrix as a sparse one, zeros left out.
func full(m Dense) CSR {
	c := CSR{Rows: m.Rows, Cols: m.Cols, Start: []int{0}}
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			if v != 0 {
				c.Col, c.Value = append(c.Col, int32(j)), append(c.Value, v)
			}
		}
		c.Start = append(c.Start, len(c.Col))
	}
	return c
}

// basis is n×k with orthonormal columns, by Gram and Schmidt.
func basis(r *rand.Rand, n, k int) [][]float64 {
	var out [][]float64
	for len(out) < k {
		v := make([]float64, n)
		for i := range v {
			v[i] = r.NormFloat64()
		}
		for range 2 {
			for _, w := range out {
				kernel.Axpy64(-dot64(v, w), w, v)
			}
		}
		norm := math.Sqrt(dot64(v, v))
		for i := range v {
			v[i] /= norm
		}
		out = append(out, v)
	}
	return out
}

// known is a matrix of the given singular values, and its right vectors.
func known(r *rand.Rand, rows, cols int, s []float64) (Dense, [][]float64) {
	u, v := basis(r, rows, len(s)), basis(r, cols, len(s))
	m := NewDense(rows, cols)
	for i := range rows {
		for j := range cols {
			var sum float64
			for k, size := range s {
				sum += size * u[k][i] * v[k][j]
			}
			m.Row(i)[j] = float32(sum)
		}
	}
	return m, v
}

func TestTruncatedSVDOfAKnownSpectrum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var spectrum []float64
	for k := range 40 {
		spectrum = append(spectrum, 5*math.Pow(0.85, float64(k)))
	}
	for _, size := range [][2]int{{150, 90}, {60, 200}} {
		m, v := known(r, size[0], size[1], spectrum)
		got, err := TruncatedSVD(t.Context(), full(m), 12, SVDOptions{Seed: 3, Iterations: 6})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.S) != 12 || got.V.Rows != size[1] || got.V.Cols != 12 {
			t.Fatalf("%d values, vectors %v", len(got.S), got.V)
		}
		for k, s := range got.S {
			if math.Abs(float64(s)-spectrum[k]) > 1e-3*spectrum[k] {
				t.Errorf("%v: singular value %d is %g, want %g", size, k, s, spectrum[k])
			}
			var along float64
			for j := range got.V.Rows {
				along += float64(got.V.Row(j)[k]) * v[k][j]
			}
			if math.Abs(math.Abs(along)-1) > 2e-3 {
				t.Errorf("%v: vector %d lies along the true one by %g", size, k, along)
			}
		}
		checkOrthonormal(t, got.V, 12)
	}
}

func checkOrthonormal(t *testing.T, v Dense, rank int) {
	t.Helper()
	for a := range v.Cols {
		for b := range a + 1 {
			var sum float64
			for j := range v.Rows {
				sum += float64(v.Row(j)[a]) * float64(v.Row(j)[b])
			}
			want := 0.0
			if a == b && a < rank {
				want = 1
			}
			if math.Abs(sum-want) > 1e-4 {
				t.Errorf("vector %d · vector %d is %g", a, b, sum)
			}
		}
	}
}

func TestTruncatedSVDOfLowRank(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	m, _ := known(r, 50, 30, []float64{4, 2, 1})
	got, err := TruncatedSVD(t.Context(), full(m), 10, SVDOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range []float64{4, 2, 1, 0, 0, 0, 0, 0, 0, 0} {
		if math.Abs(float64(got.S[k])-want) > 1e-3 {
			t.Errorf("singular values %v", got.S)
			break
		}
	}
	checkOrthonormal(t, got.V, 3)
}

func TestTruncatedSVDEnds(t *testing.T) {
	for _, m := range []CSR{{Start: []int{0}}, {Cols: 4, Start: []int{0}}, {Rows: 3, Start: []int{0, 0, 0, 0}}, full(NewDense(3, 4))} {
		got, err := TruncatedSVD(t.Context(), m, 5, SVDOptions{})
		if err != nil || len(got.S) != min(5, m.Rows, m.Cols) || got.V.Rows != m.Cols || got.V.Cols != len(got.S) {
			t.Errorf("%v: %+v, %v", m, got, err)
		}
		for _, v := range append(got.S, got.V.Data...) {
			if v != 0 {
				t.Errorf("%v: %+v", m, got)
			}
		}
	}
	bad := full(Dense{Rows: 2, Cols: 2, Data: []float32{1, float32(math.NaN()), 2, 3}})
	if _, err := TruncatedSVD(t.Context(), bad, 1, SVDOptions{}); attune.KindOf(err) != attune.Invalid {
		t.Errorf("of what is no number: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := TruncatedSVD(ctx, full(NewDense(3, 4)), 1, SVDOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestTruncatedSVDSameBits(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	m := NewDense(700, 300)
	for range 6000 {
		m.Data[r.IntN(len(m.Data))] = 1
	}
	a := full(m)
	var want SVD
	for n, procs := range []int{1, 2, 7} {
		before := runtime.GOMAXPROCS(procs)
		got, err := TruncatedSVD(t.Context(), a, 20, SVDOptions{Seed: 9})
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			want = got
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("with %d processors the decomposition is another", procs)
		}
	}
}

func TestSymmetricEigen(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, n := range []int{1, 2, 3, 8, 33, 60} {
		for name, make2 := range map[string]func(i, j int) float64{
			"random": func(i, j int) float64 { return r.NormFloat64() }, "one": func(i, j int) float64 { return 1 },
			"zero": func(i, j int) float64 { return 0 }, "tiny": func(i, j int) float64 { return 3e-161 * (1 + r.Float64()) }, "diagonal": func(i, j int) float64 { return float64((i % 4) * (1 - min(1, i-j))) }} {
			a := make([]float64, n*n)
			for i := range n {
				for j := range i + 1 {
					a[i*n+j] = make2(i, j)
					a[j*n+i] = a[i*n+j]
				}
			}
			spoilt := append([]float64(nil), a...)
			values, vectors, ok := symmetricEigen(spoilt, n)
			if !ok {
				t.Fatalf("%s of %d: no answer", name, n)
			}
			for k, value := range values {
				v := vectors[k*n : (k+1)*n]
				for i := range n {
					if got := dot64(a[i*n:(i+1)*n], v); math.Abs(got-value*v[i]) > 1e-10*float64(n) {
						t.Fatalf("%s of %d: value %d is %g, but row %d gives %g for %g", name, n, k, value, i, got, v[i])
					}
				}
				for l := range k {
					if along := dot64(v, vectors[l*n:(l+1)*n]); math.Abs(along) > 1e-10 {
						t.Fatalf("%s of %d: vectors %d and %d are %g along", name, n, k, l, along)
					}
				}
				if k > 0 && values[k-1] < value || math.Abs(dot64(v, v)-1) > 1e-10 {
					t.Fatalf("%s of %d: values %v", name, n, values)
				}
			}
		}
	}
}

func TestCSR(t *testing.T) {
	m := NewUserItems(3, 4, []int32{2, 0, 2, 2, 0}, []int32{3, 1, 0, 3, 0}, []float32{1, 2, 3, 4, 5})
	c := m.CSR()
	if !reflect.DeepEqual(c.Transpose(), m.Transpose().CSR()) || c.String() != "sparse 3 × 4, 4 values" {
		t.Errorf("%v turned is %+v", c, c.Transpose())
	}
	x, got := Dense{Rows: 4, Cols: 2, Data: []float32{1, 2, 3, 4, 5, 6, 7, 8}}, Dense{Rows: 3, Cols: 2, Data: []float32{9, 9, 9, 9, 9, 9}}
	if err := c.Mul(t.Context(), got, x); err != nil {
		t.Fatal(err)
	}
	if want := []float32{5*1 + 2*3, 5*2 + 2*4, 0, 0, 3*1 + 5*7, 3*2 + 5*8}; !reflect.DeepEqual(got.Data, want) {
		t.Errorf("got %v, want %v", got.Data, want)
	}
}

// The product without the tall one between is what it is with it, bit for bit,
// whatever the width and the number of processors; rows and matrices may be empty.
func TestMulNormal(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(7, 8))
	var user, item []int32
	for range 3000 {
		user, item = append(user, int32(r.IntN(400))), append(item, int32(40*math.Pow(r.Float64(), 2)))
	}
	for _, a := range []CSR{NewUserItems(450, 45, user, item, nil).CSR(), NewUserItems(0, 3, nil, nil, nil).CSR(), NewUserItems(2, 0, nil, nil, nil).CSR()} {
		for _, width := range []int{0, 1, 9, 16, 65, 138} {
			x := NewDense(a.Cols, width)
			for i := range x.Data {
				x.Data[i] = float32(r.NormFloat64())
			}
			tall, want := NewDense(a.Rows, width), NewDense(a.Cols, width)
			if err := errors.Join(a.Mul(t.Context(), tall, x), a.Transpose().Mul(t.Context(), want, tall)); err != nil {
				t.Fatal(err)
			}
			for _, procs := range []int{1, 2, 7} {
				runtime.GOMAXPROCS(procs)
				got := NewDense(a.Cols, width)
				for i := range got.Data {
					got.Data[i] = 5 // is replaced
				}
				if err := a.MulNormal(t.Context(), got, x); err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%s, %d columns, %d processors: another product", a, width, procs)
				}
			}
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	a := NewUserItems(450, 45, user, item, nil).CSR()
	if err := a.MulNormal(ended, NewDense(45, 8), NewDense(45, 8)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

func BenchmarkTruncatedSVD(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	var user, item []int32
	for range 400_000 {
		user, item = append(user, int32(r.IntN(15000))), append(item, int32(20000*math.Pow(r.Float64(), 3)))
	}
	a := NewUserItems(15000, 20000, user, item, nil).CSR()
	for _, rank := range []int{64, 256} {
		b.Run(fmt.Sprint(rank), func(b *testing.B) {
			for b.Loop() {
				if _, err := TruncatedSVD(b.Context(), a, rank, SVDOptions{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
