package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The solution, put into the equations in float64, leaves next to nothing.
func TestCholesky(t *testing.T) {
	inTiers(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 12))
		for _, d := range []int{1, 2, 7, 16, 65} {
			a, b := make([]float32, d*d), random(r, d)
			Gram(a, random(r, 3*d*d), d)
			Mirror(a, d)
			for j := range d {
				a[j*d+j] += 0.5
			}
			factor, x := slices.Clone(a), slices.Clone(b)
			if !Cholesky(factor, d) {
				t.Fatalf("d %d: not positive definite", d)
			}
			CholeskySolve(factor, d, x)
			for i, want := range b {
				sum, size := 0.0, 1.0
				for j, v := range x {
					part := float64(a[i*d+j]) * float64(v)
					sum, size = sum+part, size+math.Abs(part)
				}
				if math.Abs(sum-float64(want)) > 1e-5*size {
					t.Fatalf("d %d: row %d gives %g, want %g", d, i, sum, want)
				}
			}
		}
	})
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
