package kernel

// Axpy64 adds alpha·x to y, element by element. y is at least as long as x. The
// bits are the same in every tier.
func Axpy64(alpha float64, x, y []float64) { axpy64(alpha, x, y[:len(x)]) }

// Turn64 turns two vectors in their plane: x becomes c·x + s·y, and y becomes
// c·y - s·x. y is at least as long as x. The bits are the same in every tier.
func Turn64(c, s float64, x, y []float64) { turn64(c, s, x, y[:len(x)]) }

func axpy64Generic(alpha float64, x, y []float64) {
	for i, v := range x {
		y[i] += float64(alpha * v) // the conversion forbids fused multiply-add
	}
}

func turn64Generic(c, s float64, x, y []float64) {
	for i, v := range x {
		w := y[i]
		x[i], y[i] = float64(c*v)+float64(s*w), float64(c*w)-float64(s*v)
	}
}
