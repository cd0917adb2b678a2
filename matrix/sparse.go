package matrix

import (
	"fmt"
	"slices"
)

// UserItems is the interaction matrix by user: which items each has, ascending
// and distinct, and how heavily. The slices belong to the matrix; do not change them.
type UserItems struct {
	Users, Items int
	Start        []int // Users+1 offsets into Item and Weight
	Item         []int32
	Weight       []float32
}

// ItemUsers is the interaction matrix by item: its transpose.
type ItemUsers struct {
	Items, Users int
	Start        []int // Items+1 offsets into User and Weight
	User         []int32
	Weight       []float32
}

// NewUserItems gathers columns of equal length into rows. Duplicates of a
// (user, item) pair add up, in the order given; a nil weight is 1 everywhere.
// user and item must lie in [0, users) and [0, items). Columns in order of users,
// such as those of a snapshot, are read where they are.
func NewUserItems(users, items int, user, item []int32, weight []float32) *UserItems {
	start := offsets(users, user)
	if !slices.IsSorted(user) {
		item, weight = scatter(start, user, item, weight)
	}
	m := &UserItems{Users: users, Items: items, Start: make([]int, users+1),
		Item: make([]int32, 0, len(user)), Weight: make([]float32, 0, len(user))}
	large(m.Item[:len(user)])
	large(m.Weight[:len(user)])
	var o order
	for first, next := 0, 0; first < users; first = next {
		for next++; next < users && start[next+1]-start[first] <= max(sortedAtOnce, items); {
			next++
		}
		sorted := o.sort(items, start[first:next+1], item)
		for u := first; u < next; u++ {
			begin := len(m.Item)
			for _, k := range sorted[start[u]-start[first] : start[u+1]-start[first]] {
				at := start[first] + int(k)
				w := float32(1)
				if weight != nil {
					w = weight[at]
				}
				if n := len(m.Item); n > begin && m.Item[n-1] == item[at] {
					m.Weight[n-1] += w
					continue
				}
				m.Item = append(m.Item, item[at])
				m.Weight = append(m.Weight, w)
			}
			m.Start[u+1] = len(m.Item)
		}
	}
	return m
}

// Len is the number of distinct pairs.
func (m *UserItems) Len() int { return len(m.Item) }

// Of is a user's items, ascending, and their weights; shared memory.
func (m *UserItems) Of(user int) (items []int32, weights []float32) {
	from, to := m.Start[user], m.Start[user+1]
	return m.Item[from:to:to], m.Weight[from:to:to]
}

// Transpose turns the matrix around.
func (m *UserItems) Transpose() *ItemUsers {
	t := &ItemUsers{Items: m.Items, Users: m.Users}
	t.Start, t.User, t.Weight = transpose(m.Users, m.Items, m.Start, m.Item, m.Weight)
	return t
}

// String introduces the matrix.
func (m *UserItems) String() string {
	return fmt.Sprintf("%d users × %d items, %d pairs", m.Users, m.Items, m.Len())
}

// Len is the number of distinct pairs.
func (m *ItemUsers) Len() int { return len(m.User) }

// Of is an item's users, ascending, and their weights; shared memory.
func (m *ItemUsers) Of(item int) (users []int32, weights []float32) {
	from, to := m.Start[item], m.Start[item+1]
	return m.User[from:to:to], m.Weight[from:to:to]
}

// Transpose turns the matrix around.
func (m *ItemUsers) Transpose() *UserItems {
	t := &UserItems{Users: m.Users, Items: m.Items}
	t.Start, t.Item, t.Weight = transpose(m.Items, m.Users, m.Start, m.User, m.Weight)
	return t
}

// String introduces the matrix.
func (m *ItemUsers) String() string {
	return fmt.Sprintf("%d items × %d users, %d pairs", m.Items, m.Users, m.Len())
}

func transpose(rows, cols int, start []int, index []int32, value []float32) ([]int, []int32, []float32) {
	begin := offsets(cols, index)
	next := append([]int(nil), begin[:cols]...)
	idx, val := make([]int32, len(index)), make([]float32, len(index))
	large(idx)
	large(val)
	for r := range rows {
		for at := start[r]; at < start[r+1]; at++ {
			to := next[index[at]]
			idx[to], val[to] = int32(r), value[at]
			next[index[at]]++
		}
	}
	return begin, idx, val
}
