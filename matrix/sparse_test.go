package matrix

import (
	"cmp"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

func TestNewUserItems(t *testing.T) {
	m := NewUserItems(3, 4, []int32{2, 0, 2, 2, 0}, []int32{3, 1, 0, 3, 0}, []float32{1, 2, 3, 4, 5})
	want := &UserItems{Users: 3, Items: 4, Start: []int{0, 2, 2, 4}, Item: []int32{0, 1, 0, 3}, Weight: []float32{5, 2, 3, 5}}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v, want %+v", m, want)
	}
	if items, weights := m.Of(2); !reflect.DeepEqual(items, []int32{0, 3}) || !reflect.DeepEqual(weights, []float32{3, 5}) {
		t.Errorf("user 2: %v %v", items, weights)
	}
	if items, _ := m.Of(1); len(items) != 0 {
		t.Errorf("user 1: %v", items)
	}
	if m.String() != "3 users × 4 items, 4 pairs" {
		t.Error(m)
	}
}

func TestAgainstMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		users, items, n := 1+r.IntN(20), 1+r.IntN(20), r.IntN(200)
		user, item := make([]int32, n), make([]int32, n)
		want := map[[2]int32]float32{}
		for i := range n {
			user[i], item[i] = int32(r.IntN(users)), int32(r.IntN(items))
			want[[2]int32{user[i], item[i]}]++
		}
		m := NewUserItems(users, items, user, item, nil)
		if m.Len() != len(want) {
			t.Fatalf("%d pairs, want %d", m.Len(), len(want))
		}
		for u := range users {
			row, weight := m.Of(u)
			for i, it := range row {
				if weight[i] != want[[2]int32{int32(u), it}] || i > 0 && row[i-1] >= it {
					t.Fatalf("user %d: %v %v", u, row, weight)
				}
			}
		}
		turned := m.Transpose()
		for it := range items {
			row, weight := turned.Of(it)
			for i, u := range row {
				if weight[i] != want[[2]int32{u, int32(it)}] || i > 0 && row[i-1] >= u {
					t.Fatalf("item %d: %v %v", it, row, weight)
				}
			}
		}
		if turned.Len() != m.Len() || !reflect.DeepEqual(turned.Transpose(), m) {
			t.Fatal("turning twice is not the identity")
		}
	}
}

// TestNewUserItemsLarge compares with a stable sort where rows are sorted in
// several parts, one of them of a single heavy row, and where sums round.
func TestNewUserItemsLarge(t *testing.T) {
	const users, items, n = 3000, 60, 5 * sortedAtOnce
	r := rand.New(rand.NewPCG(3, 4))
	user, item, weight := make([]int32, n), make([]int32, n), make([]float32, n)
	for i := range n {
		user[i], item[i], weight[i] = int32(r.IntN(users)), int32(r.IntN(items)), r.Float32()
		if i%3 == 0 {
			user[i] = 1234
		}
	}
	at := make([]int, n)
	for i := range at {
		at[i] = i
	}
	slices.SortStableFunc(at, func(i, j int) int {
		return cmp.Or(cmp.Compare(user[i], user[j]), cmp.Compare(item[i], item[j]))
	})
	want := &UserItems{Users: users, Items: items, Start: make([]int, users+1)}
	for k, i := range at {
		if last := len(want.Item) - 1; k > 0 && user[i] == user[at[k-1]] && item[i] == item[at[k-1]] {
			want.Weight[last] += weight[i]
		} else {
			want.Item, want.Weight = append(want.Item, item[i]), append(want.Weight, weight[i])
		}
		want.Start[user[i]+1] = len(want.Item)
	}
	for u := range users {
		want.Start[u+1] = max(want.Start[u+1], want.Start[u])
	}
	if got := NewUserItems(users, items, user, item, weight); !reflect.DeepEqual(got, want) {
		t.Error("pairs in any order: not what a stable sort says")
	}
	slices.SortStableFunc(at, func(i, j int) int { return cmp.Or(cmp.Compare(user[i], user[j]), i-j) })
	byUser, byUserItem, byUserWeight := make([]int32, n), make([]int32, n), make([]float32, n)
	for k, i := range at {
		byUser[k], byUserItem[k], byUserWeight[k] = user[i], item[i], weight[i]
	}
	if got := NewUserItems(users, items, byUser, byUserItem, byUserWeight); !reflect.DeepEqual(got, want) {
		t.Error("pairs in order of users: not what a stable sort says")
	}
}

func TestDense(t *testing.T) {
	m := NewDense(2, 3)
	m.Row(1)[2] = 5
	if m.Data[5] != 5 || m.String() != "dense 2 × 3" {
		t.Errorf("%v %+v", m, m.Data)
	}
}
