package dataset

import (
	"fmt"
	"iter"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

var epoch = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func second(n int) time.Time { return epoch.Add(time.Duration(n) * time.Second) }

// records numbers bodies as a log would.
func records(bodies ...event.Body) iter.Seq2[event.Record, error] {
	return func(yield func(event.Record, error) bool) {
		for i, b := range bodies {
			if !yield(event.Record{Seq: event.Seq{Message: uint64(i + 1)}, Received: epoch, Body: b}, nil) {
				return
			}
		}
	}
}

func view(user, item string, at int) *event.Interaction {
	return &event.Interaction{User: user, Session: "s-" + user, Item: item, Type: "View", At: second(at), Value: math.NaN()}
}

func mustFreeze(t testing.TB, s *artifact.Store, spec FreezeSpec, bodies ...event.Body) *Snapshot {
	t.Helper()
	if spec.Group == "" {
		spec.Group = "a1"
	}
	if spec.AsOf.IsZero() {
		spec.AsOf = second(1_000_000)
	}
	info, err := freeze(t.Context(), records(bodies...), s, spec)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := Open(t.Context(), s, info.Name)
	if err != nil {
		t.Fatal(err)
	}
	if got := snap.Digest(); got != info.Digest || !strings.HasSuffix(info.Name, "-"+info.Digest[:12]) {
		t.Errorf("opened digest %s, frozen %s as %s", got, info.Digest, info.Name)
	}
	return snap
}

// told writes the events of a snapshot as user/item@second.
func told(s *Snapshot) string {
	var out []string
	for i := range s.Events.Len() {
		out = append(out, fmt.Sprintf("%s/%s@%d", s.Users.ID(s.Events.User[i]), s.Items.ID(s.Events.Item[i]), (s.Events.At[i]-epoch.UnixMilli())/1000))
	}
	return strings.Join(out, " ")
}

// makeTable imports rows "user,item,second" and gives its name.
func makeTable(t testing.TB, s *artifact.Store, name string, rows ...string) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("USER_ID,ITEM_ID,TIMESTAMP\n")
	for _, r := range rows {
		var user, item string
		var at int64
		if _, err := fmt.Sscanf(strings.ReplaceAll(r, ",", " "), "%s %s %d", &user, &item, &at); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s,%s,%d\n", user, item, epoch.Unix()+at)
	}
	return importTable(t, s, "table/x/"+name, schema.Interactions, interactionsSchema(), text.String())
}

func importTable(t testing.TB, s *artifact.Store, name string, typ schema.Type, sch *schema.Schema, text string) string {
	t.Helper()
	put(t, s, "up/data.csv", text)
	if _, err := Import(t.Context(), s, s, ImportSpec{Type: typ, Schema: sch, Location: "up/data.csv", Table: name}); err != nil {
		t.Fatal(err)
	}
	return name
}

func imported(typ, table string, mode event.Mode, job string) *event.Imported {
	return &event.Imported{Dataset: typ, Table: table, Mode: mode, Job: job}
}

func TestFreezeInteractions(t *testing.T) {
	s := newStore(t)
	t1, t2, t3 := makeTable(t, s, "1", "u1,i1,1", "u1,i1,1", "u2,i2,5"), makeTable(t, s, "2", "u3,i3,3"), makeTable(t, s, "3", "u4,i4,4")
	for _, c := range []struct {
		name   string
		bodies []event.Body
		want   string
	}{
		{"nothing", nil, ""},
		{"sorted by user, time, item", []event.Body{view("b", "x", 2), view("a", "z", 2), view("b", "y", 1), view("a", "y", 2)}, "a/y@2 a/z@2 b/y@1 b/x@2"},
		{"later than the moment", []event.Body{view("a", "x", 1_000_000), view("a", "y", 1_000_001)}, "a/x@1000000"},
		{"full", []event.Body{imported("INTERACTIONS", t1, event.Full, "j1")}, "u1/i1@1 u2/i2@5"},
		{"full replaces imports, not puts", []event.Body{view("a", "x", 1), imported("INTERACTIONS", t1, event.Full, "j1"),
			imported("INTERACTIONS", t2, event.Full, "j2"), view("a", "x", 2)}, "a/x@1 a/x@2 u3/i3@3"},
		{"incremental adds", []event.Body{imported("INTERACTIONS", t1, event.Full, "j1"), imported("INTERACTIONS", t2, event.Full, "j2"),
			imported("interactions", t3, event.Incremental, "j3")}, "u3/i3@3 u4/i4@4"},
		{"a job counts once", []event.Body{imported("INTERACTIONS", t2, event.Full, "j2"), imported("INTERACTIONS", t3, event.Incremental, "j3"),
			imported("INTERACTIONS", t1, event.Full, "j2")}, "u3/i3@3 u4/i4@4"},
		{"rows imported twice", []event.Body{imported("INTERACTIONS", t3, event.Full, "j1"), imported("INTERACTIONS", t3, event.Incremental, "j2")}, "u4/i4@4"},
		{"a row and an event", []event.Body{imported("INTERACTIONS", t3, event.Full, "j1"), &event.Interaction{User: "u4", Item: "i4", At: second(4)}}, "u4/i4@4 u4/i4@4"},
		{"cleared", []event.Body{view("a", "x", 1), imported("INTERACTIONS", t1, event.Full, "j1"), imported("INTERACTIONS", "", event.Cleared, "d"),
			view("b", "y", 2), imported("INTERACTIONS", t2, event.Incremental, "j2")}, "b/y@2 u3/i3@3"},
		{"impressions are not events", []event.Body{&event.Impression{User: "a", Items: []string{"x"}}}, ""},
	} {
		snap := mustFreeze(t, s, FreezeSpec{}, c.bodies...)
		if got := told(snap); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestFreezeLostPart holds that a table that lacks rows is not taken for a smaller one.
func TestFreezeLostPart(t *testing.T) {
	s := newStore(t)
	for _, typ := range []string{"INTERACTIONS", "ITEMS"} {
		table := makeTable(t, s, "1", "u1,i1,1", "u2,i2,5")
		if typ == "ITEMS" {
			table = importTable(t, s, "table/i/1", schema.Items, &schema.Schema{Fields: []schema.Field{field("ITEM_ID", schema.String)}}, "ITEM_ID\ni1\ni2\n")
		}
		b := imported(typ, table, event.Full, "j")
		for _, b.Rows = range []int64{2, 3} {
			_, err := freeze(t.Context(), records(b), s, FreezeSpec{Group: "a1", AsOf: epoch.Add(time.Hour)})
			if (err != nil) != (b.Rows == 3) {
				t.Errorf("%s of 2 rows, with %d in its record: %v", typ, b.Rows, err)
			}
		}
	}
}

func TestFreezeRepeats(t *testing.T) {
	s := newStore(t)
	with := func(id, properties string, value float64) *event.Interaction {
		return &event.Interaction{EventID: id, User: "u", Item: "i", Type: "View", At: second(1), Properties: properties, Value: value}
	}
	other := with("3", "", 1)
	other.Type = "Buy"
	shouted := with("", "", 2)
	shouted.Type = "VIEW"
	for _, c := range []struct {
		name   string
		bodies []event.Body
		values []float32
	}{
		{"a repeated event id", []event.Body{with("1", "", 1), with("1", `{"a":1}`, 2)}, []float32{1}},
		{"equal but for the id: the first counts", []event.Body{with("1", "", 1), with("2", "{}", 2)}, []float32{1}},
		{"no ids, equal", []event.Body{with("", `{"a":1}`, 3), with("", `{"a":1}`, 3)}, []float32{3}},
		{"other type", []event.Body{other, with("4", "", 2)}, []float32{1, 2}},
		{"a type in another case", []event.Body{with("", "", 1), shouted}, []float32{1}},
	} {
		if got := mustFreeze(t, s, FreezeSpec{}, c.bodies...).Events.Value; !reflect.DeepEqual(got, c.values) {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if n := mustFreeze(t, s, FreezeSpec{}, with("1", `{"a":1}`, 1), with("2", `{"a":2}`, 1)).Events.Len(); n != 2 {
		t.Errorf("other properties: %d events", n)
	}
	snap := mustFreeze(t, s, FreezeSpec{}, other, with("4", "", 2), view("u", "i", 1))
	if !reflect.DeepEqual(snap.Events.Types, []string{"Buy", "View"}) {
		t.Errorf("types %v", snap.Events.Types)
	}
}

func TestFreezeSessions(t *testing.T) {
	in := func(session, user, item string, at int) *event.Interaction {
		return &event.Interaction{Session: session, User: user, Item: item, At: second(at), Value: math.NaN()}
	}
	again := func(user, item string, at int) *event.Interaction {
		b := in("s", user, item, at)
		b.EventID = "e"
		return b
	}
	for _, c := range []struct {
		name   string
		bodies []event.Body
		want   string
	}{
		{"signed in later", []event.Body{in("s", "", "x", 1), in("s", "ann", "y", 2), in("s", "", "z", 3)}, "ann/x@1 ann/y@2 ann/z@3"},
		{"never signed in", []event.Body{in("s", "", "x", 1), in("t", "ann", "y", 2)}, "ann/y@2 s/x@1"},
		{"an event without an item tells whose it is", []event.Body{in("s", "", "x", 1), in("s", "ann", "", 2)}, "ann/x@1"},
		{"the first user owns it", []event.Body{in("s", "", "x", 1), in("s", "ann", "y", 2), in("s", "bob", "z", 3)}, "ann/x@1 ann/y@2 bob/z@3"},
		{"an event sent again says whose the session is", []event.Body{again("", "x", 1), again("ann", "x", 1)}, "ann/x@1"},
		{"signed in after the moment", []event.Body{in("s", "", "x", 1), in("s", "ann", "y", 2_000_000)}, "s/x@1"},
		{"a session called like a user", []event.Body{in("ann", "", "x", 1), in("t", "ann", "y", 2)}, "ann/x@1 ann/y@2"},
		{"nobody at all", []event.Body{in("", "", "x", 1)}, ""},
	} {
		snap := mustFreeze(t, newStore(t), FreezeSpec{}, c.bodies...)
		if got := told(snap); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if strings.Count(c.want, "ann/") == 0 != func() bool { _, ok := snap.Users.Row("ann"); return !ok }() {
			t.Errorf("%s: users %v", c.name, snap.Users.IDs())
		}
	}
}

func TestFreezeAttributes(t *testing.T) {
	s := newStore(t)
	sch := &schema.Schema{Name: "Items", Fields: []schema.Field{field("ITEM_ID", schema.String),
		{Name: "GENRES", Kind: schema.String, Nullable: true, Categorical: true}, null(field("PRICE", schema.Float)), null(field("YEAR", schema.Int)), null(field("NEW", schema.Boolean))}}
	const header = "ITEM_ID,GENRES,PRICE,YEAR,NEW\n"
	t1 := importTable(t, s, "table/i/1", schema.Items, sch, header+"i1,a|b,1.5,1999,true\ni2,c,,,\ni3,d,1,,false\ni2,e,2,,\n")
	t2 := importTable(t, s, "table/i/2", schema.Items, sch, header+"i2,f,,2001,\n")
	row := func(snap *Snapshot, id string) map[string]any {
		n, ok := snap.Items.Row(id)
		if !ok {
			return nil
		}
		return snap.ItemAttributes.Row(n)
	}
	snap := mustFreeze(t, s, FreezeSpec{}, imported("ITEMS", t1, event.Full, "1"), &event.Item{ID: "i3", Properties: `{"genres":"z","price":"0.1"}`},
		imported("ITEMS", t2, event.Incremental, "2"), &event.Item{ID: "i9", Properties: `{"year":2020,"new":true}`}, view("u", "i0", 1))
	for id, want := range map[string]map[string]any{
		"i0": {}, "i1": {"GENRES": "a|b", "PRICE": 1.5, "YEAR": 1999.0, "NEW": true}, "i2": {"GENRES": "f", "YEAR": 2001.0},
		"i3": {"GENRES": "z", "PRICE": float64(float32(0.1))}, "i9": {"YEAR": 2020.0, "NEW": true}} {
		if got := row(snap, id); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", id, got, want)
		}
	}
	if c, ok := snap.ItemAttributes.Column("GENRES"); !ok || !c.Categorical || c.Kind != schema.String {
		t.Errorf("column %+v", c)
	}
	if snap.Users.Len() != 1 || snap.UserAttributes.String() != "no attributes" {
		t.Errorf("users %v, %v", snap.Users.IDs(), snap.UserAttributes)
	}
	snap = mustFreeze(t, s, FreezeSpec{}, imported("ITEMS", t1, event.Full, "1"), &event.Item{ID: "i9", Properties: `{}`},
		&event.Item{ID: "i2", Properties: `{"genres":"p"}`}, imported("ITEMS", t2, event.Full, "2"))
	if got := snap.Items.IDs(); !reflect.DeepEqual(got, []string{"i2", "i9"}) || row(snap, "i2")["GENRES"] != "f" {
		t.Errorf("after a full import: %v %v", got, row(snap, "i2"))
	}
	snap = mustFreeze(t, s, FreezeSpec{}, &event.User{ID: "ann", Properties: `{"age":33,"favouriteColour":"red","member":true}`})
	if n, ok := snap.Users.Row("ann"); !ok || !reflect.DeepEqual(snap.UserAttributes.Row(n), map[string]any{"AGE": 33.0, "FAVOURITE_COLOUR": "red", "MEMBER": true}) {
		t.Errorf("without a schema: %v %v", ok, snap.UserAttributes)
	}
}

// TestFreezeIsIdempotent: the same content gives the same name however it
// arrived, files that a killed freeze left are completed, and nothing is written twice.
func TestFreezeIsIdempotent(t *testing.T) {
	s := newStore(t)
	spec := FreezeSpec{Group: "a1", AsOf: second(100)}
	first, err := freeze(t.Context(), records(view("a", "x", 1), view("b", "y", 2)), s, spec)
	if err != nil {
		t.Fatal(err)
	}
	if want := "snapshot/a1/20260301T000140Z-"; !strings.HasPrefix(first.Name, want) || first.Users != 2 || first.Interactions != 2 {
		t.Errorf("%+v", first)
	}
	if err := s.Delete(t.Context(), first.Name+"/"+infoFile); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), s, first.Name); attune.KindOf(err) != attune.NotFound {
		t.Errorf("opened what was never finished: %v", err)
	}
	again, err := freeze(t.Context(), records(view("b", "y", 2), view("a", "x", 1), view("a", "x", 1)), s, spec)
	if err != nil || again.Name != first.Name || again.Digest != first.Digest {
		t.Fatalf("%+v %v", again, err)
	}
	snap, err := Open(t.Context(), s, first.Name)
	if err != nil || snap.String() != "snapshot 2 users × 2 items × 2 events, as of 2026-03-01T00:01:40Z" {
		t.Errorf("%v %v", snap, err)
	}
	if other, err := freeze(t.Context(), records(view("a", "x", 1)), s, spec); err != nil || other.Name == first.Name {
		t.Errorf("%+v %v", other, err)
	}
	for _, bad := range []FreezeSpec{{AsOf: epoch}, {Group: "a1"}} {
		if _, err := freeze(t.Context(), records(), s, bad); attune.KindOf(err) != attune.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := freeze(t.Context(), records(imported("INTERACTIONS", "table/none", event.Full, "j")), s, spec); err == nil {
		t.Error("a table that is not there was frozen")
	}
}

func TestOpenRefusesDamage(t *testing.T) {
	s := newStore(t)
	info, err := freeze(t.Context(), records(view("a", "x", 1), view("b", "y", 2)), s, FreezeSpec{Group: "a1", AsOf: second(100)})
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.Get(t.Context(), info.Name+"/"+infoFile, maxInfo)
	if err != nil {
		t.Fatal(err)
	}
	for _, edit := range [][2]string{{`"users": 2`, `"users": 1`}, {`"items": 2`, `"items": 3`}, {`"interactions": 2`, `"interactions": 1`}, {`"format": 1`, `"format": 9`}, {"{", "["}} {
		put(t, s, info.Name+"/"+infoFile, strings.Replace(string(text), edit[0], edit[1], 1))
		if _, err := Open(t.Context(), s, info.Name); err == nil {
			t.Errorf("%s: opened", edit[1])
		}
	}
}

// TestFreezeTogether: two trainings of one moment make one snapshot. Who finds
// the other at it is told to try again, never that there is nothing, and who is
// given it can open it.
func TestFreezeTogether(t *testing.T) {
	s := newStore(t)
	for round := range 60 {
		spec := FreezeSpec{Group: "a1", AsOf: second(1_000_000 + round)}
		failed := make(chan error, 4)
		for range cap(failed) {
			go func() {
				info, err := freeze(t.Context(), records(view("u", "i", round)), s, spec)
				if err == nil {
					_, err = Open(t.Context(), s, info.Name)
				}
				failed <- err
			}()
		}
		for range cap(failed) {
			if err := <-failed; err != nil && attune.KindOf(err) != attune.Unavailable {
				t.Fatal(err)
			}
		}
		mustFreeze(t, s, spec, view("u", "i", round))
	}
}
