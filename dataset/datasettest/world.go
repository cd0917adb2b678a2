package datasettest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/attune-io/attune/dataset"
)

// View and Purchase are the event types of the worlds. Every fourth event is a
// Purchase and has a value from 1 to 5; the others are Views without one.
const (
	View     = "View"
	Purchase = "Purchase"
)

// touched is the share of the items of their group that a user touches: enough
// to learn from, with enough left to recommend.
const touched = 0.6

// begin is when the first event of every world happens; events of a user follow each other by minutes.
func begin() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// World is a snapshot with the truth about it. Users and items are in groups,
// and an item suits a user exactly when the two groups are the same.
type World struct {
	Snapshot  *dataset.Snapshot
	Groups    int
	UserGroup []int     // by user row: whose items the user likes now
	ItemGroup []int     // by item row
	Moment    time.Time // when tastes changed; zero in worlds where they do not
}

// Likes says whether an item suits a user now. Rows are those of the snapshot.
func (w *World) Likes(user, item int32) bool { return w.UserGroup[user] == w.ItemGroup[item] }

// Touched is the set of items that a user has events with.
func (w *World) Touched(user int32) map[int32]bool {
	out := make(map[int32]bool)
	for _, item := range w.Snapshot.Events.Of(user).Item {
		out[item] = true
	}
	return out
}

// Checkerboard is a world of two groups that lie between each other: even users
// like even items, odd users odd ones, and nobody ever strays. Items are equally
// popular, so popularity is worth nothing and any collaborative method finds
// every answer. users and items are at least 2.
func Checkerboard(users, items int, seed uint64) *World {
	w := plan(users, items, 2)
	return w.make(users, items, 0, seed)
}

// Blocks is a world of groups of users and items, where a share noise of
// events goes to any item at all. Group g has users and items g, g+groups, ….
func Blocks(users, items, groups int, noise float64, seed uint64) *World {
	w := plan(users, items, groups)
	return w.make(users, items, noise, seed)
}

// Drift is a world of blocks in which everybody's taste moves on to the next group at
// Moment, after half of their events. What users like now is what they
// touched last: a method that weighs all history alike is wrong half of the time.
func Drift(users, items, groups int, seed uint64) *World {
	w := plan(users, items, groups)
	w.Moment = begin().AddDate(0, 1, 0)
	return w.make(users, items, 0, seed)
}

func plan(users, items, groups int) *World {
	w := &World{Groups: groups, UserGroup: make([]int, users), ItemGroup: make([]int, items)}
	for u := range w.UserGroup {
		w.UserGroup[u] = u % groups
	}
	for i := range w.ItemGroup {
		w.ItemGroup[i] = i % groups
	}
	return w
}

// UserID is the id of a user's row; the byte order of ids is the order of rows.
func UserID(row int) string { return fmt.Sprintf("user-%06d", row) }

// ItemID is the id of an item's row.
func ItemID(row int) string { return fmt.Sprintf("item-%06d", row) }

func (w *World) make(users, items int, noise float64, seed uint64) *World {
	r := rand.New(rand.NewPCG(seed, 0x776f_726c_64)) // the second word keeps this stream apart from others of the same seed
	var events, meta []dataset.Row
	for u := range users {
		group := w.UserGroup[u]
		start := begin()
		if !w.Moment.IsZero() {
			before := (group + w.Groups - 1) % w.Groups
			events = append(events, visits(r, u, own(items, w.Groups, before), start)...)
			start = w.Moment
		}
		chosen := own(items, w.Groups, group)
		for i := range chosen {
			if r.Float64() < noise {
				chosen[i] = r.IntN(items)
			}
		}
		events = append(events, visits(r, u, chosen, start)...)
	}
	for i := range items {
		meta = append(meta, dataset.Row{Item: ItemID(i), Attributes: map[string]any{
			"GROUP": fmt.Sprintf("group-%d", w.ItemGroup[i]), "PRICE": float64(1 + i%50)}})
	}
	userMeta := make([]dataset.Row, users)
	for u := range userMeta {
		userMeta[u] = dataset.Row{User: UserID(u), Attributes: map[string]any{"AGE": float64(18 + u%60)}}
	}
	s, err := dataset.NewSnapshot(begin().AddDate(0, 2, 0), events, meta, userMeta)
	if err != nil {
		panic(err) // two event types are never too many
	}
	w.Snapshot = s
	return w
}

// own is the items of a group.
func own(items, groups, group int) []int {
	var out []int
	for i := group; i < items; i += groups {
		out = append(out, i)
	}
	return out
}

// visits are a user's events with a share of the items, in a random order, a minute apart.
func visits(r *rand.Rand, user int, items []int, start time.Time) []dataset.Row {
	r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	n := max(2, int(touched*float64(len(items))))
	var out []dataset.Row
	for k, i := range items[:min(n, len(items))] {
		row := dataset.Row{User: UserID(user), Item: ItemID(i), Type: View, At: start.Add(time.Duration(k) * time.Minute).UnixMilli(), Value: math.NaN()}
		if k%4 == 3 {
			row.Type, row.Value = Purchase, float64(1+r.IntN(5))
		}
		out = append(out, row)
	}
	return out
}
