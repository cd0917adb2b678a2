package filter

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

var rewrite = flag.Bool("rewrite", false, "write what the tests produce into testdata")

// TestData runs testdata/*.txt: blocks of a command line, its input, ---- and what is expected.
//
//	parse              canonical text, or the error
//	check              "ok", or the error, against the schemas below
//	mask {"P": "…"}    the rows of the tables below that may be shown, by subject, or the error;
//	                   "user" and "item" say who asks about what: {"user": "ann", "item": "lamp"}
func TestData(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
				if strings.HasPrefix(block, "#") {
					out.WriteString(block + "\n\n")
					continue
				}
				head, want, _ := strings.Cut(block, "\n----")
				want = strings.TrimPrefix(want, "\n")
				command, input, _ := strings.Cut(head, "\n")
				got := runData(t, command, input)
				if got != want && !*rewrite {
					t.Errorf("%s\n got: %s\nwant: %s", head, got, want)
				}
				out.WriteString(head + "\n----\n" + got + "\n\n")
			}
			if *rewrite {
				if err := os.WriteFile(file, []byte(strings.TrimSuffix(out.String(), "\n")), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func runData(t *testing.T, command, input string) string {
	t.Helper()
	command, arg, _ := strings.Cut(command, " ")
	e, err := Parse(input)
	if err != nil {
		if attune.KindOf(err) != attune.Invalid {
			t.Errorf("%s: error of kind %s", input, attune.KindOf(err))
		}
		return "error: " + err.Error()
	}
	again, err := Parse(e.String())
	if err != nil || !reflect.DeepEqual(e, again) {
		t.Errorf("%s: prints as %s, which parses as %v (%v)", input, e, again, err)
	}
	switch command {
	case "parse":
		return e.String()
	case "check":
		if err := e.Check(testSchemas(), Limits{}); err != nil {
			return "error: " + err.Error()
		}
		return "ok"
	case "mask":
		values := map[string]string{}
		if arg != "" {
			if err := json.Unmarshal([]byte(arg), &values); err != nil {
				t.Fatalf("%s: %v", arg, err)
			}
		}
		if err := e.Check(testSchemas(), Limits{}); err != nil {
			t.Errorf("%s: %v", input, err)
		}
		scene := testScene(e.Subject(), values["user"], values["item"])
		delete(values, "user")
		delete(values, "item")
		b, err := e.Bind(e.Subject(), values)
		if err != nil {
			return "error: " + err.Error()
		}
		mask := b.Mask(scene.Scene, nil)
		var shown []string
		for i, name := range scene.names {
			if mask.Has(int32(i)) {
				shown = append(shown, name)
			}
		}
		return fmt.Sprint(shown)
	}
	t.Fatalf("unknown command %q", command)
	return ""
}

func testSchemas() map[schema.Type]*schema.Schema {
	return map[schema.Type]*schema.Schema{schema.Items: {Name: "Items", Fields: []schema.Field{
		{Name: "ITEM_ID", Kind: schema.String}, {Name: "GENRES", Kind: schema.String, Categorical: true},
		{Name: "BRAND", Kind: schema.String, Categorical: true}, {Name: "PRICE", Kind: schema.Float, Nullable: true},
		{Name: "YEAR", Kind: schema.Int}, {Name: "TEXT", Kind: schema.String, Textual: true}, {Name: "NEW", Kind: schema.Boolean},
		{Name: "C1", Kind: schema.String}, {Name: "C2", Kind: schema.String}, {Name: "C3", Kind: schema.String},
		{Name: "C4", Kind: schema.String}, {Name: "C5", Kind: schema.String}, {Name: "C6", Kind: schema.String},
	}}, schema.Users: {Name: "Users", Fields: []schema.Field{
		{Name: "USER_ID", Kind: schema.String}, {Name: "AGE", Kind: schema.Int}, {Name: "MEMBERSHIP", Kind: schema.String},
	}}, schema.Actions: {Name: "Actions", Fields: []schema.Field{
		{Name: "ACTION_ID", Kind: schema.String}, {Name: "VALUE", Kind: schema.Float}, {Name: "REPEAT_FREQUENCY", Kind: schema.Long},
	}}}
}

type namedScene struct {
	*Scene
	names []string
}

// testScene is a shop with items, actions and users, and what ann did in it.
func testScene(of Subject, user, item string) namedScene {
	rows := map[Subject][]map[string]any{
		ItemID: {
			{"": "lamp", "GENRES": []string{"a", "b"}, "PRICE": 10}, {"": "rug", "GENRES": []string{"b", "c"}, "PRICE": 20.5},
			{"": "vase", "GENRES": "A", "BRAND": `say "hi", \o/`}, {"": "bed", "GENRES": "c", "YEAR": 1999, "BRAND": "1999"}, {"": "bare"},
		},
		ActionID: {{"": "call", "VALUE": 5}, {"": "mail", "VALUE": 7.5}, {"": "wait"}},
		UserID:   {{"": "ann", "AGE": 17, "MEMBERSHIP": "gold"}, {"": "bob", "AGE": 40, "MEMBERSHIP": []string{"gold", "free"}}, {"": "cy"}},
	}
	table := func(of Subject) (c *Columns, names []string) {
		c = NewColumns()
		for n, row := range rows[of] {
			for name, x := range row {
				if name != "" {
					c.Set(int32(n), name, x)
				}
			}
			names = append(names, row[""].(string))
		}
		return c, names
	}
	row := func(of Subject, id string) Row {
		c, names := table(of)
		return Row{ID: id, Table: c, Number: int32(slices.Index(names, id))}
	}
	c, names := table(of)
	return namedScene{&Scene{
		Rows: c, N: len(names), User: row(UserID, user), Item: row(ItemID, item),
		RowOf:    func(id string) (int32, bool) { n := slices.Index(names, id); return int32(n), n >= 0 },
		History:  []Seen{{0, 0}, {1, 1}, {2, 0}, {2, 1}},
		TypeName: func(n uint16) string { return []string{"View", "Purchase"}[n] },
	}, names}
}
