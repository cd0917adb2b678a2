package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestAdam(t *testing.T) {
	s := AdamStep{Scale: 0.5, Beta1: 0.9, Beta2: 0.98, Unbias: 3, Stride: 0.01, Epsilon: 1e-8, Keep: 0.999}
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(51, 52))
		for _, n := range append(lengths(40), 20_003) {
			w, m, v, g := random(r, n+2), random(r, n+2), random(r, n+2), random(r, n)
			for i := range v {
				v[i] *= v[i]
			}
			was := [][]float32{append([]float32(nil), w...), append([]float32(nil), m...), append([]float32(nil), v...)}
			Adam(w[1:n+1], m[1:n+1], v[1:n+1], g, s)
			for i := range w {
				ww, wm, wv := float64(was[0][i]), float64(was[1][i]), float64(was[2][i])
				if i > 0 && i <= n {
					x := float64(s.Scale) * float64(g[i-1])
					wm = float64(s.Beta1)*wm + (1-float64(s.Beta1))*x
					wv = float64(s.Beta2)*wv + (1-float64(s.Beta2))*x*x
					ww = float64(s.Keep)*ww - float64(s.Stride)*wm/(math.Sqrt(wv*float64(s.Unbias))+float64(s.Epsilon))
				}
				if math.Abs(float64(w[i])-ww) > 1e-5 || math.Abs(float64(m[i])-wm) > 1e-6 || math.Abs(float64(v[i])-wv) > 1e-5*wv {
					t.Fatalf("length %d, element %d: got %g %g %g, want %g %g %g", n, i-1, w[i], m[i], v[i], ww, wm, wv)
				}
			}
		}
	})
}

func TestLayerNorm(t *testing.T) {
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(53, 54))
		for n := 1; n <= 130; n++ {
			x, gain, shift := random(r, n), random(r, n), random(r, n)
			z, hat := random(r, n+1), random(r, n+1)
			guard := [2]float32{z[n], hat[n]}
			inv := float64(LayerNorm(z[:n], hat[:n], x, gain, shift, 1e-6))
			var mean, square float64
			for _, v := range x {
				mean += float64(v) / float64(n)
			}
			for _, v := range x {
				square += (float64(v) - mean) * (float64(v) - mean) / float64(n)
			}
			want := 1 / math.Sqrt(square+1e-6)
			if math.Abs(inv-want) > 1e-4*want || z[n] != guard[0] || hat[n] != guard[1] {
				t.Fatalf("length %d: one over the deviation is %g, want %g", n, inv, want)
			}
			for j, v := range x {
				h := (float64(v) - mean) * want
				if math.Abs(float64(hat[j])-h) > 1e-4*(1+math.Abs(h)) || math.Abs(float64(z[j])-h*float64(gain[j])-float64(shift[j])) > 1e-3 {
					t.Fatalf("length %d, element %d: got %g and %g, want %g", n, j, hat[j], z[j], h)
				}
			}
			if n > 2 {
				checkLayerNormBack(t, r, x, gain, shift)
			}
		}
	})
}

// checkLayerNormBack compares the gradient with the loss Σ z∘dz a little to either side.
func checkLayerNormBack(t *testing.T, r *rand.Rand, x, gain, shift []float32) {
	t.Helper()
	n := len(x)
	dz, z, hat := random(r, n), make([]float32, n), make([]float32, n)
	dx, dGain, dShift := random(r, n), make([]float32, n), make([]float32, n)
	before := append([]float32(nil), dx...)
	inv := LayerNorm(z, hat, x, gain, shift, 1e-6)
	LayerNormBack(dx, dz, hat, gain, dGain, dShift, inv)
	loss := func(x []float64) (sum float64) {
		var mean, square float64
		for _, v := range x {
			mean += v / float64(n)
		}
		for _, v := range x {
			square += (v - mean) * (v - mean) / float64(n)
		}
		for j, v := range x {
			sum += float64(dz[j]) * ((v-mean)/math.Sqrt(square+1e-6)*float64(gain[j]) + float64(shift[j]))
		}
		return sum
	}
	wide := make([]float64, n)
	for j, v := range x {
		wide[j] = float64(v)
	}
	for j := range x {
		const step = 1e-5
		wide[j] += step
		up := loss(wide)
		wide[j] -= 2 * step
		want := (up - loss(wide)) / (2 * step)
		wide[j] += step
		if got := float64(dx[j] - before[j]); math.Abs(got-want) > 2e-3*(1+math.Abs(want)) {
			t.Fatalf("length %d, element %d: gradient %g, want %g", n, j, got, want)
		}
		if math.Abs(float64(dGain[j]-dz[j]*hat[j])) > 1e-5 || dShift[j] != dz[j] {
			t.Fatalf("length %d, element %d: gradients of gain %g and shift %g", n, j, dGain[j], dShift[j])
		}
	}
}

func BenchmarkLayer(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 64
	x, y, z, gain, shift := random(r, n), random(r, n), random(r, n), random(r, n), random(r, n)
	b.Run("LayerNorm/64", func(b *testing.B) {
		share(b, 6*n, func() {
			LayerNorm(z, y, x, gain, shift, 1e-6)
		})
	})
	b.Run("LayerNormBack/64", func(b *testing.B) {
		share(b, 11*n, func() {
			LayerNormBack(z, y, x, gain, shift, shift, 1e-6)
		})
	})
	w, m, v, g := random(r, 4096), random(r, 4096), make([]float32, 4096), random(r, 4096)
	b.Run("Adam/4096", func(b *testing.B) {
		share(b, 13*4096, func() {
			Adam(w, m, v, g, AdamStep{1, 0.9, 0.999, 1, 1e-3, 1e-8, 1})
		})
	})
}
