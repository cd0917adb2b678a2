package filter

import "math"

// Numbers copies a column of numbers into dst (whose memory is used again), for
// rows 0 … n-1; NaN where a row has none. A name is found without case if no
// column has it exactly.
func (c *Columns) Numbers(name string, n int, dst []float64) []float64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	dst = dst[:0]
	if col := c.find(name); col != nil {
		for _, key := range col.num[:min(n, len(col.num))] {
			x := math.NaN()
			if key != noNumber {
				x = key.float()
			}
			dst = append(dst, x)
		}
	}
	for len(dst) < n {
		dst = append(dst, math.NaN())
	}
	return dst
}
