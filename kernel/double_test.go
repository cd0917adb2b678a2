package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Every tier gives the bits of plain Go, and writes nowhere else.
func TestDouble(t *testing.T) {
	before := tier
	defer func() { tier = before }()
	r := rand.New(rand.NewPCG(61, 62))
	for _, n := range append(lengths(40), 256, 65536+77) {
		x, y := make([]float64, n+1), make([]float64, n+2)
		for i := range x {
			x[i], y[i] = r.NormFloat64(), r.NormFloat64()
		}
		c, s := r.NormFloat64(), r.NormFloat64()
		added, turnedX, turnedY := slices.Clone(y), slices.Clone(x), slices.Clone(y)
		for i, v := range x[:n] {
			w := y[i]
			added[i] = w + float64(c*v)
			turnedX[i], turnedY[i] = float64(c*v)+float64(s*w), float64(c*w)-float64(s*v)
		}
		for _, tier = range Tiers() {
			a, b := slices.Clone(x), slices.Clone(y)
			Axpy64(c, a[:n], b)
			if !slices.Equal(a, x) || !slices.Equal(b, added) {
				t.Fatalf("%s, length %d: Axpy64 differs from plain Go", tier, n)
			}
			b = slices.Clone(y)
			Turn64(c, s, a[:n], b)
			if !slices.Equal(a, turnedX) || !slices.Equal(b, turnedY) {
				t.Fatalf("%s, length %d: Turn64 differs from plain Go", tier, n)
			}
		}
	}
}
