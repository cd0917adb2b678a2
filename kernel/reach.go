package kernel

// reachElements bounds one call into assembly, during which a goroutine cannot
// be stopped for the garbage collector: about 50 µs.
const reachElements = 1 << 17

// Reach adds Σₖ weight[k]·(a + b·yₖ·x)·yₖ to dst, where yₖ is row index[k] of data:
// what observations with these weights add to the gradient of a sum of squares,
// in one pass over rows that lie anywhere. data: rows of len(dst) elements.
// x: len(dst). dst must not share memory with x or data. The sum runs in an order
// that depends on the tier and on how many rows there are.
func Reach(dst, data []float32, index []int32, weight, x []float32, a, b float32) {
	d := len(dst)
	if d == 0 {
		return
	}
	x, weight = x[:d], weight[:len(index)]
	if len(index) > 0 {
		within(data, index, d)
	}
	done := reachFast(dst, data, index, weight, x, a, b)
	for k, i := range index[done:] {
		y := data[int(i)*d : (int(i)+1)*d]
		f := a
		if b != 0 {
			f += float32(b * Dot(y, x))
		}
		Axpy(float32(weight[done+k]*f), y, dst)
	}
}
