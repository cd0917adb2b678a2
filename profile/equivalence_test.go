package profile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

const tablesEach = 4

// makeTables writes a few small tables of each dataset, with overlapping users and items.
func makeTables(t *testing.T, s *artifact.Store) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range tablesEach {
		var d, i, u, a, c strings.Builder
		d.WriteString("USER_ID,ITEM_ID,EVENT_TYPE,EVENT_VALUE,TIMESTAMP,DEVICE\n")
		for range 40 {
			fmt.Fprintf(&d, "u%d,i%d,%s,%s,%d,%s\n", r.IntN(4), r.IntN(6), []string{"Watch", "Click"}[r.IntN(2)], []string{"", "2.5"}[r.IntN(2)], r.IntN(30), []string{"", "tv"}[r.IntN(2)])
		}
		i.WriteString("ITEM_ID,GENRE_2,PRICE,ABOUT\n")
		for k := range 5 {
			fmt.Fprintf(&i, "i%d,G%d|H%d,%d,text\n", r.IntN(6), n, k, r.IntN(9))
		}
		u.WriteString("USER_ID,TIER,AGE\n")
		for range 3 {
			fmt.Fprintf(&u, "u%d,T%d,%d\n", r.IntN(4), n, r.IntN(90))
		}
		makeTable(t, s, schema.Interactions, fmt.Sprintf("table/interactions/%d", n), d.String())
		makeTable(t, s, schema.Items, fmt.Sprintf("table/items/%d", n), i.String())
		makeTable(t, s, schema.Users, fmt.Sprintf("table/users/%d", n), u.String())
		a.WriteString("ACTION_ID,LEVEL,VALUE\n")
		for range 4 {
			fmt.Fprintf(&a, "i%d,L%d|M%d,%d\n", r.IntN(5), n, r.IntN(2), r.IntN(9))
		}
		c.WriteString("USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\n")
		for range 30 {
			fmt.Fprintf(&c, "u%d,i%d,%s,%d\n", r.IntN(4), r.IntN(5), []string{"Taken", "Viewed"}[r.IntN(2)], r.IntN(30))
		}
		makeTable(t, s, schema.Actions, fmt.Sprintf("table/actions/%d", n), a.String())
		makeTable(t, s, schema.ActionInteractions, fmt.Sprintf("table/action_interactions/%d", n), c.String())
	}
}

func drawBody(t *rapid.T) event.Body {
	user := rapid.SampledFrom([]string{"", "u0", "u0", "u0", "u1", "u2", "s1"})
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return &event.Item{ID: rapid.SampledFrom([]string{"i0", "i1", "i9"}).Draw(t, "item"), Properties: rapid.SampledFrom([]string{`{"genre2":"P|Q"}`, `{"price":"3"}`, `{}`}).Draw(t, "properties")}
	case 1:
		return &event.User{ID: user.Draw(t, "user"), Properties: rapid.SampledFrom([]string{`{"tier":"P"}`, `{"age":3}`}).Draw(t, "properties")}
	case 2:
		kind := rapid.SampledFrom([]string{"interactions", "items", "users", "actions", "action_interactions"}).Draw(t, "dataset")
		b := &event.Imported{
			Dataset: strings.ToUpper(kind), Table: fmt.Sprintf("table/%s/%d", kind, rapid.IntRange(0, tablesEach-1).Draw(t, "table")),
			Mode: rapid.SampledFrom([]event.Mode{event.Full, event.Full, event.Incremental, event.Cleared}).Draw(t, "mode"),
			Job:  fmt.Sprintf("j%d", rapid.IntRange(0, 12).Draw(t, "job")),
		}
		if b.Mode == event.Cleared {
			b.Job, b.Table = "", ""
		}
		return b
	case 3:
		return &event.Impression{User: "u0"}
	case 4:
		return &event.Action{ID: rapid.SampledFrom([]string{"i0", "i1", "i9"}).Draw(t, "action"), Properties: rapid.SampledFrom([]string{`{"level":"P|Q"}`, `{"value":"3"}`, `{}`}).Draw(t, "properties")}
	}
	b := did(user.Draw(t, "user"), rapid.SampledFrom([]string{"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"}).Draw(t, "session"), rapid.SampledFrom([]string{"i0", "i1", "i2", ""}).Draw(t, "item"),
		rapid.Int64Range(0, 30).Draw(t, "at")*1000)
	b.EventID = rapid.SampledFrom([]string{"", "", "e1", "e2", "e3"}).Draw(t, "event")
	b.Type = rapid.SampledFrom([]string{"Watch", "watch", "Buy"}).Draw(t, "type")
	if rapid.IntRange(0, 3).Draw(t, "side") == 0 {
		return ofAction(b)
	}
	return b
}

// ofAction is the same with an action in place of the item; b itself when it is about none.
func ofAction(b *event.Interaction) event.Body {
	if b.Item == "" {
		return b
	}
	return &event.ActionInteraction{EventID: b.EventID, User: b.User, Session: b.Session, Action: b.Item, Type: b.Type, At: b.At, Properties: b.Properties}
}

// scratch is the view of records read from the start.
func scratch(t *rapid.T, tables tableReader, limit int, records []event.Record) *View {
	return scratchTo(t, tables, limit, records, event.Seq{Message: uint64(len(records))})
}

func scratchTo(t *rapid.T, tables tableReader, limit int, records []event.Record, end event.Seq) *View {
	v := newView(limit, newVocabulary())
	p := newPlanner(end)
	for i := range records {
		if b, ok := records[i].Body.(*event.Imported); ok {
			p.add(records[i].Seq, b)
		}
	}
	v.w.plan = p.plan
	if err := v.fold(t.Context(), tables, records); err != nil {
		t.Fatal(err)
	}
	if v.w.stale {
		t.Fatal("a planned view became stale")
	}
	return v
}

// TestEquivalence: following record by record with rebuilds where they are due,
// going on from a checkpoint at any place, and reading everything from the
// start come to the same.
func TestEquivalence(t *testing.T) {
	store := newStore(t)
	makeTables(t, store)
	tables := reader(store)
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.SampledFrom([]int{3, 20, 1000}).Draw(rt, "limit")
		bodies := rapid.SliceOfN(rapid.Custom(drawBody), 1, 60).Draw(rt, "bodies")
		records := make([]event.Record, len(bodies))
		for i, b := range bodies {
			records[i] = event.Record{Seq: event.Seq{Message: uint64(i + 1)}, Received: time.UnixMilli(1), Body: b}
		}
		cut := rapid.IntRange(0, len(records)).Draw(rt, "cut")
		v := newView(limit, newVocabulary())
		for i := range records {
			if i == cut {
				v = reopen(rt, v)
			}
			if err := v.fold(rt.Context(), tables, records[i:i+1]); err != nil {
				rt.Fatal(err)
			}
			if v.w.stale {
				v = scratch(rt, tables, limit, records[:i+1])
			}
			if v.Seq() != records[i].Seq {
				rt.Fatalf("view at %s, want %s", v.Seq(), records[i].Seq)
			}
		}
		if got, want := dump(v), dump(scratch(rt, tables, limit, records)); got != want {
			rt.Fatalf("followed:\n%s\nread from the start:\n%s", got, want)
		}
		if limit == 1000 {
			checkNaive(rt, v, records)
		}
	})
}

// reopen writes a checkpoint and goes on from it.
func reopen(t *rapid.T, v *View) *View {
	var buf bytes.Buffer
	if err := v.capture("g").encode(&buf); err != nil {
		t.Fatal(err)
	}
	c, err := decode(bytes.NewReader(buf.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	again := c.restore()
	if got, want := dump(again), dump(v); got != want {
		t.Fatalf("read back:\n%s\nwritten:\n%s", got, want)
	}
	return again
}

// checkNaive counts users' events by the rules as they are written, for logs
// in which sessions and imports play no part.
func checkNaive(t *rapid.T, v *View, records []event.Record) {
	byUser := map[string][]*event.Interaction{}
	for _, r := range records {
		switch b := r.Body.(type) {
		case *event.Imported:
			return
		case *event.Interaction:
			if b.User == "" {
				return
			}
			if b.Item != "" {
				byUser[b.User] = append(byUser[b.User], b)
			}
		}
	}
	for user, all := range byUser {
		var once []*event.Interaction
		for _, b := range all {
			seen := false
			for _, o := range once {
				seen = seen || b.EventID != "" && b.EventID == o.EventID ||
					b.Item == o.Item && strings.EqualFold(b.Type, o.Type) && b.At.Equal(o.At) && b.Properties == o.Properties
			}
			if !seen {
				once = append(once, b)
			}
		}
		if n := len(v.History(user)); n != len(once) {
			t.Fatalf("%s has %d touches, want %d", user, n, len(once))
		}
	}
}

// FuzzCheckpoint: no bytes make the decoder panic.
func FuzzCheckpoint(f *testing.F) {
	v := newView(10, newVocabulary())
	feed := &feed{t: f, v: v}
	feed.add(did("", "s", "a", 1), did("u", "s", "b", 2), &event.Item{ID: "a", Properties: `{"g":"x|y","n":1}`}, &event.User{ID: "u", Properties: `{"t":"z"}`})
	var buf bytes.Buffer
	if err := v.capture("g").encode(&buf); err != nil {
		f.Fatal(err)
	}
	f.Add(buf.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := decode(bytes.NewReader(data))
		if err == nil {
			c.restore()
		}
	})
}

func TestCheckpointDamage(t *testing.T) {
	f := newFeed(t)
	f.add(did("", "s", "a", 1), did("u", "s", "b", 2), &event.Item{ID: "a", Properties: `{"g":"x|y","n":1}`})
	var buf bytes.Buffer
	if err := f.v.capture("g").encode(&buf); err != nil {
		t.Fatal(err)
	}
	for n := range buf.Len() {
		if _, err := decode(bytes.NewReader(buf.Bytes()[:n])); err == nil {
			t.Fatalf("the first %d of %d bytes were taken for a checkpoint", n, buf.Len())
		}
	}
}
