package datasettest_test

import (
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/attune-io/attune/dataset/datasettest"
)

func TestWorlds(t *testing.T) {
	for name, make := range map[string]func(seed uint64) *datasettest.World{
		"checkerboard": func(seed uint64) *datasettest.World { return datasettest.Checkerboard(40, 30, seed) },
		"blocks":       func(seed uint64) *datasettest.World { return datasettest.Blocks(60, 50, 5, 0.1, seed) },
		"drift":        func(seed uint64) *datasettest.World { return datasettest.Drift(40, 30, 3, seed) },
	} {
		w := make(7)
		s := w.Snapshot
		if s.Users.Len() != len(w.UserGroup) || s.Items.Len() != len(w.ItemGroup) {
			t.Fatalf("%s: %v", name, s)
		}
		if s.Digest() != make(7).Snapshot.Digest() || s.Digest() == make(8).Snapshot.Digest() {
			t.Errorf("%s: the seed does not decide", name)
		}
		liked := 0
		for i := range s.Events.Len() {
			likes := w.Likes(s.Events.User[i], s.Events.Item[i])
			late := w.Moment.IsZero() || s.Events.At[i] >= w.Moment.UnixMilli()
			if name == "checkerboard" && !likes || name == "drift" && likes != late {
				t.Fatalf("%s: event %d is wrong", name, i)
			}
			if likes {
				liked++
			}
		}
		if name == "blocks" && (liked*10 < s.Events.Len()*8 || liked == s.Events.Len()) {
			t.Errorf("blocks: %d of %d events are liked", liked, s.Events.Len())
		}
		for u := range int32(s.Users.Len()) {
			if s.Users.ID(u) != datasettest.UserID(int(u)) {
				t.Fatalf("%s: row %d is %s", name, u, s.Users.ID(u))
			}
			left := 0
			touched := w.Touched(u)
			for i := range int32(s.Items.Len()) {
				if w.Likes(u, i) && !touched[i] {
					left++
				}
			}
			if left == 0 || len(touched) < 2 {
				t.Fatalf("%s: user %d has %d items left of %d", name, u, left, len(touched))
			}
		}
		if !reflect.DeepEqual(s.Events.Types, []string{datasettest.Purchase, datasettest.View}) {
			t.Errorf("%s: types %v", name, s.Events.Types)
		}
	}
}

// Strange worlds are snapshots all the same: in order, with rows that are there,
// and ids of at most 256 bytes, some of that many or nearly.
func TestStrange(t *testing.T) {
	longest, names := 0, map[string]bool{}
	for _, s := range datasettest.Strange() {
		if names[s.Name] {
			t.Errorf("two are called %q", s.Name)
		}
		names[s.Name] = true
		e := s.Events
		for i := range e.Len() {
			if int(e.User[i]) >= s.Users.Len() || int(e.Item[i]) >= s.Items.Len() {
				t.Fatalf("%s: event %d is of user %d and item %d", s.Name, i, e.User[i], e.Item[i])
			}
			if i > 0 && (e.User[i] < e.User[i-1] || e.User[i] == e.User[i-1] && e.At[i] < e.At[i-1]) {
				t.Fatalf("%s: event %d comes too late", s.Name, i)
			}
		}
		for _, id := range s.Items.IDs() {
			if !utf8.ValidString(id) || len(id) > 256 {
				t.Fatalf("%s: id %q of %d bytes", s.Name, id, len(id))
			}
			longest = max(longest, len(id))
		}
	}
	if longest < 250 {
		t.Errorf("the longest id has %d bytes", longest)
	}
}
