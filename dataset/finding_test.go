package dataset_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
)

// kinds are the findings' names; their words say the numbers and end in what to do.
func kinds(t *testing.T, found []dataset.Finding) (out []string) {
	t.Helper()
	for _, f := range found {
		if f.Count <= 0 || f.Count > f.Of || len(f.Words) < 40 || strings.Contains(f.Words, "%!") {
			t.Errorf("%+v", f)
		}
		out = append(out, f.Kind)
	}
	return out
}

// clean are events in which there is nothing to find.
func clean() dataset.Events { return datasettest.Blocks(200, 60, 4, 0.1, 1).Snapshot.Events }

// planted changes a copy of the clean events' columns, and sorts what comes of it.
func planted(change func(row int, e *dataset.Events)) dataset.Events {
	e := clean().Where(func(int) bool { return true })
	for i := range e.Len() {
		change(i, &e)
	}
	return sorted(e)
}

func sorted(e dataset.Events) dataset.Events {
	order := make([]int, e.Len())
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		for _, d := range []int64{int64(e.User[a]) - int64(e.User[b]), e.At[a] - e.At[b], int64(e.Item[a]) - int64(e.Item[b])} {
			if d != 0 {
				return int(max(-1, min(1, d)))
			}
		}
		return 0
	})
	out := dataset.Events{Types: e.Types}
	for _, i := range order {
		out.User, out.Item, out.At = append(out.User, e.User[i]), append(out.Item, e.Item[i]), append(out.At, e.At[i])
		out.Type, out.Value = append(out.Type, e.Type[i]), append(out.Value, e.Value[i])
	}
	return out
}

func TestInspectFindsWhatIsPlanted(t *testing.T) {
	now := int64(4e12)
	if got := kinds(t, dataset.Inspect(clean(), now)); got != nil {
		t.Errorf("clean: %v", got)
	}
	if got := dataset.Inspect(dataset.Events{}, 0); got != nil {
		t.Errorf("nothing: %v", got)
	}
	twice := clean()
	twice = sorted(dataset.Events{User: slices.Concat(twice.User, twice.User[:50]), Item: slices.Concat(twice.Item, twice.Item[:50]),
		At: slices.Concat(twice.At, twice.At[:50]), Type: slices.Concat(twice.Type, twice.Type[:50]), Value: slices.Concat(twice.Value, twice.Value[:50])})
	for name, c := range map[string]struct {
		e    dataset.Events
		now  int64
		want []string
	}{
		"imported twice": {twice, now, []string{dataset.DuplicateRows}},
		"one item": {planted(func(i int, e *dataset.Events) {
			if e.Item[i]%15 < 9 { // with items of all groups left to tell users apart
				e.Item[i] = 7
			}
		}), now, []string{dataset.OneItem}},
		"bots": {planted(func(i int, e *dataset.Events) {
			if u := e.User[i]; u < 10 { // what user 0 does, in the same order
				of := clean().Of(0)
				place := i - slices.Index(e.User, u)
				e.Item[i] = of.Item[place%of.Len()]
			}
		}), now, []string{dataset.IdenticalUsers}},
		"constant time": {planted(func(i int, e *dataset.Events) { e.At[i] = 1e12 }), now, []string{dataset.SameTime}},
		"time by user":  {planted(func(i int, e *dataset.Events) { e.At[i] = 1e12 + int64(e.User[i]) }), now, []string{dataset.NoOrder}},
		"zeros": {planted(func(i int, e *dataset.Events) {
			if i%5 == 0 {
				e.At[i] = int64(i)
			}
		}), now, []string{dataset.ZeroTimes}},
		"next year": {planted(func(i int, e *dataset.Events) {
			if i == 3 {
				e.At[i] = now + 365*24*time.Hour.Milliseconds()
			}
		}), now, []string{dataset.FutureTimes}},
		"another unit, nobody knows when": {planted(func(i int, e *dataset.Events) { e.At[i] *= 1000 }), 0, []string{dataset.FutureTimes}},
	} {
		if got := kinds(t, dataset.Inspect(c.e, c.now)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
		if !slices.Equal(dataset.Inspect(c.e, c.now), dataset.Inspect(c.e, c.now)) {
			t.Errorf("%s: other findings of the same data", name)
		}
	}
	// A day is what clocks and zones may be off.
	e := planted(func(i int, e *dataset.Events) { e.At[i] = min(e.At[i], now) })
	e.At[e.Len()-1] = now + 23*time.Hour.Milliseconds()
	if got := dataset.Inspect(e, now); got != nil {
		t.Errorf("within a day: %v", got)
	}
}

func TestInspectSplitFindsLeaks(t *testing.T) {
	look := func(e dataset.Events, protocol string) []string {
		t.Helper()
		sp, err := dataset.NewSplit(e, protocol, 1)
		if err != nil {
			t.Fatal(err)
		}
		return kinds(t, dataset.InspectSplit(sp))
	}
	for _, protocol := range dataset.Protocols() {
		if got := look(clean(), protocol); got != nil {
			t.Errorf("clean, %s: %v", protocol, got)
		}
	}
	// The newest event of twenty users is there twice, which only leave-one-out cuts apart.
	doubled := clean()
	var more dataset.Events
	for u := range int32(20) {
		of := doubled.Of(u)
		last := of.Slice(of.Len()-1, of.Len())
		more.User, more.Item, more.At = append(more.User, u), append(more.Item, last.Item[0]), append(more.At, last.At[0])
		more.Type, more.Value = append(more.Type, last.Type[0]), append(more.Value, last.Value[0])
	}
	doubled = sorted(dataset.Events{User: slices.Concat(doubled.User, more.User), Item: slices.Concat(doubled.Item, more.Item), At: slices.Concat(doubled.At, more.At),
		Type: slices.Concat(doubled.Type, more.Type), Value: slices.Concat(doubled.Value, more.Value)})
	sp, _ := dataset.NewSplit(doubled, dataset.LeaveOneOut, 1)
	found := dataset.InspectSplit(sp)
	if got := kinds(t, found); !slices.Equal(got, []string{dataset.TestRowsInTrain}) || found[0].Count != 20 || found[0].Of != 200 {
		t.Errorf("doubled: %v", found)
	}
	always := planted(func(i int, e *dataset.Events) { e.Item[i] = e.User[i] % 60 })
	if got := look(always, dataset.LeaveOneOut); !slices.Equal(got, []string{dataset.TargetsRepeatInput}) {
		t.Errorf("always the same: %v", got)
	}
	renewed := clean()
	cut := make([]int64, 0, renewed.Len())
	cut = append(cut, renewed.At...)
	slices.Sort(cut)
	from := cut[len(cut)*19/20]
	renewed = planted(func(i int, e *dataset.Events) {
		if e.At[i] >= from {
			e.Item[i] += 60
		}
	})
	if got := look(renewed, dataset.Temporal); !slices.Equal(got, []string{dataset.NewItemsInTest}) {
		t.Errorf("a new catalogue: %v", got)
	}
}

// Prefixes share their input: repeats are counted as if each were looked at alone.
func TestRepeats(t *testing.T) {
	rows := slices.Concat(visits("u", "abacb", 0, 1, 2, 3, 4), visits("v", "abab", 100, 101, 102, 103))
	sp, err := dataset.NewSplit(snapshotOf(t, rows...).Events, dataset.SessionPrefix, 1)
	if err != nil {
		t.Fatal(err)
	}
	sp.Cases = append(sp.Cases, sp.Cases[0]) // a shorter one of the same input again
	repeats, targets := sp.Repeats()
	want := 0
	for _, c := range sp.Cases {
		if slices.Contains(c.Input.Item, c.Truth[0]) {
			want++
		}
	}
	if repeats != want || targets != 4 || want != 2 {
		t.Errorf("%d of %d, want %d", repeats, targets, want)
	}
}

func TestInspectPair(t *testing.T) {
	e := clean()
	train, test := e.Where(func(i int) bool { return i%3 != 0 }), e.Where(func(i int) bool { return i%3 == 0 })
	if got := dataset.InspectPair(train, test); got != nil {
		t.Errorf("clean: %v", got)
	}
	leaky := e.Where(func(i int) bool { return i%3 != 0 || i%30 == 0 })
	shared := leaky.Len() - train.Len()
	found := dataset.InspectPair(leaky, test)
	if got := kinds(t, found); !slices.Equal(got, []string{dataset.TestRowsInTrain}) || found[0].Count != int64(shared) {
		t.Errorf("leaky: %v, want %d", found, shared)
	}
	others := e.Where(func(i int) bool { return e.User[i] >= 100 && e.Item[i] < 30 })
	found = dataset.InspectPair(e.Where(func(i int) bool { return e.User[i] < 100 && e.Item[i] >= 30 }), others)
	if got := kinds(t, found); !slices.Equal(got, []string{dataset.NewItemsInTest, dataset.NewUsersInTest}) {
		t.Errorf("strangers: %v", found)
	}
}

// Twice the events take about twice the time: nothing in it is quadratic.
func BenchmarkInspect(b *testing.B) {
	for _, users := range []int{10_000, 20_000} {
		e := datasettest.Blocks(users, 200, 4, 0.1, 1).Snapshot.Events
		b.Run(fmt.Sprint(e.Len()), func(b *testing.B) {
			for b.Loop() {
				dataset.Inspect(e, 0)
			}
		})
	}
}
