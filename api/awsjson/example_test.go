package awsjson

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/attune-io/attune/wire"
)

// matching gives, for each published pattern, a text that keeps it.
var matching = map[string]string{
	`^[a-zA-Z0-9][a-zA-Z0-9\-_]*`:                              "films",
	`arn:([a-z\d-]+):personalize:.*:.*:.+`:                     "arn:aws:personalize:us-east-1:000000000000:solution/films",
	`arn:([a-z\d-]+):iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+`: "arn:aws:iam::000000000000:role/reader",
	`arn:aws.*:kms:.*:[0-9]{12}:key/.*`:                        "arn:aws:kms:us-east-1:000000000000:key/a",
	`(s3|http|https)://.+`:                                     "s3://films/items.csv",
	`rate\(\d+ days?\)`:                                        "rate(7 days)",
	`^[A-Za-z_]+$`:                                             "Items",
	`[A-Za-z_][A-Za-z\d_]*`:                                    "GENRES",
	`[A-Za-z\d_]+`:                                             "DEVICE",
	`[A-Za-z0-9_]+`:                                            "GENRES",
	`\p{ASCII}{0,1500}`:                                        "token",
	`^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`:                          "team a",
	`^[\x20-\x7E]*[\x21-\x7E]+[\x20-\x7E]*$`:                   "mail",
}

// minimal makes the smallest value that keeps every constraint of a shape, as Parse would.
func minimal(t testing.TB, s *wire.Shape) any {
	t.Helper()
	switch s.Type {
	case wire.Structure:
		object := map[string]any{}
		for _, m := range s.Members {
			if m.Required {
				object[m.Name] = minimal(t, m.Shape)
			}
		}
		return object
	case wire.List:
		list := []any{}
		for range int(s.Min.N) {
			list = append(list, minimal(t, s.Element))
		}
		return list
	case wire.Map:
		return map[string]any{}
	case wire.Boolean:
		return true
	case wire.Timestamp:
		return json.Number("1767225600.5")
	case wire.Integer, wire.Double:
		if s.Min.Set {
			return json.Number(plain(s.Min.N))
		}
		return json.Number("0")
	}
	if s.Enum != nil {
		return s.Enum[0]
	}
	if s.Pattern != nil {
		text, ok := matching[s.Pattern.Published]
		if !ok {
			t.Fatalf("shape %s has a new pattern %s: add a text that matches it", s.Name, s.Pattern.Published)
		}
		return text
	}
	return strings.Repeat("x", int(s.Min.N))
}

// broken is a value with one violated constraint, or one wrong JSON type.
type broken struct {
	value any
	at    string
	want  string // the constraint in AWS's words; "" for a wrong type
}

// breakages violates every constraint of a shape in turn, all else being valid.
func breakages(t testing.TB, s *wire.Shape, at string) []broken {
	t.Helper()
	wrong := broken{value: "text", at: at}
	if s.Type == wire.String {
		wrong.value = json.Number("7")
	}
	all := []broken{wrong}
	switch s.Type {
	case wire.Structure:
		all = append(all, breakMembers(t, s, at)...)
	case wire.List:
		all = append(all, breakSize(s, at, func(n int) any {
			list := make([]any, n)
			for i := range list {
				list[i] = minimal(t, s.Element)
			}
			return list
		})...)
		all = append(all, broken{[]any{nil}, join(at, "1.member"), notNull})
		for _, b := range breakages(t, s.Element, join(at, "1.member")) {
			all = append(all, broken{[]any{b.value}, b.at, b.want})
		}
	case wire.Map:
		key, _ := minimal(t, s.Key).(string)
		if key == "" {
			key = "k"
		}
		all = append(all, breakSize(s, at, func(n int) any {
			object := map[string]any{}
			for i := range n {
				object[key+strconv.Itoa(i)] = minimal(t, s.Value)
			}
			return object
		})...)
		for _, b := range breakages(t, s.Key, at) {
			if text, ok := b.value.(string); ok {
				all = append(all, broken{map[string]any{text: minimal(t, s.Value)}, at, "Map keys must satisfy constraint: [" + b.want + "]"})
			}
		}
		all = append(all, broken{map[string]any{key: nil}, join(at, key+".value"), notNull})
		for _, b := range breakages(t, s.Value, join(at, key+".value")) {
			all = append(all, broken{map[string]any{key: b.value}, b.at, b.want})
		}
	case wire.String:
		all = append(all, breakText(s, at)...)
	case wire.Integer, wire.Double:
		all = append(all, breakNumber(s, at)...)
	case wire.Timestamp:
		all = append(all, broken{json.Number("1767225600000"), at, ""}, broken{json.Number("1e400"), at, ""})
	}
	return all
}

func breakMembers(t testing.TB, s *wire.Shape, at string) []broken {
	var all []broken
	for _, m := range s.Members {
		base := minimal(t, s).(map[string]any)
		if m.Required {
			missing, null := maps.Clone(base), maps.Clone(base)
			delete(missing, m.Name)
			null[m.Name] = nil
			all = append(all, broken{missing, join(at, m.Name), notNull}, broken{null, join(at, m.Name), notNull})
		}
		for _, b := range breakages(t, m.Shape, join(at, m.Name)) {
			object := maps.Clone(base)
			object[m.Name] = b.value
			all = append(all, broken{object, b.at, b.want})
		}
	}
	return all
}

func breakSize(s *wire.Shape, at string, sized func(n int) any) []broken {
	var all []broken
	if s.Min.Set && s.Min.N > 0 {
		all = append(all, broken{sized(int(s.Min.N) - 1), at, fmt.Sprintf("Member must have length greater than or equal to %.0f", s.Min.N)})
	}
	if s.Max.Set {
		all = append(all, broken{sized(int(s.Max.N) + 1), at, fmt.Sprintf("Member must have length less than or equal to %.0f", s.Max.N)})
	}
	return all
}

func breakText(s *wire.Shape, at string) []broken {
	var all []broken
	if s.Min.Set && s.Min.N > 0 {
		all = append(all, broken{strings.Repeat("x", int(s.Min.N)-1), at, fmt.Sprintf("Member must have length greater than or equal to %.0f", s.Min.N)})
	}
	if s.Max.Set {
		all = append(all, broken{strings.Repeat("x", int(s.Max.N)+1), at, fmt.Sprintf("Member must have length less than or equal to %.0f", s.Max.N)})
	}
	if s.Pattern != nil {
		want := "Member must satisfy regular expression pattern: " + s.Pattern.Published
		good := matching[s.Pattern.Published] // no pattern lets both of these pass at its open end
		all = append(all, broken{good + "\né", at, want}, broken{"é\n" + good, at, want})
	}
	if s.Enum != nil {
		all = append(all, broken{"SIDEWAYS", at, "Member must satisfy enum value set: [" + strings.Join(s.Enum, ", ") + "]"})
	}
	return all
}

func breakNumber(s *wire.Shape, at string) []broken {
	all := []broken{{json.Number("1e400"), at, ""}}
	if s.Type == wire.Integer {
		all = append(all, broken{json.Number("1.5"), at, ""}, broken{json.Number(strconv.Itoa(math.MaxInt32 + 1)), at, ""})
	}
	if s.Min.Set {
		all = append(all, broken{json.Number(plain(s.Min.N - 1)), at, "Member must have value greater than or equal to " + plain(s.Min.N)})
	}
	if s.Max.Set {
		all = append(all, broken{json.Number(plain(s.Max.N + 1)), at, "Member must have value less than or equal to " + plain(s.Max.N)})
	}
	return all
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}
