package rule

import (
	"math"
	"strconv"
	"testing"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// sessions makes users of rows of items; an event is a minute after the one before.
func sessions(items int, params map[string]string, rows ...[]int32) recipe.Input {
	in := recipe.Input{Users: len(rows), Items: make([]string, items), Params: params}
	for u, row := range rows {
		for k, i := range row {
			in.Events.User = append(in.Events.User, int32(u))
			in.Events.Item = append(in.Events.Item, i)
			in.Events.At = append(in.Events.At, int64(60_000*(100*u+k)))
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

func want(t *testing.T, name string, got []float32, want ...float64) {
	t.Helper()
	for i := range want {
		if math.Abs(float64(got[i])-want[i]) > 1e-6 && float64(got[i]) != want[i] {
			t.Errorf("%s: got %v, want %v", name, got, want)
			return
		}
	}
}

// plain are parameters that leave one step, undiscounted and without coming back.
func plain(more ...string) map[string]string {
	p := map[string]string{ParamDiscount: "0", ParamReturn: "0", ParamSecond: "0"}
	for i := 0; i+1 < len(more); i += 2 {
		p[more[i]] = more[i+1]
	}
	return p
}

func TestRules(t *testing.T) {
	// 0 1 2 | 1 0 0: forwards 0→1 1, 0→2 1/2, 1→2 1, 1→0 1 + 1/2; backwards the mirror image.
	rows := [][]int32{{0, 1, 2}, {1, 0, 0}}
	none, half := -1.0/4, -1.0/3 // by popularity: three events of 0, two of 1
	want(t, "forwards", scores(t, sessions(3, plain(ParamBackward, "0"), rows...), history(0)), none, 1.0/3, 0.5/3)
	want(t, "backwards by half", scores(t, sessions(3, plain(), rows...), history(1)), (1.5+0.5)/2, half, 1.0/2)
	want(t, "neighbours only", scores(t, sessions(3, plain(ParamBackward, "0", ParamSteps, "1"), rows...), history(0)), none, 1.0/3, -1.0/2)
	want(t, "discount", scores(t, sessions(3, plain(ParamBackward, "0", ParamDiscount, "0.5"), rows...), history(0)), none, 1/math.Sqrt(6), 0.5/math.Sqrt(3))
	want(t, "coming back", scores(t, sessions(3, plain(ParamBackward, "0", ParamReturn, "0.25"), rows...), history(0)), 0.25, 1.0/3, 0.5/3)
	want(t, "in focus", scores(t, sessions(3, plain(ParamBackward, "0"), rows...), model.Query{Item: 0}), math.Inf(-1), 1.0/3, 0.5/3)
	want(t, "one rule", scores(t, sessions(3, plain(ParamBackward, "0", ParamKept, "1"), rows...), history(0)), none, 1.0/3, -1.0/2)
	// The item before the newest counts e^(-1/2).
	want(t, "decay", scores(t, sessions(3, plain(ParamBackward, "0", ParamDecay, "2"), rows...), history(0, 1)),
		1.5/2, math.Exp(-0.5)/3, 1.0/2+math.Exp(-0.5)*0.5/3)
}

// Nobody went from 0 to 3, but from 0 to 1 and from 1 to 3.
func TestSecondStep(t *testing.T) {
	rows := [][]int32{{0, 1}, {0, 1}, {1, 3}, {2, 2}}
	got := scores(t, sessions(4, plain(ParamBackward, "0", ParamSecond, "0.5"), rows...), history(0))
	want(t, "two steps", got, -1.0/3, 1, -1.0/3, 0.5*1.0/3)
}

func TestPausesEndSessions(t *testing.T) {
	in := sessions(4, nil, []int32{0, 1, 2, 3}, []int32{0, 1, 2, 3})
	for i := range in.Events.At {
		if in.Events.Item[i] >= 2 {
			in.Events.At[i] += 3_600_000
		}
	}
	joined := scores(t, in, history(1))
	in.Params = map[string]string{ParamGap: "30"}
	if cut := scores(t, in, history(1)); !(joined[2] > 0) || !(cut[2] < 0) {
		t.Errorf("1 leads to 2 with %g, and with %g across a pause", joined[2], cut[2])
	}
	in.Params = nil
	found := false
	for _, c := range New().Candidates(in) {
		found = found || c[ParamGap] == strconv.Itoa(usualGap)
	}
	if !found {
		t.Error("pauses of an hour are no reason to try sessions")
	}
}

// Weights of events are those of their pairs.
func TestWeights(t *testing.T) {
	in := sessions(3, plain(ParamBackward, "0"), []int32{0, 1}, []int32{0, 2})
	in.Events.Weight = []float32{1, 1, 1, 0.25}
	want(t, "a quarter", scores(t, in, history(0)), -1.0/3, 0.5, 0.125)
}

// A history of long ago says nothing beside the newest items, and costs nothing.
func TestOnlyTheNewest(t *testing.T) {
	in := sessions(3, plain(ParamDecay, "1000000"), []int32{0, 1}, []int32{2, 2})
	long := make([]int32, 3*historyAtMost)
	for i := range long {
		long[i] = 2
	}
	got := scores(t, in, history(append([]int32{0}, long...)...))
	if got[1] > 0 {
		t.Errorf("the oldest of %d touches leads somewhere with %g", len(long)+1, got[1])
	}
}

func TestSessionsAreInOrder(t *testing.T) {
	e := dataset.Events{User: []int32{0, 0, 0, 1, 1, 1, 2}, Item: make([]int32, 7), At: []int64{1, 2, 50, 3, 4, 5, 50}}
	got := recipe.Sessions(e, 10, 2)
	exp := []recipe.Span{{From: 0, To: 2}, {From: 3, To: 5}, {From: 5, To: 6}, {From: 2, To: 3}, {From: 6, To: 7}}
	if len(got) != len(exp) {
		t.Fatalf("got %v", got)
	}
	for i := range exp {
		if got[i].From != exp[i].From || got[i].To != exp[i].To {
			t.Errorf("got %v, want the places of %v", got, exp)
		}
	}
}
