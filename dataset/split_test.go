package dataset_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/datasettest"
)

// split splits rows whose users and items have one letter and tells train and
// cases in one line each: "u: a b" and "u: a>b".
func split(t *testing.T, protocol string, rows []dataset.Row) (train, cases []string) {
	t.Helper()
	s := snapshotOf(t, rows...)
	sp, err := dataset.NewSplit(s.Events, protocol, 1)
	if err != nil {
		t.Fatal(err)
	}
	letters := func(items []int32) (out string) {
		for _, i := range items {
			out += s.Items.ID(i)
		}
		return out
	}
	sp.Train.ByUser(func(user int32, from, to int) {
		train = append(train, s.Users.ID(user)+":"+letters(sp.Train.Item[from:to]))
	})
	for _, c := range sp.Cases {
		cases = append(cases, s.Users.ID(c.User)+":"+letters(c.Input.Item)+">"+letters(c.Truth))
		if c.Held.Len() == 0 || c.Input.Len() == 0 || c.Held.User[0] != c.User {
			t.Errorf("%s: empty or of somebody else: %+v", protocol, c)
		}
	}
	return train, cases
}

func visits(user, items string, minutes ...int64) (rows []dataset.Row) {
	for i, item := range items {
		rows = append(rows, dataset.Row{User: user, Item: string(item), At: minutes[i] * 60_000})
	}
	return rows
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// One moment for all: the newest tenth of eleven events are two, at 90 and 95.
func TestSplitTemporal(t *testing.T) {
	rows := slices.Concat(visits("early", "abc", 1, 2, 3), visits("late", "ab", 90, 95), visits("over", "abcdef", 1, 2, 3, 4, 5, 90))
	train, cases := split(t, dataset.Temporal, rows)
	same(t, "train", train, []string{"early:abc", "over:abcde"})
	same(t, "cases", cases, []string{"over:abcde>f"}) // late has no history

	// When the newest tenth begins with the oldest event, the next moment cuts.
	train, cases = split(t, dataset.Temporal, slices.Concat(visits("u", "abc", 5, 5, 6), visits("v", "b", 5)))
	same(t, "train", train, []string{"u:ab", "v:b"})
	same(t, "cases", cases, []string{"u:ab>c"})

	if _, err := dataset.NewSplit(snapshotOf(t, visits("u", "abc", 5, 5, 5)...).Events, dataset.Temporal, 1); attune.KindOf(err) != attune.Invalid {
		t.Errorf("one moment for everything: %v", err)
	}
}

// Sessions end with a pause of more than half an hour; the newest tenth of those
// that can be asked about are held out whole, prefix by prefix.
func TestSplitSessionPrefix(t *testing.T) {
	rows := slices.Concat(visits("u", "abcdab", 0, 30, 61, 62, 92, 93), visits("v", "ab", 50, 60), visits("w", "a", 1000))
	train, cases := split(t, dataset.SessionPrefix, rows)
	same(t, "train", train, []string{"u:ab", "v:ab", "w:a"})
	same(t, "cases", cases, []string{"u:c>d", "u:cd>a", "u:cda>b"})

	// Eleven sessions: two are held out, and the later rest of the same user trains.
	rows = nil
	for i := range int64(11) {
		rows = append(rows, visits(fmt.Sprintf("u%02d", i), "ab", 100*i, 100*i+1)...)
	}
	rows = append(rows, visits("u10", "c", 5000)...)
	train, cases = split(t, dataset.SessionPrefix, rows)
	same(t, "cases", cases, []string{"u09:a>b", "u10:a>b"})
	if len(train) != 10 || train[9] != "u10:c" {
		t.Errorf("train %q", train)
	}
	sp, _ := dataset.NewSplit(snapshotOf(t, rows...).Events, dataset.SessionPrefix, 1)
	tail, _ := dataset.NewSplit(snapshotOf(t, rows...).Events, dataset.Tail10, 1)
	if !sp.Unmasked() || tail.Unmasked() {
		t.Error("what is masked")
	}
}

// Of each user a tenth of the distinct items is held out, with all events of them, and who else is
// in the data does not matter.
func TestSplitCFHoldout(t *testing.T) {
	e := datasettest.Blocks(50, 60, 3, 0, 3).Snapshot.Events
	sp, err := dataset.NewSplit(e, dataset.CFHoldout, 4)
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, c := range sp.Cases {
		all, items := e.Of(c.User), map[int32]bool{}
		for _, i := range all.Item {
			items[i] = true
		}
		if len(c.Truth) != (len(items)+9)/10 || c.Held.Len()+c.Input.Len() != all.Len() {
			t.Errorf("user %d: %d of %d items", c.User, len(c.Truth), len(items))
		}
		for _, i := range c.Input.Item {
			if slices.Contains(c.Truth, i) {
				t.Errorf("user %d is told of item %d and asked for it", c.User, i)
			}
		}
		if !slices.Equal(sp.Train.Of(c.User).Item, c.Input.Item) {
			t.Errorf("user %d: input is not what trains", c.User)
		}
		held += c.Held.Len()
	}
	if sp.Train.Len()+held != e.Len() {
		t.Errorf("%d + %d of %d events", sp.Train.Len(), held, e.Len())
	}
	some, err := dataset.NewSplit(e.Where(func(i int) bool { return e.User[i]%2 == 0 }), dataset.CFHoldout, 4)
	other, _ := dataset.NewSplit(e, dataset.CFHoldout, 5)
	if err != nil || !slices.Equal(some.Cases[1].Truth, sp.Cases[2].Truth) {
		t.Error("others decide")
	}
	alike := 0
	for i := range sp.Cases {
		if slices.Equal(sp.Cases[i].Truth, other.Cases[i].Truth) {
			alike++
		}
	}
	if alike > len(sp.Cases)/2 {
		t.Errorf("another seed holds out the same of %d users", alike)
	}
	_, cases := split(t, dataset.CFHoldout, visits("u", "aaab", 1, 2, 3, 4))
	if len(cases) != 1 || cases[0] != "u:aaa>b" && cases[0] != "u:b>a" {
		t.Errorf("%q", cases)
	}
}

// The numbers of 2019: one event of a tenth of the users, who do not train.
func TestSplitAWS2019(t *testing.T) {
	e := datasettest.Blocks(205, 60, 4, 0, 3).Snapshot.Events
	sp, err := dataset.NewSplit(e, dataset.AWS2019, 1)
	if err != nil || len(sp.Cases) != 21 {
		t.Fatal(sp, err)
	}
	for _, c := range sp.Cases {
		all := e.Of(c.User)
		if sp.Train.Of(c.User).Len() != 0 || c.Input.Len() != all.Len()-1 || !slices.Equal(c.Truth, all.Item[all.Len()-1:]) {
			t.Errorf("case of %d", c.User)
		}
	}
}
