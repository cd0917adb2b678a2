package awsjson

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/wire"
)

// TestEveryConstraint breaks, for each of the 79 inputs, each constraint of each
// member, one at a time.
func TestEveryConstraint(t *testing.T) {
	n := 0
	for _, op := range wire.All() {
		valid := minimal(t, op.Input)
		if err := Check(op.Input, valid); err != nil {
			t.Errorf("%s refuses the smallest valid input %v: %v", op.Name, valid, err)
		}
		for _, b := range breakages(t, op.Input, "") {
			n++
			err := Check(op.Input, b.value)
			var named *Named
			switch {
			case attune.KindOf(err) != attune.Invalid:
				t.Errorf("%s at '%s' (%s): error %v of kind %v", op.Name, b.at, b.want, err, attune.KindOf(err))
			case b.want == "":
				if !errors.As(err, &named) || named.Name != SerializationException || b.at != "" && !strings.Contains(err.Error(), "'"+b.at+"'") {
					t.Errorf("%s: wrong type at '%s' gives %v", op.Name, b.at, err)
				}
			case !strings.Contains(err.Error(), " at '"+b.at+"' failed to satisfy constraint: "+b.want):
				t.Errorf("%s at '%s': got %q, want %q", op.Name, b.at, err, b.want)
			case !strings.Contains(err.Error(), "detected: Value"):
				t.Errorf("%s at '%s': got %q", op.Name, b.at, err)
			}
		}
	}
	if n < 1500 {
		t.Errorf("only %d breakages over all inputs", n)
	}
}

func TestCheckMessages(t *testing.T) {
	const arn = `"arn:aws:personalize:us-east-1:000000000000:dataset/films/USERS"`
	for _, c := range []struct{ service, op, body, want string }{
		{wire.Personalize, "CreateDatasetGroup", `{"name":"bad name!"}`,
			`1 validation error detected: Value 'bad name!' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9][a-zA-Z0-9\-_]*`},
		{wire.Personalize, "CreateDatasetGroup", `{"name":"` + strings.Repeat("a", 64) + `"}`,
			`1 validation error detected: Value '` + strings.Repeat("a", 64) + `' at 'name' failed to satisfy constraint: Member must have length less than or equal to 63`},
		{wire.Personalize, "CreateDatasetGroup", ``,
			`1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null`},
		{wire.Personalize, "CreateDatasetGroup", `{"name":"","domain":"TOYS"}`,
			`3 validation errors detected: Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1; ` +
				`Value '' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9][a-zA-Z0-9\-_]*; ` +
				`Value 'TOYS' at 'domain' failed to satisfy constraint: Member must satisfy enum value set: [ECOMMERCE, VIDEO_ON_DEMAND]`},
		{wire.Personalize, "CreateDatasetGroup", `{"NAME":"films","Name":"films"}`,
			`1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null`},
		{wire.Personalize, "CreateDatasetGroup", `{"name":7}`, `member 'name' must be a string, not a number`},
		{wire.Personalize, "CreateDatasetGroup", `[]`, `the request body must be an object, not a list`},
		{wire.Personalize, "CreateDatasetGroup", `null`, `the request body must be an object, not null`},
		{wire.Personalize, "ListSolutions", `{"maxResults":101}`,
			`1 validation error detected: Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100`},
		{wire.PersonalizeEvents, "PutUsers", `{"datasetArn":` + arn + `,"users":[]}`,
			`1 validation error detected: Value '[0 members]' at 'users' failed to satisfy constraint: Member must have length greater than or equal to 1`},
		{wire.PersonalizeEvents, "PutUsers", `{"datasetArn":` + arn + `,"users":[{"userId":"a"},{"properties":"{}"}]}`,
			`1 validation error detected: Value null at 'users.2.member.userId' failed to satisfy constraint: Member must not be null`},
		{wire.PersonalizeEvents, "PutUsers", `{"datasetArn":` + arn + `,"users":[{"userId":"a","properties":{"age":"7"}}]}`,
			`member 'users.1.member.properties' must be a JSON document inside a string, not an object`},
		{wire.PersonalizeEvents, "PutUsers", `{"datasetArn":` + arn + `,"users":[{"userId":"a","properties":""}]}`,
			`1 validation error detected: Value at 'users.1.member.properties' failed to satisfy constraint: Member must have length greater than or equal to 1`},
		{wire.PersonalizeRuntime, "GetRecommendations", `{"context":{"a b":"x"}}`,
			`1 validation error detected: Value 'a b' at 'context' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [A-Za-z\d_]+]`},
	} {
		op, _ := wire.Lookup(c.service, c.op)
		tree, err := Parse([]byte(c.body))
		if err == nil {
			err = Check(op.Input, tree)
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("%s %s:\n got %v\nwant %s", c.op, c.body, err, c.want)
		}
	}
}

func TestCheckCountsCharactersAndCapsReports(t *testing.T) {
	op, _ := wire.Lookup(wire.PersonalizeRuntime, "GetPersonalizedRanking")
	in := minimal(t, op.Input).(map[string]any)
	in["userId"] = strings.Repeat("語", 256)
	if err := Check(op.Input, in); err != nil {
		t.Errorf("256 characters of 3 bytes: %v", err)
	}
	in["userId"] = strings.Repeat("語", 257)
	if err := Check(op.Input, in); err == nil {
		t.Error("257 characters pass")
	}
	in["userId"] = "u"
	list := make([]any, 400)
	for i := range list {
		list[i] = strings.Repeat("x", 257)
	}
	in["inputList"] = list
	err := Check(op.Input, in)
	if err == nil || !strings.HasPrefix(err.Error(), "400 validation errors detected: ") ||
		!strings.HasSuffix(err.Error(), "; and 390 more") || len(err.Error()) > 8192 {
		t.Errorf("400 violations: %v", err)
	}
}

func TestParse(t *testing.T) {
	got, err := Parse([]byte(" {\"a\": [1.50, true ,false,null, \"x\\n\\u00e9\\\"\"] , \"b\":{}, \"c\\\\\":[]}\n"))
	want := map[string]any{"a": []any{json.Number("1.50"), true, false, nil, "x\né\""}, "b": map[string]any{}, `c\`: []any{}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, %v", got, err)
	}
	for _, empty := range []string{"", "  \r\n\t"} {
		if got, err := Parse([]byte(empty)); err != nil || !reflect.DeepEqual(got, map[string]any{}) {
			t.Errorf("%q: %v, %v", empty, got, err)
		}
	}
	for body, want := range map[string]string{
		`{"a":1,"a":2}`:          "member 'a' appears twice in one object, at byte 7",
		`{"a":1,"\u0061":2}`:     "member 'a' appears twice",
		`{"a":`:                  "is not JSON at byte 5",
		`{"a":1} x`:              "is not JSON at byte 9",
		`{'a':1}`:                "is not JSON at byte 2",
		`{"a":01}`:               "is not JSON",
		`{"a":"` + "\xff" + `"}`: "is not UTF-8 at byte 6",
		"\x00":                   "is not JSON",
		"\ufeff{}":               "is not JSON",
		strings.Repeat("[", 40) + strings.Repeat("]", 40): "nested deeper than 32 levels",
		strings.Repeat("[", 1<<20):                        "is not JSON",
		"[" + strings.Repeat("[],", 100_000) + "[]]":      "more than 100000 values",
		`{"a":NaN}`: "is not JSON",
	} {
		_, err := Parse([]byte(body))
		var named *Named
		if attune.KindOf(err) != attune.Invalid || !errors.As(err, &named) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %q", body, err, want)
		}
	}
}
