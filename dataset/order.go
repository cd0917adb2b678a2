package dataset

import (
	"cmp"
	"slices"
)

// sortEvents orders the folded events by (user, at, item, type) in the numbers
// of the vocabularies (users is how many) and drops those that count once already: equal in all
// four and in their signature. The first in the order of the log stays. The
// context, nil for none, goes with them.
func (l *lane) sortEvents(users int, userRank, itemRank []int32, c *contextFold) Events {
	used := make([]bool, len(l.types.ids))
	for i := range l.events {
		e := &l.events[i]
		e.user, e.item = userRank[e.user], itemRank[e.item]
		used[e.typ] = true
	}
	types, typeRank := ranked(l.types, used)
	for i := range l.events {
		l.events[i].typ = uint16(typeRank[l.events[i].typ])
	}
	order := l.orderByUser(users)
	n := 0 // of order, after dropping
	for i, k := range order {
		if i > 0 && sameEvent(&l.events[order[n-1]], &l.events[k]) {
			continue
		}
		order[n] = k
		n++
	}
	order = order[:n]
	out := Events{User: make([]int32, n), Item: make([]int32, n), At: make([]int64, n),
		Type: make([]uint16, n), Value: make([]float32, n), Types: types.ids, Context: c.finish(order)}
	for i, k := range order {
		e := &l.events[k]
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
func (l *lane) orderByUser(users int) []int32 {
	start := make([]int32, users+1)
	for i := range l.events {
		start[l.events[i].user+1]++
	}
	for u := range users {
		start[u+1] += start[u]
	}
	order := make([]int32, len(l.events))
	next := slices.Clone(start[:users])
	for i := range l.events {
		u := l.events[i].user
		order[next[u]] = int32(i)
		next[u]++
	}
	for u := range users {
		slices.SortFunc(order[start[u]:start[u+1]], func(a, b int32) int {
			x, y := &l.events[a], &l.events[b]
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
