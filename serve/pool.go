package serve

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// maxPool bounds the newcomers that a release draws from, and with it the
	// time of a drawing. What is shown gives its place to what was shown less.
	maxPool = 256

	// poolAge is how long a pool is used before counts and ages are looked at
	// again. Amazon Personalize takes up to two hours.
	poolAge = time.Minute

	// maxSample bounds the known items that are looked at for attributes in
	// common with unknown ones; maxLike is how many of them speak for one.
	maxSample = 4096
	maxLike   = 8

	// maxShared bounds how many items of the sample are kept per value.
	maxShared = 128

	// creationTimestamp is the column of Items that says when an item came to
	// be, in Unix seconds.
	creationTimestamp = "CREATION_TIMESTAMP"
)

// pool is what a release explores for a while: its eligible items, those met
// least first.
type pool struct {
	made      time.Time
	newcomers []newcomer
}

// newcomer is an item that is explored.
type newcomer struct {
	number, row int32   // row is noRow when the model does not know it
	bonus       float64 // see Exploration
	like        []int32 // rows that stand for an unknown item
}

// newcomers is the release's pool as of now. One request makes it anew; those
// that come meanwhile use the one before.
//
// An item is eligible when it came to be no longer than MaxAge before the
// newest interaction of the group, or before now should that be later. It came
// to be at its CREATION_TIMESTAMP; without one at its oldest interaction;
// without that, too, it is new. An item without attributes and interactions is
// none of the group's.
func (r *release) newcomers(v view, now time.Time) *pool {
	old := r.pool.Load()
	if old != nil && !now.Before(old.made) && now.Sub(old.made) < poolAge {
		return old
	}
	if old == nil {
		r.pooling.Lock()
	} else if !r.pooling.TryLock() {
		return old
	}
	defer r.pooling.Unlock()
	if p := r.pool.Load(); p != old {
		return p // somebody has just made it
	}
	p := &pool{made: now, newcomers: r.eligible(v, now)}
	r.liken(v, p.newcomers)
	r.pool.Store(p)
	return p
}

// age is what decides which items are in a pool.
type age struct {
	number, row int32
	met         uint64
	born        int64 // Unix milliseconds
}

// eligible are the items of a pool.
func (r *release) eligible(v view, now time.Time) []newcomer {
	n := v.NumItems()
	rows := r.mapping(v, n).rows
	counts, latest := v.Counts(nil)
	reference := now.UnixMilli()
	if latest != 0 {
		reference = min(reference, latest)
	}
	oldest := reference - r.Explore.MaxAge.Milliseconds()
	table := v.Items()
	created, names := table.Numbers(creationTimestamp, n, nil), table.Names()
	less := func(a, b age) int {
		return cmp.Or(cmp.Compare(a.met, b.met), cmp.Compare(b.born, a.born), cmp.Compare(a.number, b.number))
	}
	found := make([]age, 0, 2*maxPool)
	for number := range int32(n) {
		c := countOf(counts, number)
		a := age{number: number, row: rows[number], met: uint64(c.Touched) + uint64(c.Shown), born: reference}
		switch {
		case !math.IsNaN(created[number]):
			a.born = int64(created[number] * 1000)
		case c.Touched > 0:
			a.born = c.First
		case !slices.ContainsFunc(names, func(name string) bool { return table.Get(number, name) != nil }):
			continue
		}
		if a.born < oldest {
			continue
		}
		if found = append(found, a); len(found) == cap(found) {
			slices.SortFunc(found, less)
			found = found[:maxPool]
		}
	}
	slices.SortFunc(found, less)
	out := make([]newcomer, min(len(found), maxPool))
	for i := range out {
		out[i] = newcomer{number: found[i].number, row: found[i].row, bonus: 1 / math.Sqrt(1+float64(found[i].met))}
	}
	return out
}

// liken finds for every newcomer that the model does not know the known items
// that share most attribute values with it, among an even sample.
func (r *release) liken(v view, list []newcomer) {
	if !slices.ContainsFunc(list, func(c newcomer) bool { return c.row == noRow }) {
		return
	}
	rows := r.mapping(v, v.NumItems()).rows
	having := map[string][]int32{} // column and value → rows
	stride := max(1, len(rows)/maxSample)
	for number := 0; number < len(rows); number += stride {
		if rows[number] == noRow {
			continue
		}
		for _, value := range traits(v, int32(number)) {
			if len(having[value]) < maxShared {
				having[value] = append(having[value], rows[number])
			}
		}
	}
	for i := range list {
		if list[i].row == noRow {
			list[i].like = most(having, traits(v, list[i].number))
		}
	}
}

// traits are the text attributes of an item, as column=value.
func traits(v view, number int32) []string {
	table, out := v.Items(), []string(nil)
	for _, name := range table.Names() {
		switch x := table.Get(number, name).(type) {
		case string:
			out = append(out, name+"="+x)
		case []string:
			for _, one := range x {
				out = append(out, name+"="+one)
			}
		}
	}
	return out
}

// most are the rows that have most of the values.
func most(having map[string][]int32, values []string) []int32 {
	shared := map[int32]int{}
	for _, value := range values {
		for _, row := range having[value] {
			shared[row]++
		}
	}
	rows := make([]int32, 0, len(shared))
	for row := range shared {
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b int32) int { return cmp.Or(cmp.Compare(shared[b], shared[a]), cmp.Compare(a, b)) })
	return slices.Clone(rows[:min(maxLike, len(rows))])
}
