package schema_test

import (
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// FuzzParse: any text gives a usable schema or an Invalid error, never a panic.
func FuzzParse(f *testing.F) {
	f.Add(interactions)
	f.Add(record(`{"name":"A","type":["null",{"type":"string"}]}`))
	f.Add(`{"type":"record","name":"T","fields":[null]}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := schema.Parse(text)
		if err != nil {
			if attune.KindOf(err) != attune.Invalid || s != nil {
				t.Fatalf("kind %v schema %v", attune.KindOf(err), s)
			}
			return
		}
		for _, field := range s.Fields {
			if got, ok := s.Field(field.Name); !ok || got != field || field.Kind == 0 {
				t.Fatalf("field %+v", field)
			}
		}
		for _, typ := range []schema.Type{schema.Interactions, schema.Items, schema.Users, schema.Actions, schema.ActionInteractions} {
			for _, domain := range []string{"", schema.Ecommerce, schema.VideoOnDemand} {
				if err := s.Check(typ, domain); err != nil && attune.KindOf(err) != attune.Invalid {
					t.Fatalf("check: %v", err)
				}
			}
		}
	})
}

// FuzzCheckProperties: every accepted value has the Go type of its column.
func FuzzCheckProperties(f *testing.F) {
	s, err := schema.Parse(record(rated))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"numberOfRatings":"12","seen":true,"genres":"a|b","eventValue":1e3}`)
	f.Add(`{"userId":"x"}`)
	f.Add(`{"big":1.0e2,"genres":null}`)
	f.Fuzz(func(t *testing.T, props string) {
		got, err := s.CheckProperties(props)
		if err != nil {
			if attune.KindOf(err) != attune.Invalid {
				t.Fatalf("kind of %v", err)
			}
			return
		}
		for name, v := range got {
			field, ok := s.Field(name)
			if !ok {
				t.Fatalf("%q is no column", name)
			}
			switch v.(type) {
			case nil:
				ok = field.Nullable
			case string:
				ok = field.Kind == schema.String
			case int64:
				ok = field.Kind == schema.Int || field.Kind == schema.Long
			case float64:
				ok = field.Kind == schema.Float || field.Kind == schema.Double
			case bool:
				ok = field.Kind == schema.Boolean
			}
			if !ok {
				t.Fatalf("%s of kind %s has %T", name, field.Kind, v)
			}
		}
	})
}
