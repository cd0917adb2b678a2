package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
)

// TableNote is what a table that was made from another says of itself, in
// table.json. It is written last: a table to be made without it is not finished.
type TableNote struct {
	Supersedes string `json:"supersedes"` // artifact name of the table it was made from
	Rows       int64  `json:"rows"`       // in this table
	Erased     int64  `json:"erased"`     // rows of the other that are not in this one
}

// noteFile is the file of a TableNote in a table's folder; maxNote bounds it.
const (
	noteFile = "/table.json"
	maxNote  = 64 << 10
)

// EraseTable writes the table under a new name without the rows of users that
// are gone, if there are any; else note is nil and nothing is written. The old
// table stays. A table without a column of users has none of them. An attempt
// that was killed is done again, one that was finished is not. Memory is that
// of reading a table.
func EraseTable(ctx context.Context, store *artifact.Store, from, to string, gone func(user string) bool) (note *TableNote, err error) {
	from, to = strings.TrimSuffix(from, "/"), strings.TrimSuffix(to, "/")
	if note, err = readNote(ctx, store, to); note != nil || err != nil {
		return note, err
	}
	held := false
	for b, err := range Batches(ctx, store, from) {
		if err != nil {
			return nil, err
		}
		users, ok := b.Column(schema.UserID)
		for i := 0; ok && !held && i < b.Len; i++ {
			held = gone(users.Text[i])
		}
		if !ok || held {
			break
		}
	}
	if !held {
		return nil, nil
	}
	if err := store.DeletePrefix(ctx, to+"/"); err != nil {
		return nil, fmt.Errorf("clear table %s: %w", to, err)
	}
	note = &TableNote{Supersedes: from}
	if err := copyTable(ctx, store, from, to, gone, note); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(note, "", "  ")
	if err != nil {
		return nil, err
	}
	if _, err := store.Put(ctx, to+noteFile, text); err != nil {
		return nil, fmt.Errorf("write %s: %w", to+noteFile, err)
	}
	return note, nil
}

// readNote reads a table's note; nil when it has none.
func readNote(ctx context.Context, store *artifact.Store, table string) (*TableNote, error) {
	text, err := store.Get(ctx, table+noteFile, maxNote)
	if err != nil && attune.KindOf(err) == attune.NotFound {
		return nil, nil
	}
	note := new(TableNote)
	if err == nil {
		err = json.Unmarshal(text, note)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", table+noteFile, err)
	}
	return note, nil
}

// copyTable copies the rows of a table but for those of users that are gone.
func copyTable(ctx context.Context, store *artifact.Store, from, to string, gone func(user string) bool, note *TableNote) error {
	var w *tableWriter
	var out *rowBatch
	defer func() {
		if w != nil {
			w.abort()
		}
	}()
	for b, err := range Batches(ctx, store, from) {
		if err != nil {
			return err
		}
		if w == nil {
			w = newTableWriter(store, to, b.schema("").Fields)
			out = newRowBatch(len(b.Columns))
		}
		users, ok := b.Column(schema.UserID)
		if !ok {
			return errors.New("a part of table " + from + " has no column " + schema.UserID)
		}
		row := make([]parquet.Value, len(b.Columns))
		for i := range b.Len {
			if gone(users.Text[i]) {
				note.Erased++
				continue
			}
			note.Rows++
			for c := range b.Columns {
				row[c] = b.Columns[c].parquet(i, c)
			}
			if out.add(row); !out.full() {
				continue
			}
			if err := w.write(ctx, out); err != nil {
				return err
			}
			out.reset()
		}
	}
	if out.rows > 0 {
		if err := w.write(ctx, out); err != nil {
			return err
		}
	}
	return w.close(ctx)
}

// parquet is the cell of a row as it is written to column c of a table.
func (c *Cells) parquet(row, column int) parquet.Value {
	if c.Absent(row) {
		return parquet.NullValue().Level(0, 0, column)
	}
	var v parquet.Value
	switch c.Field.Kind {
	case schema.String:
		v = parquet.ByteArrayValue([]byte(c.Text[row]))
	case schema.Int:
		v = parquet.Int32Value(int32(c.Int[row]))
	case schema.Long:
		v = parquet.Int64Value(c.Int[row])
	case schema.Float:
		v = parquet.FloatValue(float32(c.Number[row]))
	case schema.Double:
		v = parquet.DoubleValue(c.Number[row])
	default:
		v = parquet.BooleanValue(c.Number[row] != 0)
	}
	level := 0
	if c.Field.Nullable {
		level = 1
	}
	return v.Level(0, level, column)
}
