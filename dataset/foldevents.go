package dataset

import (
	"cmp"
	"slices"
)

// ranked numbers the strings of an interner in byte order: the vocabulary, and
// for every old number its new one. used limits it to some old numbers; nil is all.
func ranked(in *interner, used []bool) (*Vocabulary, []int32) {
	order := make([]int32, 0, len(in.ids))
	for i := range in.ids {
		if used == nil || used[i] {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(in.ids[a], in.ids[b]) })
	ids, rank := make([]string, len(order)), make([]int32, len(in.ids))
	for r, old := range order {
		ids[r], rank[old] = in.ids[old], int32(r)
	}
	return sortedVocabulary(ids), rank
}

// sortEvents orders the folded events by (user, at, item, type) in the numbers
// of the vocabularies (users is how many) and drops those that count once already: equal in all
// four and in their signature. The first in the order of the log stays.
func (f *fold) sortEvents(users int, userRank, itemRank []int32) Events {
	used := make([]bool, len(f.types.ids))
	for i := range f.events {
		e := &f.events[i]
		e.user, e.item = userRank[e.user], itemRank[e.item]
		used[e.typ] = true
	}
	types, typeRank := ranked(f.types, used)
	for i := range f.events {
		f.events[i].typ = uint16(typeRank[f.events[i].typ])
	}
	order := f.orderByUser(users)
	n := 0 // of order, after dropping
	for i, k := range order {
		if i > 0 && sameEvent(&f.events[order[n-1]], &f.events[k]) {
			continue
		}
		order[n] = k
		n++
	}
	order = order[:n]
	out := Events{User: make([]int32, n), Item: make([]int32, n), At: make([]int64, n),
		Type: make([]uint16, n), Value: make([]float32, n), Types: types.ids}
	for i, k := range order {
		e := &f.events[k]
		out.User[i], out.Item[i], out.At[i], out.Type[i], out.Value[i] = e.user, e.item, e.at, e.typ, e.value
	}
	return out
}

func sameEvent(a, b *folded) bool {
	return a.user == b.user && a.at == b.at && a.item == b.item && a.typ == b.typ && a.sign == b.sign
}

// orderByUser is the events' places in sorted order. Events are put into their
// users' stretches by counting, which keeps the order of the log, and each
// short stretch is sorted: about four times quicker than sorting everything.
func (f *fold) orderByUser(users int) []int32 {
	start := make([]int32, users+1)
	for i := range f.events {
		start[f.events[i].user+1]++
	}
	for u := range users {
		start[u+1] += start[u]
	}
	order := make([]int32, len(f.events))
	next := slices.Clone(start[:users])
	for i := range f.events {
		u := f.events[i].user
		order[next[u]] = int32(i)
		next[u]++
	}
	for u := range users {
		slices.SortFunc(order[start[u]:start[u+1]], func(a, b int32) int {
			x, y := &f.events[a], &f.events[b]
			switch {
			case x.at != y.at:
				return cmp.Compare(x.at, y.at)
			case x.item != y.item:
				return cmp.Compare(x.item, y.item)
			case x.typ != y.typ:
				return cmp.Compare(x.typ, y.typ)
			case x.sign != y.sign:
				return cmp.Compare(x.sign, y.sign)
			}
			return cmp.Compare(a, b)
		})
	}
	return order
}
