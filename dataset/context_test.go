package dataset

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

// devices is a schema of interactions with every kind of column.
func devices() *schema.Schema {
	category := null(field("DEVICE_TYPE", schema.String))
	category.Categorical = true
	return interactionsSchema(category, null(field("BATTERY", schema.Double)), null(field("HOME", schema.Boolean)), null(field("HOUR", schema.Int)),
		null(field("AGENT", schema.String)), null(field("IMPRESSION", schema.String)))
}

// contexts writes what was the case at each event.
func contexts(e Events) string {
	var out []string
	for i := range e.Len() {
		var of []string
		context := e.ContextOf(i)
		for _, name := range slices.Sorted(maps.Keys(context)) {
			of = append(of, fmt.Sprintf("%s=%v", name, context[name]))
		}
		out = append(out, strings.Join(of, ","))
	}
	return strings.Join(out, "; ")
}

func on(properties string, user, item string, at int) *event.Interaction {
	e := view(user, item, at)
	e.Properties = properties
	return e
}

func TestFreezeContext(t *testing.T) {
	s := newStore(t)
	table := importTable(t, s, "table/c/1", schema.Interactions, devices(),
		"USER_ID,ITEM_ID,TIMESTAMP,DEVICE_TYPE,BATTERY,HOME,HOUR,AGENT,IMPRESSION\n"+
			fmt.Sprintf("a,y,%d,tv,0.5,true,7,x/1,i|j\n", second(2).Unix())+fmt.Sprintf("b,x,%d,,,,,x/2,\n", second(3).Unix()))
	given := map[schema.Type]*schema.Schema{schema.Interactions: devices()}
	from := imported("INTERACTIONS", table, event.Full, "j")
	for _, c := range []struct {
		name    string
		schemas map[schema.Type]*schema.Schema
		bodies  []event.Body
		want    string
	}{
		{"a table", given, []event.Body{from}, "BATTERY=0.5,DEVICE_TYPE=tv,HOME=true,HOUR=7; "},
		{"a table speaks for itself", nil, []event.Body{from}, "BATTERY=0.5,DEVICE_TYPE=tv,HOME=true,HOUR=7; "},
		{"events and a table", given, []event.Body{on(`{"deviceType":"phone","hour":"8","agent":"y"}`, "a", "x", 1), view("a", "x", 5), from},
			"DEVICE_TYPE=phone,HOUR=8; BATTERY=0.5,DEVICE_TYPE=tv,HOME=true,HOUR=7; ; "},
		{"events without a schema", nil, []event.Body{on(`{"deviceType":"phone","home":false,"n":2}`, "a", "x", 1)}, "DEVICE_TYPE=phone,HOME=false,N=2"},
		{"cleared", given, []event.Body{from, on(`{"hour":1}`, "a", "x", 1), imported("INTERACTIONS", "", event.Cleared, "d"), view("c", "z", 1)}, ""},
		{"twice the same is once", given, []event.Body{on(`{"hour":1}`, "a", "x", 1), on(`{"hour":1}`, "a", "x", 1), on(`{"hour":2}`, "a", "x", 1)}, "HOUR=1; HOUR=2"},
		{"beside actions", given, []event.Body{on(`{"hour":1}`, "a", "x", 1), chose("a", "s", "join", "Viewed", 2)}, "HOUR=1"},
	} {
		snap := mustFreeze(t, s, FreezeSpec{Schemas: c.schemas}, c.bodies...)
		got := strings.Split(contexts(snap.Events), "; ")
		want := strings.Split(c.want, "; ")
		slices.Sort(got) // events that are equal but for that are in the order of a hash
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", c.name, got, want)
		}
		format := formatPlain
		if c.want != "" {
			format = formatContext
		}
		if info, err := ReadInfo(t.Context(), s, snap.Name); err != nil || info.Format != format || info.Context != len(snap.Events.Context) {
			t.Errorf("%s: %+v, %v", c.name, info, err)
		}
	}
}

// Columns that say nothing of the circumstances leave no trace: name, files and
// bytes are those of data without them.
func TestNoContext(t *testing.T) {
	a, b := newStore(t), newStore(t)
	given := map[schema.Type]*schema.Schema{schema.Interactions: devices()}
	plain := mustFreeze(t, a, FreezeSpec{}, view("a", "x", 1), view("b", "y", 2))
	also := mustFreeze(t, b, FreezeSpec{Schemas: given}, on(`{"agent":"x"}`, "a", "x", 1), on(`{"deviceType":""}`, "b", "y", 2))
	if also.Events.Context != nil || plain.Digest() != also.Digest() {
		t.Errorf("context %v", also.Events.Context)
	}
	files := func(s *artifact.Store, snap *Snapshot) (out []string) {
		for f, err := range s.List(t.Context(), snap.Name+"/") {
			if err != nil {
				t.Fatal(err)
			}
			text, err := s.Get(t.Context(), f.Name, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, f.Name+": "+string(text))
		}
		return out
	}
	if x, y := files(a, plain), files(b, also); len(x) != 4 || !reflect.DeepEqual(x, y) {
		t.Errorf("%d and %d files differ", len(x), len(y))
	}
}

func TestContextOfManyTexts(t *testing.T) {
	fold := newContextFold(nil)
	for i := range maxTexts + 1 {
		fold.take(i, map[string]any{"ID": fmt.Sprint(i), "SIDE": fmt.Sprint(i % 2)})
	}
	fold.take(maxTexts+1, map[string]any{"ID": "one more", "HUGE": 1e300})
	got := fold.finish([]int32{0, 1, 2})
	if len(got) != 1 || got[0].Name != "SIDE" || !reflect.DeepEqual(got[0].Texts, []string{"0", "1"}) {
		t.Errorf("%+v", got)
	}
}

// Without a schema anybody may say anything: of too many columns the same are
// kept every time, and one that is now this, now that, takes no room for what it was not.
func TestContextWithoutSchema(t *testing.T) {
	many := map[string]any{}
	for i := range schema.MaxFields + 50 {
		many[fmt.Sprintf("C%03d", i)] = "x"
	}
	fold := newContextFold(nil)
	fold.take(0, many)
	for i, c := range fold.finish([]int32{0}) {
		if c.Name != fmt.Sprintf("C%03d", i) {
			t.Fatalf("column %d of %d is %s", i, schema.MaxFields, c.Name)
		}
	}

	const events = 4000
	fold = newContextFold(nil)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range events {
		fold.take(i, map[string]any{"SWINGS": []any{"x", 1.0, true}[i%3], "STAYS": "x"})
		fold.take(i, map[string]any{"STAYS": []any{"no value"}, "NONE": nil})
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > events*4000 {
		t.Errorf("%d events took %d MB", events, took>>20)
	}
	got := fold.finish([]int32{0, events - 2, events - 1})
	if len(got) != 2 || got[0].Name != "STAYS" || got[0].Value(0) != "x" || got[1].Value(1) != nil || got[1].Value(2) != "x" {
		t.Errorf("%+v", got)
	}
}

// A number of an import from before the column was a boolean is true or false,
// in memory as in the file that is read back.
func TestContextThatWasANumber(t *testing.T) {
	s := newStore(t)
	table := importTable(t, s, "table/c/1", schema.Interactions, interactionsSchema(null(field("HOME", schema.Int))),
		"USER_ID,ITEM_ID,TIMESTAMP,HOME\n"+fmt.Sprintf("a,y,%d,7\nb,x,%d,0\n", second(2).Unix(), second(3).Unix()))
	snap := mustFreeze(t, s, FreezeSpec{Schemas: map[schema.Type]*schema.Schema{schema.Interactions: interactionsSchema(null(field("HOME", schema.Boolean)))}},
		imported("INTERACTIONS", table, event.Full, "j"))
	info, err := ReadInfo(t.Context(), s, snap.Name)
	if err != nil || contexts(snap.Events) != "HOME=true; HOME=false" || snap.Digest() != info.Digest {
		t.Errorf("%s, digest %s of %+v, %v", contexts(snap.Events), snap.Digest(), info, err)
	}
}

// What only somebody who was erased said is in no file any more.
func TestEraseContext(t *testing.T) {
	s := newStore(t)
	spec := FreezeSpec{Group: "g", AsOf: second(100), Schemas: map[schema.Type]*schema.Schema{schema.Interactions: devices()}}
	rest := []event.Body{on(`{"deviceType":"tv"}`, "a", "x", 1), on(`{"deviceType":"car"}`, "c", "y", 3)}
	old := mustFreeze(t, s, spec, append(rest, on(`{"deviceType":"boat","home":true}`, "b", "x", 2))...)
	if _, _, err := EraseSnapshot(t.Context(), s, old.Name, only("b"), nil); err != nil {
		t.Fatal(err)
	}
	now, err := Open(t.Context(), s, old.Name)
	if err != nil || contexts(now.Events) != "DEVICE_TYPE=tv; DEVICE_TYPE=car" || !reflect.DeepEqual(now.Events.Context[0].Texts, []string{"car", "tv"}) {
		t.Fatalf("%+v, %v", now, err)
	}
	if want := mustFreeze(t, newStore(t), spec, rest...); want.Digest() != now.Digest() {
		t.Error("not what is frozen without them")
	}
	for f := range s.List(t.Context(), old.Name+"/") {
		if !strings.HasSuffix(f.Name, supersededFile) {
			t.Errorf("%s stays", f.Name)
		}
	}
	if _, _, err := EraseSnapshot(t.Context(), s, now.Name, func(u string) bool { return u != "" }, nil); err != nil {
		t.Fatal(err)
	}
	if info, err := ReadInfo(t.Context(), s, old.Name); err != nil || info.Format != formatPlain || info.Context != 0 {
		t.Errorf("%+v, %v: nobody is left", info, err)
	}
}

func TestOpenDamagedContext(t *testing.T) {
	s := newStore(t)
	snap := mustFreeze(t, s, FreezeSpec{}, on(`{"hour":1}`, "a", "x", 1), on(`{"hour":2}`, "b", "y", 2))
	if err := s.Delete(t.Context(), snap.Name+"/"+contextFile); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), s, snap.Name); attune.KindOf(err) != attune.NotFound {
		t.Errorf("without its context: %v", err)
	}
	if err := writeContext(t.Context(), s, snap.Name+"/"+contextFile, snap.Events.Slice(0, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), s, snap.Name); err == nil || !strings.Contains(err.Error(), errDamaged.Error()) {
		t.Errorf("with too little of it: %v", err)
	}
}

// Whatever is done with events, each keeps what was the case.
func TestContextGoesWithEvents(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var rows []Row
	want := map[string]map[string]any{}
	for range 600 {
		row := Row{User: fmt.Sprint("u", r.IntN(40)), Item: fmt.Sprint("i", r.IntN(30)), Type: []string{"a", "b"}[r.IntN(2)],
			At: int64(1000 * r.IntN(1e6)), Value: math.NaN(), Attributes: map[string]any{}}
		if r.IntN(3) > 0 {
			row.Attributes["DEVICE"] = fmt.Sprint("d", r.IntN(5))
		}
		if r.IntN(3) > 0 {
			row.Attributes["LIGHT"] = float64(r.IntN(9))
		}
		if r.IntN(3) > 0 {
			row.Attributes["HOME"] = r.IntN(2) == 0
		}
		rows = append(rows, row)
		want[fmt.Sprint(row.User, row.Item, row.At)] = row.Attributes
	}
	s, err := NewSnapshot(second(0), rows, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, e Events) {
		t.Helper()
		for i := range e.Len() {
			got := e.ContextOf(i)
			if got == nil {
				got = map[string]any{}
			}
			key := fmt.Sprint(s.Users.ID(e.User[i]), s.Items.ID(e.Item[i]), e.At[i])
			if !reflect.DeepEqual(got, want[key]) {
				t.Fatalf("%s: event %d of %s has %v, want %v", name, i, key, got, want[key])
			}
		}
	}
	check("all", s.Events)
	check("weighed", s.Events.Weigh(func(typ uint16, _ float32) float32 { return float32(typ) }))
	for _, protocol := range Protocols() {
		split, err := NewSplit(s.Events, protocol, 1)
		if err != nil {
			continue // nobody has a session here
		}
		check(protocol, split.Train)
		for _, c := range split.Cases {
			asks := c.Context()
			if asks == nil {
				asks = map[string]any{}
			}
			key := fmt.Sprint(s.Users.ID(c.User), s.Items.ID(c.Held.Item[0]), c.Held.At[0])
			if !reflect.DeepEqual(asks, want[key]) {
				t.Errorf("%s: a case asks with %v, want %v", protocol, asks, want[key])
			}
			if len(c.Input.Context)+len(c.Held.Context) > 0 {
				t.Errorf("%s: every case has headers of %d columns", protocol, len(c.Held.Context))
			}
		}
	}
	some := s.Events.WithContext(func(column string) bool { return column == "LIGHT" })
	if len(some.Context) != 1 || some.ContextOf(0)["DEVICE"] != nil || len(s.Events.Context) != 3 {
		t.Errorf("%+v", some.Context)
	}
}
