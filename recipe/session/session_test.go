package session

import (
	"math"
	"testing"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// sessions makes users of rows of items, an event a minute.
func sessions(items int, params map[string]string, rows ...[]int32) recipe.Input {
	in := recipe.Input{Users: len(rows), Items: make([]string, items), Params: params}
	for u, row := range rows {
		for _, i := range row {
			in.Events.User = append(in.Events.User, int32(u))
			in.Events.Item = append(in.Events.Item, i)
			in.Events.At = append(in.Events.At, int64(60_000*len(in.Events.At)))
		}
	}
	return in
}

func scores(t *testing.T, in recipe.Input, q model.Query) []float32 {
	t.Helper()
	m, err := New().Train(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New().Decode(m)
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, len(in.Items))
	for range 2 { // the second answer finds the scratch as the first one did
		if err := s.Score(t.Context(), q, dst); err != nil {
			t.Fatal(err)
		}
	}
	return dst
}

func history(items ...int32) model.Query {
	q := model.Query{Item: model.NoItem}
	for _, i := range items {
		q.History = append(q.History, model.Touch{Item: i, Weight: 1})
	}
	return q
}

// By hand: two of three sessions have item 0, so its rarity is ln(4/2); the
// older of them has two newer ones beside it, the newer one none.
func TestVotesByHand(t *testing.T) {
	in := sessions(5, nil, []int32{1, 0, 2, 3}, []int32{3, 4}, []int32{0, 2})
	got := scores(t, in, history(0))
	ln := func(of float64) float64 { return math.Log(4 / of) }
	first, third := ln(2)/math.Sqrt(4)*math.Exp(-2.0/3), ln(2)/math.Sqrt(2)
	want := []float64{
		2 * (first + third) * math.Pow(ln(2), rarePower), // the item itself, twice for coming back
		before * first * math.Pow(ln(1), rarePower),      // stood before it
		(first + third) * math.Pow(ln(2), rarePower),     // next to it
		first * math.Exp(-1.0/3) * math.Pow(ln(2), rarePower),
		-1.0 / 2, // by popularity
	}
	for i := range want {
		if math.Abs(float64(got[i])-want[i]) > 1e-6 {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

func TestNewerItemsDecide(t *testing.T) {
	in := sessions(4, nil, []int32{0, 2}, []int32{1, 3}, []int32{0, 2}, []int32{1, 3})
	if got := scores(t, in, history(0, 1)); !(got[3] > got[2]) || !(got[2] > 0) {
		t.Errorf("after 0 and then 1: %v", got)
	}
	if got := scores(t, in, history(1, 0)); !(got[2] > got[3]) || !(got[3] > 0) {
		t.Errorf("after 1 and then 0: %v", got)
	}
}

func TestNewerSessionsDecide(t *testing.T) {
	in := sessions(3, map[string]string{ParamAge: "0.2"}, []int32{0, 1}, []int32{0, 2})
	if got := scores(t, in, history(0)); !(got[2] > got[1]) {
		t.Errorf("the older session votes with %g, the newer one with %g", got[1], got[2])
	}
	in.Params = map[string]string{ParamAge: "0.2", ParamNeighbours: "1"}
	if got := scores(t, in, history(0)); got[1] > 0 {
		t.Errorf("of one neighbour, the older session votes with %g", got[1])
	}
}

// A favourite of all costs no more than sessionsOfItem sessions, and those are the newest.
func TestFavouritesAreBounded(t *testing.T) {
	var rows [][]int32
	for k := range sessionsOfItem + 10 {
		other := int32(1)
		if k >= 10 {
			other = 2
		}
		rows = append(rows, []int32{0, other})
	}
	in := sessions(3, map[string]string{ParamNeighbours: "10000"}, rows...)
	if got := scores(t, in, history(0)); got[1] > 0 || !(got[2] > 0) {
		t.Errorf("the oldest sessions vote with %g, the others with %g", got[1], got[2])
	}
}

// A long history is several sessions, and one of a single event is none.
func TestLongHistoriesAreCut(t *testing.T) {
	long := make([]int32, sessionAtMost+2)
	for i := range long {
		long[i] = int32(i)
	}
	m, err := New().Train(t.Context(), sessions(len(long), nil, long, []int32{3}))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Tensors[tensorStart].I32; len(got) != 3 || got[1] != sessionAtMost || got[2] != int32(len(long)) {
		t.Errorf("sessions begin at %v", got)
	}
}
