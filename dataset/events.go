package dataset

import (
	"math"
	"sort"
	"strings"
)

// Events are interactions as columns of equal length n, sorted by (User, At,
// Item, Type). User and Item are rows of the snapshot's vocabularies. The
// slices are shared between copies of an Events: do not change them.
type Events struct {
	User  []int32
	Item  []int32
	At    []int64   // Unix milliseconds
	Type  []uint16  // index into Types
	Value []float32 // NaN where the event has no value
	Types []string  // event types in byte order, distinct; "" for events without one
}

// Len is the number of events.
func (e Events) Len() int { return len(e.User) }

// Keep is the events of one type with at least a value: eventType is matched
// without case and "" means every type; a nil threshold means every value,
// otherwise events without a value are dropped. Order is kept. The result
// shares nothing with e but Types, unless everything is kept, when it is e.
func (e Events) Keep(eventType string, threshold *float64) Events {
	if eventType == "" && threshold == nil {
		return e
	}
	wanted := make([]bool, len(e.Types))
	for i, t := range e.Types {
		wanted[i] = eventType == "" || strings.EqualFold(t, eventType)
	}
	return e.where(func(i int) bool {
		// A float32 is widened before it is compared: 0.1 as float32 is not 0.1,
		// so the threshold is rounded the same way as the value was.
		return wanted[e.Type[i]] && (threshold == nil || e.Value[i] >= float32(*threshold))
	})
}

// where copies the events for which keep is true.
func (e Events) where(keep func(i int) bool) Events {
	n := 0
	for i := range e.User {
		if keep(i) {
			n++
		}
	}
	out := Events{User: make([]int32, 0, n), Item: make([]int32, 0, n), At: make([]int64, 0, n),
		Type: make([]uint16, 0, n), Value: make([]float32, 0, n), Types: e.Types}
	for i := range e.User {
		if keep(i) {
			out.User = append(out.User, e.User[i])
			out.Item = append(out.Item, e.Item[i])
			out.At = append(out.At, e.At[i])
			out.Type = append(out.Type, e.Type[i])
			out.Value = append(out.Value, e.Value[i])
		}
	}
	return out
}

// Slice is events [from, to), sharing memory with e.
func (e Events) Slice(from, to int) Events {
	return Events{User: e.User[from:to:to], Item: e.Item[from:to:to], At: e.At[from:to:to],
		Type: e.Type[from:to:to], Value: e.Value[from:to:to], Types: e.Types}
}

// Of is the events of one user, oldest first, sharing memory with e; empty if there are none.
func (e Events) Of(user int32) Events {
	from := sort.Search(len(e.User), func(i int) bool { return e.User[i] >= user })
	to := from + sort.Search(len(e.User)-from, func(i int) bool { return e.User[from+i] > user })
	return e.Slice(from, to)
}

// ByUser calls f with each user that has events, in order, and the range [from, to) of them.
func (e Events) ByUser(f func(user int32, from, to int)) {
	for from := 0; from < len(e.User); {
		to := from + 1
		for to < len(e.User) && e.User[to] == e.User[from] {
			to++
		}
		f(e.User[from], from, to)
		from = to
	}
}

// NoValue stands for an event without a value.
func NoValue() float32 { return float32(math.NaN()) }
