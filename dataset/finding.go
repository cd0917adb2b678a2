package dataset

import (
	"fmt"
	"slices"
)

// Finding is something in data that makes what is learned from it, or measured
// on it, worth less than it looks. Data with findings is trained on all the same:
// its owner knows better what it is.
type Finding struct {
	Kind  string // one of the constants below
	Count int64  // it is true of so many
	Of    int64  // of so many
	Words string // what, how much, what it does, what to do
}

// The kinds of findings.
const (
	DuplicateRows      = "duplicate-rows"     // same user, item and time
	OneItem            = "one-item"           // popularity that only repeats
	IdenticalUsers     = "identical-users"    // users with the same sequence
	SameTime           = "same-time"          // all times are one
	NoOrder            = "no-order"           // most users' times are one
	ZeroTimes          = "zero-times"         // times of 1970 and before
	FutureTimes        = "future-times"       // times that are yet to come
	TargetsRepeatInput = "targets-repeat"     // of a split: the right answer was told
	TestRowsInTrain    = "test-rows-in-train" // of a split, or of two sets
	NewItemsInTest     = "items-new-in-test"  // likewise
	NewUsersInTest     = "users-new-in-test"  // of two sets
	repeatsAreMost     = 0.5                  // of targets: above, "again what they had" beats every model; shops that are fine repeat 20 to 40 %
	newItemsAreMany    = 0.1                  // of targets: above, numbers tell more of the catalogue's age than of the model
	newUsersAreMany    = 0.1                  // likewise
	duplicatesAreMany  = 0.01                 // of rows: a few are double clicks, more an upload that was made twice
	oneItemIsMost      = 0.5                  // of rows: above, popularity is right more often than not
	identicalAreMany   = 0.01                 // of users with identicalEvents or more: chance makes far fewer
	identicalEvents    = 5                    // shorter sequences coincide by chance where a few items are popular
	farFutureMillis    = 4_102_444_800_000    // 2100-01-01: nobody's present, so probably another unit
	aheadMillis        = 24 * 60 * 60 * 1000  // a day: clocks and time zones are off by less
	zeroBeforeMillis   = 24 * 60 * 60 * 1000  // the first day of 1970: a time that was not set
)

// Inspect looks at data before anything is learned from it, in a few passes over
// the events. now is the moment as of which they are known, in Unix milliseconds, 0
// when nobody knows. The same events give the same findings.
func Inspect(e Events, now int64) []Finding {
	if e.Len() == 0 {
		return nil
	}
	var out []Finding
	order := sameTime(e)
	looked := []*Finding{order, oneItem(e), identicalUsers(e), zeroTimes(e), futureTimes(e, now)}
	if order == nil { // else a repeat looks like a copy
		looked = append(looked, duplicateRows(e))
	}
	for _, f := range looked {
		if f != nil {
			out = append(out, *f)
		}
	}
	return out
}

// found is a finding about count of of things, with its share in the words.
func found(kind string, count, of int, format string, rest ...any) *Finding {
	words := fmt.Sprintf("%s of %s ", thousands(int64(count)), thousands(int64(of))) + fmt.Sprintf(format, rest...)
	return &Finding{Kind: kind, Count: int64(count), Of: int64(of), Words: words}
}

func duplicateRows(e Events) *Finding {
	n := 0
	for i := 1; i < e.Len(); i++ { // the order of Events puts them side by side
		if e.User[i] == e.User[i-1] && e.At[i] == e.At[i-1] && e.Item[i] == e.Item[i-1] {
			n++
		}
	}
	if float64(n) < duplicatesAreMany*float64(e.Len()) || n == 0 {
		return nil
	}
	return found(DuplicateRows, n, e.Len(), "interactions have the same user, item and time as another: they count twice, and one of a pair may be learned from while the other is asked for. Was a file imported twice? Import it again in FULL mode without them")
}

func oneItem(e Events) *Finding {
	count := make([]int, 1+slices.Max(e.Item))
	for _, item := range e.Item {
		count[item]++
	}
	if top := slices.Max(count); float64(top) >= oneItemIsMost*float64(e.Len()) {
		return found(OneItem, top, e.Len(), "interactions are with one and the same item: a list that begins with it looks good without knowing anything. Filter it, or choose another event type")
	}
	return nil
}

func identicalUsers(e Events) *Finding {
	sums := make([]uint64, 0, 1+int(e.User[e.Len()-1])) // of those that are long enough
	sum := func(from, to int) uint64 {
		h := uint64(to - from)
		for _, item := range e.Item[from:to] {
			h = mix(h ^ uint64(uint32(item)))
		}
		return h
	}
	e.ByUser(func(_ int32, from, to int) {
		if to-from >= identicalEvents {
			sums = append(sums, sum(from, to))
		}
	})
	slices.Sort(sums)
	n := 0
	for i := range sums {
		if i > 0 && sums[i] == sums[i-1] || i+1 < len(sums) && sums[i] == sums[i+1] {
			n++
		}
	}
	if n == 0 || float64(n) < identicalAreMany*float64(len(sums)) {
		return nil
	}
	return found(IdenticalUsers, n, len(sums), "users with %d interactions or more share their whole sequence of items with another user: bots, test accounts, or one person with several ids. What one did tells what the other will do", identicalEvents)
}

// mix spreads the bits of a word, so that words in a row can be hashed (the
// finaliser of splitmix64: G. Steele, D. Lea, C. Flood, Fast splittable
// pseudorandom number generators, OOPSLA 2014).
func mix(h uint64) uint64 {
	h += 0x9e37_79b9_7f4a_7c15
	h = (h ^ h>>30) * 0xbf58_476d_1ce4_e5b9
	h = (h ^ h>>27) * 0x94d0_49bb_1331_11eb
	return h ^ h>>31
}

// sameTime finds times that tell no order: of all events, or of most users.
func sameTime(e Events) *Finding {
	users, alike, several := 0, 0, false
	e.ByUser(func(_ int32, from, to int) {
		several = several || e.At[from] != e.At[0] || e.At[to-1] != e.At[0]
		if to-from >= 2 {
			users++
			if e.At[from] == e.At[to-1] {
				alike++
			}
		}
	})
	switch {
	case !several && e.Len() > 1:
		return found(SameTime, e.Len(), e.Len(), "interactions have the same time: nothing tells what came first, so that trends and sequences cannot be learned. Is TIMESTAMP the time of the interaction, or that of an export?")
	case 2*alike > users:
		return found(NoOrder, alike, users, "users with two interactions or more have all of theirs at one time: nothing tells what came first. Is TIMESTAMP rounded, or the time of an export?")
	}
	return nil
}

func zeroTimes(e Events) *Finding {
	n := 0
	for _, at := range e.At {
		if at < zeroBeforeMillis {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return found(ZeroTimes, n, e.Len(), "interactions are dated 1 January 1970 or before: a time that was not set. They count as the oldest of their user; leave them out or give them their time")
}

func futureTimes(e Events, now int64) *Finding {
	limit := int64(farFutureMillis)
	if now > 0 {
		limit = now + aheadMillis
	}
	n := 0
	for _, at := range e.At {
		if at > limit {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return found(FutureTimes, n, e.Len(), "interactions are dated in the future: they count as the newest of their user and are what a model is measured on. Is TIMESTAMP in seconds, as it should be?")
}
