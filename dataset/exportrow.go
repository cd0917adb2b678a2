package dataset

import (
	"math"
	"strconv"
	"strings"

	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

// renderer writes rows as lines of CSV, in the columns of a schema.
type renderer struct {
	fields []schema.Field
	typed  attributeFold // reads properties by the schema
	cells  []*Cells      // of the batch, by field; nil for columns that its table lacks
	line   []byte
	values map[string]any
}

func newRenderer(s *schema.Schema) *renderer {
	return &renderer{fields: s.Fields, typed: attributeFold{schema: s}, cells: make([]*Cells, len(s.Fields))}
}

func (r *renderer) header() []byte {
	r.line = r.line[:0]
	for i, f := range r.fields {
		r.text(i, f.Name)
	}
	return append(r.line, '\n')
}

// columns prepares for the rows of a batch.
func (r *renderer) columns(b *Batch) {
	for i, f := range r.fields {
		r.cells[i] = nil
		if c, ok := b.Column(f.Name); ok {
			r.cells[i] = c
		}
	}
}

// row is a row of the batch.
func (r *renderer) row(row int) []byte {
	r.line = r.line[:0]
	for i := range r.fields {
		if c := r.cells[i]; c != nil {
			r.value(i, c.Value(row))
		} else {
			r.value(i, nil)
		}
	}
	return append(r.line, '\n')
}

// thing is a row of PutItems or PutUsers.
func (r *renderer) thing(idField, id, properties string) []byte {
	r.values = r.typed.typed(properties)
	return r.named(func(name string) any {
		if name == idField {
			return id
		}
		return r.values[name]
	})
}

// interaction is a row of PutEvents. Nobody's event has its session for a user.
func (r *renderer) interaction(b *event.Interaction) []byte {
	r.values = r.typed.typed(b.Properties)
	return r.named(func(name string) any {
		switch name {
		case schema.UserID:
			if b.User == "" {
				return b.Session
			}
			return b.User
		case schema.ItemID:
			return b.Item
		case schema.EventType:
			return b.Type
		case schema.Timestamp:
			return b.At.Unix()
		case schema.EventValue:
			if math.IsNaN(b.Value) {
				return nil
			}
			return b.Value
		case schema.Impression:
			return strings.Join(b.Impression, "|")
		case schema.RecommendationID:
			return b.RecommendationID
		}
		return r.values[name]
	})
}

func (r *renderer) named(value func(name string) any) []byte {
	r.line = r.line[:0]
	for i, f := range r.fields {
		r.value(i, value(f.Name))
	}
	return append(r.line, '\n')
}

// value adds the i-th cell: what an import would read back as the same.
func (r *renderer) value(i int, v any) {
	switch v := v.(type) {
	case string:
		r.text(i, v)
		return
	case float64:
		r.next(i)
		bits := 64
		if r.fields[i].Kind == schema.Float { // as short as what is stored allows
			bits = 32
		}
		r.line = strconv.AppendFloat(r.line, v, 'f', -1, bits)
	case int64:
		r.next(i)
		r.line = strconv.AppendInt(r.line, v, 10)
	case bool:
		r.next(i)
		r.line = strconv.AppendBool(r.line, v)
	default:
		r.next(i)
	}
}

func (r *renderer) next(i int) {
	if i > 0 {
		r.line = append(r.line, ',')
	}
}

// text adds a string, in quotes where it needs them (RFC 4180).
func (r *renderer) text(i int, s string) {
	r.next(i)
	if !strings.ContainsAny(s, ",\"\r\n") && s == strings.TrimSpace(s) {
		r.line = append(r.line, s...)
		return
	}
	r.line = append(r.line, '"')
	r.line = append(r.line, strings.ReplaceAll(s, `"`, `""`)...)
	r.line = append(r.line, '"')
}
