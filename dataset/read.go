package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
)

// Batch is up to some hundred thousand rows of a table as columns, in the order
// of the table's schema. It and its slices are good until the next batch; the
// strings in it may be kept.
type Batch struct {
	Len     int
	Columns []Cells
}

// Cells is one column of a batch. One of Text, Int and Number is set, and has
// Batch.Len entries.
type Cells struct {
	Field  schema.Field
	Text   []string  // for strings; equal ones often share memory
	Int    []int64   // for ints and longs
	Number []float64 // for floats and doubles, and 0 or 1 for booleans
	Null   []bool    // where the value is absent; nil when none is
}

// Column finds a column of the batch.
func (b *Batch) Column(name string) (*Cells, bool) {
	for i := range b.Columns {
		if b.Columns[i].Field.Name == name {
			return &b.Columns[i], true
		}
	}
	return nil, false
}

// Absent says whether the cell of a row holds nothing.
func (c *Cells) Absent(row int) bool { return c.Null != nil && c.Null[row] }

// Value is the cell of a row: string, int64, float64, bool, or nil where it is absent.
func (c *Cells) Value(row int) any {
	switch {
	case c.Absent(row):
		return nil
	case c.Text != nil:
		return c.Text[row]
	case c.Int != nil:
		return c.Int[row]
	case c.Field.Kind == schema.Boolean:
		return c.Number[row] != 0
	}
	return c.Number[row]
}

// Row is one row of a table, with the columns that mean something by
// themselves read. What the table does not have is zero, and Value is NaN.
type Row struct {
	User, Item, Type string
	At               int64   // Unix milliseconds
	Value            float64 // EVENT_VALUE; NaN when absent
	// Attributes are all other columns that are present: string, int64, float64
	// or bool. It is nil when the table has no other column, and the reader's own otherwise.
	Attributes map[string]any
}

// Rows reads a table back, row by row. Batches is the faster way.
func Rows(ctx context.Context, store *artifact.Store, table string) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for b, err := range Batches(ctx, store, table) {
			if err != nil {
				yield(Row{}, err)
				return
			}
			for i := range b.Len {
				if !yield(b.row(i), nil) {
					return
				}
			}
		}
	}
}

func (b *Batch) row(i int) Row {
	r := Row{Value: math.NaN()}
	for c := range b.Columns {
		col := &b.Columns[c]
		if col.Absent(i) {
			continue
		}
		switch col.Field.Name {
		case schema.UserID:
			r.User = col.Text[i]
		case schema.ItemID:
			r.Item = col.Text[i]
		case schema.EventType:
			r.Type = col.Text[i]
		case schema.Timestamp:
			r.At = col.Int[i] * 1000
		case schema.EventValue:
			r.Value = col.Number[i]
		default:
			if r.Attributes == nil {
				r.Attributes = make(map[string]any)
			}
			r.Attributes[col.Field.Name] = col.Value(i)
		}
	}
	return r
}

// Batches reads a table back in the order in which it was imported. The batch
// is reused: its slices are good until the next one. Memory is bounded by one
// row group (see docs/format/table.md) whatever the size of the table.
func Batches(ctx context.Context, store *artifact.Store, table string) iter.Seq2[*Batch, error] {
	return func(yield func(*Batch, error) bool) {
		b := new(Batch)
		parts := 0
		table = strings.TrimSuffix(table, "/")
		for info, err := range store.List(ctx, table+"/part-") {
			if err != nil {
				yield(nil, fmt.Errorf("list table %s: %w", table, err))
				return
			}
			parts++
			more, err := readPart(ctx, store, info.Name, b, func() bool { return yield(b, nil) })
			if err != nil {
				yield(nil, fmt.Errorf("read %s: %w", info.Name, err))
				return
			}
			if !more {
				return
			}
		}
		if parts == 0 {
			yield(nil, fmt.Errorf("table %s has no files", table))
		}
	}
}

// readPart reads one file of a table, group by group, into b.
func readPart(ctx context.Context, store *artifact.Store, name string, b *Batch, give func() bool) (more bool, err error) {
	f, closeFile, err := openParquet(ctx, store, name)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, closeFile()) }()
	fields, err := fieldsOf(f)
	if err != nil {
		return false, err
	}
	_, order := parquetSchema("table", fields)
	b.Columns = resize(b.Columns, len(fields))
	for _, g := range f.RowGroups() {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		chunks := g.ColumnChunks()
		if len(chunks) != len(order) || g.NumRows() > math.MaxInt32 {
			return false, fmt.Errorf("%d columns and %d rows in a group of %d columns", len(chunks), g.NumRows(), len(order))
		}
		b.Len = int(g.NumRows())
		for i, chunk := range chunks {
			col := &b.Columns[order[i]]
			col.Field = fields[order[i]]
			if err := col.read(chunk, b.Len); err != nil {
				return false, fmt.Errorf("column %s: %w", col.Field.Name, err)
			}
		}
		if !give() {
			return false, nil
		}
	}
	return true, nil
}

// read fills the column with the n values of a chunk.
func (c *Cells) read(chunk parquet.ColumnChunk, n int) (err error) {
	c.empty(n)
	pages := chunk.Pages()
	defer func() { err = errors.Join(err, pages.Close()) }()
	var dict dictionary
	at := 0
	for {
		page, err := pages.ReadPage()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		rows := int(page.NumValues())
		if at+rows > n {
			return fmt.Errorf("more than the %d values of the group", n)
		}
		err = c.readPage(page, &dict, at, rows)
		parquet.Release(page)
		if err != nil {
			return err
		}
		at += rows
	}
	if at != n {
		return fmt.Errorf("%d values where the group has %d rows", at, n)
	}
	return nil
}

// empty makes room for n values of the column's kind.
func (c *Cells) empty(n int) {
	text, ints, numbers := c.Text, c.Int, c.Number
	c.Text, c.Int, c.Number, c.Null = nil, nil, nil, nil
	switch c.Field.Kind {
	case schema.String:
		c.Text = resize(text, n)
	case schema.Int, schema.Long:
		c.Int = resize(ints, n)
	default:
		c.Number = resize(numbers, n)
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// dictionary is the strings of one column chunk's dictionary, made once.
type dictionary struct {
	of   parquet.Dictionary
	text []string
}

func (d *dictionary) strings(of parquet.Dictionary) []string {
	if d.of != of {
		d.of = of
		d.text = resize(d.text, of.Len())
		for i := range d.text {
			d.text[i] = string(of.Index(int32(i)).ByteArray())
		}
	}
	return d.text
}

var errShort = errors.New("page holds fewer values than it says")

// readPage writes the n values of a page to the column from row at on. Absent
// values are not in a page's data, only in its levels: the present ones are
// written side by side and then moved apart from the back.
func (c *Cells) readPage(page parquet.Page, dict *dictionary, at, n int) error {
	levels := page.DefinitionLevels()
	present := n
	if len(levels) > 0 {
		present = n - int(page.NumNulls())
	}
	if present > 0 { // the data of a page without values need not have a type
		if err := c.fill(page, dict, at, present); err != nil {
			return err
		}
	}
	if present == n {
		return nil
	}
	if c.Null == nil {
		c.Null = make([]bool, len(c.Text)+len(c.Int)+len(c.Number))
	}
	switch {
	case c.Text != nil:
		spread(c.Text[at:at+n], c.Null[at:at+n], levels, present)
	case c.Int != nil:
		spread(c.Int[at:at+n], c.Null[at:at+n], levels, present)
	default:
		spread(c.Number[at:at+n], c.Null[at:at+n], levels, present)
	}
	return nil
}

// spread moves the first present values of s to the rows whose level is not
// zero, and marks the others.
func spread[T any](s []T, null []bool, levels []byte, present int) {
	var none T
	from := present
	for i := len(s) - 1; i >= 0; i-- {
		if levels[i] == 0 {
			null[i] = true
			s[i] = none
			continue
		}
		from--
		s[i] = s[from]
	}
}

// fill copies the n present values of a page to rows at, at+1, …
func (c *Cells) fill(page parquet.Page, dict *dictionary, at, n int) error {
	data := page.Data()
	switch c.Field.Kind {
	case schema.String:
		return c.fillText(page, dict, c.Text[at:at+n])
	case schema.Int:
		return widen(c.Int[at:at+n], data.Int32())
	case schema.Long:
		return widen(c.Int[at:at+n], data.Int64())
	case schema.Float:
		return widen(c.Number[at:at+n], data.Float())
	case schema.Double:
		return widen(c.Number[at:at+n], data.Double())
	}
	bits := data.Boolean()
	if 8*len(bits) < n {
		return errShort
	}
	for i := range n {
		c.Number[at+i] = float64(bits[i/8] >> (i % 8) & 1)
	}
	return nil
}

func widen[T int64 | float64, F int32 | int64 | float32 | float64](dst []T, src []F) error {
	if len(src) < len(dst) {
		return errShort
	}
	for i := range dst {
		dst[i] = T(src[i])
	}
	return nil
}

func (c *Cells) fillText(page parquet.Page, dict *dictionary, dst []string) error {
	data := page.Data()
	if d := page.Dictionary(); d != nil {
		text, index := dict.strings(d), data.Int32()
		if len(index) < len(dst) {
			return errShort
		}
		for i := range dst {
			k := index[i]
			if k < 0 || int(k) >= len(text) {
				return fmt.Errorf("entry %d of a dictionary of %d", k, len(text))
			}
			dst[i] = text[k]
		}
		return nil
	}
	bytes, offsets := data.ByteArray()
	if len(offsets) < len(dst)+1 {
		return errShort
	}
	for i := range dst {
		dst[i] = string(bytes[offsets[i]:offsets[i+1]])
	}
	return nil
}

// interner keeps one copy of every distinct string and numbers them as they
// come. The zero value is not ready: use newInterner.
type interner struct {
	row map[string]int32
	ids []string
}

func newInterner() *interner { return &interner{row: make(map[string]int32)} }

func (in *interner) number(s string) int32 {
	if n, ok := in.row[s]; ok {
		return n
	}
	s = strings.Clone(s)
	n := int32(len(in.ids))
	in.row[s] = n
	in.ids = append(in.ids, s)
	return n
}
