package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// problem makes A = G + YᵀWY + ridge·I and a right-hand side, and A spelled out.
func problem(r *rand.Rand, d, n int) (w Weighted, b, full []float32) {
	base := random(r, 3*d*d)
	w.Gram = make([]float32, d*d)
	Gram(w.Gram, base, d)
	Mirror(w.Gram, d)
	w.Rows, w.Weight, w.Ridge = random(r, n*d), make([]float32, n), 0.5
	b, full = make([]float32, d), slices.Clone(w.Gram)
	for i := range n {
		w.Weight[i] = r.Float32() * 3
		row := w.Rows[i*d : (i+1)*d]
		Axpy(1+w.Weight[i], row, b)
		for j := range d {
			Axpy(w.Weight[i]*row[j], row, full[j*d:(j+1)*d])
		}
	}
	for j := range d {
		full[j*d+j] += w.Ridge
	}
	return w, b, full
}

func TestCGAgreesWithCholesky(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, d := range []int{1, 2, 7, 16, 65} {
		for _, n := range []int{0, 1, 5, 40} {
			w, b, full := problem(r, d, n)
			b[0]++ // so that n = 0 has something to solve
			want := slices.Clone(b)
			if !Cholesky(full, d) {
				t.Fatalf("d %d n %d: not positive definite", d, n)
			}
			CholeskySolve(full, d, want)
			got := make([]float32, d)
			NewCG(d).Solve(w, got, b, 4*d, 1e-6)
			for i := range got {
				if math.Abs(float64(got[i]-want[i])) > 1e-3*(1+math.Abs(float64(want[i]))) {
					t.Fatalf("d %d n %d element %d: CG %g, Cholesky %g", d, n, i, got[i], want[i])
				}
			}
		}
	}
}

func TestCholeskyRefusesIndefinite(t *testing.T) {
	nan := float32(math.NaN())
	for _, a := range [][]float32{{0}, {-1}, {nan}, {1, 2, 2, 1}, {1, 0, nan, 1}} {
		d := int(math.Sqrt(float64(len(a))))
		if Cholesky(slices.Clone(a), d) {
			t.Errorf("factored %v", a)
		}
	}
}

func TestCGStopsWhenDone(t *testing.T) {
	cg := NewCG(2)
	x := []float32{0, 0}
	w := Weighted{Gram: []float32{1, 0, 0, 1}}
	if n := cg.Solve(w, x, []float32{3, 4}, 50, 1e-6); n > 2 || x[0] != 3 || x[1] != 4 {
		t.Errorf("%d steps to %v", n, x)
	}
	if n := cg.Solve(w, []float32{0, 0}, []float32{0, 0}, 50, 1e-6); n != 0 {
		t.Errorf("%d steps for nothing", n)
	}
}

func BenchmarkSolve(b *testing.B) {
	w, rhs, _ := problem(rand.New(rand.NewPCG(1, 2)), 64, 100)
	cg, x := NewCG(64), make([]float32, 64)
	for b.Loop() {
		clear(x)
		cg.Solve(w, x, rhs, 3, 0)
	}
}
