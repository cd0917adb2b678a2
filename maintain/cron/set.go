package cron

import (
	"iter"
	"math/bits"
)

// set is a set of numbers from 0 to 255: enough for 230 years.
type set [4]uint64

func (s *set) add(n int)     { s[n>>6] |= 1 << (n & 63) }
func (s *set) drop(n int)    { s[n>>6] &^= 1 << (n & 63) }
func (s set) has(n int) bool { return n >= 0 && n < 256 && s[n>>6]&(1<<(n&63)) != 0 }
func (s set) empty() bool    { return s == set{} }
func (s set) and(o set) set  { return set{s[0] & o[0], s[1] & o[1], s[2] & o[2], s[3] & o[3]} }

func setOf(list ...int) (s set) {
	for _, n := range list {
		s.add(n)
	}
	return s
}

// span is every number from lo to hi.
func span(lo, hi int) (s set) {
	for n := lo; n <= hi; n++ {
		s.add(n)
	}
	return s
}

// all walks the members, smallest first.
func (s set) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, word := range s {
			for ; word != 0; word &= word - 1 {
				if !yield(i<<6 + bits.TrailingZeros64(word)) {
					return
				}
			}
		}
	}
}

// ranges writes a set as few progressions: each is the longest that begins at
// the smallest number not yet in one. shift is added to all numbers.
func (s set) ranges(shift int) (list []Range) {
	for !s.empty() {
		first := -1
		for n := range s.all() {
			first = n
			break
		}
		best, step := 1, 1
		for by := 1; first+by < 256; by++ {
			n := 1
			for s.has(first + n*by) {
				n++
			}
			if n > best {
				best, step = n, by
			}
		}
		if best == 2 && step > 1 { // two numbers apart are no progression
			best, step = 1, 1
		}
		last := first + (best-1)*step
		for n := first; n <= last; n += step {
			s.drop(n)
		}
		list = append(list, Range{first + shift, last + shift, step})
	}
	return list
}
