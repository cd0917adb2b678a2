package config

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/attune-io/attune/wire"
	"github.com/attune-io/attune/wire/check"
)

// JSONSchema is a JSON Schema (2020-12) of configurations, by which editors
// complete and check while one types. It is made of the same tables as Read goes
// by, and knows all that can be said of one value at its place; what shows only
// when values are seen together, or inside of a cron expression, Read alone knows.
func JSONSchema() []byte {
	root := schemaOf(file())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "Attune configuration"
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil { // maps of texts and numbers always have JSON
		return nil
	}
	return append(text, '\n')
}

// schemaOf is the schema of a form.
func schemaOf(f *form) map[string]any {
	s := map[string]any{}
	switch {
	case f.special == avro:
		s["type"], s["required"] = "object", []string{"type", "name", "fields"}
	case f.sort == object && f.element != nil:
		s["type"], s["additionalProperties"] = "object", schemaOf(f.element)
		s["propertyNames"] = schemaOf(&form{sort: text, shape: f.shape.Key})
		bounds(s, f.shape, "minProperties", "maxProperties")
	case f.sort == object:
		schemaOfObject(s, f)
	case f.sort == list:
		s["type"], s["items"] = "array", schemaOf(f.element)
		bounds(s, f.shape, "minItems", "maxItems")
	case f.sort == text:
		schemaOfText(s, f)
	case f.sort == boolean:
		s["type"] = "boolean"
	case f.sort == number:
		s["type"] = "number"
		bounds(s, f.shape, "minimum", "maximum")
		if f.shape != nil && f.shape.Type == wire.Integer {
			s["type"] = "integer"
			within(s, math.MinInt32, math.MaxInt32)
		}
	}
	if f.short != nil {
		s = map[string]any{"anyOf": []any{schemaOf(f.short), s}}
	}
	if f.doc != "" {
		s["description"] = f.doc
	}
	if f.examples != nil {
		s["examples"] = f.examples
	}
	return s
}

func schemaOfObject(s map[string]any, f *form) {
	properties := map[string]any{}
	required := []string{}
	for _, m := range f.fields {
		if m.supplied {
			continue
		}
		below := schemaOf(m.form)
		if m.required {
			required = append(required, m.name)
		} else {
			below = orNothing(m.form, below)
		}
		if m.hidden {
			below["deprecated"] = true
		}
		properties[m.name] = below
	}
	s["type"], s["properties"], s["additionalProperties"] = "object", properties, false
	if len(required) > 0 {
		s["required"] = required
	}
}

// orNothing lets an optional member be null, which is as good as absent, and
// what is never sent: an empty value of a service's shape.
func orNothing(f *form, s map[string]any) map[string]any {
	without := []any{nil}
	if f.shape != nil {
		switch f.sort {
		case text:
			if f.enum != nil || !check.Fits(f.shape, "") {
				without = append(without, "")
			}
		case list:
			without = append(without, []any{})
		case object:
			without = append(without, map[string]any{})
		}
	}
	or := map[string]any{"anyOf": []any{s, map[string]any{"enum": without}}}
	for _, word := range []string{"description", "examples"} { // where editors look for them
		if said, ok := s[word]; ok {
			or[word] = said
			delete(s, word)
		}
	}
	return or
}

func schemaOfText(s map[string]any, f *form) {
	s["type"] = "string"
	switch {
	case f.special == schedule:
		s["pattern"] = `^(?:delete|\s*(?:cron|rate)\([\s\S]*\)\s*)$`
	case f.special == age:
		s["minLength"] = 1
	case f.enum != nil:
		s["enum"] = f.enum
	case f.shape != nil:
		bounds(s, f.shape, "minLength", "maxLength")
		if f.shape.Enum != nil {
			s["enum"] = f.shape.Enum
		}
		if p := f.shape.Pattern; p != nil {
			s["pattern"] = "^" + strings.TrimSuffix(strings.TrimPrefix(p.Anchored, `\A`), `\z`) + "$"
		}
	}
}

// bounds copies the ends of a range.
func bounds(s map[string]any, shape *wire.Shape, least, most string) {
	if shape == nil {
		return
	}
	if shape.Min.Set {
		s[least] = shape.Min.N
	}
	if shape.Max.Set {
		s[most] = shape.Max.N
	}
}

// within adds the bounds of a number where the shape has none.
func within(s map[string]any, least, most float64) {
	if _, ok := s["minimum"]; !ok {
		s["minimum"] = least
	}
	if _, ok := s["maximum"]; !ok {
		s["maximum"] = most
	}
}
