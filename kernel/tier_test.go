package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// inTiers runs a test in every tier that this machine has; in short, on one with
// AVX-512, without those that other machines have too: there .ci/wide is slow.
func inTiers(t *testing.T, test func(t *testing.T)) {
	for _, one := range Tiers() {
		if testing.Short() && one < AVX512 && has(AVX512) {
			continue
		}
		t.Run(one.String(), func(t *testing.T) {
			before := tier
			tier = one
			defer func() { tier = before }()
			test(t)
		})
	}
}

func TestChoose(t *testing.T) {
	all := Tiers()
	best := all[len(all)-1]
	if got := choose(""); got != best {
		t.Errorf("chose %s, the best is %s", got, best)
	}
	for _, one := range all {
		if got := choose(one.String()); got != one {
			t.Errorf("%s was forced, %s was chosen", one, got)
		}
	}
	if got := choose("abacus"); got != best {
		t.Errorf("an unknown tier gave %s", got)
	}
	if all[0] != Generic || Tier(200).String() != "unknown" {
		t.Error("every machine has plain Go")
	}
}

// elementwise are the kernels that do the same to each element: what they make
// of dst from a and b, in float64.
var elementwise = []struct {
	name string
	do   func(dst, a, b []float32)
	want func(dst, a, b float64) float64
}{
	{"Axpy", func(dst, a, _ []float32) { Axpy(-1.7, a, dst) }, func(dst, a, _ float64) float64 { return dst + float64(float32(-1.7))*a }},
	{"Scale", func(dst, _, _ []float32) { Scale(0.3, dst) }, func(dst, _, _ float64) float64 { return dst * float64(float32(0.3)) }},
	{"Add", Add, func(_, a, b float64) float64 { return a + b }},
	{"Mul", Mul, func(_, a, b float64) float64 { return a * b }},
	{"Reciprocal", func(dst, a, _ []float32) { Reciprocal(dst, a, 0.25) }, func(_, a, _ float64) float64 {
		if a > 0.25 {
			return 1 / a
		}
		return 4 // also where a is no number
	}},
	{"MulAdd", MulAdd, func(dst, a, b float64) float64 { return dst + a*b }},
}

func checkElementwise(t *testing.T, r *rand.Rand, n int, odd bool) {
	t.Helper()
	offset := r.IntN(4)
	a, b, guard := random(r, n+offset)[offset:], random(r, n+offset)[offset:], random(r, n+4)
	if odd {
		special(r, a)
		special(r, b)
		special(r, guard)
		for _, x := range [][]float32{a, b, guard} {
			for i, v := range x {
				if v == math.MaxFloat32 { // plain Go rounds products, and may leave the range where the sum does not
					x[i] = 1e18
				}
			}
		}
	}
	for _, k := range elementwise {
		dst := append([]float32(nil), guard...)
		k.do(dst[2:n+2], a, b)
		for i, v := range dst {
			want := float64(guard[i])
			if i >= 2 && i < n+2 {
				want = k.want(want, float64(a[i-2]), float64(b[i-2]))
			}
			// The exact result may be what two finite numbers make in float64 and not in float32.
			if near := math.Abs(float64(v)-want) <= 3e-7*(math.Abs(want)+math.Abs(float64(guard[i])))+1e-37; !near && !same(v, float32(want)) {
				t.Fatalf("%s, length %d, element %d: got %g, want %g", k.name, n, i-2, v, want)
			}
		}
	}
}

func TestElementwise(t *testing.T) {
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(31, 32))
		for n := 0; n <= 130; n++ {
			checkElementwise(t, r, n, false)
			checkElementwise(t, r, n, true)
		}
		checkElementwise(t, r, 2*65536+77, false)
	})
}

func FuzzElementwise(f *testing.F) {
	f.Add(uint64(1), uint16(40), true)
	f.Fuzz(func(t *testing.T, seed uint64, n uint16, odd bool) {
		inTiers(t, func(t *testing.T) { checkElementwise(t, rand.New(rand.NewPCG(seed, 33)), int(n), odd) })
	})
}

func TestSums(t *testing.T) {
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(34, 35))
		for _, n := range append(lengths(130), 65536, 200_001) {
			x := random(r, n+3)[3:]
			var sum, size, square float64
			top := math.Inf(-1)
			for _, v := range x {
				sum += float64(v)
				size += math.Abs(float64(v))
				square += float64(v) * float64(v)
				top = max(top, float64(v))
			}
			if got := float64(Sum(x)); math.Abs(got-sum) > 1e-6*size {
				t.Fatalf("sum of %d: got %g, want %g", n, got, sum)
			}
			if got := Norm2(x); math.Abs(got-square) > 1e-12*square {
				t.Fatalf("squared length of %d: got %g, want %g", n, got, square)
			}
			if got := float64(Max(x)); got != top {
				t.Fatalf("largest of %d: got %g, want %g", n, got, top)
			}
			if n == 0 {
				continue
			}
			x[r.IntN(n)] = float32(math.NaN())
			at := r.IntN(n)
			x[at] = 77
			if got := Max(x); got != 77 {
				t.Fatalf("largest of %d with a NaN: got %g, want 77 at %d", n, got, at)
			}
		}
	})
}

func lengths(n int) []int {
	all := make([]int, n+1)
	for i := range all {
		all[i] = i
	}
	return all
}

func TestGram(t *testing.T) {
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(38, 39))
		var m Gemm
		for _, d := range []int{1, 3, 8, 15, 16, 17, 31, 50, 64, 100} {
			for _, n := range []int{0, 1, 2, 5, 40, 257} {
				if n > 40 && d%16 > 2 {
					continue // the rest of the columns and several slices of rows are apart from each other
				}
				y, w, before := loose(r, n, d), random(r, n), random(r, d*d)
				for _, weight := range [][]float32{nil, w} {
					g := append(append([]float32(nil), before...), 1, 2)
					m.Gram(g[:d*d], y, weight)
					if g[d*d] != 1 || g[d*d+1] != 2 {
						t.Fatalf("d %d n %d: wrote outside", d, n)
					}
					for i := range d {
						for j := i; j < d; j++ {
							want := float64(before[i*d+j])
							size := math.Abs(want)
							for k := range n {
								x := float64(y.Row(k)[i]) * float64(y.Row(k)[j])
								if weight != nil {
									x *= float64(w[k])
								}
								want += x
								size += math.Abs(x)
							}
							if math.Abs(float64(g[i*d+j])-want) > 1e-6*size {
								t.Fatalf("d %d n %d weighted %t at %d, %d: got %g, want %g", d, n, weight != nil, i, j, g[i*d+j], want)
							}
						}
					}
				}
			}
		}
	})
}

func BenchmarkGram(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, s := range [][2]int{{80, 64}, {80, 128}, {80, 256}, {20000, 64}, {20000, 128}, {20000, 256}} {
		n, d := s[0], s[1]
		y, w, g := NewView(random(r, n*d), d), random(r, n), make([]float32, d*d)
		var m Gemm
		for name, weight := range map[string][]float32{"plain": nil, "weighted": w} {
			b.Run(fmt.Sprintf("%s/%dx%d", name, n, d), func(b *testing.B) {
				share(b, float64(n)*float64(d)*float64(d+1), func() {
					m.Gram(g, y, weight)
				})
			})
		}
	}
}

func BenchmarkVector(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{64, 128, 256, 4096} {
		x, y := random(r, n), random(r, n)
		for name, do := range map[string]func(){
			"Dot": func() { Dot(x, y) }, "Axpy": func() { Axpy(1e-9, x, y) }, "MulAdd": func() { MulAdd(y, x, x) },
			"Norm2": func() { Norm2(x) }, "Sum": func() { Sum(x) }, "Max": func() { Max(x) },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				share(b, 2*float64(n), func() {
					do()
				})
			})
		}
	}
}
