package schema_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

const interactions = `{"type":"record","name":"Interactions","namespace":"com.amazonaws.personalize.schema","fields":[
 {"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"TIMESTAMP","type":"long"},
 {"name":"EVENT_TYPE","type":["string"]},{"name":"EVENT_VALUE","type":["null","float"]},
 {"name":"DEVICE","type":["string","null"],"categorical":true}],"version":"1.0"}`

// record makes a schema of the given fields text.
func record(fields string) string {
	return `{"type":"record","name":"T","fields":[` + fields + `]}`
}

func mustParse(t *testing.T, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(text)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return s
}

func TestParse(t *testing.T) {
	s := mustParse(t, interactions)
	want := &schema.Schema{Name: "Interactions", Fields: []schema.Field{
		{Name: "USER_ID", Kind: schema.String}, {Name: "ITEM_ID", Kind: schema.String}, {Name: "TIMESTAMP", Kind: schema.Long},
		{Name: "EVENT_TYPE", Kind: schema.String}, {Name: "EVENT_VALUE", Kind: schema.Float, Nullable: true},
		{Name: "DEVICE", Kind: schema.String, Nullable: true, Categorical: true}}}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got %+v", s)
	}
	if got := s.String(); got != "Interactions(USER_ID string, ITEM_ID string, TIMESTAMP long, EVENT_TYPE string, EVENT_VALUE float?, DEVICE string?)" {
		t.Errorf("String() = %s", got)
	}
}

// TestParseRefuses checks that each mistake is called by its name and place.
func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{``, "ends too early"},
		{`{`, "ends too early"},
		{`{"type":}`, "character 9"},
		{`[]`, "JSON array"},
		{`null`, `"type" must be "record"`},
		{`{"type":"array"}`, `"type" must be "record"`},
		{`{"type":"record","fields":[]}`, "no name"},
		{`{"type":"record","name":"T","fields":[]}`, "no fields"},
		{`{"type":"record","name":"T","fields":{}}`, "fields"},
		{record(`{"name":"A","type":"string"}`) + "x", "after its closing brace"},
		{record(`{"type":"string"}`), "field number 1"},
		{record(`{"name":"A B","type":"string"}`), `"A B"`},
		{record(`{"name":"A"}`), `field A has no "type"`},
		{record(`{"name":"A","type":"bytes"}`), `field A has the unknown type "bytes"`},
		{record(`{"name":"A","type":{"type":"array","items":"string"}}`), "field A has a type this service does not take"},
		{record(`{"name":"A","type":[1]}`), "field A has a type"},
		{record(`{"name":"A","type":null}`), "field A has"},
		{record(`{"name":"A","type":[]}`), "field A can only be null"},
		{record(`{"name":"A","type":["null"]}`), "field A can only be null"},
		{record(`{"name":"A","type":["string","int"]}`), "both string and int"},
		{record(`{"name":"A","type":"string"},{"name":"A","type":"int"}`), "field A is given twice"},
		{record(`{"name":"A","type":"int","categorical":true}`), "field A is categorical but of type int"},
		{record(`{"name":"A","type":"float","textual":true}`), "field A is textual but of type float"},
		{record(`{"name":"A","type":"string","textual":true,"categorical":true}`), "both categorical and textual"},
		{strings.Repeat(" ", schema.MaxSchema+1), "at most 20000"},
		{record(strings.Repeat(`{"name":"A","type":"int"},`, schema.MaxFields) + `{}`), "at most 150"},
	} {
		_, err := schema.Parse(c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60s: error %v, want %q in it", c.text, err, c.want)
		}
		if attune.KindOf(err) != attune.Invalid {
			t.Errorf("%.60s: kind %v", c.text, attune.KindOf(err))
		}
	}
}

func TestCheck(t *testing.T) {
	const u, i, at = `{"name":"USER_ID","type":"string"}`, `{"name":"ITEM_ID","type":"string"}`, `{"name":"TIMESTAMP","type":"long"}`
	many := func(n int) string {
		var b strings.Builder
		for k := range n {
			b.WriteString(`,{"name":"C` + string(rune('A'+k/26)) + string(rune('A'+k%26)) + `","type":"int"}`)
		}
		return b.String()
	}
	for _, c := range []struct {
		fields string
		typ    schema.Type
		domain string
		want   string // "" means it is good
	}{
		{u + "," + i + "," + at, schema.Interactions, "", ""},
		{u + "," + i + "," + at, schema.Interactions, schema.Ecommerce, "missing the field EVENT_TYPE"},
		{u + "," + i + "," + at + `,{"name":"EVENT_TYPE","type":"string"}`, schema.Interactions, schema.VideoOnDemand, ""},
		{u + "," + i, schema.Interactions, "", `missing the field TIMESTAMP: add {"name": "TIMESTAMP", "type": "long"}`},
		{`{"name":"user_id","type":"string"},` + i + "," + at, schema.Interactions, "", "upper case"},
		{u + "," + i + `,{"name":"TIMESTAMP","type":"string"}`, schema.Interactions, "", "TIMESTAMP is of type string: in INTERACTIONS it must be long"},
		{u + "," + i + `,{"name":"TIMESTAMP","type":["null","long"]}`, schema.Interactions, "", "TIMESTAMP may not be null"},
		{u + "," + i + "," + at + `,{"name":"EVENT_VALUE","type":"string"}`, schema.Interactions, "", "it must be float"},
		{u + "," + i + "," + at + `,{"name":"NOTE","type":"string","textual":true}`, schema.Interactions, "", "only ITEMS"},
		{u + "," + i + "," + at + many(5), schema.Interactions, "", ""},
		{u + "," + i + "," + at + many(6), schema.Interactions, "", "6 metadata fields: INTERACTIONS can have 5"},
		{i, schema.Items, "", "at least one metadata field"},
		{i + `,{"name":"GENRES","type":"string","categorical":true}`, schema.Items, "", ""},
		{i + `,{"name":"GENRES","type":"string","categorical":true}`, schema.Items, schema.VideoOnDemand, "CREATION_TIMESTAMP"},
		{i + `,{"name":"GENRES","type":"string","categorical":true},{"name":"CREATION_TIMESTAMP","type":"long"}`, schema.Items, schema.VideoOnDemand, ""},
		{i + `,{"name":"CATEGORY_L1","type":"string"}`, schema.Items, schema.Ecommerce, "PRICE"},
		{i + `,{"name":"CATEGORY_L1","type":["string"]},{"name":"PRICE","type":["float","null"]}`, schema.Items, schema.Ecommerce, ""},
		{i + `,{"name":"A","type":"string","textual":true},{"name":"B","type":"string","textual":true}`, schema.Items, "", "2 textual fields"},
		{u, schema.Users, "", "at least one metadata field"},
		{u + `,{"name":"AGE","type":"int"}`, schema.Users, schema.Ecommerce, ""},
		{`{"name":"ACTION_ID","type":"string"},{"name":"VALUE","type":"int"}`, schema.Actions, "", ""},
		{`{"name":"ACTION_ID","type":"string"},{"name":"VALUE","type":"string"}`, schema.Actions, "", "VALUE"},
		{`{"name":"ACTION_ID","type":"string"},{"name":"ACTION_EXPIRATION_TIMESTAMP","type":["null","long"]},{"name":"REPEAT_FREQUENCY","type":["null","long"]},{"name":"CREATION_TIMESTAMP","type":"long"}`, schema.Actions, "", ""},
		{`{"name":"ACTION_ID","type":"string"},{"name":"ACTION_EXPIRATION_TIMESTAMP","type":"string"}`, schema.Actions, "", "ACTION_EXPIRATION_TIMESTAMP"},
		{`{"name":"ACTION_ID","type":"string"},{"name":"REPEAT_FREQUENCY","type":"float"}`, schema.Actions, "", "REPEAT_FREQUENCY"},
		{`{"name":"ACTION_ID","type":"string"}`, schema.Actions, "", "metadata"},
		{`{"name":"USER_ID","type":"string"},{"name":"ACTION_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},{"name":"TIMESTAMP","type":"long"}`, schema.ActionInteractions, "", ""},
		{`{"name":"USER_ID","type":"string"},{"name":"ACTION_ID","type":"string"},{"name":"TIMESTAMP","type":"long"}`, schema.ActionInteractions, "", "EVENT_TYPE"},
		{u + "," + at + `,{"name":"ACTION_ID","type":"string"}`, schema.ActionInteractions, "", "EVENT_TYPE"},
	} {
		s := mustParse(t, record(c.fields))
		err := s.Check(c.typ, c.domain)
		if err == nil {
			err = s.CheckColumns(c.typ, schema.Limits{Interactions: 5, Users: 25, Items: 100, Textual: 1})
			if none := s.CheckColumns(c.typ, schema.Limits{}); none != nil {
				t.Errorf("%s is refused without limits: %v", c.fields, none)
			}
		}
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s %s %s: %v", c.typ, c.domain, c.fields, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || attune.KindOf(err) != attune.Invalid):
			t.Errorf("%s %s %s: error %v, want %q in it", c.typ, c.domain, c.fields, err, c.want)
		}
	}
}

func TestParseType(t *testing.T) {
	for in, want := range map[string]schema.Type{"Interactions": schema.Interactions, "items": schema.Items, "Action_Interactions": schema.ActionInteractions} {
		if got, err := schema.ParseType(in); err != nil || got != want {
			t.Errorf("%s: %v %v", in, got, err)
		}
	}
	if _, err := schema.ParseType("films"); attune.KindOf(err) != attune.Invalid {
		t.Errorf("films: %v", err)
	}
}

func TestNames(t *testing.T) {
	for field, wire := range map[string]string{"NUMBER_OF_RATINGS": "numberOfRatings", "GENRES": "genres",
		"CATEGORY_L1": "categoryL1", "ITEM_ID": "itemId", "A_B": "aB"} {
		if got := schema.WireName(field); got != wire {
			t.Errorf("WireName(%s) = %s", field, got)
		}
		if got := schema.FieldName(wire); got != field {
			t.Errorf("FieldName(%s) = %s", wire, got)
		}
	}
	s := &schema.Schema{Fields: []schema.Field{{Name: "GENRE_2"}, {Name: "yearOfRelease"}}}
	for key, want := range map[string]string{"genre2": "GENRE_2", "GENRE_2": "GENRE_2", "yearOfRelease": "yearOfRelease", "YEAR_OF_RELEASE": "yearOfRelease"} {
		if f, ok := s.Lookup(key); !ok || f.Name != want {
			t.Errorf("Lookup(%s) = %s %v", key, f.Name, ok)
		}
	}
}

func TestValues(t *testing.T) {
	if got := schema.Values("Horror| Action||"); !reflect.DeepEqual(got, []string{"Horror", "Action"}) {
		t.Errorf("got %q", got)
	}
	if got := schema.Values(""); len(got) != 0 {
		t.Errorf("empty: %q", got)
	}
}

const rated = `{"name":"ITEM_ID","type":"string"},{"name":"EVENT_VALUE","type":["null","float"]},{"name":"NUMBER_OF_RATINGS","type":"int"},
 {"name":"SEEN","type":"boolean"},{"name":"GENRES","type":["null","string"],"categorical":true},{"name":"BIG","type":"long"}`

func TestCheckProperties(t *testing.T) {
	s := mustParse(t, record(rated))
	got, err := s.CheckProperties(`{"numberOfRatings":"12","itemId":7,"eventValue":null,"seen":"TRUE","genres":"a|b","big":9007199254740993}`)
	want := map[string]any{"NUMBER_OF_RATINGS": int64(12), "ITEM_ID": "7", "EVENT_VALUE": nil, "SEEN": true, "GENRES": "a|b", "BIG": int64(9007199254740993)}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, %v", got, err)
	}
	if got, err = s.CheckProperties(" "); err != nil || len(got) != 0 {
		t.Errorf("empty: %v %v", got, err)
	}
	for _, c := range []struct{ props, want string }{
		{`[]`, "not a JSON object"},
		{`{"numberOfRatings":12.5}`, "needs type int"},
		{`{"numberOfRatings":3000000000}`, "needs type int"},
		{`{"numberOfRatings":null}`, "has no null"},
		{`{"numberOfRatings":1,"NUMBER_OF_RATINGS":2}`, "given twice"},
		{`{"eventValue":"NaN"}`, "needs type float"},
		{`{"eventValue":1e39}`, "needs type float"},
		{`{"seen":1}`, "needs type boolean"},
		{`{"colour":"red"}`, `"colour" is not in the schema`},
		{`{"USERID":"u"}`, "reserved"}, {`{"sessionId":"u"}`, "reserved"}, {`{"event_type":"u"}`, "reserved"},
		{`{"impression":"u"}`, "reserved"}, {`{"timestamp":1}`, "reserved"}, {`{"recommendationId":"u"}`, "reserved"},
		{`{"genres":["a"]}`, "join several categories with |"},
		{`{"genres":{}}`, "an object or a list"},
		{`{"genres":"` + strings.Repeat("x", 1001) + `"}`, "longer than 1000"},
		{`{"itemId":""}`, "is empty"},
		{`{"itemId":"a"`, "not valid JSON"},
		{`{"itemId":"a"} {}`, "more text"},
		{`{"itemId":`, "not valid JSON"},
		{strings.Repeat(" ", 40_000) + "{}", "at most 32000"},
	} {
		_, err := s.CheckProperties(c.props)
		if err == nil || !strings.Contains(err.Error(), c.want) || attune.KindOf(err) != attune.Invalid {
			t.Errorf("%.60s: error %v, want %q in it", c.props, err, c.want)
		}
	}
}
