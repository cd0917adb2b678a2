package dataset

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

func only(users ...string) func(string) bool {
	set := map[string]bool{}
	for _, u := range users {
		set[u] = true
	}
	return func(u string) bool { return set[u] }
}

// A table keeps every row of others as it was, in order, whatever its columns hold.
func TestEraseTable(t *testing.T) {
	s := newStore(t)
	sch := interactionsSchema(null(field("PRICE", schema.Double)), null(field("NOTE", schema.String)), null(field("ROOM", schema.Int)),
		null(field("FAR", schema.Long)), null(field("NEAR", schema.Float)), null(field("GIFT", schema.Boolean)))
	chance := rand.New(rand.NewPCG(1, 2))
	var text strings.Builder
	text.WriteString("USER_ID,ITEM_ID,TIMESTAMP,PRICE,NOTE,ROOM,FAR,NEAR,GIFT\n")
	maybe := func(s string) string {
		if chance.IntN(3) == 0 {
			return ""
		}
		return s
	}
	const rows = 20_000 // more than a batch
	for i := range rows {
		fmt.Fprintf(&text, "u%d,i%d,%d,%s,%s,%s,%s,%s,%s\n", chance.IntN(50), i, 1_700_000_000+i, maybe(fmt.Sprint(chance.Float64())),
			maybe(fmt.Sprintf("n%d", chance.IntN(9))), maybe(fmt.Sprint(chance.Int32())), maybe(fmt.Sprint(chance.Int64())), maybe(fmt.Sprint(chance.Float32())), maybe("true"))
	}
	put(t, s, "up/a.csv", text.String())
	rep, err := Import(t.Context(), s, s, ImportSpec{Type: schema.Interactions, Schema: sch, Location: "up/a.csv", Table: "table/d/i/1"})
	if err != nil {
		t.Fatal(err)
	}
	before := tableRows(t, s, rep.Table)
	if note, err := EraseTable(t.Context(), s, rep.Table, "table/d/i/none", only("nobody")); err != nil || note != nil {
		t.Fatalf("nobody is gone: %v, %v", note, err)
	}
	gone := only("u7", "u11", "u49")
	var want []Row
	for _, r := range before {
		if !gone(r.User) {
			want = append(want, r)
		}
	}
	put(t, s, "table/d/i/2/part-00003.parquet", "what a killed attempt left")
	for range 2 { // the second finds it done
		note, err := EraseTable(t.Context(), s, rep.Table, "table/d/i/2", gone)
		if err != nil {
			t.Fatal(err)
		}
		if *note != (TableNote{Supersedes: rep.Table, Rows: int64(len(want)), Erased: int64(rows - len(want))}) {
			t.Errorf("note %+v, want %d rows", *note, len(want))
		}
	}
	after := tableRows(t, s, "table/d/i/2")
	if len(after) != len(want) {
		t.Fatalf("%d rows are left, want %d", len(after), len(want))
	}
	for i := range want {
		if fmt.Sprint(after[i]) != fmt.Sprint(want[i]) { // a NaN equals a NaN
			t.Fatalf("row %d is %v, was %v", i, after[i], want[i])
		}
	}
	everybody, err := EraseTable(t.Context(), s, rep.Table, "table/d/i/3", func(string) bool { return true })
	if err != nil || everybody.Rows != 0 || everybody.Erased != rows {
		t.Fatalf("%+v, %v", everybody, err)
	}
	if left := tableRows(t, s, "table/d/i/3"); len(left) != 0 {
		t.Errorf("%d rows are left", len(left))
	}
}

// A table of items has no users, and stays.
func TestEraseTableWithoutUsers(t *testing.T) {
	s := newStore(t)
	table := importTable(t, s, "table/d/items/1", schema.Items, &schema.Schema{Name: "Items", Fields: []schema.Field{field(schema.ItemID, schema.String), null(field("GENRE", schema.String))}}, "ITEM_ID,GENRE\na,b\n")
	if note, err := EraseTable(t.Context(), s, table, "table/d/items/2", func(string) bool { return true }); note != nil || err != nil {
		t.Errorf("%v, %v", note, err)
	}
}

// A rewritten snapshot is what is left of the old one, which leads to it.
func TestEraseSnapshot(t *testing.T) {
	s := newStore(t)
	spec := FreezeSpec{Group: "g", AsOf: second(100)}
	old := mustFreeze(t, s, spec, view("a", "x", 1), view("b", "x", 2), view("b", "y", 3), view("c", "z", 4),
		&event.User{ID: "a", Properties: `{"age":1}`}, &event.User{ID: "b", Properties: `{"age":2}`}, &event.User{ID: "d", Properties: `{"age":4}`})
	if info, _, err := EraseSnapshot(t.Context(), s, old.Name, only("nobody"), nil); info != nil || err != nil {
		t.Fatalf("nobody is gone: %v, %v", info, err)
	}
	put(t, s, "snapshot/g/20200101T000000Z-abc/users.parquet", "half of one, of a killed process")
	for range 2 { // the second finds it done
		info, erased, err := EraseSnapshot(t.Context(), s, old.Name, only("b"), nil)
		if err != nil || erased != 2 || info.Supersedes != old.Name || info.Name == old.Name {
			t.Fatalf("%+v, %d, %v", info, erased, err)
		}
	}
	now, err := Open(t.Context(), s, old.Name)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(now.Users.IDs(), []string{"a", "c", "d"}) || now.Items.Len() != 3 || now.Events.Len() != 2 {
		t.Fatalf("%s: users %v", now, now.Users.IDs())
	}
	if now.Users.ID(now.Events.User[1]) != "c" || now.Items.ID(now.Events.Item[1]) != "z" {
		t.Errorf("events are of users %v", now.Events.User)
	}
	age, _ := now.UserAttributes.Column("AGE")
	if age == nil || fmt.Sprint(age.Number) != "[1 NaN 4]" {
		t.Errorf("ages %+v", age)
	}
	if now.Digest() == old.Digest() {
		t.Error("the digest is the old one")
	}
	again, _, err := EraseSnapshot(t.Context(), s, now.Name, only("c"), nil)
	if err != nil || again.Users != 2 || again.Interactions != 1 {
		t.Fatalf("%+v, %v", again, err)
	}
	names, err := Snapshots(t.Context(), s, "g")
	if err != nil || !reflect.DeepEqual(names, []string{again.Name}) {
		t.Errorf("snapshots %v, %v", names, err)
	}
	if info, err := ReadInfo(t.Context(), s, old.Name); err != nil || info.Name != again.Name {
		t.Errorf("the first name leads to %+v, %v", info, err)
	}
	for info := range s.List(t.Context(), "snapshot/g/2020") {
		t.Errorf("%s stays", info.Name)
	}
}

// What they did with actions goes too, and the files of the old snapshot.
func TestEraseSnapshotActions(t *testing.T) {
	s := newStore(t)
	old := mustFreeze(t, s, FreezeSpec{Group: "g", AsOf: second(100)}, view("a", "x", 1), chose("a", "s", "join", "Taken", 2), chose("b", "t", "quit", "Viewed", 3))
	info, erased, err := EraseSnapshot(t.Context(), s, old.Name, only("a"), nil)
	if err != nil || erased != 2 || info.ActionInteractions != 1 || info.Actions != 2 {
		t.Fatalf("%+v, %d, %v", info, erased, err)
	}
	now, err := Open(t.Context(), s, old.Name)
	if err != nil || toldActions(now) != "b/quit@3 Viewed" {
		t.Errorf("%s, %v", toldActions(now), err)
	}
	for f := range s.List(t.Context(), old.Name+"/") {
		if !strings.HasSuffix(f.Name, supersededFile) {
			t.Errorf("%s stays", f.Name)
		}
	}
}

func TestReadUsers(t *testing.T) {
	s := newStore(t)
	put(t, s, "b/good/1.csv", "\ufeffUSER_ID\nzoe\n\"a,b\"\nzoe\n")
	put(t, s, "b/good/2.csv", "USER_ID\r\nmax\r\n")
	users, err := ReadUsers(t.Context(), s, "b/good", 3)
	if err != nil || !reflect.DeepEqual(users, []string{"a,b", "max", "zoe"}) {
		t.Fatalf("%v, %v", users, err)
	}
	if _, err := ReadUsers(t.Context(), s, "b/good", 2); attune.KindOf(err) != attune.LimitExceeded {
		t.Errorf("too many: %v", err)
	}
	for text, want := range map[string]string{
		"":                                     "is empty",
		"secret\n":                             "must begin with a header line",
		"USER_ID,AGE\nsecret,1\n":              "must begin with a header line",
		"USER_ID\n":                            "names no user",
		"USER_ID\na\nsecret,1\n":               "line 3: USER_ID has more fields than the header; nothing was deleted",
		"USER_ID\n\"\"\n":                      "line 2: USER_ID is empty",
		"USER_ID\n" + strings.Repeat("s", 257): "line 2: USER_ID is longer than 256",
		"USER_ID\nsecret\xff\n":                "line 2: USER_ID is not UTF-8",
		"USER_ID\nsec\"ret\n":                  "line 2: USER_ID has a quote",
	} {
		put(t, s, "b/bad.csv", text)
		_, err := ReadUsers(t.Context(), s, "b/bad.csv", 9)
		if attune.KindOf(err) != attune.Invalid || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.30q: %v, want %q", text, err, want)
		}
	}
	if _, err := ReadUsers(t.Context(), s, "b/nothing", 9); attune.KindOf(err) != attune.Invalid {
		t.Errorf("nothing there: %v", err)
	}
}
