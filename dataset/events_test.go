package dataset_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
)

func snapshotOf(t *testing.T, rows ...dataset.Row) *dataset.Snapshot {
	t.Helper()
	s, err := dataset.NewSnapshot(time.Time{}, rows, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWeigh(t *testing.T) {
	row := func(item, typ string, value float64) dataset.Row {
		return dataset.Row{User: "u", Item: item, Type: typ, Value: value}
	}
	s := snapshotOf(t, row("a", "Rate", 3), row("b", "Buy", 4), row("c", "Rate", math.NaN()), row("d", "View", 5))
	for want, weight := range map[string]func(typ string, value float32) float32{
		"a b c d []":    func(string, float32) float32 { return 1 },
		"b d []":        func(_ string, value float32) float32 { return map[bool]float32{true: 1}[value > 3] },
		"a b c [1 2 1]": func(typ string, _ float32) float32 { return map[string]float32{"Rate": 1, "Buy": 2}[typ] },
		"c [0.5]":       func(_ string, value float32) float32 { return map[bool]float32{true: 0.5}[value != value] },
		" []":           func(string, float32) float32 { return float32(math.NaN()) },
	} {
		kept := s.Events.Weigh(func(t uint16, value float32) float32 { return weight(s.Events.Types[t], value) })
		var got []string
		for _, i := range kept.Item {
			got = append(got, s.Items.ID(i))
		}
		if text := fmt.Sprint(strings.Join(got, " "), " ", kept.Weight); text != want || kept.Len() != len(kept.Value) || kept.Len() != len(kept.At) {
			t.Errorf("got %s, want %s", text, want)
		}
		if kept.Weight != nil && kept.Len() > 1 && len(kept.Slice(1, kept.Len()).Weight) != kept.Len()-1 {
			t.Error("a slice loses weights")
		}
	}
}

func TestVocabulary(t *testing.T) {
	v := dataset.NewVocabulary([]string{"b", "ä", "a", "b", "10", "9"})
	if !reflect.DeepEqual(v.IDs(), []string{"10", "9", "a", "b", "ä"}) {
		t.Errorf("ids %v", v.IDs())
	}
	for i := range int32(v.Len()) {
		if r, ok := v.Row(v.ID(i)); !ok || r != i {
			t.Errorf("row %d is %d", i, r)
		}
	}
	if _, ok := v.Row("c"); ok {
		t.Error("found what is not there")
	}
}

func TestSnapshotString(t *testing.T) {
	var rows []dataset.Row
	for i := range 1234 {
		rows = append(rows, dataset.Row{User: fmt.Sprint(i % 7), Item: fmt.Sprint(i), At: int64(i)})
	}
	s, err := dataset.NewSnapshot(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), rows, nil, nil)
	if err != nil || s.String() != "snapshot 7 users × 1 234 items × 1 234 events, as of 2026-03-01" {
		t.Error(s, err)
	}
}

// names writes a split's case as "user: input > truth", and what of the user trains.
func names(s *dataset.Snapshot, sp *dataset.Split, user string) string {
	u, _ := s.Users.Row(user)
	ids := func(items []int32) string {
		var out []string
		for _, i := range items {
			out = append(out, s.Items.ID(i))
		}
		return strings.Join(out, "")
	}
	text := "trains " + ids(sp.Train.Of(u).Item)
	for _, c := range sp.Cases {
		if c.User == u {
			text = ids(c.Input.Item) + ">" + ids(c.Truth) + ", " + text
		}
	}
	return text
}

func TestSplit(t *testing.T) {
	var rows []dataset.Row
	add := func(user, items string, at ...int64) {
		for i, item := range items {
			when := int64(i)
			if len(at) > 0 {
				when = at[0]
			}
			rows = append(rows, dataset.Row{User: user, Item: string(item), At: when})
		}
	}
	add("one", "a")
	add("two", "ba")
	add("ten", "jihgfedcba")
	add("eleven", "abcdefghijk")
	add("ties", "cab", 5)
	add("again", "abcdefghijkkk")
	s := snapshotOf(t, rows...)
	for protocol, want := range map[string]map[string]string{
		dataset.Tail10: {"one": "trains a", "two": "b>a, trains b", "ten": "jihgfedcb>a, trains jihgfedcb",
			"eleven": "abcdefghi>jk, trains abcdefghi", "ties": "ab>c, trains ab", "again": "abcdefghijk>k, trains abcdefghijk"},
		dataset.LeaveOneOut: {"one": "trains a", "eleven": "abcdefghij>k, trains abcdefghij", "ties": "ab>c, trains ab"},
	} {
		sp, err := dataset.NewSplit(s.Events, protocol, 1)
		if err != nil {
			t.Fatal(err)
		}
		for user, text := range want {
			if got := names(s, sp, user); got != text {
				t.Errorf("%s %s: %s, want %s", protocol, user, got, text)
			}
		}
		if len(sp.Cases) != 5 || sp.Protocol != protocol {
			t.Errorf("%v", sp)
		}
	}
}

// TestSplitAWS: a tenth of the users is tested with nothing of theirs trained on; the seed says which.
func TestSplitAWS(t *testing.T) {
	e := datasettest.Blocks(200, 60, 4, 0, 3).Snapshot.Events
	sp, err := dataset.NewSplit(e, dataset.AWSDoc, 1)
	if err != nil || len(sp.Cases) != 20 {
		t.Fatal(sp, err)
	}
	n := sp.Train.Len()
	for _, c := range sp.Cases {
		all := e.Of(c.User)
		if sp.Train.Of(c.User).Len() != 0 || c.Input.Len() != all.Len()-(all.Len()+9)/10 || len(c.Truth) == 0 {
			t.Errorf("case of %d: %d of %d", c.User, c.Input.Len(), all.Len())
		}
		if c.Input.At[c.Input.Len()-1] > all.At[c.Input.Len()] {
			t.Error("input is newer than truth")
		}
		n += all.Len()
	}
	if n != e.Len() {
		t.Errorf("%d of %d events", n, e.Len())
	}
	users := func(sp *dataset.Split) (out []int32) {
		for _, c := range sp.Cases {
			out = append(out, c.User)
		}
		return out
	}
	same, _ := dataset.NewSplit(e, dataset.AWSDoc, 1)
	other, _ := dataset.NewSplit(e, dataset.AWSDoc, 2)
	if !slices.Equal(users(sp), users(same)) || slices.Equal(users(sp), users(other)) {
		t.Error("the seed does not decide")
	}
}

func TestSplitRefuses(t *testing.T) {
	s := snapshotOf(t, dataset.Row{User: "u", Item: "a"})
	for _, protocol := range append(dataset.Protocols(), "tail-11") {
		if _, err := dataset.NewSplit(s.Events, protocol, 1); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s: %v", protocol, err)
		}
	}
}
