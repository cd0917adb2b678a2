package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/attune-io/attune"
)

// tree is a configuration in a test's hands.
type tree = map[string]any

// walk gives the value at a path such as solutions[0].workflowConfig.
func walk(t *testing.T, root tree, path string) any {
	t.Helper()
	var at any = root
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' }) {
		if i, ok := strings.CutSuffix(step, "]"); ok {
			at = at.([]any)[int(i[0]-'0')]
			continue
		}
		at = at.(tree)[step]
	}
	if at == nil {
		t.Fatalf("the sample has nothing at %s", path)
	}
	return at
}

// wanted is a problem that must be told: its path, and words of what is wrong.
type wanted struct{ path, what string }

// fault breaks a full configuration at one of its places.
type fault struct {
	name   string
	places []string // paths of objects
	member string   // that is changed; "" when breaks knows
	value  any      // nil: the member is removed
	want   []wanted // %s is the place
	beyond bool     // a JSON Schema cannot know it
}

// faults are of every class of checks. Their places do not touch each other's but
// where the place is the same, and one place is broken once only.
func faults() []fault {
	long := strings.Repeat("a", 64)
	named := []string{
		"datasetGroup.serviceConfig", "datasets.users.dataset.serviceConfig", "datasets.items.schema.serviceConfig", "eventTracker.serviceConfig",
		"filters[0].serviceConfig", "recommenders[0].serviceConfig", "solutions[0].serviceConfig", "solutions[0].campaigns[1].serviceConfig",
	}
	schedules := []string{"datasetGroup.workflowConfig.schedules", "solutions[0].workflowConfig.schedules", "solutions[1].workflowConfig.schedules"}
	batches := []string{"solutions[0].batchInferenceJobs[0].workflowConfig", "solutions[1].batchSegmentJobs[0].workflowConfig"}
	return []fault{
		{"unknown root key", []string{""}, "metricAttribution", tree{}, []wanted{{"metricAttribution", "not allowed here"}}, false},
		{"unknown key", []string{"datasetGroup", "datasets", "datasets.users", "datasets.items.schema", "solutions[0]", "solutions[0].campaigns[0]", "solutions[1].batchSegmentJobs[0]"}, "minAge", "1 day", []wanted{{"%s.minAge", "not allowed here"}}, false},
		{"workflow where none is", []string{"filters[1]", "recommenders[0]", "eventTracker", "solutions[0].campaigns[1]"}, "workflowConfig", tree{"maxAge": "1 day"}, []wanted{{"%s.workflowConfig", "not allowed here"}}, false},
		{"unknown member of a call", named, "title", "x", []wanted{{"%s.title", "not allowed here"}}, false},
		{"unknown schedule", schedules, "weekly", "cron(0 3 * * ? *)", []wanted{{"%s.weekly", "not allowed here"}}, false},
		{"maxAge of a solution", []string{"solutions[0].workflowConfig", "solutions[1].workflowConfig"}, "maxAge", "1 day", []wanted{{"%s.maxAge", "not allowed here"}}, false},
		{"role", []string{"datasetGroup.serviceConfig", "datasets.serviceConfig", "solutions[0].batchInferenceJobs[0].serviceConfig"}, "roleArn", "arn:aws:iam::000000000000:role/r", []wanted{{"%s.roleArn", "must not be given"}}, false},
		{"key", []string{"datasetGroup.serviceConfig"}, "kmsKeyArn", "arn:aws:kms:us-east-1:000000000000:key/k", []wanted{{"%s.kmsKeyArn", "must not be given"}}, false},
		{"parent", []string{"datasets.items.dataset.serviceConfig", "filters[1].serviceConfig", "solutions[1].serviceConfig"}, "datasetGroupArn", "arn:x", []wanted{{"%s.datasetGroupArn", "must not be given"}}, false},
		{"type of a dataset", []string{"datasets.interactions.dataset.serviceConfig"}, "datasetType", "Interactions", []wanted{{"%s.datasetType", "must not be given"}}, false},
		{"version of a campaign", []string{"solutions[0].campaigns[0].serviceConfig"}, "solutionVersionArn", "arn:x", []wanted{{"%s.solutionVersionArn", "must not be given"}}, false},
		{"job", []string{"solutions[1].batchSegmentJobs[0].serviceConfig"}, "jobName", "x", []wanted{{"%s.jobName", "must not be given"}}, false},
		{"name of a version", []string{"solutions[0].serviceConfig.solutionVersion"}, "name", "x", []wanted{{"%s.name", "not allowed here"}}, false},
		{"no name", named, "name", nil, []wanted{{"%s.name", "missing"}}, false},
		{"no expression", []string{"filters[0].serviceConfig", "filters[1].serviceConfig"}, "filterExpression", nil, []wanted{{"%s.filterExpression", "missing"}}, false},
		{"no recipe", []string{"recommenders[0].serviceConfig", "solutions[1].serviceConfig"}, "recipeArn", nil, []wanted{{"%s.recipeArn", "missing"}}, false},
		{"no columns", []string{"datasets.interactions.schema.serviceConfig"}, "schema", nil, []wanted{{"%s.schema", "missing"}}, false},
		{"no schema", []string{"datasets.items"}, "schema", nil, []wanted{{"%s.schema", "missing"}}, false},
		{"no interactions", []string{"datasets"}, "interactions", nil, []wanted{{"datasets.interactions", "missing"}}, false},
		{"no service", []string{"filters[0]", "recommenders[0]", "eventTracker", "solutions[1]"}, "serviceConfig", nil, []wanted{{"%s.serviceConfig", "missing"}}, false},
		{"no group", []string{""}, "datasetGroup", nil, []wanted{{"datasetGroup", "missing"}}, false},
		{"number for a name", named, "name", json.Number("7"), []wanted{{"%s.name", "must be a string, not a number"}}, false},
		{"object for a list", []string{""}, "filters", tree{"serviceConfig": tree{}}, []wanted{{"filters", "must be a list, not an object"}}, false},
		{"text for an object", []string{"eventTracker", "solutions[0].campaigns[0]"}, "serviceConfig", "x", []wanted{{"%s.serviceConfig", "must be an object, not a string"}}, false},
		{"text for a boolean", []string{"solutions[0].serviceConfig"}, "performHPO", "true", []wanted{{"%s.performHPO", "must be true or false, not a string"}}, false},
		{"text for columns", []string{"datasets.users.schema.serviceConfig"}, "schema", "{}", []wanted{{"%s.schema", "must be an object, not a string"}}, false},
		{"long name", named, "name", long, []wanted{{"%s.name", "has 64 characters"}}, false},
		{"odd name", named, "name", "no good!", []wanted{{"%s.name", "is not of the right form"}}, false},
		{"odd domain", []string{"datasetGroup.serviceConfig"}, "domain", "TOYS", []wanted{{"%s.domain", "is not known"}}, false},
		{"no throughput", []string{"solutions[0].campaigns[0].serviceConfig"}, "minProvisionedTPS", json.Number("0"), []wanted{{"%s.minProvisionedTPS", "is too small"}}, false},
		{"half a result", []string{"solutions[1].batchSegmentJobs[0].serviceConfig"}, "numResults", json.Number("2.5"), []wanted{{"%s.numResults", "is no whole number"}}, false},
		{"odd mode", []string{"solutions[0].serviceConfig.solutionVersion"}, "trainingMode", "AUTOTRAIN", []wanted{{"%s.trainingMode", "is not known"}}, false},
		{"odd import", []string{"datasets.serviceConfig"}, "importMode", "HALF", []wanted{{"%s.importMode", "is not known"}}, false},
		{"key of a map", []string{"solutions[0].serviceConfig.solutionConfig.algorithmHyperParameters"}, long + long + long + long + "a", "1", []wanted{{"%s." + long[:60] + "…", "has 257 characters"}}, false},
		{"tag of other words", []string{"", "filters[1].serviceConfig", "solutions[0].serviceConfig.solutionVersion"}, "tags", []any{tree{"key": "a", "tagValue": "b"}},
			[]wanted{{"%s.tags[0].key", "not allowed here"}, {"%s.tags[0].tagKey", "missing"}}, false},
		{"tags as an object", []string{"", "recommenders[0].serviceConfig"}, "tags", tree{"a": "b"}, []wanted{{"%s.tags", "must be a list"}}, false},
		{"no cron", schedules[1:], "full", "every day", []wanted{{"%s.full", "neither cron(…) nor rate(…)"}}, false},
		{"five fields", schedules[:1], "import", "cron(0 3 * * ?)", []wanted{{"%s.import", "5 fields"}}, true},
		{"never", batches, "schedule", "cron(0 0 30 2 ? *)", []wanted{{"%s.schedule", "never fires"}}, true},
		{"odd unit", batches, "schedule", "rate(1 fortnight)", []wanted{{"%s.schedule", "fortnight"}}, true},
		{"schedule of a wrong sort", batches, "schedule", json.Number("3"), []wanted{{"%s.schedule", "must be a string"}}, false},
		{"no age", append(batches[:1:1], "datasetGroup.workflowConfig"), "maxAge", "1h30m", []wanted{{"%s.maxAge", "1h30m"}}, true},
		{"no update mode", []string{"solutions[1].workflowConfig.schedules"}, "update", "rate(1 day)", []wanted{{"%s.update", "cannot be trained on"}}, true},
		{"no update training", []string{"solutions[1].serviceConfig"}, "solutionVersion", tree{"trainingMode": "UPDATE"}, []wanted{{"%s.solutionVersion.trainingMode", "cannot be trained on"}}, true},
		{"a version two", []string{"solutions[0].serviceConfig"}, "recipeArn", "arn:aws:personalize:::recipe/aws-user-personalization-v2", []wanted{{"solutions[0].workflowConfig.schedules.update", "cannot be trained on"}}, true},
		{"taken campaign", []string{"solutions[0].campaigns[1].serviceConfig"}, "name", "films-for-you-live", []wanted{{"%s.name", "is the name of solutions[0].campaigns[0] (line "}}, true},
		{"taken filter", []string{"filters[1].serviceConfig"}, "name", "films-unseen", []wanted{{"%s.name", "is the name of filters[0] (line "}}, true},
		{"taken solution", []string{"solutions[1].serviceConfig"}, "name", "films-for-you", []wanted{{"%s.name", "is the name of solutions[0] (line "}}, true},
		{"long job", []string{"solutions[1].serviceConfig"}, "name", long[:38], []wanted{{"%s.name", "has 38 characters"}}, true},
		{"odd column", []string{"datasets.items.schema.serviceConfig.schema.fields[1]", "datasets.users.schema.serviceConfig.schema.fields[1]"}, "type", "decimal", []wanted{{"%s", "decimal"}}, true},
		{"column without a name", []string{"datasets.users.schema.serviceConfig.schema.fields[2]"}, "name", nil, []wanted{{"%s", "has no"}}, true},
		{"no column of users", []string{"datasets.interactions.schema.serviceConfig.schema.fields[0]"}, "name", "WHO", []wanted{{"datasets.interactions.schema.serviceConfig.schema", "USER_ID"}}, true},
		{"other domain", []string{"datasets.users.schema.serviceConfig"}, "domain", "ECOMMERCE", []wanted{{"%s.domain", "that of the dataset group"}}, true},
		{"actions of a domain", []string{"datasets"}, "actions", tree{"dataset": tree{"serviceConfig": tree{"name": "a"}}, "schema": tree{"serviceConfig": tree{"name": "a", "domain": "VIDEO_ON_DEMAND",
			"schema": tree{"type": "record", "name": "Actions", "fields": []any{tree{"name": "ACTION_ID", "type": "string"}, tree{"name": "VALUE", "type": "long"}}}}}}, []wanted{{"datasets.actions", "has no actions"}}, true},
		{"odd policy", []string{"solutions[0].workflowConfig.promote"}, "policy", "never", []wanted{{"%s.policy", "is not known"}}, false},
		{"odd policy in short", []string{"solutions[1].workflowConfig"}, "promote", "sometimes", []wanted{{"%s.promote", "is not known"}}, false},
		{"odd threshold", []string{"solutions[0].workflowConfig.promote"}, "threshold", json.Number("2"), []wanted{{"%s.threshold", "is too large"}}, false},
		{"odd level", []string{"solutions[0].workflowConfig.promote"}, "level", json.Number("0"), []wanted{{"%s.level", "is too small"}}, false},
	}
}

// decoded is a JSON text as a test's tree.
func decoded(t *testing.T, text []byte) tree {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var root tree
	if err := d.Decode(&root); err != nil {
		t.Fatal(err)
	}
	return root
}

// breakAt applies a fault at a place and gives the problems that follow.
func breakAt(t *testing.T, root tree, f fault, place string) []wanted {
	t.Helper()
	object := root
	if place != "" {
		object = walk(t, root, place).(tree)
	}
	if f.value == nil {
		delete(object, f.member)
	} else {
		object[f.member] = f.value
	}
	want := slices.Clone(f.want)
	for i := range want {
		if strings.Contains(want[i].path, "%s") {
			want[i].path = strings.TrimPrefix(fmt.Sprintf(want[i].path, place), ".")
		}
	}
	return want
}

// compare holds what Read tells against what it must tell, no more and no less.
func compare(t *testing.T, text []byte, name string, want []wanted) {
	t.Helper()
	_, err := Read(text, name)
	var problems Problems
	if attune.KindOf(err) != attune.Invalid || !errors.As(err, &problems) {
		t.Errorf("no problems in error %v", err)
		return
	}
	left := slices.Clone(want)
	for _, p := range problems {
		i := slices.IndexFunc(left, func(w wanted) bool { return w.path == p.Path && strings.Contains(p.What, w.what) })
		if i < 0 {
			t.Errorf("told without cause: %s", p)
			continue
		}
		left = slices.Delete(left, i, i+1) // each once
		lines := strings.Split(string(text), "\n")
		if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > len([]rune(lines[p.Line-1]))+1 || p.Instead == "" {
			t.Errorf("without a place or a way out: %s", p)
		}
		last := strings.TrimSuffix(p.Path[strings.LastIndex(p.Path, ".")+1:], "…")
		if p.What != "missing" && strings.HasSuffix(name, ".json") && !strings.HasSuffix(last, "]") && !strings.Contains(lines[p.Line-1], `"`+last) && !strings.Contains(lines[p.Line-1], "{") {
			t.Errorf("not at its line: %s", p)
		}
	}
	for _, w := range left {
		t.Errorf("not told: %s: …%s…", w.path, w.what)
	}
}

// TestEachFault breaks the sample once in every way at every place, and asks the
// JSON Schema as well.
func TestEachFault(t *testing.T) {
	editor := compiled(t)
	full := sample(t, "full.json")
	if err := editor.Validate(decoded(t, full)); err != nil {
		t.Errorf("the schema refuses the sample: %v", err)
	}
	n := 0
	for _, f := range faults() {
		for _, place := range f.places {
			n++
			t.Run(f.name+" at "+place, func(t *testing.T) {
				root := decoded(t, full)
				want := breakAt(t, root, f, place)
				text, err := json.MarshalIndent(root, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				compare(t, text, "config.json", want)
				if err := editor.Validate(decoded(t, text)); (err == nil) != f.beyond {
					t.Errorf("the JSON Schema says %v", err)
				}
			})
		}
	}
	if n < 100 {
		t.Errorf("only %d broken configurations", n)
	}
}

// TestBrokenConfigurations breaks the sample in one to four ways at once, a
// hundred times, and reads it as JSON and as YAML.
func TestBrokenConfigurations(t *testing.T) {
	all, full := faults(), sample(t, "full.json")
	for seed := range uint64(100) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			chance := rand.New(rand.NewPCG(seed, 5))
			root := decoded(t, full)
			var want []wanted
			var broken []string // their areas
			for n := 1 + chance.IntN(4); len(broken) < n && !slices.Contains(broken, ""); {
				f := all[chance.IntN(len(all))]
				place := f.places[chance.IntN(len(f.places))]
				if slices.ContainsFunc(broken, func(b string) bool { return touch(b, area(f, place)) }) {
					continue
				}
				broken = append(broken, area(f, place))
				t.Logf("%s at %s", f.name, place)
				want = append(want, breakAt(t, root, f, place)...)
			}
			text, err := json.MarshalIndent(root, "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			compare(t, text, "config.json", want)
			text, err = yaml.Marshal(numbers(root))
			if err != nil {
				t.Fatal(err)
			}
			compare(t, text, "config.yaml", want)
		})
	}
}

// area is the part of the file that a fault changes or looks at. Two faults whose
// areas lie in each other are not made together: what follows then is another matter.
func area(f fault, place string) string {
	switch {
	case place == "" && f.member == "datasetGroup":
		return "" // other domain, other problems
	case place == "":
		return f.member
	case strings.HasSuffix(f.name, "domain"):
		return ""
	case strings.HasPrefix(place, "solutions"): // recipes, names and schedules of one are seen together
		return place[:len("solutions[0]")]
	case strings.HasPrefix(place, "filters"):
		return "filters" // for their names
	case strings.HasPrefix(place, "datasets."):
		return strings.Join(strings.Split(place, ".")[:2], ".")
	}
	return place
}

func touch(a, b string) bool { return strings.HasPrefix(a, b) || strings.HasPrefix(b, a) }

// numbers makes Go's numbers of JSON's, for YAML.
func numbers(v any) any {
	switch v := v.(type) {
	case tree:
		out := tree{}
		for k, below := range v {
			out[k] = numbers(below)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, below := range v {
			out[i] = numbers(below)
		}
		return out
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	}
	return v
}

// compiled is our JSON Schema in the hands of somebody else's validator.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSONSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("config.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}
