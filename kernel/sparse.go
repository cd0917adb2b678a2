package kernel

import "unsafe"

// Gather adds Σₖ weight[k]·(row index[k] of data) to dst: a row of few elements
// times a dense matrix. It equals one Axpy after another, bit for bit.
// data: rows of len(dst) elements. weight: as long as index. dst must not share
// memory with data.
func Gather(dst, data []float32, index []int32, weight []float32) {
	d := len(dst)
	if d == 0 || len(index) == 0 {
		return
	}
	weight = weight[:len(index)]
	within(data, index, d)
	if gatherFast(dst, data, index, weight) {
		return
	}
	for k, i := range index {
		Axpy(weight[k], data[int(i)*d:(int(i)+1)*d], dst)
	}
}

// Scatter adds weight[k]·src to row index[k] of data for every k: the transposed
// product. It equals one Axpy after another, bit for bit. The sizes are those
// of Gather.
func Scatter(data, src []float32, index []int32, weight []float32) {
	d := len(src)
	if d == 0 || len(index) == 0 {
		return
	}
	weight = weight[:len(index)]
	within(data, index, d)
	if scatterFast(data, src, index, weight) {
		return
	}
	for k, i := range index {
		Axpy(weight[k], src, data[int(i)*d:(int(i)+1)*d])
	}
}

// within panics unless all rows that index lists lie in data, where assembly does not look.
func within(data []float32, index []int32, d int) {
	last := uint32(0)
	for _, i := range index { // a negative one is a very large one
		last = max(last, uint32(i))
	}
	_ = data[(int(last)+1)*d-1]
}

// fetchedAtMost is what Prefetch brings at most, in bytes: more would drive out
// what is worked on.
const fetchedAtMost = 4 << 10

// Prefetch has the memory of x brought near, the first 4 KiB of it, and does not
// wait for it.
func Prefetch[T int32 | float32](x []T) {
	if len(x) > 0 {
		prefetch((*byte)(unsafe.Pointer(unsafe.SliceData(x))), min(fetchedAtMost, len(x)*int(unsafe.Sizeof(x[0]))))
	}
}
