package dataset

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"

	"github.com/attune-io/attune/dataset/schema"
)

// attributeFold builds the attributes of users or items. The last word on an id
// wins whole: a row replaces all that was said before. Rows are numbers of ids
// as they come; they are put in order at the end.
type attributeFold struct {
	ids     *interner
	idField string         // USER_ID or ITEM_ID
	schema  *schema.Schema // of Put* properties; may be nil
	columns []*Column
	at      map[string]int // by name
	rows    int            // for which the columns have room
	told    []bool         // by row: was anything said of it
}

func newAttributeFold(ids *interner, idField string, s *schema.Schema) *attributeFold {
	return &attributeFold{ids: ids, idField: idField, schema: s, at: map[string]int{}}
}

// column finds or makes the column of a field. Where a field changed its kind,
// what was said under the old one is gone: the newest schema speaks.
func (a *attributeFold) column(f schema.Field) *Column {
	i, ok := a.at[f.Name]
	if !ok {
		i = len(a.columns)
		a.at[f.Name] = i
		a.columns = append(a.columns, nil)
	}
	c := a.columns[i]
	if c == nil || (c.Kind == schema.String) != (f.Kind == schema.String) {
		c = &Column{Name: f.Name}
		a.columns[i] = c
	}
	c.Kind, c.Categorical, c.Textual = f.Kind, f.Categorical, f.Textual
	c.grow(a.rows)
	return c
}

// grow makes room for n rows, the new ones absent.
func (c *Column) grow(n int) {
	if c.Kind == schema.String {
		if c.Text == nil {
			c.Text = []string{}
		}
		for len(c.Text) < n {
			c.Text = append(c.Text, "")
		}
		return
	}
	if c.Number == nil {
		c.Number = []float64{}
	}
	for len(c.Number) < n {
		c.Number = append(c.Number, math.NaN())
	}
}

// begin makes a row empty and gives its number.
func (a *attributeFold) begin(id string) int32 {
	row := a.ids.number(id)
	if int(row) >= a.rows {
		a.rows = int(row) + 1
		a.told = append(a.told, make([]bool, a.rows-len(a.told))...)
		for _, c := range a.columns {
			c.grow(a.rows)
		}
	}
	a.told[row] = true
	for _, c := range a.columns {
		if c.Text != nil {
			c.Text[row] = ""
		} else {
			c.Number[row] = math.NaN()
		}
	}
	return row
}

// set gives a row a value: string, int64, float64 or bool.
func (c *Column) set(row int32, v any) {
	switch v := v.(type) {
	case string:
		if c.Text != nil {
			c.Text[row] = v
		}
	case int64:
		c.setNumber(row, float64(v))
	case float64:
		c.setNumber(row, v)
	case bool:
		x := 0.0
		if v {
			x = 1
		}
		c.setNumber(row, x)
	}
}

// setNumber keeps a number as its file will: what the kind cannot hold is absent.
func (c *Column) setNumber(row int32, x float64) {
	const safe = 1 << 62 // well inside a long, where the conversion is defined
	switch {
	case c.Number == nil:
		return
	case c.Kind == schema.Float:
		x = float64(float32(x))
	case c.Kind == schema.Int && (x != math.Trunc(x) || math.Abs(x) > math.MaxInt32),
		c.Kind == schema.Long && (x != math.Trunc(x) || math.Abs(x) > safe):
		x = math.NaN()
	}
	if math.IsInf(x, 0) {
		x = math.NaN()
	}
	c.Number[row] = x
}

// addBatch takes the rows of a table.
func (a *attributeFold) addBatch(b *Batch) {
	id, ok := b.Column(a.idField)
	if !ok || id.Text == nil {
		return
	}
	into := make([]*Column, len(b.Columns))
	for i := range b.Columns {
		if f := b.Columns[i].Field; f.Name != a.idField {
			into[i] = a.column(f)
		}
	}
	for row := range b.Len {
		r := a.begin(id.Text[row])
		for i := range b.Columns {
			if into[i] != nil && !b.Columns[i].Absent(row) {
				into[i].set(r, b.Columns[i].Value(row))
			}
		}
	}
}

// addPut takes what PutItems or PutUsers said of one id.
func (a *attributeFold) addPut(id, properties string) {
	row := a.begin(id)
	for name, v := range a.typed(properties) {
		if name == a.idField || v == nil {
			continue
		}
		a.column(a.fieldOf(name, v)).set(row, v)
	}
}

// typed reads a properties document by the schema. The door checked it against
// the schema of that day; what does not fit today's is read as it stands.
func (a *attributeFold) typed(properties string) map[string]any {
	if a.schema != nil {
		if m, err := a.schema.CheckProperties(properties); err == nil {
			return m
		}
	}
	var raw map[string]any
	if json.Unmarshal([]byte(properties), &raw) != nil {
		return nil
	}
	out := make(map[string]any, len(raw))
	for key, v := range raw {
		name := schema.FieldName(key)
		if a.schema != nil {
			if f, ok := a.schema.Lookup(key); ok {
				name = f.Name
			}
		}
		out[name] = v
	}
	return out
}

// fieldOf is the column for a put value: the schema's, else the one there is,
// else one made for the value.
func (a *attributeFold) fieldOf(name string, v any) schema.Field {
	if a.schema != nil {
		if f, ok := a.schema.Field(name); ok {
			return f
		}
	}
	if i, ok := a.at[name]; ok {
		c := a.columns[i]
		return schema.Field{Name: name, Kind: c.Kind, Categorical: c.Categorical, Textual: c.Textual}
	}
	k := schema.Double
	switch v.(type) {
	case string:
		k = schema.String
	case bool:
		k = schema.Boolean
	}
	return schema.Field{Name: name, Kind: k}
}

// finish puts the rows into the order of a vocabulary of n ids.
func (a *attributeFold) finish(n int, rank []int32) *Attributes {
	out := &Attributes{}
	for _, c := range a.columns {
		c.grow(a.rows)
		done := Column{Name: c.Name, Kind: c.Kind, Categorical: c.Categorical, Textual: c.Textual}
		done.grow(n)
		for row := range a.rows {
			if !a.told[row] {
				continue
			}
			if c.Text != nil {
				done.Text[rank[row]] = c.Text[row]
			} else {
				done.Number[rank[row]] = c.Number[row]
			}
		}
		out.Columns = append(out.Columns, done)
	}
	slices.SortFunc(out.Columns, func(x, y Column) int { return cmp.Compare(x.Name, y.Name) })
	return out
}
