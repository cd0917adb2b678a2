package filter

import (
	"math"
	"slices"
)

// A column keeps a number as its key, an unsigned integer that is ordered as
// the numbers are, so that a range is looked for with one comparison a row.
type numberKey uint64

// noNumber is the key of a row without a number. It is in no range.
const noNumber numberKey = 0

func keyOf(v float64) numberKey {
	switch {
	case math.IsNaN(v):
		return noNumber
	case v == 0:
		v = 0 // -0 is 0
	}
	b := math.Float64bits(v)
	if b>>63 != 0 {
		return numberKey(^b)
	}
	return numberKey(b | 1<<63)
}

func (k numberKey) float() float64 {
	if k>>63 != 0 {
		return math.Float64frombits(uint64(k) &^ (1 << 63))
	}
	return math.Float64frombits(uint64(^k))
}

// bounds are the keys of the least and the greatest number that stand in the relation to v.
func (o Op) bounds(v float64) (low, high numberKey) {
	k, least, greatest := keyOf(v), keyOf(math.Inf(-1)), keyOf(math.Inf(1))
	switch o {
	case Less:
		return least, k - 1
	case LessEqual:
		return least, k
	case Greater:
		return k + 1, greatest
	case GreaterEqual:
		return k, greatest
	}
	return k, k
}

// fewNumbers is how many numbers are looked for one after the other: a pass for
// each is quicker than a search for every row, up to about here.
const fewNumbers = 16

// oneOf adds the rows whose number is one of the keys, which it sorts.
func (c *column) oneOf(keys []numberKey, dst Bitmap) {
	if len(keys) <= fewNumbers {
		for _, k := range keys {
			c.between(k, k, dst)
		}
		return
	}
	slices.Sort(keys)
	for row, k := range c.num {
		if _, found := slices.BinarySearch(keys, k); found {
			dst.Add(int32(row))
		}
	}
}

// between adds the rows whose number is from low to high. It has no branches
// that depend on the data: with a range that half of the rows are in, a
// processor would guess wrong every other time.
func (c *column) between(low, high numberKey, dst Bitmap) {
	if low > high {
		return
	}
	span := high - low
	in := func(k numberKey) uint64 {
		if k-low <= span {
			return 1
		}
		return 0
	}
	for w := range dst {
		rest := c.num[min(w<<6, len(c.num)):]
		if len(rest) < 64 {
			for i, k := range rest {
				dst[w] |= in(k) << uint(i)
			}
			return
		}
		var word uint64
		for i := 0; i < 64; i += 8 {
			q := rest[i : i+8 : i+8]
			word |= (in(q[0]) | in(q[1])<<1 | in(q[2])<<2 | in(q[3])<<3 |
				in(q[4])<<4 | in(q[5])<<5 | in(q[6])<<6 | in(q[7])<<7) << uint(i)
		}
		dst[w] |= word
	}
}
