package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"unicode/utf8"

	"github.com/attune-io/attune"
)

// A Personalize schema is one flat record of six primitive types, a sliver of
// Avro. It is read with encoding/json because a general Avro parser gets the
// sliver wrong: it keeps a cache of names across schemas (and every Personalize
// schema is called Interactions, Items or Users), accepts a record nested in a
// record, and its errors do not name the column.

var fieldName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

type avroRecord struct {
	Type   json.RawMessage `json:"type"`
	Name   string          `json:"name"`
	Fields []avroField     `json:"fields"`
}

type avroField struct {
	Name        string          `json:"name"`
	Type        json.RawMessage `json:"type"`
	Categorical *bool           `json:"categorical"`
	Textual     *bool           `json:"textual"`
}

// Parse reads the Avro text of a schema. Whatever is wrong with it is an
// attune.Invalid error that names the field.
func Parse(avro string) (*Schema, error) {
	if n := utf8.RuneCountInString(avro); n > MaxSchema {
		return nil, attune.Errorf(attune.Invalid, "schema has %d characters: at most %d are allowed", n, MaxSchema)
	}
	var rec avroRecord
	if err := decodeOne(avro, &rec); err != nil {
		return nil, err
	}
	var typ string
	if json.Unmarshal(rec.Type, &typ) != nil || typ != "record" {
		return nil, attune.Errorf(attune.Invalid, `schema is not an Avro record: its "type" must be "record"`)
	}
	if rec.Name == "" {
		return nil, attune.Errorf(attune.Invalid, `schema has no name: give the record a "name", e.g. "Interactions"`)
	}
	if len(rec.Name) > MaxName || !fieldName.MatchString(rec.Name) {
		return nil, attune.Errorf(attune.Invalid, "schema name %s is not an Avro name: use letters, digits and _", quote(rec.Name))
	}
	if len(rec.Fields) == 0 {
		return nil, attune.Errorf(attune.Invalid, `schema %s has no fields: list its columns under "fields"`, rec.Name)
	}
	if len(rec.Fields) > MaxFields {
		return nil, attune.Errorf(attune.Invalid, "schema %s has %d fields: at most %d are allowed", rec.Name, len(rec.Fields), MaxFields)
	}
	s := &Schema{Name: rec.Name, Fields: make([]Field, 0, len(rec.Fields))}
	for i, af := range rec.Fields {
		f, err := af.field(i)
		if err != nil {
			return nil, err
		}
		if _, twice := s.Field(f.Name); twice {
			return nil, attune.Errorf(attune.Invalid, "schema field %s is given twice: remove one", f.Name)
		}
		s.Fields = append(s.Fields, f)
	}
	return s, nil
}

// decodeOne reads exactly one JSON object from text into v.
func decodeOne(text string, v any) error {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := d.Decode(v); err != nil {
		var at *json.SyntaxError
		var of *json.UnmarshalTypeError
		switch {
		case errors.As(err, &at):
			return attune.Errorf(attune.Invalid, "schema is not valid JSON at character %d: %s", at.Offset, at.Error())
		case errors.As(err, &of):
			return attune.Errorf(attune.Invalid, "schema has a JSON %s where %q must not be one (character %d)", of.Value, of.Field, of.Offset)
		}
		return attune.Errorf(attune.Invalid, "schema is not valid JSON: it ends too early")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return attune.Errorf(attune.Invalid, "schema has more text after its closing brace (character %d)", d.InputOffset())
	}
	return nil
}

// field checks the i-th field of the record by itself.
func (af avroField) field(i int) (Field, error) {
	if af.Name == "" {
		return Field{}, attune.Errorf(attune.Invalid, `schema field number %d has no "name"`, i+1)
	}
	if len(af.Name) > MaxName || !fieldName.MatchString(af.Name) {
		return Field{}, attune.Errorf(attune.Invalid,
			"schema field %s has a bad name: use letters, digits and _, at most %d, not starting with a digit", quote(af.Name), MaxName)
	}
	f := Field{Name: af.Name, Categorical: af.Categorical != nil && *af.Categorical, Textual: af.Textual != nil && *af.Textual}
	var err error
	if f.Kind, f.Nullable, err = readType(af.Name, af.Type); err != nil {
		return Field{}, err
	}
	if f.Categorical && f.Kind != String {
		return Field{}, attune.Errorf(attune.Invalid, "schema field %s is categorical but of type %s: only strings can be categorical", f.Name, f.Kind)
	}
	if f.Textual && f.Kind != String {
		return Field{}, attune.Errorf(attune.Invalid, "schema field %s is textual but of type %s: only strings can be textual", f.Name, f.Kind)
	}
	if f.Textual && f.Categorical {
		return Field{}, attune.Errorf(attune.Invalid, "schema field %s is both categorical and textual: choose one", f.Name)
	}
	return f, nil
}

// readType reads "string", ["string"] or a union of one type with null, in either order.
func readType(field string, raw json.RawMessage) (k Kind, nullable bool, err error) {
	if len(raw) == 0 {
		return 0, false, attune.Errorf(attune.Invalid, `schema field %s has no "type"`, field)
	}
	var names []string
	var one string
	switch {
	case json.Unmarshal(raw, &one) == nil && raw[0] == '"':
		names = []string{one}
	case json.Unmarshal(raw, &names) == nil && raw[0] == '[':
	default:
		return 0, false, attune.Errorf(attune.Invalid,
			`schema field %s has a type this service does not take: use string, int, long, float, double or boolean, or a union of one with null such as ["null", "string"]`, field)
	}
	for _, name := range names {
		if name == "null" {
			if nullable {
				return 0, false, attune.Errorf(attune.Invalid, "schema field %s has null twice in its union", field)
			}
			nullable = true
			continue
		}
		kind, ok := ParseKind(name)
		if !ok {
			return 0, false, attune.Errorf(attune.Invalid,
				"schema field %s has the unknown type %s: use string, int, long, float, double or boolean", field, quote(name))
		}
		if k != 0 {
			return 0, false, attune.Errorf(attune.Invalid, "schema field %s has both %s and %s in its union: keep one, and null", field, k, kind)
		}
		k = kind
	}
	if k == 0 {
		return 0, false, attune.Errorf(attune.Invalid, "schema field %s can only be null: give it a type", field)
	}
	return k, nullable, nil
}
