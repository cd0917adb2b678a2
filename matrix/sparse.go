package matrix

import "fmt"

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
// user and item must lie in [0, users) and [0, items).
func NewUserItems(users, items int, user, item []int32, weight []float32) *UserItems {
	// Bucketing by item first and by user second is a stable radix sort: rows
	// come out in item order without comparing anything.
	_, byItem := bucket(items, item)
	users1 := make([]int32, len(byItem))
	for i, at := range byItem {
		users1[i] = user[at]
	}
	start, order := bucket(users, users1)
	m := &UserItems{Users: users, Items: items, Start: make([]int, users+1),
		Item: make([]int32, 0, len(user)), Weight: make([]float32, 0, len(user))}
	for u := range users {
		begin := len(m.Item)
		for _, o := range order[start[u]:start[u+1]] {
			at := byItem[o]
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
	return m
}

// bucket sorts positions 0 … len(key)-1 stably by key, in [0, n): positions of
// key k are order[start[k]:start[k+1]].
func bucket(n int, key []int32) (start []int, order []int32) {
	start = make([]int, n+1)
	for _, k := range key {
		start[k+1]++
	}
	for k := range n {
		start[k+1] += start[k]
	}
	order = make([]int32, len(key))
	next := append([]int(nil), start[:n]...)
	for at, k := range key {
		order[next[k]] = int32(at)
		next[k]++
	}
	return start, order
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
	begin, order := bucket(cols, index)
	idx, val := make([]int32, len(index)), make([]float32, len(index))
	rowOf := make([]int32, len(index))
	for r := range rows {
		for at := start[r]; at < start[r+1]; at++ {
			rowOf[at] = int32(r)
		}
	}
	for to, at := range order {
		idx[to], val[to] = rowOf[at], value[at]
	}
	return begin, idx, val
}
