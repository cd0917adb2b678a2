package dataset

import (
	"encoding/csv"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

func itemsSchema() *schema.Schema {
	name := null(field("NAME", schema.String))
	return &schema.Schema{Name: "Items", Fields: []schema.Field{name, field("ITEM_ID", schema.String), null(field("PRICE", schema.Float)), null(field("NEW", schema.Boolean))}}
}

// exported gives the lines of an export, and its header among them.
func exported(t *testing.T, x exporter) []string {
	t.Helper()
	var out strings.Builder
	x.ctx, x.render = t.Context(), newRenderer(x.spec.Schema)
	if err := x.survey(); err != nil {
		t.Fatal(err)
	}
	if err := x.compare(); err != nil {
		t.Fatal(err)
	}
	rows, err := x.write(&out)
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(out.String())).ReadAll()
	if err != nil || int64(len(records)) != rows+1 {
		t.Errorf("%d records, %d rows: %v", len(records), rows, err)
	}
	lines := strings.SplitAfter(out.String(), "\n")
	return lines[:len(lines)-1]
}

func TestExportItems(t *testing.T) {
	s, sch := newStore(t), itemsSchema()
	const head = "NAME,ITEM_ID,PRICE,NEW\n"
	bodies := func() iter.Seq2[event.Record, error] {
		return records(
			imported("ITEMS", "table/i/0", event.Full, "j0"),
			&event.Item{ID: "b", Properties: `{"name":"put \"one\"","price":2.50,"new":false}`},
			&event.User{ID: "u", Properties: `{}`},
			&event.Item{ID: "b", Properties: `{"name":"put \"one\"","price":2.50,"new":false}`},
			imported("ITEMS", "table/i/1", event.Full, "j1"),
			&event.Item{ID: "b", Properties: `{"name":"two"}`},
			imported("ITEMS", "table/i/2", event.Incremental, "j2"),
			imported("ITEMS", "table/i/1", event.Full, "j1"), // again: counts once
			&event.Item{ID: "d", Properties: `{"price":0.1}`},
		)
	}
	importTable(t, s, "table/i/0", schema.Items, sch, "ITEM_ID,NAME,PRICE,NEW\ngone,x,1,true\n")
	importTable(t, s, "table/i/1", schema.Items, sch, "ITEM_ID,NAME,PRICE,NEW\na,\"A, the first\",0.1,true\na,\"A, the first\",0.1,true\nb,B,,\n")
	importTable(t, s, "table/i/2", schema.Items, sch, "ITEM_ID,NAME,PRICE,NEW\na,newer,3,false\nc,,1e3,\n")
	for _, test := range []struct {
		name      string
		bulk, put bool
		want      []string
	}{
		{"bulk", true, false, []string{head, "\"A, the first\",a,0.1,true\n", "B,b,,\n", "newer,a,3,false\n", ",c,1000,\n"}},
		{"put", false, true, []string{head, "\"put \"\"one\"\"\",b,2.5,false\n", "two,b,,\n", ",d,0.1,\n"}},
		{"all", true, true, []string{head, "two,b,,\n", "newer,a,3,false\n", ",c,1000,\n", ",d,0.1,\n"}},
	} {
		for _, keys := range []int64{0, 1, 3} { // of which some need many passes
			got := exported(t, exporter{records: bodies, store: s, keys: keys, spec: ExportSpec{Type: schema.Items, Schema: sch, Bulk: test.bulk, Put: test.put}})
			if !slices.Equal(got, test.want) {
				t.Errorf("%s, %d keys at once: %q", test.name, keys, got)
			}
		}
	}
}

func TestExportInteractions(t *testing.T) {
	s := newStore(t)
	sch := interactionsSchema(null(field("EVENT_TYPE", schema.String)), null(field("EVENT_VALUE", schema.Float)),
		null(field("IMPRESSION", schema.String)), null(field("RECOMMENDATION_ID", schema.String)), null(field("DEVICE", schema.String)))
	old := interactionsSchema(null(field("EVENT_TYPE", schema.String)))
	importTable(t, s, "table/d/1", schema.Interactions, old, "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\nu,i,5,View\nu,i,5,View\nu,i,6,View\n")
	with := view("u", "j", 0)
	with.Value, with.Properties, with.Impression, with.RecommendationID = 1.25, `{"device":"tv, large"}`, []string{"a", "b"}, "r-1"
	first, second2 := view("w", "k", 1), view("w", "l", 2)
	first.EventID, second2.EventID = "e", "e"
	anonymous := view("", "k", 3)
	anonymous.Session = "s"
	same := view("u", "i", 4)
	at := second(0).Unix()
	bodies := func() iter.Seq2[event.Record, error] {
		return records(view("cleared", "i", 0), &event.Imported{Dataset: "INTERACTIONS", Mode: event.Cleared, Job: "c"},
			with, first, second2, anonymous, same, same, &event.Item{ID: "i", Properties: "{}"}, view("nothing", "", 5),
			imported("INTERACTIONS", "table/d/1", event.Full, "j1"))
	}
	put := []string{
		fmt.Sprintf("u,j,%d,View,1.25,a|b,r-1,\"tv, large\"\n", at), fmt.Sprintf("w,k,%d,View,,,,\n", at+1),
		fmt.Sprintf("s,k,%d,View,,,,\n", at+3), fmt.Sprintf("u,i,%d,View,,,,\n", at+4),
	}
	bulk := []string{"u,i,5,View,,,,\n", "u,i,6,View,,,,\n"}
	const head = "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE,IMPRESSION,RECOMMENDATION_ID,DEVICE\n"
	for _, test := range []struct {
		name      string
		bulk, put bool
		want      []string
	}{{"bulk", true, false, bulk}, {"put", false, true, put}, {"all", true, true, slices.Concat(put, bulk)}} {
		for _, keys := range []int64{0, 2} {
			got := exported(t, exporter{records: bodies, store: s, keys: keys, spec: ExportSpec{Type: schema.Interactions, Schema: sch, Bulk: test.bulk, Put: test.put}})
			if want := append([]string{head}, test.want...); !slices.Equal(got, want) {
				t.Errorf("%s, %d keys at once:\n%q, want\n%q", test.name, keys, got, want)
			}
		}
	}
}

// TestExportReadsBack: an import of an export is the same data.
func TestExportReadsBack(t *testing.T) {
	s := newStore(t)
	sch := interactionsSchema(null(field("EVENT_TYPE", schema.String)), null(field("EVENT_VALUE", schema.Double)), null(field("NOTE", schema.String)))
	text := "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE,NOTE\n\" u \",\"i\n\"\"2\"\"\",7,,0.1,\nü,i,8,Buy,-1e-7,\"a,b\"\nü,j,9,Buy,12345678901234567,x\n"
	importTable(t, s, "table/d/1", schema.Interactions, sch, text)
	bodies := func() iter.Seq2[event.Record, error] {
		return records(imported("INTERACTIONS", "table/d/1", event.Full, "j1"))
	}
	lines := exported(t, exporter{records: bodies, store: s, spec: ExportSpec{Type: schema.Interactions, Schema: sch, Bulk: true}})
	importTable(t, s, "table/d/2", schema.Interactions, sch, strings.Join(lines, ""))
	before, after := tableRows(t, s, "table/d/1"), tableRows(t, s, "table/d/2")
	for _, rows := range [][]Row{before, after} {
		for i := range rows {
			if math.IsNaN(rows[i].Value) {
				rows[i].Value = -1
			}
		}
	}
	if fmt.Sprint(before) != fmt.Sprint(after) || len(after) != 3 {
		t.Errorf("%v became %v", before, after)
	}
}

func TestExportRefuses(t *testing.T) {
	s := newStore(t)
	for _, spec := range []ExportSpec{{Type: schema.Items, Bulk: true}, {Type: schema.Items, Schema: itemsSchema()}, {Type: schema.Actions, Schema: itemsSchema(), Put: true}} {
		if _, err := export(t.Context(), func() iter.Seq2[event.Record, error] { return records() }, s, spec, new(strings.Builder)); err == nil {
			t.Errorf("%+v was exported", spec)
		}
	}
	if _, err := export(t.Context(), func() iter.Seq2[event.Record, error] { return records() }, s,
		ExportSpec{Type: schema.Actions, Schema: itemsSchema(), Put: true}, new(strings.Builder)); attune.KindOf(err) != attune.Invalid {
		t.Error(err)
	}
}
