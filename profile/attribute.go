package profile

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/filter"
)

// attributes are the columns of items or users, and what tables have told of
// their fields: a properties document has no schema.
type attributes struct {
	columns map[string]bool         // every name ever set
	fields  map[string]schema.Field // by column name, from tables
	wire    map[string]string       // wire name → column name, from tables
}

func newAttributes() *attributes {
	return &attributes{columns: map[string]bool{}, fields: map[string]schema.Field{}, wire: map[string]string{}}
}

// learn remembers a table's field.
func (a *attributes) learn(f schema.Field) {
	f.Name = strings.Clone(f.Name)
	a.fields[f.Name] = f
	a.wire[schema.WireName(f.Name)] = f.Name
}

// meet learns a table's field, and reads again what earlier documents said of
// it: genre2 without a schema is GENRE2 and may turn out to be GENRE_2, and
// "7" may turn out to be a number.
func (a *attributes) meet(f schema.Field, c *filter.Columns) {
	if _, known := a.fields[f.Name]; known {
		return
	}
	a.learn(f)
	guess := schema.FieldName(schema.WireName(f.Name))
	if _, taken := a.fields[guess]; taken || !a.columns[guess] {
		guess = f.Name
	}
	if !a.columns[guess] {
		return
	}
	name := strings.Clone(f.Name)
	for row := range int32(c.Len()) {
		if x := c.Get(row, guess); x != nil {
			c.Set(row, name, a.value(name, x))
			if guess != name {
				c.Set(row, guess, nil)
			}
		}
	}
	delete(a.columns, guess)
	a.columns[name] = true
}

// parse reads a properties document into values of columns. What is no object
// has none: the door has checked it against the schema.
func (a *attributes) parse(properties string) map[string]any {
	var doc map[string]any
	if properties == "" || json.Unmarshal([]byte(properties), &doc) != nil {
		return nil
	}
	out := make(map[string]any, len(doc))
	for key, x := range doc {
		name, ok := a.wire[key]
		if !ok {
			name = schema.FieldName(key)
		}
		if x = a.value(name, x); x != nil {
			out[name] = x
		}
	}
	return out
}

// value is what is kept of one attribute: a string, a []string, a float64, or nil for nothing.
func (a *attributes) value(name string, x any) any {
	f, known := a.fields[name]
	switch x := x.(type) {
	case string:
		if known && f.Kind.Numeric() {
			if n, err := strconv.ParseFloat(x, 64); err == nil {
				return n
			}
		}
		if x == "" || known && f.Textual || !strings.Contains(x, "|") {
			return some(x)
		}
		return manyOrOne(schema.Values(x))
	case float64:
		if known && f.Kind == schema.String {
			return strconv.FormatFloat(x, 'f', -1, 64)
		}
		return x
	case int64:
		return float64(x)
	case bool:
		return strconv.FormatBool(x)
	case []string: // kept before
		return x
	case []any:
		texts := make([]string, 0, len(x))
		for _, e := range x {
			if s, ok := e.(string); ok {
				texts = append(texts, s)
			}
		}
		return manyOrOne(texts)
	}
	return nil
}

func some(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func manyOrOne(values []string) any {
	switch len(values) {
	case 0:
		return nil
	case 1:
		return values[0]
	}
	return values
}

// replace makes values the whole of a row. New values are set before old ones
// are taken away, so that no reader finds the row empty meanwhile.
func (a *attributes) replace(c *filter.Columns, row int32, values map[string]any) {
	for name, x := range values {
		if !a.columns[name] {
			name = strings.Clone(name)
			a.columns[name] = true
		}
		c.Set(row, name, x)
	}
	for name := range a.columns {
		if _, keep := values[name]; !keep {
			c.Set(row, name, nil)
		}
	}
}
