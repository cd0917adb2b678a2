package conform_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// samples are legal values by the name of their shape, for shapes whose pattern
// or meaning a generator cannot guess. TestSamples holds them against the
// published constraints.
func samples() map[string]any {
	return map[string]any{
		"Arn":                         "arn:aws:personalize:us-east-1:000000000000:dataset-group/nobody",
		"AvroSchema":                  `{"type":"record","name":"Items","namespace":"n","fields":[{"name":"ITEM_ID","type":"string"},{"name":"KIND","type":"string"}],"version":"1.0"}`,
		"ColumnName":                  "KIND",
		"DatasetType":                 "Items",
		"Date":                        json.Number("1767225600"),
		"EventAttributionSource":      "newsletter",
		"EventPropertiesJSON":         `{}`,
		"EventValueThreshold":         "0.5",
		"FilterExpression":            `INCLUDE ItemID WHERE Items.KIND IN ("a")`,
		"FilterAttributeName":         "KIND",
		"FilterAttributeValue":        `"a"`,
		"HPOObjectiveType":            "Maximize",
		"HPOResource":                 "2",
		"ItemProperties":              `{"kind":"a"}`,
		"UserProperties":              `{"age":30}`,
		"ActionProperties":            `{}`,
		"ActionInteractionProperties": `{}`,
		"KmsKeyArn":                   "arn:aws:kms:us-east-1:000000000000:key/k",
		"MetricExpression":            "SAMPLECOUNT()",
		"Name":                        "name",
		"RoleArn":                     "arn:aws:iam::000000000000:role/attune",
		"S3Location":                  "s3://bucket/key",
		"SchedulingExpression":        "rate(7 days)",
		"TagKey":                      "team",
		"TagValue":                    "search",
		"RecipeProvider":              "SERVICE",
	}
}

// form says how much of a request is filled in.
type form string

// The two forms every operation must take.
const (
	minimal form = "minimal" // required members only
	maximal form = "maximal" // every member, down to the last
)

// request makes the body of an operation's request from samples.
func (op *operation) request(f form) map[string]any {
	if op.Input == nil {
		return map[string]any{}
	}
	return op.of.sample(*op.Input, f).(map[string]any)
}

func (s *service) sample(r ref, f form) any {
	sh := s.shape(r)
	if v, ok := samples()[r.Shape]; ok {
		return v
	}
	switch sh.Type {
	case "structure":
		out := map[string]any{}
		for name, member := range sh.Members {
			if f == maximal || sh.required(name) {
				out[name] = s.sample(member, f)
			}
		}
		return out
	case "list":
		return []any{s.sample(*sh.Member, f)}
	case "map":
		return map[string]any{s.sample(*sh.Key, f).(string): s.sample(*sh.Value, f)}
	case "string":
		if len(sh.Enum) > 0 {
			return sh.Enum[0]
		}
		return strings.Repeat("a", max(1, int(bound(sh.Min, 1))))
	case "boolean":
		return false
	}
	return json.Number(fmt.Sprint(int(bound(sh.Min, 1))))
}

func bound(limit *float64, otherwise float64) float64 {
	if limit == nil {
		return otherwise
	}
	return *limit
}

// violation is a request with exactly one thing wrong.
type violation struct {
	what string // which constraint, of which member
	path string // as the error names the member
	body map[string]any
	typ  bool // the JSON type is wrong, which the parser reports
}

// violations breaks every published constraint of the operation's request, one
// at a time, starting from its maximal form.
func (op *operation) violations() []violation {
	if op.Input == nil {
		return nil
	}
	var all []violation
	w := walker{s: op.of, whole: op.request(maximal), found: func(v violation) { all = append(all, v) }}
	w.structure(op.of.shape(*op.Input), nil)
	return all
}

// walker visits every value of a request.
type walker struct {
	s     *service
	whole map[string]any
	found func(violation)
}

// step is one way down: a member, an element (key "") or a map's value.
type step struct {
	name string // as the error names it
	key  any    // string for structures and maps, int for lists
}

// change copies the whole request with the value at a path replaced; nil removes it.
func (w *walker) change(at []step, value any) map[string]any {
	return replaced(w.whole, at, value).(map[string]any)
}

func replaced(v any, at []step, value any) any {
	if len(at) == 0 {
		return value
	}
	switch key := at[0].key.(type) {
	case string:
		out := maps.Clone(v.(map[string]any))
		below := replaced(out[key], at[1:], value)
		if below == nil {
			delete(out, key)
		} else {
			out[key] = below
		}
		return out
	default:
		out := slices.Clone(v.([]any))
		out[key.(int)] = replaced(out[key.(int)], at[1:], value)
		return out
	}
}

func named(at []step) string {
	names := make([]string, len(at))
	for i := range at {
		names[i] = at[i].name
	}
	return strings.Join(names, ".")
}

func (w *walker) report(at []step, what string, value any) {
	w.found(violation{what: named(at) + ": " + what, path: named(at), body: w.change(at, value)})
}

func (w *walker) structure(sh *shape, at []step) {
	for _, name := range sh.names() {
		here := append(slices.Clone(at), step{name, name})
		if sh.required(name) {
			w.report(here, "missing", nil)
		}
		w.value(sh.Members[name], here)
	}
}

func (w *walker) value(r ref, at []step) {
	sh := w.s.shape(r)
	wrong := any(map[string]any{})
	if sh.Type == "structure" || sh.Type == "map" {
		wrong = "text"
	}
	w.found(violation{what: named(at) + ": wrong type", path: named(at), body: w.change(at, wrong), typ: true})
	switch sh.Type {
	case "structure":
		w.structure(sh, at)
	case "list":
		w.list(sh, r, at)
	case "map":
		w.mapping(sh, r, at)
	case "string":
		w.text(sh, w.s.sample(r, maximal).(string), func(what, text string) { w.report(at, what, text) })
	case "integer", "long", "float", "double":
		if sh.Min != nil {
			w.report(at, "below its minimum", json.Number(fmt.Sprint(*sh.Min-1)))
		}
		if sh.Max != nil {
			w.report(at, "above its maximum", json.Number(fmt.Sprintf("%.0f", *sh.Max+1)))
		}
	}
}

func (w *walker) list(sh *shape, r ref, at []step) {
	one := w.s.sample(*sh.Member, maximal)
	if sh.Max != nil {
		w.report(at, "too many", slices.Repeat([]any{one}, int(*sh.Max)+1))
	}
	if sh.Min != nil && *sh.Min > 0 {
		w.report(at, "too few", []any{})
	}
	w.value(*sh.Member, append(slices.Clone(at), step{"1.member", 0}))
}

func (w *walker) mapping(sh *shape, r ref, at []step) {
	whole := w.s.sample(r, maximal).(map[string]any)
	var key string
	for key = range whole {
	}
	if sh.Max != nil && len(w.s.shape(*sh.Key).Enum) == 0 {
		many := map[string]any{}
		for i := range int(*sh.Max) + 1 {
			many[fmt.Sprintf("%s%d", "k", i)] = whole[key]
		}
		if w.s.shape(*sh.Key).Pattern == "" || matches(w.s.shape(*sh.Key).Pattern, "k1") {
			w.report(at, "too many", many)
		}
	}
	w.text(w.s.shape(*sh.Key), key, func(what, text string) {
		w.report(at, "key "+what, map[string]any{text: whole[key]})
	})
	w.value(*sh.Value, append(slices.Clone(at), step{key + ".value", key}))
}

// text breaks the constraints of a string whose legal value is good.
func (w *walker) text(sh *shape, good string, report func(what, text string)) {
	if sh.Min != nil && *sh.Min > 0 {
		report("too short", strings.Repeat("a", int(*sh.Min)-1))
	}
	if sh.Max != nil {
		report("too long", good+strings.Repeat("a", int(*sh.Max)+1-utf8.RuneCountInString(good)))
	}
	if len(sh.Enum) > 0 {
		report("not one of its values", "NOBODY")
	}
	if sh.Pattern == "" {
		return
	}
	for _, bad := range []string{"?", "!bad name!", "nowhere", "\x01", "ä"} {
		n := utf8.RuneCountInString(bad)
		if !matches(sh.Pattern, bad) && float64(n) >= bound(sh.Min, 0) && float64(n) <= bound(sh.Max, 1e9) {
			report("against its pattern", bad)
			return
		}
	}
}

var longRepeat = regexp.MustCompile(`\{\d*,?\d{4,}\}`)

// matches holds a whole string against a published pattern. Go's counts of
// repetitions end at 1000; lengths are a constraint of their own.
func matches(pattern, text string) bool {
	pattern = longRepeat.ReplaceAllString(pattern, "*")
	return regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(text)
}

// TestSamples holds the samples against the published constraints, so that a
// violation never breaks two.
func TestSamples(t *testing.T) {
	operations(t)
	services, _ := published()
	for name, value := range samples() {
		used := false
		for _, s := range services {
			sh, ok := s.Shapes[name]
			if !ok {
				continue
			}
			used = true
			text, ok := value.(string)
			if !ok {
				continue
			}
			n := float64(utf8.RuneCountInString(text))
			if n < bound(sh.Min, 0) || n > bound(sh.Max, 1e9) || sh.Pattern != "" && !matches(sh.Pattern, text) || len(sh.Enum) > 0 && !slices.Contains(sh.Enum, text) {
				t.Errorf("the sample of %s.%s is not legal: %q", s.name, name, text)
			}
		}
		if !used {
			t.Errorf("no service has a shape named %s", name)
		}
	}
}
