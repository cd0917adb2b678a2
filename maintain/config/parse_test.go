package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
)

// least is the smallest configuration, as JSON, with room for more.
func least(more string) string {
	return "{\n  \"datasetGroup\": {\"serviceConfig\": {\"name\": \"films\"}}" + more + "\n}"
}

// solution is the smallest one with a solution of some more members.
func solution(service, more string) string {
	return least(`,"solutions":[{"serviceConfig":{"name":"a","recipeArn":"arn:aws:personalize:::recipe/aws-user-personalization"` + service + `}` + more + `}]`)
}

// told is what Read says of a text, without the file's name.
func told(t *testing.T, text, name string) string {
	t.Helper()
	_, err := Read([]byte(text), name)
	if err == nil {
		return ""
	}
	var problems Problems
	if attune.KindOf(err) != attune.Invalid || !errors.As(err, &problems) || err.Error() != problems.Error() {
		t.Fatalf("error without problems: %v", err)
	}
	return strings.ReplaceAll(err.Error(), name+":", "")
}

func TestText(t *testing.T) {
	deep := strings.Repeat("[", maxDepth+2) + strings.Repeat("]", maxDepth+2)
	for _, c := range []struct{ name, text, want string }{
		{"c.json", least(""), ""},
		{"c.json", "\xef\xbb\xbf" + least(""), ""},
		{"c", least(""), ""},
		{"c", "datasetGroup: {serviceConfig: {name: films}}", ""},
		{"c.json", "", "1:1: the file is empty"},
		{"c.yaml", "# nothing\n", "1:1: the file is empty"},
		{"c.json", "{}", "1:1: the file is empty"},
		{"c.json", "null", "1:1: the file is empty"},
		{"c.json", "[1]", "1:1: must be an object, not a list; its members are: tags, datasetGroup, datasets, eventTracker, filters, recommenders, solutions"},
		{"c.json", least(","), "3:1: not JSON: invalid character '}' looking for beginning of object key string; remove the comma before }"},
		{"c.json", "{\n\t\"tags\": [1,]\n}", "2:13: not JSON: invalid character ']' looking for beginning of value; remove the comma before ]"},
		{"c.json", "{\n\"é\": 'x'}", "2:6: not JSON: invalid character '\\'' looking for beginning of value; strings stand in double quotes"},
		{"c.json", "{\n// why\n}", "2:1: not JSON: invalid character '/' looking for beginning of object key string; JSON has no comments: remove this one, or write YAML"},
		{"c.json", "{\"tags\":\n[", "2:2: not JSON: unexpected end of JSON input; the file ends too early: close what was opened"},
		{"c.json", least("") + " x", "3:3: not JSON: invalid character 'x' after top-level value; repair it here"},
		{"c.json", "{\"a\": \"\xff\"}", "1:8: the text is not UTF-8; save the file as UTF-8"},
		{"c.json", least(`,"tags":[{"tagKey":"\ud800","tagValue":"b"}]`), "2:74: half a character"},
		{"c.json", least(`,"tags":` + deep), "nested deeper than 64 levels"},
		{"c.json", least(`,"tags":[` + strings.Repeat("0,", maxNodes) + `0]`), "more than 100000 values"},
		{"c.json", least(`,"datasetGroup":{}`), `2:56: datasetGroup: given twice in one object; keep one of the two`},
		{"c.json", solution(`,"solutionVersion":{"tags":[],"tags":[]}`, ""), "solutions[0].serviceConfig.solutionVersion.tags: given twice"},
		{"c.json", least(`,"eventTracker":null,"filters":[],"solutions":[],"recommenders":[],"tags":[]`), ""},
		{"c.json", least(`,"filters":[null]`), "filters[0]: must be an object, not null"},
		{"c.json", least(`,"solutions":[{}]`), "solutions[0].serviceConfig: missing"},
		{"c.json", least(`,"eventTracker":{}`), "eventTracker.serviceConfig: missing"},
		{"c.json", least(`,"datasets":{}`), "datasets.interactions: missing; a dataset group needs at least its interactions, with a schema"},
		{"c.json", solution("", `,"campaigns":[],"batchInferenceJobs":[{"serviceConfig":{}},{}]`), ""},
		{"c.yaml", "datasetGroup:\n  serviceConfig:\n\tname: films\n", "3:1: not YAML: found character that cannot start any token"},
		{"c.yaml", "datasetGroup: {serviceConfig: {name: films}}\n---\ntags: []\n", "a second YAML document"},
		{"c.yaml", "datasetGroup: {serviceConfig: {name: films}}\ndatasetGroup: {}\n", "2:1: datasetGroup: given twice"},
		{"c.yaml", "a: &a [*a]\n", "an alias that stands inside of what it names"},
		{"c.yaml", "x: &x {name: films}\ndatasetGroup: {serviceConfig: {<<: *x}}\n", "2:32: a merge key (<<); write the members out"},
		{"c.yaml", "? [a]\n: b\n", "1:3: a key that is no plain word"},
		{"c.yaml", bomb(), "more than 100000 values, with what aliases repeat"},
		{"c.yaml", "datasetGroup: {serviceConfig: {name: 7}}\n", `1:38: datasetGroup.serviceConfig.name: must be a string, not a number; put it in quotes: "7"`},
		{"c.yaml", "datasetGroup: {serviceConfig: {name: films}}\nfilters:\neventTracker: ~\n", ""},
		{"c.yaml", "datasetGroup: {serviceConfig: {name: films}}\ntags: [{tagKey: born, tagValue: 2020-01-01}]\n", ""},
		{"c.yaml", "datasetGroup: {serviceConfig: {name: films}}\nsolutions: [{serviceConfig: {name: .inf, recipeArn: .nan}}]\n", "2:36: .inf is no number"},
	} {
		got := told(t, c.text, c.name)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s of %.60q says\n%s\nwant\n%s", c.name, c.text, got, c.want)
		}
	}
}

// bomb is a text that grows tenfold with every line.
func bomb() string {
	text := "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 1; i < 9; i++ {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	return text
}

func TestTooLarge(t *testing.T) {
	text := least("") + strings.Repeat(" ", MaxBytes)
	if got := told(t, text, "c.json"); got != "1:1: the file is larger than 1048576 bytes; write a file for each dataset group" {
		t.Errorf("a large file: %s", got)
	}
	if got := told(t, text[:MaxBytes], "c.json"); got != "" {
		t.Errorf("a file of the largest size: %s", got)
	}
}

// TestManyProblems bounds what is told of a file of nonsense, and how long it takes.
func TestManyProblems(t *testing.T) {
	var text strings.Builder
	text.WriteString(`{"a":1`)
	for i := range 80_000 {
		fmt.Fprintf(&text, `,"%d":1`, i)
	}
	text.WriteString("}")
	began := time.Now()
	got := strings.Split(told(t, text.String(), "c.json"), "\n")
	if len(got) != maxProblems+1 || !strings.Contains(got[maxProblems], "and 79502 more problems") {
		t.Errorf("%d lines, the last %q", len(got), got[len(got)-1])
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

// TestFaithful reads escapes, large numbers and characters as they are meant.
func TestFaithful(t *testing.T) {
	const text = `{"tags":[{"tagKey":"a\/b\u00e9","tagValue":"x"}],` +
		`"datasetGroup":{"serviceConfig":{"name":"films","tags":[]}},` +
		`"filters":[{"serviceConfig":{"name":"f","filterExpression":"\ud83d\ude00\t<&>"}}],` +
		`"datasets":{"interactions":{"dataset":{"serviceConfig":{"name":"i"}},"schema":{"serviceConfig":{"name":"s","schema":` +
		`{"type":"record","name":"I","fields":[{"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"TIMESTAMP","type":"long","default":12345678901234567890,"doc":"<&>"}],"x":1.0}}}}}}`
	c, err := Read([]byte(text), "c.json")
	if err != nil {
		t.Fatal(err)
	}
	if c.Tags[0].Key != "a/bé" || string(c.Group.Call) != `{"name":"films"}` {
		t.Errorf("tags %q, call %s", c.Tags, c.Group.Call)
	}
	if got := string(c.Filters[0].Call); !strings.HasPrefix(got, `{"name":"f","filterExpression":"😀\t<&>",`) {
		t.Errorf("filter %s", got)
	}
	if got := string(c.Datasets.Interactions.Schema.Call); !strings.Contains(got, `\"default\":12345678901234567890,\"doc\":\"<&>\"}],\"x\":1.0}`) {
		t.Errorf("schema %s", got)
	}
	if got := string(c.Datasets.Import); got != `{"importMode":"FULL","tags":[{"tagKey":"a/bé","tagValue":"x"}]}` {
		t.Errorf("import %s", got)
	}
}

// TestPatience reads texts of the largest size that take parsers longest.
func TestPatience(t *testing.T) {
	for _, part := range []string{"[", "{", "- ", "a: ", "? ", "&a ", "'", "\\", "#\n", "{a: ", "[a,", "a: b\n", "- &a a\n", "\"\\ud800\",", "{\"a\":", "- |\n a\n", "!!a ", "*a ", "\t"} {
		text := strings.Repeat(part, MaxBytes/len(part))
		for _, name := range []string{"c.json", "c.yaml"} {
			began := time.Now()
			if told(t, text, name) == "" {
				t.Errorf("%s of %q is taken", name, part)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("%s of %q took %v", name, part, took)
			} else if took > time.Second {
				t.Logf("%s of %q took %v", name, part, took)
			}
		}
	}
}
