package profile

import (
	"cmp"
	"math"
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/attune-io/attune/dataset"
)

func TestTouchSize(t *testing.T) {
	if n := unsafe.Sizeof(Touch{}); n > 24 {
		t.Fatalf("a touch takes %d bytes", n)
	}
}

func drawTouch(t *rapid.T) Touch {
	x := Touch{Item: rapid.Int32Range(0, 3).Draw(t, "item"), Type: rapid.Uint16Range(0, 1).Draw(t, "type"), At: rapid.Int64Range(0, 12).Draw(t, "at"), Value: 1}
	id := rapid.SampledFrom([]string{"", "", "a", "b", "c", "d"}).Draw(t, "event")
	x.mark(hash(id), dataset.PutIdentity(rapid.SampledFrom([]string{"", `{"a":1}`}).Draw(t, "properties")))
	return x
}

// twice is the rule, in words: the same event id, or equal in all but the value.
func twice(a, b Touch) bool {
	if a.eventID() != 0 && a.eventID() == b.eventID() {
		return true
	}
	return a.At == b.At && a.Item == b.Item && a.Type == b.Type && a.hi>>4 == b.hi>>4
}

// naive is what a history of unbounded length must be.
func naive(all []Touch) []Touch {
	var out []Touch
	for _, t := range all {
		if !slices.ContainsFunc(out, func(o Touch) bool { return twice(o, t) }) {
			out = append(out, t)
		}
	}
	slices.SortStableFunc(out, func(a, b Touch) int { return cmp.Compare(a.At, b.At) })
	return out
}

func TestInsert(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(drawTouch), 0, 60).Draw(rt, "touches")
		var h []Touch
		for _, x := range all {
			before, copied := h[:len(h):len(h)], slices.Clone(h)
			h, _ = insert(h, x, 1000)
			if !slices.Equal(before, copied) {
				rt.Fatal("a published history was written")
			}
		}
		if want := naive(all); !slices.Equal(h, want) {
			rt.Fatalf("got  %v\nwant %v", h, want)
		}
	})
}

func TestInsertBounded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.IntRange(1, 8).Draw(rt, "limit")
		var h []Touch
		newest := int64(math.MinInt64)
		for i, at := range rapid.SliceOfN(rapid.Int64Range(0, 50), 0, 60).Draw(rt, "times") {
			before, copied := h[:len(h):len(h)], slices.Clone(h)
			h, _ = insert(h, Touch{Item: int32(i), At: at}, limit)
			newest = max(newest, at)
			if !slices.Equal(before, copied) {
				rt.Fatal("a published history was written")
			}
			if len(h) > limit || len(h) != min(i+1, limit) || h[len(h)-1].At != newest {
				rt.Fatalf("%d touches of at most %d, the newest at %d of %d", len(h), limit, h[len(h)-1].At, newest)
			}
			if !slices.IsSortedFunc(h, func(a, b Touch) int { return cmp.Compare(a.At, b.At) }) {
				rt.Fatalf("not in order: %v", h)
			}
		}
	})
}

func TestMerge(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		first := naive(rapid.SliceOfN(rapid.Custom(drawTouch), 0, 30).Draw(rt, "first"))
		// What counts once by one rule may hide what counts once by the other,
		// so the order of more matters; it is that of time.
		more := rapid.SliceOfN(rapid.Custom(drawTouch), 0, 30).Draw(rt, "more")
		slices.SortStableFunc(more, func(a, b Touch) int { return cmp.Compare(a.At, b.At) })
		want := naive(append(slices.Clone(first), more...))
		if got := merge(slices.Clone(first), more, 1000); !slices.Equal(got, want) {
			rt.Fatalf("got  %v\nwant %v", got, want)
		}
		limit := max(3, len(first)) // a history is never over its limit before
		if got := merge(first, more, limit); !slices.Equal(got, newest(want, limit)) {
			rt.Fatalf("bounded: %v", got)
		}
	})
}

// newest is what trim keeps of a whole history, by definition.
func newest(all []Touch, limit int) []Touch {
	var out []Touch
	for i := range all {
		newer, ofType := len(all)-i-1, 0
		for _, later := range all[i+1:] {
			if later.Type == all[i].Type {
				ofType++
			}
		}
		if newer < limit || ofType < limit*3/5 {
			out = append(out, all[i])
		}
	}
	return out[max(0, len(out)-3*limit):]
}

// TestRareTypesStay brings touches in any order: what is kept is what would be
// kept of all of them at once, and nothing is written that a reader may hold.
func TestRareTypesStay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.IntRange(1, 12).Draw(rt, "limit")
		types := rapid.SampledFrom([]uint16{1, 3, 70}).Draw(rt, "apart") // 70: beyond the types with a place of their own
		all := make([]Touch, rapid.IntRange(0, 90).Draw(rt, "touches"))
		for i := range all {
			kind := rapid.SampledFrom([]uint16{0, 0, 0, 0, 0, 0, types}).Draw(rt, "type")
			all[i] = Touch{Item: int32(i), Type: kind, At: int64(i)}
		}
		var h, held, was []Touch
		for _, t := range rapid.Permutation(slices.Clone(all)).Draw(rt, "order") {
			held, was = h, slices.Clone(h)
			h, _ = insert(h, t, limit)
			if !slices.Equal(held, was) {
				rt.Fatal("a history was written to")
			}
		}
		if want := newest(all, limit); !slices.Equal(h, want) {
			rt.Fatalf("limit %d: got %v, want %v", limit, h, want)
		}
	})
}

func BenchmarkInsert(b *testing.B) {
	var h []Touch
	var at int64
	for b.Loop() {
		at++
		t := Touch{Item: int32(at), At: at}
		t.mark(uint64(at)<<28, 0)
		h, _ = insert(h, t, defaultHistory)
	}
}

// TestPendingKeepsNothing: what was sorted in is not held any longer, however many users a file has.
func TestPendingKeepsNothing(t *testing.T) {
	v := newView(10, newVocabulary())
	d := pendingTouches{v: v, of: map[*person][]Touch{}}
	for u := range 50 {
		p := v.user(string(rune('a' + u)))
		for at := range int64(personPending) {
			d.add(p, Touch{At: at})
		}
	}
	held := 0
	for _, list := range d.of {
		held += cap(list)
	}
	if held > 0 || d.n != 0 || len(v.History("a")) != 10 {
		t.Errorf("%d touches are held, %d counted", held, d.n)
	}
}
