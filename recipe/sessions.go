package recipe

import (
	"cmp"
	"slices"

	"github.com/attune-io/attune/dataset"
)

// Span is events [From, To) of an Events. Compare spans by these two.
type Span struct {
	From, To int
	newest   int64 // beside them, since sorting would look for times far apart in memory
}

// Sessions cuts the events of each user into spans, in the order of their
// newest events, which is that of their users where times are equal. A user's
// events are cut where two are further apart than gap milliseconds, which 0
// never finds, and into pieces of at most most events, so that a long history
// costs no more than as many short ones.
func Sessions(e dataset.Events, gap int64, most int) []Span {
	n := 0
	eachSpan(e, gap, most, func(Span) { n++ })
	spans := make([]Span, 0, n)
	eachSpan(e, gap, most, func(s Span) { spans = append(spans, s) })
	slices.SortFunc(spans, func(a, b Span) int {
		return cmp.Or(cmp.Compare(a.newest, b.newest), cmp.Compare(a.From, b.From))
	})
	return spans
}

// eachSpan gives the spans of Sessions in the order of events.
func eachSpan(e dataset.Events, gap int64, most int, f func(Span)) {
	e.ByUser(func(_ int32, from, to int) {
		begin := from
		for i := from + 1; i <= to; i++ {
			if i == to || i-begin == most || gap > 0 && e.At[i]-e.At[i-1] > gap {
				f(Span{begin, i, e.At[i-1]})
				begin = i
			}
		}
	})
}
