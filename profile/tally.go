package profile

import (
	"slices"
	"sync"

	"github.com/attune-io/attune/event"
)

// Count is how often one item was met, over everything that was folded in.
type Count struct {
	Touched uint32 // interactions with it
	Shown   uint32 // times it was in an answer, or in the impression list of an event
	First   int64  // when the oldest interaction with it happened, Unix milliseconds; 0 before there is one
}

// tally counts items by number, 16 bytes each. The writer is the View's.
type tally struct {
	mu     sync.RWMutex
	counts []Count
	latest int64 // when the newest interaction happened, Unix milliseconds; 0 before there is one
}

// at is the count of an item; the caller holds mu.
func (t *tally) at(item int32) *Count {
	if have := len(t.counts); int(item) >= have {
		t.counts = slices.Grow(t.counts, int(item)+1-have)[:item+1]
		clear(t.counts[have:])
	}
	return &t.counts[item]
}

// touch counts an interaction.
func (t *tally) touch(item int32, at int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.at(item)
	if c.Touched == 0 || at < c.First {
		c.First = at
	}
	if t.latest == 0 || at > t.latest {
		t.latest = at
	}
	c.Touched++
}

// show counts what was shown; names that are no items yet do not become any.
func (t *tally) show(names *ids, items []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, id := range items {
		if n, ok := names.find(id); ok {
			t.at(n).Shown++
		}
	}
}

// Counts copies into dst (whose memory is used again) how often each item was
// met, by item number, and says when the newest interaction of the group
// happened: Unix milliseconds, 0 when there is none. Items that were never met
// may be missing at the end.
//
// An answer counts for each of its items when its impression comes out of the
// log; an event's own impression list counts unless the event names the answer
// it came from, which has counted already.
func (v *View) Counts(dst []Count) (counts []Count, latest int64) {
	v.tally.mu.RLock()
	defer v.tally.mu.RUnlock()
	return append(dst[:0], v.tally.counts...), v.tally.latest
}

// shown counts an event's own impression list.
func (v *View) shown(b *event.Interaction) {
	if len(b.Impression) > 0 && b.RecommendationID == "" {
		v.tally.show(&v.names.items, b.Impression)
	}
}
