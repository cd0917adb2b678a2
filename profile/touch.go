package profile

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"sort"
)

// Touch is one interaction of a user with an item or an action, in 24 bytes.
type Touch struct {
	Item int32  // profile's own number: View.Item or View.Action
	Type uint16 // event type: View.TypeName
	hi   uint16 // see marks
	At   int64  // when it happened, Unix milliseconds
	// Value is the event value; NaN when absent.
	Value float32
	lo    uint32
}

// The marks of a touch recognise what comes twice: 36 bits of a hash of the
// event id (0 for none) and 12 bits of dataset.PutIdentity or RowIdentity. Among
// the few hundred touches of a user two different event ids meet by chance once
// in about 10⁸ events; the identity only decides between touches that are equal
// in all else.
const (
	identityBits = 12
	eventBits    = 48 - identityBits
)

func (t *Touch) mark(eventHash, identity uint64) {
	m := eventHash>>(64-eventBits) | identity>>(64-identityBits)<<eventBits
	t.hi, t.lo = uint16(m>>32), uint32(m)
}

func (t *Touch) marks() uint64 { return uint64(t.hi)<<32 | uint64(t.lo) }

func (t *Touch) eventID() uint64 { return t.marks() & (1<<eventBits - 1) }

// same says whether two touches of a user, equal in time, count once.
func (t *Touch) same(o *Touch) bool {
	return t.At == o.At && t.Item == o.Item && t.Type == o.Type && t.marks()>>eventBits == o.marks()>>eventBits
}

// hash is FNV-1a with a finishing mix. It is stored in checkpoints, so it may
// not change without their version. The empty string has none: 0.
func hash(s string) uint64 {
	if s == "" {
		return 0
	}
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}

// insert puts a touch into a history at its time, after those of the same
// time, unless it is there already; trim takes away what is too much. What a
// reader may hold of h is never written: a late touch makes a new slice, and a
// newest one goes behind the end that readers know.
func insert(h []Touch, t Touch, limit int) (_ []Touch, added bool) {
	if id := t.eventID(); id != 0 {
		for i := range h {
			if h[i].eventID() == id {
				return h, false
			}
		}
	}
	at := len(h)
	for at > 0 && h[at-1].At > t.At {
		at--
		if len(h)-at > 16 { // late by more than a little
			at = sort.Search(at, func(i int) bool { return h[i].At > t.At })
			break
		}
	}
	for i := at - 1; i >= 0 && h[i].At == t.At; i-- {
		if h[i].same(&t) {
			return h, false
		}
	}
	if at == len(h) {
		return trim(push(h, t), limit), true
	}
	out := make([]Touch, 0, room(len(h)+1))
	out = append(out, h[:at]...)
	out = append(out, t)
	return trim(append(out, h[at:]...), limit), true
}

const (
	// ofType, inAll and mostKept say what is kept beyond the newest touches. Who
	// looks at much and buys little would soon be told to buy the same again if
	// their purchases went with the oldest of all: of each event type the newest
	// three fifths of the limit stay, with the default 300, which is the most that
	// filters of Amazon Personalize know (100 with items, 300 with actions). All
	// in all not more than three times the limit: a client may make up types.
	ofType, inAll = 3, 5
	mostKept      = 3
)

// trim keeps of a history the newest touches up to the limit, and those that
// are among the newest of their type. It does not write to h.
func trim(h []Touch, limit int) []Touch {
	if len(h) <= limit {
		return h
	}
	kept, oldest := 0, 0
	for i := range keeping(h, limit) {
		kept, oldest = kept+1, i
	}
	if kept == len(h)-oldest {
		return h[oldest:]
	}
	out := make([]Touch, kept, room(kept))
	for i := range keeping(h, limit) {
		kept--
		out[kept] = h[i]
	}
	return out
}

// keeping gives the places of what is kept, newest first.
func keeping(h []Touch, limit int) iter.Seq[int] {
	return func(yield func(int) bool) {
		var few [64]int // counts of the first event types; real groups have few
		many := map[uint16]int{}
		kept := 0
		for i := len(h) - 1; i >= 0 && kept < mostKept*limit; i-- {
			rank := 0
			if t := h[i].Type; int(t) < len(few) {
				few[t]++
				rank = few[t]
			} else {
				many[t]++
				rank = many[t]
			}
			if len(h)-i <= limit || rank <= limit*ofType/inAll {
				kept++
				if !yield(i) {
					return
				}
			}
		}
	}
}

// push appends, growing by a quarter: doubling would cost most users twice their memory.
func push(h []Touch, t Touch) []Touch {
	if len(h) == cap(h) {
		h = append(make([]Touch, 0, room(len(h)+1)), h...)
	}
	return append(h, t)
}

func room(n int) int { return n + n/4 }

// merge joins a history with more touches, in any order, by the rules of
// insert: of two that count once, h's stays. It sorts more.
func merge(h, more []Touch, limit int) []Touch {
	if len(more) == 0 {
		return h
	}
	slices.SortStableFunc(more, func(a, b Touch) int { return cmp.Compare(a.At, b.At) })
	ids := make(map[uint64]bool)
	for i := range h {
		if id := h[i].eventID(); id != 0 {
			ids[id] = true
		}
	}
	out := make([]Touch, 0, len(h)+len(more))
	for len(h) > 0 || len(more) > 0 {
		if len(more) == 0 || len(h) > 0 && h[0].At <= more[0].At {
			out, h = append(out, h[0]), h[1:]
			continue
		}
		t := more[0]
		more = more[1:]
		id := t.eventID()
		twice := id != 0 && ids[id]
		for i := len(out) - 1; !twice && i >= 0 && out[i].At == t.At; i-- {
			twice = out[i].same(&t)
		}
		if twice {
			continue
		}
		if id != 0 {
			ids[id] = true
		}
		out = append(out, t)
	}
	return slices.Clone(trim(out, limit)) // exact: most of what is imported never grows again
}

func value32(v float64) float32 {
	if math.IsNaN(v) {
		return float32(math.NaN())
	}
	return float32(v)
}
