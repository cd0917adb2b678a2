package profile

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

// count is what is counted of an item.
func count(t *testing.T, v *View, item string) Count {
	t.Helper()
	counts, _ := v.Counts(nil)
	n, ok := v.ItemNumber(item)
	if !ok || int(n) >= len(counts) {
		return Count{}
	}
	return counts[n]
}

func TestCounts(t *testing.T) {
	f := newFeed(t)
	store := newStore(t)
	f.tables = reader(store)
	makeTable(t, store, schema.Interactions, "table/d/1", "USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP,DEVICE\nu,a,Watch,,7,\nw,a,Watch,,3,\nw,b,Watch,,9,\n")
	f.add(&event.Imported{Dataset: "INTERACTIONS", Table: "table/d/1", Mode: event.Full, Rows: 3, Job: "j"})
	twice := did("u", "s", "a", 8000)
	f.add(twice, twice, did("u", "s", "c", 2000))
	f.add(&event.Impression{RecommendationID: "r", Items: []string{"a", "b", "unheard"}})
	seen := did("v", "s2", "c", 9500)
	seen.Impression = []string{"a", "c"}
	named := did("v", "s2", "c", 9600)
	named.Impression, named.RecommendationID = []string{"a", "c"}, "r"
	f.add(seen, named)
	for item, want := range map[string]Count{
		"a": {Touched: 3, Shown: 2, First: 3000}, "b": {Touched: 1, Shown: 1, First: 9000},
		"c": {Touched: 3, Shown: 1, First: 2000}, "unheard": {},
	} {
		if got := count(t, f.v, item); got != want {
			t.Errorf("%s: %+v, want %+v", item, got, want)
		}
	}
	if _, latest := f.v.Counts(nil); latest != 9600 {
		t.Errorf("latest %d", latest)
	}
	if _, ok := f.v.ItemNumber("unheard"); ok {
		t.Error("an impression made an item")
	}
	var file bytes.Buffer
	if err := f.v.capture("0123456789abcdef").encode(&file); err != nil {
		t.Fatal(err)
	}
	c, err := decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	again := c.restore()
	want, _ := f.v.Counts(nil)
	if got, latest := again.Counts(nil); !reflect.DeepEqual(got, want) || latest != 9600 {
		t.Errorf("a checkpoint keeps %+v and %d, want %+v", got, latest, want)
	}
}

// TestTwiceIsOnce holds that of two events with the same time and properties
// one counts, and that an event id counts once whatever comes with it.
func TestTwiceIsOnce(t *testing.T) {
	f := newFeed(t)
	a := did("u", "s", "a", 1000)
	a.Properties = `{"device":"tv"}`
	again := *a
	again.EventID = "another id" // equal in time and properties all the same
	other := *a
	other.Properties = `{"device":"phone"}`
	f.add(a, &again, &other)
	if got := count(t, f.v, "a"); got.Touched != 2 || len(f.v.History("u")) != 2 {
		t.Errorf("equal events: %+v, history %v", got, items(f.v, "u"))
	}
	first := did("w", "s", "b", 1000)
	first.EventID = "e"
	late := did("w", "s", "c", 5000)
	late.EventID = "e"
	f.add(first, late)
	if got := count(t, f.v, "c"); got.Touched != 0 || len(f.v.History("w")) != 1 {
		t.Errorf("a repeated event id: %+v, history %v", got, items(f.v, "w"))
	}
}
