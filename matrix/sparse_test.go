package matrix

import (
	"math/rand/v2"
	"reflect"
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

func TestDense(t *testing.T) {
	m := NewDense(2, 3)
	m.Row(1)[2] = 5
	if m.Data[5] != 5 || m.String() != "dense 2 × 3" {
		t.Errorf("%v %+v", m, m.Data)
	}
}
