package kernel

const (
	// reachRows is how many rows the assembly does at once.
	reachRows = 4
	// reachStep is what the length of a row must be a multiple of.
	reachStep = 16
)

// reachFast does the leading rows that assembly can, and says how many.
func reachFast(dst, data []float32, index []int32, weight, x []float32, a, b float32) int {
	d, n := len(dst), len(index)
	if tier < AVX2 || d%reachStep != 0 || n == 0 {
		return 0
	}
	whole := n &^ (reachRows - 1)
	for at := 0; at < whole; {
		part := min(whole-at, max(reachRows, reachElements/d&^(reachRows-1)))
		reachListed(&dst[0], &data[0], &index[at], &weight[at], &x[0], part, d, a, b)
		at += part
	}
	if whole < n { // the rest, filled up with rows that weigh nothing
		var i [reachRows]int32
		var w [reachRows]float32
		for k := range i {
			i[k] = index[min(whole+k, n-1)]
		}
		copy(w[:], weight[whole:])
		reachListed(&dst[0], &data[0], &i[0], &w[0], &x[0], reachRows, d, a, b)
	}
	return n
}

// reachListed does what the kernels say, with the one of this tier.
func reachListed(dst, data *float32, index *int32, weight, x *float32, n, d int, a, b float32) {
	if tier >= AVX512 {
		reachAVX512(dst, data, index, weight, x, n, d, a, b)
	} else {
		reachAVX2(dst, data, index, weight, x, n, d, a, b)
	}
}
