package dataset

import (
	"fmt"
	"math"

	"github.com/attune-io/attune/dataset/schema"
)

// Attributes is what is known of users or items besides their ids: named
// columns, each with one value or none for every row of the vocabulary.
type Attributes struct {
	Columns []Column // sorted by name
}

// Column is one attribute of every row. Exactly one of Text and Number is set,
// and it has one entry per row of the vocabulary.
type Column struct {
	Name        string
	Kind        schema.Kind
	Categorical bool      // values are categories joined by |: see schema.Values
	Textual     bool      // free text
	Text        []string  // for strings; "" where the value is absent
	Number      []float64 // for numbers, and 0 or 1 for booleans; NaN where the value is absent. Longs beyond 2^53 lose digits.
}

// Column finds an attribute by its exact name.
func (a *Attributes) Column(name string) (*Column, bool) {
	if a == nil {
		return nil, false
	}
	for i := range a.Columns {
		if a.Columns[i].Name == name {
			return &a.Columns[i], true
		}
	}
	return nil, false
}

// Row is the attributes of one row that are present: string, float64 or bool.
func (a *Attributes) Row(row int32) map[string]any {
	out := map[string]any{}
	if a == nil {
		return out
	}
	for i := range a.Columns {
		if v := a.Columns[i].Value(row); v != nil {
			out[a.Columns[i].Name] = v
		}
	}
	return out
}

// Value is the value of one row: string, float64, bool, or nil where it is absent.
func (c *Column) Value(row int32) any {
	if c.Text != nil {
		if c.Text[row] == "" {
			return nil
		}
		return c.Text[row]
	}
	x := c.Number[row]
	if math.IsNaN(x) {
		return nil
	}
	if c.Kind == schema.Boolean {
		return x != 0
	}
	return x
}

// String says how many attributes there are and names them.
func (a *Attributes) String() string {
	if a == nil || len(a.Columns) == 0 {
		return "no attributes"
	}
	names := make([]string, len(a.Columns))
	for i, c := range a.Columns {
		names[i] = c.Name
	}
	return fmt.Sprintf("%d attributes %v", len(names), names)
}
