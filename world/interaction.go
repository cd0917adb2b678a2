package world

import (
	"iter"
	"math/rand/v2"
	"slices"
)

// The event types of a shop.
const (
	View     = "View"
	Purchase = "Purchase"
)

// Interaction is one user doing something with one item, by number.
type Interaction struct {
	User, Item int
	Type       string // View or Purchase
	At         int64  // Unix seconds; different for all interactions of a user
}

const (
	boughtPercent = 18 // of first touches that are a Purchase
	secondPercent = 25 // of choices that follow a user's lesser taste
	sessionLength = 6  // interactions on one visit, on average
	tries         = 12 // draws of an item before the next best one is taken
)

// Interactions makes the history, user by user and oldest first for each,
// holding one user's part at a time. It can be ranged over again and gives the same.
func (w *World) Interactions() iter.Seq[Interaction] {
	return func(yield func(Interaction) bool) {
		var m maker
		for u := range w.count {
			for _, x := range m.make(w, u) {
				if !yield(x) {
					return
				}
			}
		}
	}
}

// History is the interactions of one user, oldest first.
func (w *World) History(u int) []Interaction {
	var m maker
	return m.make(w, u)
}

// maker keeps the memory of one user's history for the next one's.
type maker struct {
	at      []int64
	had     map[int32]bool
	viewed  []int32
	history []Interaction
}

func (m *maker) make(w *World, u int) []Interaction {
	rng, user := w.stream(forEvents, uint64(u)), w.User(u)
	m.times(w, rng, int(w.count[u]))
	if m.had == nil {
		m.had = map[int32]bool{}
	}
	clear(m.had)
	m.history, m.viewed = m.history[:0], m.viewed[:0]
	half := w.spec.Start.Unix() + int64(w.spec.Days)*day/2
	for _, at := range m.at {
		x := Interaction{User: u, Type: View, At: at}
		if len(m.viewed) > 0 && rng.IntN(1000) < w.spec.Repeat {
			i := rng.IntN(len(m.viewed)) // comes back to buy what was looked at
			x.Item, x.Type = int(m.viewed[i]), Purchase
			m.viewed = slices.Delete(m.viewed, i, i+1)
		} else {
			main := user.Before
			if at >= half {
				main = user.After
			}
			it := m.choose(w, rng, main, user.Second, at)
			m.had[it] = true
			if x.Item = int(it); rng.IntN(100) < boughtPercent {
				x.Type = Purchase
			} else {
				m.viewed = append(m.viewed, it)
			}
		}
		m.history = append(m.history, x)
	}
	return m.history
}

// choose draws an item that is on sale and new to the user; when the draws
// fail because little is left, the next such item of the catalogue; when
// nothing is left, whatever was drawn last.
func (m *maker) choose(w *World, rng *rand.Rand, main, second int, at int64) int32 {
	wh := w.likes[main]
	switch p := rng.IntN(100); {
	case p < w.spec.Noise:
		wh = w.all
	case p < w.spec.Noise+secondPercent:
		wh = w.likes[second]
	}
	var it int32
	for range tries {
		if it = wh.draw(rng); w.items[it].created <= at && !m.had[it] {
			return it
		}
	}
	for i := range w.items {
		next := (it + int32(i)) % int32(len(w.items))
		if w.items[next].created <= at && !m.had[next] {
			return next
		}
	}
	return it
}

// times makes n different moments, sorted: visits spread from the day the user came, a few minutes each.
func (m *maker) times(w *World, rng *rand.Rand, n int) {
	m.at = m.at[:0]
	span := int64(w.spec.Days) * day
	joined := rng.Int64N(span*7/10 + 1)
	for len(m.at) < n {
		at := joined + rng.Int64N(span-joined)
		for range min(1+rng.IntN(2*sessionLength-1), n-len(m.at)) {
			m.at = append(m.at, at)
			at += 5 + rng.Int64N(240)
		}
	}
	slices.Sort(m.at)
	start, before := w.spec.Start.Unix(), int64(-1)
	for i, at := range m.at {
		before = max(at, before+1)
		m.at[i] = start + before
	}
}
