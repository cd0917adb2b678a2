package dataset

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/attune-io/attune/dataset/schema"
)

// maxTexts bounds the distinct values of a column of context. One with more is
// an id or a text, tells no circumstances apart, and is not kept.
const maxTexts = 1 << 16

// contextFold builds the context of the events of a lane, in the order in which
// they are folded. What no event says costs nothing.
type contextFold struct {
	said    attributeFold // reads properties by the schema, which may be nil
	columns map[string]*contextColumn
}

// contextColumn is a Circumstance in the making. It begins where the oldest event
// is that has a value of it, and ends where the newest is.
type contextColumn struct {
	kind   schema.Kind
	from   int       // event
	values *interner // of categories; nil for numbers, and for what is not kept
	code   []int32
	number []float32
}

func newContextFold(s *schema.Schema) *contextFold {
	return &contextFold{said: attributeFold{schema: s}, columns: map[string]*contextColumn{}}
}

// circumstance says whether a column of interactions is context.
func circumstance(f schema.Field) bool {
	switch f.Name {
	case schema.UserID, schema.ItemID, schema.Timestamp, schema.EventType, schema.EventValue, schema.Impression, schema.RecommendationID, attributionSource:
		return false
	}
	return f.Kind != schema.String || f.Categorical
}

// attributionSource is a column that says for whom an event counts, not how it was.
const attributionSource = "EVENT_ATTRIBUTION_SOURCE"

// column finds or makes the column of a field; nil for one that is not kept.
// Where a field changed from text to number, what was said before is gone: the
// newest schema speaks.
func (c *contextFold) column(f schema.Field) *contextColumn {
	if s := c.said.schema; s != nil {
		if given, ok := s.Field(f.Name); ok {
			f = given
		}
	}
	if !circumstance(f) {
		return nil
	}
	kind := f.Kind
	if kind.Numeric() {
		kind = schema.Float
	}
	col, ok := c.columns[f.Name]
	if !ok && len(c.columns) >= schema.MaxFields {
		return nil // without a schema anybody may say anything
	}
	if !ok || col.kind != kind {
		col = &contextColumn{kind: kind}
		if kind == schema.String {
			col.values = newInterner()
		}
		c.columns[f.Name] = col
	}
	return col
}

// put takes the properties of an event of PutEvents.
func (c *contextFold) put(event int, properties string) {
	if properties == "" || properties == "{}" {
		return
	}
	c.take(event, c.said.typed(properties))
}

// take takes the columns of an event by name, and tells them apart from others.
func (c *contextFold) take(event int, values map[string]any) (sign uint64) {
	for _, name := range slices.Sorted(maps.Keys(values)) { // the first names are kept where there are too many
		v := values[name]
		sign += mixed(hashText(hashText(0, name), fmt.Sprint(v)))
		f := schema.Field{Name: name}
		switch v.(type) {
		case string:
			f.Kind, f.Categorical = schema.String, true
		case bool:
			f.Kind = schema.Boolean
		case int64, float64:
			f.Kind = schema.Double
		default:
			continue // what is no value does not make the column another
		}
		col := c.column(f)
		if col == nil {
			continue
		}
		switch v := v.(type) {
		case string:
			col.text(event, v)
		case int64:
			col.set(event, float64(v))
		case float64:
			col.set(event, v)
		case bool:
			col.set(event, number(v))
		}
	}
	return sign
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// into finds the columns of a batch; nil for those that are not kept.
func (c *contextFold) into(b *Batch) []*contextColumn {
	var out []*contextColumn
	for i := range b.Columns {
		var col *contextColumn
		if circumstance(b.Columns[i].Field) {
			col = c.column(b.Columns[i].Field)
		}
		out = append(out, col)
	}
	return out
}

// takeRow takes a row of a batch.
func takeRow(event int, into []*contextColumn, b *Batch, at int) {
	for i, col := range into {
		if col == nil {
			continue
		}
		cells := &b.Columns[i]
		switch {
		case cells.Absent(at):
		case cells.Text != nil:
			col.text(event, cells.Text[at])
		case cells.Int != nil:
			col.set(event, float64(cells.Int[at]))
		default:
			col.set(event, cells.Number[at])
		}
	}
}

func (c *contextColumn) text(event int, s string) {
	if c.values == nil || s == "" {
		return
	}
	if len(c.code) == 0 {
		c.from = event
	}
	for len(c.code) <= event-c.from {
		c.code = append(c.code, absentCode)
	}
	c.code[event-c.from] = c.values.number(s)
	if len(c.values.ids) > maxTexts {
		c.values, c.code = nil, nil
	}
}

func (c *contextColumn) set(event int, x float64) {
	if c.kind == schema.String {
		return
	}
	if c.kind == schema.Boolean && x == x {
		x = number(x != 0) // of a table from when it was a number
	}
	if len(c.number) == 0 {
		c.from = event
	}
	for len(c.number) <= event-c.from {
		c.number = append(c.number, NoValue())
	}
	c.number[event-c.from] = shortened(x)
}

// finish puts the columns in the order of the events that stay, and ends the fold.
func (c *contextFold) finish(order []int32) []Circumstance {
	if c == nil {
		return nil
	}
	var out []Circumstance
	for _, name := range slices.Sorted(maps.Keys(c.columns)) {
		col := c.columns[name]
		delete(c.columns, name)
		done := Circumstance{Name: name, Kind: col.kind}
		if col.kind != schema.String {
			done.Number = make([]float32, len(order))
			for i, k := range order {
				done.Number[i] = NoValue()
				if at := int(k) - col.from; at >= 0 && at < len(col.number) {
					done.Number[i] = col.number[at]
				}
			}
		} else if col.values != nil {
			done.Texts, done.Code = col.values.ids, make([]int32, len(order))
			for i, k := range order {
				done.Code[i] = absentCode
				if at := int(k) - col.from; at >= 0 && at < len(col.code) {
					done.Code[i] = col.code[at]
				}
			}
			done.sort()
		} else {
			continue
		}
		out = append(out, done)
	}
	return trimmed(out)
}

// sort puts the texts in byte order.
func (c *Circumstance) sort() {
	order := make([]int32, len(c.Texts))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(c.Texts[a], c.Texts[b]) })
	texts, rank := make([]string, len(order)), make([]int32, len(order))
	for r, old := range order {
		texts[r], rank[old] = c.Texts[old], int32(r)
	}
	c.Texts = texts
	for i, code := range c.Code {
		if code >= 0 {
			c.Code[i] = rank[code]
		}
	}
}
