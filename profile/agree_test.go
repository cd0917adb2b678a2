package profile

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/filter"
)

// writing makes logs in which only such things happen as this room and Freeze
// must say the same of: the differences are listed in doc.go.
type writing struct {
	owner   map[string]string // of a session
	quiet   map[string]string // user → the session in which nothing happened anonymously
	strange map[string]bool   // sessions that were forgotten
	next    event.Body        // comes before anything is drawn; nil for nothing
}

func newWriting() *writing {
	return &writing{map[string]string{}, map[string]string{}, map[string]bool{}, nil}
}

func (w *writing) draw(t *rapid.T) event.Body {
	if b := w.next; b != nil {
		w.next = nil
		return b
	}
	switch rapid.IntRange(0, 12).Draw(t, "kind") {
	case 0:
		return &event.Item{ID: rapid.SampledFrom([]string{"i0", "i1", "i9"}).Draw(t, "item"),
			Properties: rapid.SampledFrom([]string{`{"genre2":"P|Q","price":4.5}`, `{"price":"3"}`, `{"about":"x|y"}`, `{}`}).Draw(t, "properties")}
	case 1:
		return &event.User{ID: rapid.SampledFrom([]string{"u0", "u1", "u9"}).Draw(t, "user"),
			Properties: rapid.SampledFrom([]string{`{"tier":"P"}`, `{"age":3}`, `{"age":"4","tier":"Q"}`}).Draw(t, "properties")}
	case 2:
		b := drawImport(t)
		// Sessions are known from both kinds of interactions: only when both are
		// gone is the writing to begin anew.
		other := map[string]schema.Type{string(schema.Interactions): schema.ActionInteractions, string(schema.ActionInteractions): schema.Interactions}[b.Dataset]
		if b.Mode == event.Cleared && other != "" {
			*w = *newWriting()
			w.next = &event.Imported{Dataset: string(other), Mode: event.Cleared}
		}
		return b
	case 12:
		return &event.Action{ID: rapid.SampledFrom([]string{"i0", "i1", "i9"}).Draw(t, "action"),
			Properties: rapid.SampledFrom([]string{`{"level":"P|Q","value":4}`, `{"value":"3"}`, `{}`}).Draw(t, "properties")}
	case 3:
		return &event.Impression{User: "u0", Items: []string{"i0"}}
	}
	return w.interaction(t)
}

func drawImport(t *rapid.T) *event.Imported {
	kind := rapid.SampledFrom([]string{"interactions", "items", "users", "actions", "action_interactions"}).Draw(t, "dataset")
	b := &event.Imported{
		Dataset: strings.ToUpper(kind), Table: fmt.Sprintf("table/%s/%d", kind, rapid.IntRange(0, tablesEach-1).Draw(t, "table")),
		Mode: rapid.SampledFrom([]event.Mode{event.Full, event.Incremental, event.Incremental, event.Cleared}).Draw(t, "mode"),
		Job:  fmt.Sprintf("j%d", rapid.IntRange(0, 12).Draw(t, "job")),
	}
	if b.Mode == event.Cleared {
		b.Job, b.Table = "", ""
	}
	return b
}

func (w *writing) interaction(t *rapid.T) event.Body {
	acts := rapid.IntRange(0, 3).Draw(t, "side") == 0
	user := rapid.SampledFrom([]string{"", "", "u0", "u0", "u1", "u2"}).Draw(t, "user")
	session := rapid.SampledFrom([]string{"", "s0", "s1", "s2", "s3", "self"}).Draw(t, "session")
	if session == "self" {
		session = user // as clients do that know no sessions
	}
	if user == "" && w.strange[session] {
		user = "u2"
	}
	if session != "" && session != user {
		w.meet(user, session)
	}
	b := did(user, session, rapid.SampledFrom([]string{"i0", "i1", "i7", ""}).Draw(t, "item"), rapid.Int64Range(0, 20).Draw(t, "at")*500)
	b.Type = rapid.SampledFrom([]string{"Watch", "watch", "Buy", ""}).Draw(t, "type")
	b.Properties = rapid.SampledFrom([]string{"", "{}", `{"a":1}`}).Draw(t, "properties")
	b.Value = float64(b.At.UnixMilli()%3) / 4
	if b.At.UnixMilli()%2000 == 0 {
		b.Value = math.NaN()
	}
	if rapid.Bool().Draw(t, "id") { // the event may be sent again, now with its user
		whose := user
		if o := w.owner[session]; session != "" && (user == "" || o == user) {
			whose = session
		}
		b.EventID = fmt.Sprint(whose, b.Item, b.Type, b.Properties, b.At.UnixMilli())
	}
	if acts {
		return ofAction(b)
	}
	return b
}

// meet keeps track of which sessions a profile has forgotten.
func (w *writing) meet(user, session string) {
	o, known := w.owner[session]
	switch {
	case user == "":
		if known && o != "" && w.quiet[o] == session {
			delete(w.quiet, o)
		}
		if !known {
			w.owner[session] = ""
		}
	case !known:
		if old := w.quiet[user]; old != "" {
			w.strange[old] = true
			delete(w.owner, old)
		}
		w.owner[session], w.quiet[user] = user, session
	case o == "":
		w.owner[session] = user
	}
}

// TestAgreesWithFreeze: what a View knows of users and items is what a snapshot
// of the same log says.
func TestAgreesWithFreeze(t *testing.T) {
	h := newHouse(t)
	makeTables(t, h.store)
	parsed := map[schema.Type]*schema.Schema{}
	for kind, text := range schemas {
		s, err := schema.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		parsed[kind] = s
	}
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		ctx := rt.Context()
		n++
		g := event.Group(fmt.Sprintf("agree%d", n))
		if err := h.log.Create(ctx, g); err != nil {
			rt.Fatal(err)
		}
		defer func() {
			if err := h.log.Delete(ctx, g); err != nil {
				rt.Error(err)
			}
		}()
		w := newWriting()
		bodies := make([]event.Body, rapid.IntRange(1, 60).Draw(rt, "length"))
		for i := range bodies {
			bodies[i] = w.draw(rt)
		}
		if w.next != nil {
			bodies = append(bodies, w.next)
		}
		end, err := h.log.Append(ctx, g, bodies...)
		if err != nil {
			rt.Fatal(err)
		}
		info, err := dataset.Freeze(ctx, h.log, h.store, dataset.FreezeSpec{Group: g, UpTo: end, AsOf: time.Unix(1<<31, 0), Schemas: parsed})
		if err != nil {
			rt.Fatal(err)
		}
		snapshot, err := dataset.Open(ctx, h.store, info.Name)
		if err != nil {
			rt.Fatal(err)
		}
		var records []event.Record
		for r, err := range h.log.Read(ctx, g, event.Seq{}, end) {
			if err != nil {
				rt.Fatal(err)
			}
			records = append(records, r)
		}
		v := scratchTo(rt, reader(h.store), 100_000, records, end)
		same(rt, "histories", histories(v), eventsOf(snapshot))
		same(rt, "action histories", actionHistories(v), actionEventsOf(snapshot))
		// Without a table since the dataset is there nothing tells a field's name and kind.
		if len(v.w.item.fields) > 0 {
			same(rt, "items", itemsOf(v), attributesOf(snapshot.Items, snapshot.ItemAttributes))
		}
		if len(v.w.action.fields) > 0 {
			same(rt, "actions", actionsOf(v), attributesOf(snapshot.Actions, snapshot.ActionAttributes))
		}
		if len(v.w.user.fields) > 0 {
			same(rt, "users", usersOf(v), attributesOf(snapshot.Users, snapshot.UserAttributes))
		}
	})
}

func same(t *rapid.T, what string, view, snapshot map[string][]string) {
	if !reflect.DeepEqual(view, snapshot) {
		t.Fatalf("%s\nview:     %v\nsnapshot: %v", what, view, snapshot)
	}
}

// people are the persons of a view by user id, or session id while anonymous.
func people(v *View) map[string]*person {
	out := map[string]*person{}
	for i := range v.shards {
		for key, p := range v.shards[i].people {
			if key == p.key {
				out[key] = p
			}
		}
	}
	return out
}

func touchText(item, typ string, at int64, value float32) string {
	return fmt.Sprint(at, " ", item, " ", strings.ToLower(typ), " ", value)
}

func histories(v *View) map[string][]string { return historiesOf(v, v.History, v.Item) }

func actionHistories(v *View) map[string][]string { return historiesOf(v, v.ActionHistory, v.Action) }

func historiesOf(v *View, history func(string) []Touch, name func(int32) string) map[string][]string {
	out := map[string][]string{}
	for id := range people(v) {
		for _, t := range history(id) {
			out[id] = append(out[id], touchText(name(t.Item), v.TypeName(t.Type), t.At, t.Value))
		}
		slices.Sort(out[id])
		if out[id] == nil {
			delete(out, id)
		}
	}
	return out
}

func eventsOf(s *dataset.Snapshot) map[string][]string { return listOf(s, s.Events, s.Items) }

func actionEventsOf(s *dataset.Snapshot) map[string][]string {
	return listOf(s, s.ActionEvents, s.Actions)
}

func listOf(s *dataset.Snapshot, e dataset.Events, things *dataset.Vocabulary) map[string][]string {
	out := map[string][]string{}
	for i := range e.Len() {
		id := s.Users.ID(e.User[i])
		out[id] = append(out[id], touchText(things.ID(e.Item[i]), e.Types[e.Type[i]], e.At[i], e.Value[i]))
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}

// addRow writes down what is known of an id, nothing when nothing is.
func addRow(out map[string][]string, id string, row map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(row)) {
		x := row[name]
		if list, ok := x.([]string); ok {
			x = strings.Join(list, "|")
		}
		out[id] = append(out[id], fmt.Sprintf("%s=%#v", name, x)) // "3" is not 3
	}
}

func itemsOf(v *View) map[string][]string { return rowsOf(v.Items(), v.NumItems(), v.Item) }

func actionsOf(v *View) map[string][]string { return rowsOf(v.Actions(), v.NumActions(), v.Action) }

func rowsOf(columns *filter.Columns, n int, name func(int32) string) map[string][]string {
	out := map[string][]string{}
	for n := range int32(n) {
		row := map[string]any{}
		for _, name := range columns.Names() {
			if x := columns.Get(n, name); x != nil {
				row[name] = x
			}
		}
		addRow(out, name(n), row)
	}
	return out
}

func usersOf(v *View) map[string][]string {
	out := map[string][]string{}
	for id := range people(v) {
		addRow(out, id, v.UserAttributes(id))
	}
	return out
}

func attributesOf(ids *dataset.Vocabulary, a *dataset.Attributes) map[string][]string {
	out := map[string][]string{}
	for n, id := range ids.IDs() {
		addRow(out, id, a.Row(int32(n)))
	}
	return out
}
