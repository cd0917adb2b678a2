package wire

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestOperationCounts(t *testing.T) {
	got := map[string]int{}
	for _, op := range All() {
		got[op.Service]++
		found, ok := Lookup(op.Service, op.Name)
		if !ok || found != op {
			t.Errorf("Lookup(%s, %s) = %v, %v", op.Service, op.Name, found, ok)
		}
		for _, name := range op.Errors {
			if _, ok := LookupError(op.Service, name); !ok {
				t.Errorf("%s names the exception %s, which its service does not publish", op.Name, name)
			}
		}
		if op.REST() == (op.Service == Personalize) {
			t.Errorf("%s: REST() = %v", op.Name, op.REST())
		}
	}
	if want := map[string]int{Personalize: 71, PersonalizeRuntime: 3, PersonalizeEvents: 5}; !reflect.DeepEqual(got, want) {
		t.Errorf("operations by service: %v, want %v", got, want)
	}
	for _, name := range []string{"createCampaign", "CreateCampaigns", ""} {
		if _, ok := Lookup(Personalize, name); ok {
			t.Errorf("Lookup finds %q", name)
		}
	}
}

// TestStructsMirrorShapes checks that each struct field and each published
// member agree: name, type, and whether absence can be told from zero.
func TestStructsMirrorShapes(t *testing.T) {
	for _, op := range All() {
		mirror(t, op.Name, reflect.TypeOf(op.NewInput()).Elem(), op.Input)
		if op.Output == nil {
			if _, ok := op.NewOutput().(*Empty); !ok {
				t.Errorf("%s answers nothing but makes %T", op.Name, op.NewOutput())
			}
			continue
		}
		mirror(t, op.Name, reflect.TypeOf(op.NewOutput()).Elem(), op.Output)
	}
}

func mirror(t *testing.T, at string, typ reflect.Type, s *Shape) {
	t.Helper()
	kinds := map[Type]reflect.Kind{Structure: reflect.Struct, List: reflect.Slice, Map: reflect.Map, String: reflect.String,
		Integer: reflect.Int, Double: reflect.Float64, Boolean: reflect.Bool, Timestamp: reflect.Struct}
	if typ.Kind() != kinds[s.Type] {
		t.Errorf("%s: %v for a shape of type %d", at, typ, s.Type)
		return
	}
	switch s.Type {
	case List:
		mirror(t, at+"[]", typ.Elem(), s.Element)
	case Map:
		mirror(t, at+"{}", typ.Elem(), s.Value)
	case Structure:
		if typ.NumField() != len(s.Members) {
			t.Errorf("%s: %d fields for %d members", at, typ.NumField(), len(s.Members))
			return
		}
		for i, m := range s.Members {
			f := typ.Field(i)
			name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name != m.Name {
				t.Errorf("%s: field %s is called %q, want %q", at, f.Name, name, m.Name)
			}
			inner := f.Type
			bare := inner.Kind() == reflect.Slice || inner.Kind() == reflect.Map || inner == reflect.TypeFor[Time]()
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			} else if !bare && !m.Required {
				t.Errorf("%s.%s is optional but cannot be absent", at, m.Name)
			}
			if (option == "omitzero") != (bare || !m.Required) {
				t.Errorf("%s.%s: tag option %q, required %v", at, m.Name, option, m.Required)
			}
			mirror(t, at+"."+m.Name, inner, m.Shape)
		}
	}
}

func TestPatternsHoldTheWholeString(t *testing.T) {
	seen := map[string]bool{}
	var walk func(s *Shape)
	walk = func(s *Shape) {
		if s == nil {
			return
		}
		if p := s.Pattern; p != nil {
			seen[s.Name] = true
			if !strings.HasPrefix(p.Anchored, `\A(?:`) || !strings.HasSuffix(p.Anchored, `)\z`) {
				t.Errorf("%s: pattern %s is open", s.Name, p.Anchored)
			}
			p.Match("") // compiles, or panics
		}
		for _, m := range s.Members {
			walk(m.Shape)
		}
		walk(s.Element)
		walk(s.Key)
		walk(s.Value)
	}
	for _, op := range All() {
		walk(op.Input)
		walk(op.Output)
	}
	if len(seen) < 13 {
		t.Errorf("only %d shapes with patterns", len(seen))
	}
	for _, c := range []struct {
		p    *Pattern
		s    string
		want bool
	}{
		{personalizeName.Pattern, "films-2_x", true},
		{personalizeName.Pattern, "films!", false},
		{personalizeName.Pattern, "films\n", false},
		{personalizeName.Pattern, "-films", false},
		{personalizeArn.Pattern, "arn:aws:personalize:us-east-1:000000000000:solution/films", true},
		{personalizeArn.Pattern, "x arn:aws:personalize:us-east-1:000000000000:solution/films", false},
		{personalizeArn.Pattern, "arn:aws:s3:::films", false},
		{personalizeNextToken.Pattern, strings.Repeat("a", 1500), true},
		{personalizeNextToken.Pattern, "é", false},
		{personalizeSchedulingExpression.Pattern, "rate(7 days)", true},
		{personalizeSchedulingExpression.Pattern, "rate(7 days) ", false},
		{personalizeTagKey.Pattern, "Größe 2", true},
		{personalizeTagKey.Pattern, "a#b", false},
		{personalizeS3Location.Pattern, "s3://films/items.csv", true},
		{personalizeS3Location.Pattern, "ftp://films", false},
	} {
		if got := c.p.Match(c.s); got != c.want {
			t.Errorf("%s matches %q: %v", c.p.Published, c.s, got)
		}
	}
}

func TestTime(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "1767225600": "1767225600", "1767225600.5": "1767225600.500", "1.7672256e9": "1767225600",
		"1767225600.001": "1767225600.001", "-1.5": "-1.500", "253402300799": "253402300799",
	} {
		var got Time
		if err := json.Unmarshal([]byte(in), &got); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		out, err := json.Marshal(got)
		if err != nil || string(out) != want {
			t.Errorf("%s came back as %s, %v; want %s", in, out, err, want)
		}
	}
	for _, in := range []string{"1e400", `"2026-01-01"`, "1767225600000", "-1e15", "true", "[]"} {
		var got Time
		if err := json.Unmarshal([]byte(in), &got); err == nil {
			t.Errorf("%s was read as %v", in, got)
		}
	}
	out, err := json.Marshal(struct {
		A Time `json:"a,omitzero"`
		B Time `json:"b,omitzero"`
	}{B: At(time.UnixMilli(0))})
	if err != nil || string(out) != `{"b":0}` {
		t.Errorf("absent and epoch: %s, %v", out, err)
	}
}

// TestGeneratedFilesAreCurrent runs the generator and compares. It needs the
// pinned botocore: fetched before (make generate), or its package directory in
// ATTUNE_BOTOCORE.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	dir := t.TempDir()
	args := []string{"run", "./_gen", "-out", dir}
	if from := os.Getenv("ATTUNE_BOTOCORE"); from != "" {
		args = append(args, "-botocore", from)
	} else if found, err := filepath.Glob("../.tools/botocore-*/*.whl"); err != nil || len(found) == 0 {
		t.Skip("no botocore at hand: run make generate once, or set ATTUNE_BOTOCORE")
	}
	if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		t.Fatalf("generate: %v\n%s", err, out)
	}
	files, err := filepath.Glob("*.gen.go")
	if err != nil || len(files) != 9 {
		t.Fatalf("%d generated files, %v; want 9", len(files), err)
	}
	for _, name := range files {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the generator writes: run make generate", name)
		}
	}
}
