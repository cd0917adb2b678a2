package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// loose is a rows×cols view with some slack at the end of each row, in a slice
// whose other elements are a guard.
func loose(r *rand.Rand, rows, cols int) View {
	stride := cols + r.IntN(4)
	offset := r.IntN(4)
	return View{random(r, rows*stride+offset+3)[offset:], rows, cols, stride}
}

func (v View) clone() View { v.Data = append([]float32(nil), v.Data...); return v }

func (v View) transposed() View {
	w := View{make([]float32, v.Rows*v.Cols), v.Cols, v.Rows, v.Rows}
	for i := range v.Rows {
		for j, x := range v.Row(i) {
			w.Data[j*w.Stride+i] = x
		}
	}
	return w
}

// products are the ways to multiply, each given A (m×k) and B (k×n) as stored for NN.
var products = []struct {
	name string
	do   func(g *Gemm, c, a, b View)
}{
	{"NN", func(g *Gemm, c, a, b View) { g.NN(c, a, b) }},
	{"NT", func(g *Gemm, c, a, b View) { g.NT(c, a, b.transposed()) }},
	{"TN", func(g *Gemm, c, a, b View) { g.TN(c, a.transposed(), b) }},
	{"NNPacked", func(g *Gemm, c, a, b View) { var p Packed; p.Pack(b); g.NNPacked(c, a, &p) }},
	{"NNPackedT", func(g *Gemm, c, a, b View) { var p Packed; p.PackT(b.transposed()); g.NNPacked(c, a, &p) }},
	{"TNPacked", func(g *Gemm, c, a, b View) { var p Packed; p.Pack(b); g.TNPacked(c, a.transposed(), &p) }},
}

// reference is c + a·b in float64, and what its sums are of without signs; m×n.
func reference(c, a, b View) (want, size []float64) {
	for i := range a.Rows {
		for j := range b.Cols {
			w := float64(c.Data[i*c.Stride+j])
			s := math.Abs(w)
			for l := range a.Cols {
				x := float64(a.Data[i*a.Stride+l]) * float64(b.Data[l*b.Stride+j])
				w += x
				s += math.Abs(x)
			}
			want, size = append(want, w), append(size, s)
		}
	}
	return want, size
}

// checkProduct compares one product with float64 and with what was outside C.
func checkProduct(t *testing.T, r *rand.Rand, g *Gemm, m, k, n int) {
	t.Helper()
	a, b, c := loose(r, m, k), loose(r, k, n), loose(r, m, n)
	wants, sizes := reference(c, a, b)
	for _, p := range products {
		got := c.clone()
		p.do(g, got, a, b)
		for at, v := range got.Data {
			i, j := 0, at
			if c.Stride > 0 {
				i, j = at/c.Stride, at%c.Stride
			}
			if i >= m || j >= n {
				if v != c.Data[at] {
					t.Fatalf("%s %d×%d×%d: wrote outside C at %d, %d", p.name, m, k, n, i, j)
				}
				continue
			}
			want, size := wants[i*n+j], sizes[i*n+j]
			if !(math.Abs(float64(v)-want) <= 1e-6*size+1e-30) {
				t.Fatalf("%s %d×%d×%d at %d, %d: got %g, want %g", p.name, m, k, n, i, j, v, want)
			}
		}
	}
}

func TestGemm(t *testing.T) {
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(21, 22))
		var g Gemm
		for m := range 15 {
			for _, n := range []int{0, 1, 7, 15, 16, 17, 33, 50} {
				for _, k := range []int{0, 1, 3, 4, 7, 8, 9, 19} {
					checkProduct(t, r, &g, m, k, n)
				}
			}
		}
		for _, s := range [][3]int{{50, 64, 50}, {31, 257, 40}, {200, 300, 20}, {7, 600, 1100}, {700, 64, 3}, {25, 65, 260}} {
			checkProduct(t, r, &g, s[0], s[1], s[2])
		}
	})
}

// An element must not depend on what is multiplied beside it.
func TestGemmElementStandsAlone(t *testing.T) {
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(23, 24))
		var g Gemm
		for _, s := range [][3]int{{40, 64, 70}, {30, 300, 33}, {64, 520, 16}} {
			m, k, n := s[0], s[1], s[2]
			a, b, c := loose(r, m, k), loose(r, k, n), loose(r, m, n)
			for _, p := range products {
				all := c.clone()
				p.do(&g, all, a, b)
				for range 20 {
					i, j := r.IntN(m), r.IntN(n)
					to, right := i+1+r.IntN(m-i), j+1+r.IntN(n-j)
					part := c.clone()
					p.do(&g, part.Part(i, to, j, right), a.Part(i, to, 0, k), b.Part(0, k, j, right))
					for row := i; row < to; row++ {
						for col := j; col < right; col++ {
							if part.Row(row)[col] != all.Row(row)[col] {
								t.Fatalf("%s %v: %d, %d differs alone: %g and %g", p.name, s, row, col, part.Row(row)[col], all.Row(row)[col])
							}
						}
					}
				}
			}
		}
	})
}

func TestGemmKeepsNaNWhereItIs(t *testing.T) {
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(25, 26))
		var g Gemm
		for _, p := range products {
			a, b, c := loose(r, 20, 30), loose(r, 30, 37), loose(r, 20, 37)
			a.Row(7)[3] = float32(math.NaN())
			b.Row(4)[36] = float32(math.Inf(1))
			p.do(&g, c, a, b)
			for i := range 20 {
				for j, v := range c.Row(i) {
					if bad := i == 7 || j == 36; bad != (math.IsNaN(float64(v)) || math.IsInf(float64(v), 0)) {
						t.Fatalf("%s: %g at %d, %d", p.name, v, i, j)
					}
				}
			}
		}
	})
}

func TestGemmRefusesSizesThatDoNotFit(t *testing.T) {
	for name, wrong := range map[string]func(g *Gemm){
		"inner": func(g *Gemm) {
			g.NN(NewView(make([]float32, 4), 2), NewView(make([]float32, 4), 2), NewView(make([]float32, 6), 2))
		},
		"outer": func(g *Gemm) {
			g.NT(NewView(make([]float32, 4), 2), NewView(make([]float32, 4), 2), NewView(make([]float32, 6), 2))
		},
		"short": func(g *Gemm) {
			g.NN(View{make([]float32, 3), 2, 2, 2}, NewView(make([]float32, 4), 2), NewView(make([]float32, 4), 2))
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("went through")
				}
			}()
			wrong(new(Gemm))
		})
	}
}

func FuzzGemm(f *testing.F) {
	f.Add(uint64(1), uint8(6), uint8(16), uint8(16))
	f.Add(uint64(2), uint8(13), uint8(33), uint8(50))
	f.Fuzz(func(t *testing.T, seed uint64, m, k, n uint8) {
		inTiers(t, func(t *testing.T) {
			checkProduct(t, rand.New(rand.NewPCG(seed, 9)), new(Gemm), int(m), int(k), int(n))
		})
	})
}

func BenchmarkGemm(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][3]int{{64, 64, 64}, {256, 256, 256}, {1024, 1024, 1024}, {6400, 64, 64}, {50, 64, 50}, {112, 64, 3500}, {64, 6400, 64}, {112, 3500, 64}} {
		m, k, n := s[0], s[1], s[2]
		a, w, c := NewView(random(r, m*k), k), NewView(random(r, k*n), n), NewView(make([]float32, m*n), n)
		at, wt := a.transposed(), w.transposed()
		var g Gemm
		var p Packed
		p.Pack(w)
		for name, do := range map[string]func(){
			"NN": func() { g.NN(c, a, w) }, "NT": func() { g.NT(c, a, wt) }, "TN": func() { g.TN(c, at, w) },
			"packed": func() { g.NNPacked(c, a, &p) },
		} {
			b.Run(fmt.Sprintf("%s/%dx%dx%d", name, m, k, n), func(b *testing.B) {
				share(b, 2*float64(m)*float64(k)*float64(n), func() {
					do()
				})
			})
		}
	}
}
