package dataset

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
)

func field(name string, k schema.Kind) schema.Field { return schema.Field{Name: name, Kind: k} }

func null(f schema.Field) schema.Field { f.Nullable = true; return f }

func interactionsSchema(extra ...schema.Field) *schema.Schema {
	return &schema.Schema{Name: "Interactions", Fields: append([]schema.Field{field("USER_ID", schema.String),
		field("ITEM_ID", schema.String), field("TIMESTAMP", schema.Long)}, extra...)}
}

func importText(t testing.TB, s *artifact.Store, sch *schema.Schema, text string) (*Report, error) {
	t.Helper()
	put(t, s, "up/data.csv", text)
	return Import(t.Context(), s, s, ImportSpec{Type: schema.Interactions, Schema: sch, Location: "up/data.csv", Table: "table/d/i-1"})
}

func tableRows(t testing.TB, s *artifact.Store, table string) []Row {
	t.Helper()
	var out []Row
	for r, err := range Rows(t.Context(), s, table) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func TestImportReadsBack(t *testing.T) {
	s := newStore(t)
	sch := interactionsSchema(null(field("EVENT_TYPE", schema.String)), null(field("EVENT_VALUE", schema.Float)),
		null(field("AGE", schema.Int)), field("MEMBER", schema.Boolean), null(field("SCORE", schema.Double)))
	text := "\ufeffTIMESTAMP,ITEM_ID,USER_ID,MEMBER,EVENT_TYPE,EVENT_VALUE,AGE,SCORE,EXTRA\r\n" +
		"1767225600,\"i,1\",u1,true,Watch,1.5,33,0.1,x\r\n" +
		"1767225601.0,\"i\n\"\"2\"\"\",ü2,FALSE,,,,-2e3,\r\n" +
		" 0 ,i3,u1,True,Buy,-.5,-7,,\n"
	rep, err := importText(t, s, sch, text)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Rows != 3 || rep.Rejected != 0 || rep.RejectsFile != "" || rep.Bytes != int64(len(text)) || !reflect.DeepEqual(rep.Ignored, []string{"EXTRA"}) {
		t.Errorf("%+v", rep)
	}
	got := tableRows(t, s, rep.Table)
	if !math.IsNaN(got[1].Value) {
		t.Errorf("absent value is %v", got[1].Value)
	}
	got[1].Value = 0
	want := []Row{
		{User: "u1", Item: "i,1", Type: "Watch", At: 1767225600000, Value: 1.5, Attributes: map[string]any{"AGE": int64(33), "MEMBER": true, "SCORE": 0.1}},
		{User: "ü2", Item: "i\n\"2\"", At: 1767225601000, Attributes: map[string]any{"MEMBER": false, "SCORE": -2000.0}},
		{User: "u1", Item: "i3", Type: "Buy", Value: -.5, Attributes: map[string]any{"MEMBER": true, "AGE": int64(-7)}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestImportRejects: each kind of bad row is refused for its own reason, and
// its neighbours are taken.
func TestImportRejects(t *testing.T) {
	sch := interactionsSchema(field("EVENT_TYPE", schema.String), null(field("EVENT_VALUE", schema.Float)), null(field("AGE", schema.Int)),
		null(field("OK", schema.Boolean)))
	bad := []struct{ row, column, reason string }{
		{",i,1,t,,,", "USER_ID", problemEmptyID},
		{"u," + strings.Repeat("i", 257) + ",1,t,,,", "ITEM_ID", problemLongID},
		{"u," + strings.Repeat("é", 257) + ",1,t,,,", "ITEM_ID", problemLongID},
		{"u,i,,t,,,", "TIMESTAMP", problemEmpty},
		{"u,i,2026-03-01,t,,,", "TIMESTAMP", problemDate},
		{"u,i,2026-03-01T00:00:00Z,t,,,", "TIMESTAMP", problemDate},
		{"u,i,1767225600000,t,,,", "TIMESTAMP", problemMillis},
		{"u,i,99999999999999999999,t,,,", "TIMESTAMP", problemTimestamp},
		{"u,i,1767225600.25,t,,,", "TIMESTAMP", problemFraction},
		{"u,i,-5,t,,,", "TIMESTAMP", problemBefore},
		{"u,i,soon,t,,,", "TIMESTAMP", problemTimestamp},
		{"u,i,1,,,,", "EVENT_TYPE", problemEmpty},
		{"u,i,1," + strings.Repeat("t", 1001) + ",,,", "EVENT_TYPE", problemLongText},
		{"u,i,1,t,NaN,,", "EVENT_VALUE", problemNumber},
		{"u,i,1,t,1e39,,", "EVENT_VALUE", problemNumber},
		{"u,i,1,t,1.2.3,,", "EVENT_VALUE", problemNumber},
		{"u,i,1,t,.,,", "EVENT_VALUE", problemNumber},
		{"u,i,1,t,,12.5,", "AGE", problemInteger},
		{"u,i,1,t,,3000000000,", "AGE", problemRange},
		{"u,i,1,t,,,maybe", "OK", problemBoolean},
		{"u,\xff\xfe,1,t,,,", "ITEM_ID", problemEncoding},
		{"u,i,1,t,,", "", problemFewer},
		{"u,i,1,t,,,,", "", problemMore},
		{"u,i\"x,1,t,,,", "", problemQuote},
		{"u,\"i\"x,1,t,,,", "", problemAfter},
		{"u,i,1,t,,," + strings.Repeat("x", maxRecord), "", problemTooLong},
		{"u,\"open,1,t,,,", "", problemFewer}, // the next quote of the file closes it, at the end of a record
		{"u,i,1,t,,,\"", "", problemMore},     // likewise, and then come more fields
		{"u,\",1,t,,,", "", problemOpen},
	}
	var text strings.Builder
	text.WriteString("USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE,EVENT_VALUE,AGE,OK\n")
	for i, b := range bad {
		text.WriteString(b.row + "\n")
		for k := range 150 {
			fmt.Fprintf(&text, "u%d,i%d,%d,t,1,2,true\n", i, k, k)
		}
	}
	s := newStore(t)
	rep, err := importText(t, s, sch, text.String())
	if err != nil {
		t.Fatal(err)
	}
	if rep.Rejected != int64(len(bad)) || rep.Rows != int64(150*len(bad)) {
		t.Errorf("%d rejected, %d rows: %+v", rep.Rejected, rep.Rows, rep.Causes)
	}
	file, err := s.Get(t.Context(), rep.RejectsFile, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(strings.NewReader(string(file))).ReadAll()
	if err != nil || len(lines) != len(bad)+1 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for i, b := range bad {
		want := []string{"up/data.csv", fmt.Sprint(2 + 151*i), b.column, b.reason}
		if !reflect.DeepEqual(lines[i+1], want) {
			t.Errorf("%.40q: %q, want %q", b.row, lines[i+1], want)
		}
	}
	if n := int64(len(tableRows(t, s, rep.Table))); n != rep.Rows {
		t.Errorf("%d rows in the table", n)
	}
}

func TestImportTooManyRejects(t *testing.T) {
	rows := "USER_ID,ITEM_ID,TIMESTAMP\n" + strings.Repeat("u,i,1\n", 990)
	s := newStore(t)
	if rep, err := importText(t, s, interactionsSchema(), rows+strings.Repeat("u,i,x\n", 10)); err != nil || rep.Rejected != 10 {
		t.Errorf("1 %%: %v %v", rep, err)
	}
	rep, err := importText(t, s, interactionsSchema(), rows+strings.Repeat("u,i,x\n", 10)+",i,1\n")
	if attune.KindOf(err) != attune.Invalid || rep == nil || rep.Rejected != 11 {
		t.Fatalf("%v %v", rep, err)
	}
	for _, want := range []string{"11 of 1 001 rows", "10 × TIMESTAMP is not a time", "1 × USER_ID is empty", "table/d/i-1/rejects.csv"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q not in %v", want, err)
		}
	}
	for info, err := range s.List(t.Context(), "table/") {
		if err != nil || info.Name != rep.RejectsFile {
			t.Errorf("left behind: %s %v", info.Name, err)
		}
	}
}

func TestImportBadFiles(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "is empty"},
		{"only a mark", "\ufeff", "is empty"},
		{"only empty lines", "\n\n", "is empty"},
		{"only a header", "USER_ID,ITEM_ID,TIMESTAMP\n", "no rows"},
		{"missing", "USER_ID,WHEN\nu,1\n", "Input CSV is missing the following columns:[ITEM_ID, TIMESTAMP]"},
		{"lower case", "user_id,ITEM_ID,TIMESTAMP\n", `"user_id" must be written as in the schema`},
		{"semicolons", "USER_ID;ITEM_ID;TIMESTAMP\n", "semicolons"},
		{"tabs", "USER_ID\tITEM_ID\tTIMESTAMP\n", "tabs"},
		{"twice", "USER_ID,ITEM_ID,TIMESTAMP,ITEM_ID\n", `"ITEM_ID" twice`},
		{"utf-16", "\xff\xfeU\x00S\x00", "UTF-16"},
		{"latin-1", "USER_ID,ITEM_ID,TIMESTAMP,GR\xd6SSE\n", "not UTF-8"},
		{"10 MB header", strings.Repeat("x", 10<<20), "1 MiB"},
		{"quote in header", "USER_ID,ITEM\"_ID,TIMESTAMP\n", "quote inside"},
	} {
		s := newStore(t)
		rep, err := importText(t, s, interactionsSchema(), c.text)
		if attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v %v", c.name, rep, err)
		}
	}
}

func TestImportLocations(t *testing.T) {
	s := newStore(t)
	const header = "USER_ID,ITEM_ID,TIMESTAMP\n"
	put(t, s, "up/day/b.csv", "ITEM_ID,TIMESTAMP,USER_ID\ni2,2,u\n")
	put(t, s, "up/day/a.csv", header+"u,i1,1\n")
	put(t, s, "up/day/sub/c.csv", header+"u,i3,3\n")
	put(t, s, "up/day/_SUCCESS", "")
	put(t, s, "up/day/z.csv", "")
	put(t, s, "up/daytime.csv", header+"u,i9,9\n")
	put(t, s, "up/none/x.csv", "")
	spec := ImportSpec{Type: schema.Interactions, Schema: interactionsSchema(), Table: "table/d/i-1"}
	for _, loc := range []string{"up/day", "up/day/", "/up/day"} {
		spec.Location = loc
		var last [3]int64
		spec.Progress = func(bytes, total, rows int64) { last = [3]int64{bytes, total, rows} }
		rep, err := Import(t.Context(), s, s, spec)
		if err != nil || rep.Files != 3 {
			t.Fatalf("%s: %v %v", loc, rep, err)
		}
		if last[0] != last[1] || last[0] != rep.Bytes || last[2] != 3 {
			t.Errorf("progress ended at %v", last)
		}
		var items []string
		for _, r := range tableRows(t, s, rep.Table) {
			items = append(items, r.Item)
		}
		if !reflect.DeepEqual(items, []string{"i1", "i2", "i3"}) {
			t.Errorf("%s: %v", loc, items)
		}
	}
	for loc, want := range map[string]string{"up/nothing": "Invalid S3 input path", "": "Invalid S3 input path", "up/da": "Invalid S3 input path", "up/none": "all 1 objects"} {
		spec.Location = loc
		if _, err := Import(t.Context(), s, s, spec); attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", loc, err)
		}
	}
}

// TestImportManyRows crosses batches, row groups and page sizes, twice into the same table.
func TestImportManyRows(t *testing.T) {
	const n = 300_000
	var text strings.Builder
	text.WriteString("USER_ID,ITEM_ID,TIMESTAMP,EVENT_VALUE\n")
	for i := range n {
		value := ""
		if i%3 != 0 {
			value = fmt.Sprint(i)
		}
		fmt.Fprintf(&text, "user-%d,item-%d,%d,%s\n", i%70_001, i%999, i, value)
	}
	s := newStore(t)
	sch := interactionsSchema(null(field("EVENT_VALUE", schema.Double)))
	for range 2 {
		if rep, err := importText(t, s, sch, text.String()); err != nil || rep.Rows != n {
			t.Fatalf("%v %v", rep, err)
		}
	}
	i := 0
	for r, err := range Rows(t.Context(), s, "table/d/i-1") {
		if err != nil {
			t.Fatal(err)
		}
		if r.User != fmt.Sprintf("user-%d", i%70_001) || r.Item != fmt.Sprintf("item-%d", i%999) || r.At != int64(i)*1000 ||
			math.IsNaN(r.Value) != (i%3 == 0) || i%3 != 0 && r.Value != float64(i) {
			t.Fatalf("row %d is %+v", i, r)
		}
		i++
	}
	if i != n {
		t.Errorf("%d rows", i)
	}
}

func TestImportStops(t *testing.T) {
	s := newStore(t)
	put(t, s, "up/data.csv", "USER_ID,ITEM_ID,TIMESTAMP\n"+strings.Repeat("u,i,1\n", 200_000))
	ctx, cancel := context.WithCancel(t.Context())
	spec := ImportSpec{Schema: interactionsSchema(), Location: "up/data.csv", Table: "table/d/i-1",
		Progress: func(_, _, _ int64) { cancel() }}
	if _, err := Import(ctx, s, s, spec); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	for info := range s.List(t.Context(), "table/") {
		t.Errorf("left behind: %s", info.Name)
	}
	for _, err := range Rows(t.Context(), s, "table/none") {
		if err == nil {
			t.Error("a table that is not there was read")
		}
	}
}

// TestImportBounds refuses what is too large before it is read, and too few
// rows after; nothing of either is left.
func TestImportBounds(t *testing.T) {
	s := newStore(t)
	text := "USER_ID,ITEM_ID,TIMESTAMP\nu1,i1,1\nu2,i2,2\nu3,i3,3\n"
	put(t, s, "up/data.csv", text)
	run := func(most, least int64) error {
		_, err := Import(t.Context(), s, s, ImportSpec{Type: schema.Interactions, Schema: interactionsSchema(), Location: "up/data.csv", Table: "table/d/i",
			MostBytes: most, LeastRows: least})
		return err
	}
	size := int64(len(text))
	if err := run(size, 3); err != nil {
		t.Errorf("just enough: %v", err)
	}
	for says, err := range map[string]error{"one import can read 49": run(size-1, 0), "needs at least 4": run(0, 4)} {
		if attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), says) {
			t.Errorf("%v; want …%s…", err, says)
		}
	}
	for info, err := range s.List(t.Context(), "table/d/i/part") {
		t.Errorf("%s was left (%v)", info.Name, err)
	}
}
