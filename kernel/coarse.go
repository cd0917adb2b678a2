package kernel

import "math"

const (
	coarsePanel = 8  // items whose elements lie together, 4 at a time
	coarseGroup = 32 // items scanned at once
	// coarseSteps is how many steps a number is told apart by, to either side of 0.
	coarseSteps = 127
	// coarseLeast is the size of numbers below which rows count as 0, and one over
	// it what they may not be above, so that no product leaves the range of float32.
	coarseLeast = 1e-15
)

// Coarse is a block of rows in 8 bits each element: a quarter of the memory to
// pass over. It cannot tell a product with a row exactly, but what it must lie
// between, so that only few rows have to be looked at again. It is read only
// once made, so goroutines may share it.
type Coarse struct {
	rows, cols int
	data       []int8    // panels of 8 rows: 4 elements of each, then the next 4, the last ones filled up with 0
	scale      []float32 // of each row, filled up with 0: element ≈ scale · byte
	length     []float32 // at least that of the row of scaled bytes
	off        []float32 // at least the length of what rounding left of the row
}

// NewCoarse copies y (rows×cols). A row with a number that is none, or
// is beyond 10¹⁵, is one whose products may be anything.
func NewCoarse(y View) *Coarse {
	inside(y)
	padded := (y.Rows + coarseGroup - 1) / coarseGroup * coarseGroup
	quads := (y.Cols + 3) / 4
	c := &Coarse{rows: y.Rows, cols: y.Cols, data: make([]int8, padded*quads*4),
		scale: make([]float32, padded), length: make([]float32, padded), off: make([]float32, padded)}
	bytes := make([]int8, 4*quads)
	for i := range y.Rows {
		c.scale[i], c.length[i], c.off[i] = coarse(bytes, y.Row(i))
		panel := c.data[i/coarsePanel*coarsePanel*4*quads:]
		for q := range quads {
			copy(panel[(q*coarsePanel+i%coarsePanel)*4:], bytes[4*q:4*q+4])
		}
	}
	return c
}

// coarse writes x as bytes of a common scale, and says how long those are and
// what is left. Beyond x, bytes are 0.
func coarse(bytes []int8, x []float32) (scale, length, off float32) {
	most := float32(0)
	for _, v := range x {
		most = max(most, v, -v) // NaN for NaN
	}
	clear(bytes)
	if !(most <= 1/coarseLeast) {
		return 0, 0, float32(math.Inf(1))
	}
	if most < coarseLeast {
		return 0, 0, up(math.Sqrt(Norm2(x)) + coarseLeast*coarseLeast)
	}
	scale = most / coarseSteps
	var square, left float64
	for j, v := range x {
		b := max(-coarseSteps, min(coarseSteps, math.RoundToEven(float64(v)/float64(scale))))
		bytes[j] = int8(b)
		near := b * float64(scale)
		square += near * near
		left += (float64(v) - near) * (float64(v) - near)
	}
	return scale, up(math.Sqrt(square)), up(math.Sqrt(left))
}

// up is x in float32, rounded to more rather than less.
func up(x float64) float32 { return float32(x * (1 + 1e-6)) }

// Padded is how long the slices must be that Bounds writes.
func (c *Coarse) Padded() int { return len(c.scale) }

// Bounds writes for every row what Dot of it with query lies between. Both
// slices are Padded long; what stands beyond the rows has no meaning. It is
// false, and writes nothing, when query holds a number that is none, or numbers
// that are all below 10⁻¹⁵ or not all below 10¹⁵.
//
// A row is x = x̂ + e and the query y = ŷ + f, with bytes x̂, ŷ and what rounding
// left e, f. Then x·y - x̂·ŷ = x̂·f + e·y, at most |x̂||f| + |e||y| by Cauchy and
// Schwarz. Dot's own rounding is within cols·2⁻²⁴·|x||y| and is allowed for.
func (c *Coarse) Bounds(upper, lower, query []float32) bool {
	quads := (c.cols + 3) / 4
	bytes, size := make([]int8, 4*quads), make([]int8, 4*quads)
	scale, _, off := coarse(bytes, query[:c.cols])
	long := math.Sqrt(Norm2(query[:c.cols]))
	if scale == 0 || math.IsInf(float64(off), 0) {
		return false
	}
	for i, b := range bytes {
		size[i] = max(b, -b)
	}
	rounding := float64(c.cols+32) * 0x1p-23 * long
	a, b := up(float64(off)+rounding), up(long+rounding)
	upper, lower = upper[:c.Padded()], lower[:c.Padded()]
	done := c.boundsFast(upper, lower, size, bytes, scale, a, b)
	for i := done; i < c.rows; i++ {
		panel := c.data[i/coarsePanel*coarsePanel*4*quads:]
		var product int32
		for q := range quads {
			at := (q*coarsePanel + i%coarsePanel) * 4
			for j, v := range panel[at : at+4] {
				product += int32(v) * int32(bytes[4*q+j])
			}
		}
		near := float32(product) * c.scale[i] * scale
		within := float32(c.length[i]*a) + float32(c.off[i]*b)
		upper[i], lower[i] = near+within, near-within
	}
	return true
}
