package attune_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/attune-io/attune"

// policy says which rooms of ours a room may import. A room may only name
// rooms above it, so cycles are impossible by construction. "." is the root
// package, "x/*" any package below x, "*" everything.
//
// A build that fails here is not repaired by editing this table, but by asking
// which handover is missing (docs/architecture.md). Move a wall with an ADR.
const policy = `
.:
wire:
wire/check: wire
kernel: .
matrix: . kernel
index: . kernel matrix
evaluate: . matrix
world: .
dataset/schema: .
recipe/spec: .
access: .
filter: . dataset/schema
artifact: .
embed: . artifact
event: .
double: .
machine: .
ledger: .
dataset: . event artifact matrix dataset/schema
dataset/datasettest: . dataset matrix dataset/schema
profile: . event artifact dataset filter dataset/schema
model: . artifact matrix index
recipe: . dataset dataset/schema model matrix index kernel evaluate recipe/spec
recipe/popularity: . recipe dataset model matrix index kernel
recipe/ials: . recipe dataset model matrix index kernel
recipe/itemknn: . recipe dataset model matrix index kernel
recipe/ease: . recipe dataset model matrix index kernel
recipe/graph: . recipe dataset model matrix index kernel
recipe/session: . recipe dataset model matrix index kernel
recipe/rule: . recipe dataset model matrix index kernel
recipe/demographic: . recipe dataset dataset/schema model matrix
recipe/circumstance: . recipe dataset dataset/schema model kernel
recipe/sequence: . recipe dataset model matrix index kernel
recipe/blend: . recipe dataset model matrix index kernel evaluate
recipe/content: . recipe dataset model matrix index kernel dataset/schema
recipe/similar: . recipe model
recipe/semantic: . recipe dataset dataset/schema model matrix kernel
recipe/trending: . recipe dataset model evaluate recipe/spec
recipe/nextaction: . recipe dataset model dataset/schema
recipe/recipetest: . recipe dataset dataset/datasettest model matrix artifact
recipe/all: recipe recipe/*
serve: . kernel matrix index filter model profile event dataset/schema
resource: . ledger filter dataset/schema recipe/spec
resource/resourcetest: . resource ledger
job: . resource event dataset recipe model artifact profile filter evaluate serve dataset/schema recipe/spec
notify/pattern: .
notify: . ledger event resource notify/pattern
api/call: access
maintain/cron: .
maintain/config: . wire wire/check dataset/schema recipe/spec maintain/cron
maintain/plan: . wire maintain/config api/call
maintain: . ledger notify notify/pattern maintain/cron maintain/config maintain/plan
api/awsjson: . wire wire/check
api/s3: . access artifact
api/verb: . access resource job event artifact model profile double notify notify/pattern maintain maintain/cron maintain/config maintain/plan api/awsjson api/call
api: . wire access resource job event double notify maintain serve filter dataset/schema artifact recipe/spec model profile api/awsjson api/s3
engine/nats: .
engine/temporal: .
engine/sql: .
engine/bucket: .
engine/enginetest: . engine/*
node: *
cmd/attune: *
test/binary: access
bench: *
bench/quality: *
bench/peers: *
`

// owners lists the heavy dependencies and the only rooms whose non-test code may import them.
var owners = map[string][]string{
	"github.com/nats-io/nats-server": {"engine/nats"},
	"github.com/nats-io/nats.go":     {"engine/nats", "engine/enginetest", "event"},
	"go.temporal.io/server":          {"engine/temporal"},
	"go.temporal.io/sdk":             {"engine/temporal", "engine/enginetest", "job", "maintain", "bench"},
	"go.temporal.io/api":             {"engine/temporal", "engine/enginetest", "job", "maintain"},
	"gocloud.dev":                    {"engine/bucket", "engine/enginetest", "artifact", "api/s3"},
	"modernc.org/sqlite":             {"engine/sql"},
	"github.com/jackc/pgx":           {"engine/sql"},
	"github.com/parquet-go":          {"dataset"},
	"github.com/hamba/avro":          {"dataset/schema"},
	"github.com/rclone/gofakes3":     {"api/s3"},
	"github.com/aws/aws-sdk-go-v2":   {"api/call", "api/verb", "cmd/attune", "bench", "test/binary", "maintain", "maintain/plan"},
	"github.com/alecthomas/kong":     {"cmd/attune"},
	"go.yaml.in/yaml":                {"maintain/config"},
}

// maxInterface is how wide an interface may be before it needs a second real implementer.
const maxInterface = 5

// TestArchitecture holds the house together: who imports whom, who owns the
// heavy dependencies, how wide interfaces are, and that every room has a card.
func TestArchitecture(t *testing.T) {
	allowed := parsePolicy(t)
	rooms := readRooms(t)
	for _, r := range rooms {
		t.Run(strings.ReplaceAll(r.path, "/", "∕"), func(t *testing.T) {
			list, ok := allowed[r.path]
			if !ok {
				t.Fatalf("room %q is not in the policy: add a line that names what it may import", r.path)
			}
			for _, f := range r.files {
				checkImports(t, r.path, list, f)
				if !strings.HasSuffix(f.name, ".gen.go") {
					checkInterfaces(t, f)
				}
			}
			checkCard(t, r)
		})
	}
}

type room struct {
	path  string // "." or slash path below the module root
	files []file // non-test files
}

type file struct {
	name string
	ast  *ast.File
}

func parsePolicy(t *testing.T) map[string][]string {
	t.Helper()
	allowed := map[string][]string{}
	for _, line := range strings.Split(strings.TrimSpace(policy), "\n") {
		name, rest, _ := strings.Cut(line, ":")
		list := strings.Fields(rest)
		for _, want := range list {
			if _, seen := allowed[want]; !seen && !strings.Contains(want, "*") {
				t.Errorf("policy of %s names %s, which stands below it or nowhere", name, want)
			}
		}
		allowed[name] = list
	}
	return allowed
}

func readRooms(t *testing.T) []room {
	t.Helper()
	byDir := map[string]*room{}
	err := filepath.WalkDir(".", func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && p != "." && (name == "testdata" || name == "node_modules" || name[0] == '.' || name[0] == '_') {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(p))
		if byDir[dir] == nil {
			byDir[dir] = &room{path: dir}
		}
		byDir[dir].files = append(byDir[dir].files, file{name, parsed})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rooms := make([]room, 0, len(byDir))
	for _, r := range byDir {
		rooms = append(rooms, *r)
	}
	slices.SortFunc(rooms, func(a, b room) int { return strings.Compare(a.path, b.path) })
	return rooms
}

func checkImports(t *testing.T, from string, allowed []string, f file) {
	t.Helper()
	for _, spec := range f.ast.Imports {
		path := strings.Trim(spec.Path.Value, `"`)
		if path == module || strings.HasPrefix(path, module+"/") {
			to := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
			if to == "" {
				to = "."
			}
			if !slices.ContainsFunc(allowed, func(rule string) bool { return admits(rule, to) }) {
				t.Errorf("%s/%s imports %s, which its policy does not allow", from, f.name, to)
			}
			continue
		}
		for dep, who := range owners {
			if (path == dep || strings.HasPrefix(path, dep+"/")) && !slices.Contains(who, from) {
				t.Errorf("%s/%s imports %s, which belongs to %v", from, f.name, path, who)
			}
		}
		if from == "." && strings.Contains(strings.Split(path, "/")[0], ".") {
			t.Errorf("%s imports %s: the root package is standard library only", f.name, path)
		}
	}
}

// admits reports whether a policy entry covers the room to.
func admits(rule, to string) bool {
	prefix, wild := strings.CutSuffix(rule, "*")
	return rule == to || wild && strings.HasPrefix(to, prefix)
}

func checkInterfaces(t *testing.T, f file) {
	t.Helper()
	ast.Inspect(f.ast, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if i, ok := spec.Type.(*ast.InterfaceType); ok && i.Methods.NumFields() > maxInterface {
			t.Errorf("%s: interface %s has %d methods; more than %d needs a second real implementer", f.name, spec.Name, i.Methods.NumFields(), maxInterface)
		}
		return true
	})
}

func checkCard(t *testing.T, r room) {
	t.Helper()
	for _, f := range r.files {
		if f.name != "doc.go" {
			continue
		}
		text := f.ast.Doc.Text()
		for _, line := range []string{"Takes:", "Makes:", "Never:", "Start:"} {
			if !strings.Contains(text, line) {
				t.Errorf("%s/doc.go has no line %q on its card", r.path, line)
			}
		}
		return
	}
	t.Errorf("room %s has no doc.go with its card", r.path)
}
