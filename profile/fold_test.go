package profile

import (
	"context"
	"fmt"
	"iter"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob/fileblob"

	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

func newStore(t testing.TB) *artifact.Store {
	t.Helper()
	return storeIn(t, t.TempDir())
}

func storeIn(t testing.TB, dir string) *artifact.Store {
	t.Helper()
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return artifact.New(b, dir, "")
}

var schemas = map[schema.Type]string{
	schema.Interactions: `{"type":"record","name":"Interactions","namespace":"x","version":"1.0","fields":[{"name":"USER_ID","type":"string"},
		{"name":"ITEM_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},{"name":"EVENT_VALUE","type":["null","float"]},
		{"name":"TIMESTAMP","type":"long"},{"name":"DEVICE","type":["null","string"],"categorical":true}]}`,
	schema.Items: `{"type":"record","name":"Items","namespace":"x","version":"1.0","fields":[{"name":"ITEM_ID","type":"string"},
		{"name":"GENRE_2","type":["null","string"],"categorical":true},{"name":"PRICE","type":["null","float"]},{"name":"ABOUT","type":["null","string"],"textual":true}]}`,
	schema.Users: `{"type":"record","name":"Users","namespace":"x","version":"1.0","fields":[{"name":"USER_ID","type":"string"},
		{"name":"TIER","type":["null","string"],"categorical":true},{"name":"AGE","type":["null","int"]}]}`,
	schema.Actions: `{"type":"record","name":"Actions","namespace":"x","version":"1.0","fields":[{"name":"ACTION_ID","type":"string"},
		{"name":"LEVEL","type":["null","string"],"categorical":true},{"name":"VALUE","type":["null","long"]}]}`,
	schema.ActionInteractions: `{"type":"record","name":"ActionInteractions","namespace":"x","version":"1.0","fields":[{"name":"USER_ID","type":"string"},
		{"name":"ACTION_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},{"name":"TIMESTAMP","type":"long"}]}`,
}

// makeTable imports a CSV as a customer's file would be.
func makeTable(t testing.TB, s *artifact.Store, kind schema.Type, table, csv string) {
	t.Helper()
	sch, err := schema.Parse(schemas[kind])
	if err != nil {
		t.Fatal(err)
	}
	source := "up/" + strings.ReplaceAll(table, "/", "-") + ".csv"
	if _, err := s.Put(t.Context(), source, []byte(csv)); err != nil {
		t.Fatal(err)
	}
	if _, err := dataset.Import(t.Context(), s, s, dataset.ImportSpec{Type: kind, Schema: sch, Location: source, Table: table}); err != nil {
		t.Fatal(err)
	}
}

func reader(s *artifact.Store) tableReader {
	return func(ctx context.Context, table string) iter.Seq2[*dataset.Batch, error] {
		return dataset.Batches(ctx, s, table)
	}
}

// feed is a view and what it is fed with.
type feed struct {
	t      testing.TB
	v      *View
	tables tableReader
	next   uint64
}

func newFeed(t testing.TB) *feed {
	return &feed{t: t, v: newView(defaultHistory, newVocabulary())}
}

func (f *feed) add(bodies ...event.Body) {
	f.t.Helper()
	for _, b := range bodies {
		f.next++
		r := event.Record{Seq: event.Seq{Message: f.next}, Body: b}
		if err := f.v.fold(f.t.Context(), f.tables, []event.Record{r}); err != nil {
			f.t.Fatal(err)
		}
	}
}

func did(user, session, item string, at int64) *event.Interaction {
	return &event.Interaction{User: user, Session: session, Item: item, Type: "Watch", At: time.UnixMilli(at), Value: math.NaN()}
}

// items are what a history touched, in order.
func items(v *View, key string) []string {
	var out []string
	for _, t := range v.History(key) {
		out = append(out, v.Item(t.Item))
	}
	return out
}

func wantItems(t *testing.T, v *View, key, want string) {
	t.Helper()
	if got := strings.Join(items(v, key), " "); got != want {
		t.Errorf("history of %q is %q, want %q", key, got, want)
	}
}

func TestHistory(t *testing.T) {
	f := newFeed(t)
	f.add(did("u", "s", "a", 30), did("u", "s", "b", 10), did("u", "s", "c", 20), did("u", "s", "c", 20), did("u", "s", "", 25), did("", "", "x", 1))
	wantItems(t, f.v, "u", "b c a")
	once := did("u", "s", "d", 40)
	once.EventID = "e1"
	again := did("u", "s", "e", 41)
	again.EventID = "e1"
	f.add(once, again)
	wantItems(t, f.v, "u", "b c a d")
	differ := did("u", "s", "d", 40)
	differ.Properties = `{"device":"tv"}`
	f.add(differ)
	wantItems(t, f.v, "u", "b c a d d")
	rated := did("u", "s", "f", 50)
	rated.Value, rated.Type = 4.5, "Rating"
	f.add(rated)
	h := f.v.History("u")
	last := h[len(h)-1]
	if last.Value != 4.5 || last.At != 50 || f.v.TypeName(last.Type) != "Rating" || !math.IsNaN(float64(h[0].Value)) {
		t.Errorf("last touch %+v", last)
	}
	if n := f.v.names.eventType("rATING"); n != last.Type {
		t.Errorf("type number of rATING: %d", n)
	}
	if n, ok := f.v.ItemNumber("f"); !ok || n != last.Item {
		t.Errorf("item number of f: %d, %v", n, ok)
	}
	if f.v.History("nobody") != nil || f.v.Item(-1) != "" || f.v.Item(99) != "" || f.v.TypeName(99) != "" {
		t.Error("what is not there is not empty")
	}
	if _, ok := f.v.ItemNumber("x"); ok {
		t.Error("an event of nobody made an item known")
	}
}

func TestSessions(t *testing.T) {
	f := newFeed(t)
	f.add(did("", "s1", "a", 1), did("", "s1", "c", 3))
	wantItems(t, f.v, "s1", "a c")
	f.add(did("u", "s0", "b", 2))
	wantItems(t, f.v, "s0", "b")
	f.add(did("u", "s1", "d", 4))
	wantItems(t, f.v, "u", "a b c d")
	wantItems(t, f.v, "s1", "a b c d")
	f.add(did("", "s1", "e", 5)) // logged out, the same browser
	wantItems(t, f.v, "u", "a b c d e")
	if n := f.v.NumUsers(); n != 1 {
		t.Errorf("%d users, want 1", n)
	}

	// A session joined before anything was anonymous in it: what is later, is the user's.
	f.add(did("w", "s2", "x", 1), did("", "s2", "y", 2))
	wantItems(t, f.v, "w", "x y")
	// Of such sessions the last is known, of the others all.
	f.add(did("w", "s3", "z", 3), did("w", "s4", "q", 4))
	wantItems(t, f.v, "s2", "x y z q")
	wantItems(t, f.v, "s3", "")
	wantItems(t, f.v, "s4", "x y z q")

	// A session with a user's name is not taken away from that user.
	f.add(did("v", "sv", "m", 1), did("u", "v", "n", 6))
	wantItems(t, f.v, "v", "m")
	wantItems(t, f.v, "u", "a b c d e n")
	// And a user may come whose name was a session.
	f.add(did("s4", "s9", "own", 1))
	wantItems(t, f.v, "s4", "own")
	wantItems(t, f.v, "w", "x y z q")
	f.add(did("w", "s5", "r", 5)) // must not remove the user s4
	wantItems(t, f.v, "s4", "own")
	f.add(did("same", "same", "i", 1))
	wantItems(t, f.v, "same", "i")
}

func TestAttributes(t *testing.T) {
	f := newFeed(t)
	f.add(&event.Item{ID: "i", Properties: `{"genres":"Horror|Action","releaseYear":1999,"isNew":true,"empty":"","none":null,"title":"One"}`},
		&event.Item{ID: "bad", Properties: `[1]`})
	n, _ := f.v.ItemNumber("i")
	for name, want := range map[string]any{"GENRES": []string{"Horror", "Action"}, "RELEASE_YEAR": 1999.0, "IS_NEW": "true", "TITLE": "One", "EMPTY": nil, "NONE": nil} {
		if got := f.v.Items().Get(n, name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %#v, want %#v", name, got, want)
		}
	}
	f.add(&event.Item{ID: "i", Properties: `{"genres":"Drama"}`}) // the newest row is the row
	if g, y := f.v.Items().Get(n, "GENRES"), f.v.Items().Get(n, "RELEASE_YEAR"); g != "Drama" || y != nil {
		t.Errorf("after a second put: genres %v, year %v", g, y)
	}
	f.add(&event.User{ID: "u", Properties: `{"tier":"gold","age":30}`}, did("u", "s", "i", 1))
	want := map[string]any{"TIER": "gold", "AGE": 30.0}
	if got := f.v.UserAttributes("u"); !reflect.DeepEqual(got, want) {
		t.Errorf("user attributes %v, want %v", got, want)
	}
	if got := f.v.UserAttributes("s"); !reflect.DeepEqual(got, want) {
		t.Errorf("attributes by session %v, want %v", got, want)
	}
	f.add(&event.User{ID: "u", Properties: `{"age":31}`}, &event.User{ID: "w"})
	if got := f.v.UserAttributes("u"); !reflect.DeepEqual(got, map[string]any{"AGE": 31.0}) {
		t.Errorf("user attributes %v", got)
	}
	if got := f.v.UserAttributes("w"); len(got) != 0 {
		t.Errorf("user attributes %v", got)
	}
}

func TestTables(t *testing.T) {
	s := newStore(t)
	makeTable(t, s, schema.Interactions, "table/d/1", "USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP,DEVICE\n"+
		"u,b,Watch,,20,tv\nu,a,Watch,2.5,10,tv\nu,a,Watch,2.5,10,tv\nu,a,Watch,2.5,10,phone\nw,c,Click,,5,\n")
	makeTable(t, s, schema.Items, "table/i/1", "ITEM_ID,GENRE_2,PRICE,ABOUT\na,X|Y,1.5,one|two\nb,,,\n")
	makeTable(t, s, schema.Users, "table/u/1", "USER_ID,TIER,AGE\nu,gold,30\n")
	f := newFeed(t)
	f.tables = reader(s)
	f.add(&event.Imported{Dataset: "INTERACTIONS", Table: "table/d/1", Mode: event.Full, Job: "j1"},
		&event.Imported{Dataset: "ITEMS", Table: "table/i/1", Mode: event.Full, Job: "j2"},
		&event.Imported{Dataset: "USERS", Table: "table/u/1", Mode: event.Incremental, Job: "j3"})
	wantItems(t, f.v, "u", "a a b")
	if h := f.v.History("u"); h[0].Value != 2.5 || h[0].At != 10_000 || f.v.TypeName(h[0].Type) != "Watch" {
		t.Errorf("first touch %+v", h[0])
	}
	n, _ := f.v.ItemNumber("a")
	c := f.v.Items()
	if g, p, a := c.Get(n, "GENRE_2"), c.Get(n, "PRICE"), c.Get(n, "ABOUT"); !reflect.DeepEqual(g, []string{"X", "Y"}) || p != 1.5 || a != "one|two" {
		t.Errorf("attributes of a: %v %v %v", g, p, a)
	}
	if got := f.v.UserAttributes("u"); !reflect.DeepEqual(got, map[string]any{"TIER": "gold", "AGE": 30.0}) {
		t.Errorf("user attributes %v", got)
	}
	// A document's keys mean the columns that the tables have, and its numbers too.
	f.add(&event.Item{ID: "a", Properties: `{"genre2":"Z","price":"7.5"}`})
	if g, p := c.Get(n, "GENRE_2"), c.Get(n, "PRICE"); g != "Z" || p != 7.5 {
		t.Errorf("after a put: %v %v", g, p)
	}
	// The same job again counts once; another full import needs a rebuild.
	seq := f.v.Seq()
	f.add(&event.Imported{Dataset: "INTERACTIONS", Table: "table/gone", Mode: event.Full, Job: "j1"})
	if !seq.Less(f.v.Seq()) || f.v.w.stale {
		t.Error("a repeated job made the view stale")
	}
	seq = f.v.Seq()
	f.add(&event.Imported{Dataset: "INTERACTIONS", Table: "table/d/1", Mode: event.Full, Job: "j9"}, did("u", "s", "new", 30_000))
	if f.v.Seq() != seq || !f.v.w.stale {
		t.Error("a second full import was folded on top")
	}
	wantItems(t, f.v, "u", "a a b new")
}

// dump is everything a view answers, by names, so that two views can be compared.
func dump(v *View) string {
	var b strings.Builder
	keys := map[string]bool{}
	for i := range v.shards {
		for key := range v.shards[i].people {
			keys[key] = true
		}
	}
	for _, key := range sortedKeys(keys) {
		fmt.Fprintf(&b, "%s:", key)
		for _, t := range v.History(key) {
			fmt.Fprintf(&b, " %s/%s/%d/%v/%x", v.Item(t.Item), strings.ToLower(v.TypeName(t.Type)), t.At, t.Value, t.marks())
		}
		b.WriteString(" acts")
		for _, t := range v.ActionHistory(key) {
			fmt.Fprintf(&b, " %s/%s/%d/%x", v.Action(t.Item), strings.ToLower(v.TypeName(t.Type)), t.At, t.marks())
		}
		fmt.Fprintf(&b, " %v\n", v.UserAttributes(key))
	}
	ids := map[string]bool{}
	for n := range v.NumItems() {
		ids[v.Item(int32(n))] = true
	}
	for _, id := range sortedKeys(ids) {
		n, _ := v.ItemNumber(id)
		for _, name := range v.items.Names() {
			if x := v.items.Get(n, name); x != nil {
				fmt.Fprintf(&b, "%s.%s=%v\n", id, name, x)
			}
		}
	}
	acts := map[string]bool{}
	for n := range int32(v.NumActions()) {
		for _, name := range v.acts.Names() {
			if x := v.acts.Get(n, name); x != nil {
				acts[fmt.Sprintf("%s.%s=%v", v.Action(n), name, x)] = true
			}
		}
	}
	fmt.Fprintf(&b, "%q\nat %s, %d people\n", sortedKeys(acts), v.w.at, v.NumUsers())
	return b.String()
}

func sortedKeys(m map[string]bool) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
