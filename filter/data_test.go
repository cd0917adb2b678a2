package filter

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
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
//	mask {"P": "…"}    the names of the rows of the table below that may be shown, or the error
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
		if err := e.Check(testSchemas()); err != nil {
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
		if err := e.Check(testSchemas()); err != nil {
			t.Errorf("%s: %v", input, err)
		}
		b, err := e.Bind(values)
		if err != nil {
			return "error: " + err.Error()
		}
		names, columns := testShop()
		mask := b.Mask(columns, len(names), []Seen{{0, 0}, {1, 1}, {2, 0}, {2, 1}},
			func(n uint16) string { return []string{"View", "Purchase"}[n] }, nil)
		var shown []string
		for i, name := range names {
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
	}}}
}

func testShop() ([]string, *Columns) {
	c := NewColumns()
	c.Set(0, "GENRES", []string{"a", "b"})
	c.Set(0, "PRICE", 10)
	c.Set(1, "GENRES", []string{"b", "c"})
	c.Set(1, "PRICE", 20.5)
	c.Set(2, "GENRES", "A")
	c.Set(2, "BRAND", `say "hi", \o/`)
	c.Set(3, "GENRES", "c")
	c.Set(3, "YEAR", 1999)
	c.Set(3, "BRAND", "1999")
	return []string{"lamp(a,b;10;viewed)", "rug(b,c;20.5;bought)", "vase(A;viewed,bought)", "bed(c;1999)", "bare()"}, c
}
