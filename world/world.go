package world

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/attune-io/attune"
)

// Spec says how large a shop is. A zero field takes the default.
type Spec struct {
	Users    int // 2 000
	Items    int // 1 000
	Events   int // 100 000; exactly so many interactions are made
	Clusters int // 12 groups of taste
	Days     int // 120: how long the history is
	Noise    int // percent of choices made by popularity alone, whatever the taste; 12; -1 for none
	Drift    int // percent of users whose taste changes half-way through the history; 15; -1 for none
	Repeat   int // per thousand of events that come back to an item the user had; 8; -1 for none
	Seed     uint64
	Start    time.Time // of the history, to the second; 2026-01-01 UTC
}

// Bounds of a Spec: beyond them the numbers kept in memory would be gigabytes.
const (
	maxUsers    = 50_000_000
	maxItems    = 5_000_000
	maxClusters = 1000
	maxEvents   = 10_000_000_000
)

// World is a shop. It does not change, and is safe for concurrent use.
type World struct {
	spec  Spec
	items []item
	likes []wheel // cluster → its items by popularity
	all   wheel   // every item by popularity
	count []int32 // user → how many interactions
}

// item is what is kept of an item; its texts are made when asked for.
type item struct {
	cluster, second int32 // second is -1 for an item of one taste
	ordinal         int32 // in its category
	price           int32 // cents
	tags            uint32
	created         int64 // Unix seconds
}

// Item is one thing of the catalogue.
type Item struct {
	ID       string
	Name     string
	Category string   // CATEGORY_L1
	Genres   []string // styles, one to three
	Price    float64
	Created  time.Time
	Cluster  int // the taste it serves
}

// User is one customer.
type User struct {
	ID         string
	Age        int
	Membership string
	Before     int // cluster of the main taste in the first half of the history
	After      int // and in the second; another one for users who drift
	Second     int // cluster of the lesser taste
}

// New makes a shop. A Spec that makes no sense is attune.Invalid.
func New(spec Spec) (*World, error) {
	for _, d := range []struct {
		field *int
		value int
	}{{&spec.Users, 2000}, {&spec.Items, 1000}, {&spec.Events, 100_000}, {&spec.Clusters, 12}, {&spec.Days, 120}, {&spec.Noise, 12}, {&spec.Drift, 15}, {&spec.Repeat, 8}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if spec.Start.IsZero() {
		spec.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	spec.Start = spec.Start.UTC().Truncate(time.Second)
	for _, c := range []struct {
		what         string
		n, low, high int
	}{
		{"users", spec.Users, 1, maxUsers}, {"items", spec.Items, 1, maxItems}, {"events", spec.Events, spec.Users, maxEvents},
		{"clusters", spec.Clusters, 1, min(maxClusters, spec.Items)}, {"days", spec.Days, 1, 3650},
		{"noise percent", spec.Noise, -1, 100}, {"drift percent", spec.Drift, -1, 100}, {"repeats per thousand", spec.Repeat, -1, 1000},
	} {
		if c.n < c.low || c.n > c.high {
			return nil, attune.Errorf(attune.Invalid, "a world of %d %s cannot be made: give %d to %d", c.n, c.what, c.low, c.high)
		}
	}
	w := &World{spec: spec}
	w.makeItems()
	w.makeCounts()
	return w, nil
}

// Spec is what the shop was made from, defaults filled in.
func (w *World) Spec() Spec { return w.spec }

// End is when the history is over.
func (w *World) End() time.Time { return w.spec.Start.AddDate(0, 0, w.spec.Days) }

// String introduces the shop.
func (w *World) String() string {
	s := w.spec
	return fmt.Sprintf("world %d users × %d items × %d events in %d clusters of taste, seed %d", s.Users, s.Items, s.Events, s.Clusters, s.Seed)
}

// stream is a generator of its own for one purpose and one number, so that no part of the shop depends on how much of another was made.
func (w *World) stream(purpose, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(w.spec.Seed, purpose<<56|n))
}

const (
	forItems = iota + 1
	forCounts
	forUser
	forEvents
)

const day = 24 * 60 * 60

func (w *World) makeItems() {
	rng := w.stream(forItems, 0)
	n, k := w.spec.Items, w.spec.Clusters
	w.items = make([]item, n)
	members := make([][]int32, k)
	ordinals := make([]int32, len(categories))
	start := w.spec.Start.Unix()
	for i := range w.items {
		c := i % k // every cluster gets its share
		it := item{cluster: int32(c), second: -1, created: start - int64(rng.IntN(2*365*day))}
		if rng.IntN(100) < 10 { // new goods arrive while the history runs
			it.created = start + int64(rng.IntN(w.spec.Days*day))
		}
		if k > 1 && rng.IntN(100) < 20 {
			it.second = int32((c + 1 + rng.IntN(k-1)) % k)
		}
		cat := w.category(c)
		it.ordinal = ordinals[cat]
		ordinals[cat]++
		it.price = int32(categories[cat].price * (40 + rng.IntN(120) + rng.IntN(120)) / 100)
		it.tags = uint32(rng.Uint64())
		w.items[i] = it
		members[c] = append(members[c], int32(i))
		if it.second >= 0 {
			members[it.second] = append(members[it.second], int32(i))
		}
	}
	// Popularity is Zipf's law over one order of all items, the same inside every cluster.
	rank := rng.Perm(n)
	weight := func(i int32) uint64 { return 1_000_000_000 / uint64(rank[i]+1+n/50) }
	w.likes = make([]wheel, k)
	for c := range members {
		w.likes[c] = newWheel(members[c], weight)
	}
	every := make([]int32, n)
	for i := range every {
		every[i] = int32(i)
	}
	w.all = newWheel(every, weight)
}

func (w *World) category(cluster int) int { return cluster % len(categories) }

// wheel draws items in proportion to their weights.
type wheel struct {
	items []int32
	upTo  []uint64 // running sum of weights
}

func newWheel(items []int32, weight func(int32) uint64) wheel {
	wh := wheel{items: items, upTo: make([]uint64, len(items))}
	sum := uint64(0)
	for i, it := range items {
		sum += weight(it)
		wh.upTo[i] = sum
	}
	return wh
}

func (wh wheel) draw(rng *rand.Rand) int32 {
	x := rng.Uint64N(wh.upTo[len(wh.upTo)-1])
	return wh.items[sort.Search(len(wh.upTo), func(i int) bool { return wh.upTo[i] > x })]
}

// makeCounts shares the events out: at least one for everybody, few for most, many for some.
func (w *World) makeCounts() {
	rng := w.stream(forCounts, 0)
	weights := make([]uint64, w.spec.Users)
	sum := uint64(0)
	for u := range weights {
		weights[u] = 1_000_000 / uint64(30+rng.IntN(1000))
		sum += weights[u]
	}
	w.count = make([]int32, w.spec.Users)
	left := uint64(w.spec.Events - w.spec.Users)
	rest := left
	for u := range weights {
		share := left / sum * weights[u]       // exact in integers however large
		share += left % sum * weights[u] / sum // left % sum < sum, so this fits
		w.count[u] = int32(1 + share)
		rest -= share
	}
	for u := 0; rest > 0; u = (u + 1) % len(w.count) {
		w.count[u]++
		rest--
	}
}

// ItemID is the id of item i.
func (w *World) ItemID(i int) string { return fmt.Sprintf("i%0*d", width(w.spec.Items), i+1) }

// UserID is the id of user u.
func (w *World) UserID(u int) string { return fmt.Sprintf("u%0*d", width(w.spec.Users), u+1) }

func width(n int) int { return max(4, len(fmt.Sprint(n))) }

// Item makes item i of 0 … Items-1.
func (w *World) Item(i int) Item {
	it := w.items[i]
	cat := categories[w.category(int(it.cluster))]
	return Item{ID: w.ItemID(i), Name: cat.nameOf(int(it.ordinal)), Category: cat.name, Genres: it.genres(),
		Price: float64(it.price) / 100, Created: time.Unix(it.created, 0).UTC(), Cluster: int(it.cluster)}
}

// genres are the first or both styles of the cluster, that of a second cluster, and now and then a stray one.
func (it item) genres() []string {
	style := func(c int32, n int) string { return styles[(2*int(c)+n)%len(styles)] }
	first := int(it.tags & 1)
	list := []string{style(it.cluster, first)}
	add := func(s string) {
		for _, have := range list {
			if have == s {
				return
			}
		}
		list = append(list, s)
	}
	if it.tags>>1&1 == 1 {
		add(style(it.cluster, 1-first))
	}
	if it.second >= 0 {
		add(style(it.second, first))
	} else if it.tags>>2&15 == 0 {
		add(styles[int(it.tags>>8)%len(styles)])
	}
	return list
}

// User makes user u of 0 … Users-1.
func (w *World) User(u int) User {
	rng := w.stream(forUser, uint64(u))
	k := w.spec.Clusters
	user := User{ID: w.UserID(u), Age: 16 + rng.IntN(40) + rng.IntN(25), Membership: memberships[rng.IntN(len(memberships))], Before: rng.IntN(k)}
	user.After = user.Before
	other := func() int { return (user.Before + 1 + rng.IntN(max(k-1, 1))) % k }
	user.Second = other()
	if drifts := other(); rng.IntN(100) < w.spec.Drift {
		user.After = drifts
	}
	return user
}
