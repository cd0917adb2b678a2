package recipe

import (
	"math"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
)

// Item 0 is warm, items 1 and 2 are cold. The first user went on to 0 and 1 and
// is shown 2, 0, 1: of the cold items 1 is right, and 0, which is right too,
// stands in nobody's way. The second went on to 0 only.
func TestColdSlices(t *testing.T) {
	train := dataset.Events{Item: []int32{0, 0, 0, 0, 0, 1, 2, 2, 2, 2}, User: make([]int32, 10)}
	known := func(n int) dataset.Events { return dataset.Events{Item: make([]int32, n), User: make([]int32, n)} }
	split := &dataset.Split{Train: train, Cases: []dataset.Case{
		{Input: known(5), Truth: []int32{0, 1}},
		{User: 1, Input: known(4), Truth: []int32{0}},
	}}
	a := &answers{lists: [][]int32{{2, 0, 1}, {0, 1, 2}}}
	for k, c := range split.Cases {
		a.users = append(a.users, evaluate.Measure(a.lists[k], c.Truth))
	}
	got := cold(a, split, 3)
	if len(got) != 2 || got[0].name != model.SliceColdItems || got[1].name != model.SliceNewUsers || len(got[0].users) != 1 || len(got[1].users) != 1 {
		t.Fatalf("got %+v", got)
	}
	if v := got[0].users[0]; v.MRR25 != 0.5 || math.Abs(v.NDCG25-1/math.Log2(3)) > 1e-12 {
		t.Errorf("the cold item stands second among what is not right: %+v", v)
	}
	if v := got[1].users[0]; v.NDCG25 != 1 {
		t.Errorf("the new user was shown the right item first: %+v", v)
	}
	if a.lists[0][1] != 0 {
		t.Error("a list was changed")
	}
	split.Cases = split.Cases[:0]
	if got := cold(&answers{}, split, 3); len(got) != 0 {
		t.Errorf("nobody was asked: %+v", got)
	}
}
