package dataset

import (
	"math"
	"sort"
)

// Events are interactions as columns of equal length n, sorted by (User, At,
// Item, Type). User and Item are rows of the snapshot's vocabularies. The
// slices are shared between copies of an Events: do not change them.
type Events struct {
	User   []int32
	Item   []int32
	At     []int64   // Unix milliseconds
	Type   []uint16  // index into Types
	Value  []float32 // NaN where the event has no value
	Weight []float32 // how much each counts, above 0; nil when all count as 1
	Types  []string  // event types in byte order, distinct; "" for events without one

	// Context is what was the case when they happened, by column in order of
	// names; nil where nothing is known. Columns are as long as the others.
	Context []Circumstance
}

// Len is the number of events.
func (e Events) Len() int { return len(e.User) }

// Weigh is the events that count, each with how much: those for which weight,
// given an index into Types and a value, is above 0. Order is kept. The result
// shares nothing with e but Types and texts of Context. Where all that count weigh 1, Weight is nil.
func (e Events) Weigh(weight func(eventType uint16, value float32) float32) Events {
	all := make([]float32, e.Len())
	alike := true
	for i := range all {
		all[i] = weight(e.Type[i], e.Value[i])
		alike = alike && (all[i] == 1 || !(all[i] > 0))
	}
	keep := func(i int) bool { return all[i] > 0 }
	if alike {
		e.Weight = nil
		return e.Where(keep)
	}
	e.Weight = all
	return e.Where(keep)
}

// Before is the events before a moment, in Unix milliseconds.
func (e Events) Before(at int64) Events {
	return e.Where(func(i int) bool { return e.At[i] < at })
}

// Where copies the events for which keep is true.
func (e Events) Where(keep func(i int) bool) Events {
	n := 0
	for i := range e.User {
		if keep(i) {
			n++
		}
	}
	out := Events{User: make([]int32, 0, n), Item: make([]int32, 0, n), At: make([]int64, 0, n),
		Type: make([]uint16, 0, n), Value: make([]float32, 0, n), Types: e.Types, Context: e.room(n)}
	if e.Weight != nil {
		out.Weight = make([]float32, 0, n)
	}
	for from, to := 0, 0; from < e.Len(); from = to + 1 { // those that are kept lie side by side
		for to = from; to < e.Len() && keep(to); to++ {
		}
		out.User = append(out.User, e.User[from:to]...)
		out.Item = append(out.Item, e.Item[from:to]...)
		out.At = append(out.At, e.At[from:to]...)
		out.Type = append(out.Type, e.Type[from:to]...)
		out.Value = append(out.Value, e.Value[from:to]...)
		if e.Weight != nil {
			out.Weight = append(out.Weight, e.Weight[from:to]...)
		}
		for k := range out.Context {
			for i := from; i < to; i++ {
				out.Context[k].take(&e.Context[k], i)
			}
		}
	}
	return out
}

// Slice is events [from, to), sharing memory with e.
func (e Events) Slice(from, to int) Events {
	out := Events{User: e.User[from:to:to], Item: e.Item[from:to:to], At: e.At[from:to:to],
		Type: e.Type[from:to:to], Value: e.Value[from:to:to], Types: e.Types, Context: e.sliced(from, to)}
	if e.Weight != nil {
		out.Weight = e.Weight[from:to:to]
	}
	return out
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
