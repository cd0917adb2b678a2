package matrix

// sortedAtOnce is about how many pairs are sorted by column at a time: what it
// takes to do so, 20 bytes each, then stays in the second-level cache.
const sortedAtOnce = 16 << 10

// order sorts the pairs of some rows at a time. It holds the memory for that.
type order struct {
	next                  []int32 // where the next pair of a column, then of a row, goes
	row, byColumn, sorted []int32
}

// sort tells in what order the pairs of rows that begin at start[0], start[1] …
// and end at its last are sorted by row and within a row by column, in [0, cols).
// Pairs are numbered from start[0] on, and equal ones keep their order.
// Bucketing by column first and by row second is a stable radix sort: nothing is
// compared.
func (o *order) sort(cols int, start []int, col []int32) []int32 {
	rows, base := len(start)-1, start[0]
	col = col[base:start[rows]]
	if n := len(col); cap(o.row) < n {
		o.row, o.byColumn, o.sorted = make([]int32, n), make([]int32, n), make([]int32, n)
	}
	if n := max(cols+1, rows); cap(o.next) < n {
		o.next = make([]int32, n)
	}
	row, byColumn, sorted := o.row[:len(col)], o.byColumn[:len(col)], o.sorted[:len(col)]
	next := o.next[:cols+1]
	clear(next)
	for _, c := range col {
		next[c+1]++
	}
	for c := range cols {
		next[c+1] += next[c]
	}
	for k, c := range col {
		byColumn[next[c]] = int32(k)
		next[c]++
	}
	next = o.next[:rows]
	for r := range rows {
		next[r] = int32(start[r] - base)
		for k := start[r]; k < start[r+1]; k++ {
			row[k-base] = int32(r)
		}
	}
	for _, k := range byColumn {
		r := row[k]
		sorted[next[r]] = k
		next[r]++
	}
	return sorted
}

// offsets counts keys in [0, n): those equal to k belong at start[k]:start[k+1].
func offsets(n int, key []int32) (start []int) {
	start = make([]int, n+1)
	for _, k := range key {
		start[k+1]++
	}
	for k := range n {
		start[k+1] += start[k]
	}
	return start
}

// scatter sorts index, and value unless it is nil, stably by key, into new
// slices; start is what offsets says of the keys.
func scatter(start []int, key, index []int32, value []float32) ([]int32, []float32) {
	next := append([]int(nil), start[:len(start)-1]...)
	idx := make([]int32, len(key))
	large(idx)
	if value == nil {
		for at, k := range key {
			idx[next[k]] = index[at]
			next[k]++
		}
		return idx, nil
	}
	val := make([]float32, len(key))
	large(val)
	for at, k := range key {
		to := next[k]
		idx[to], val[to] = index[at], value[at]
		next[k]++
	}
	return idx, val
}
