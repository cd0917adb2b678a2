package dataset

import (
	"context"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
)

const (
	batchRows  = 8 << 10 // rows handed from the parser to the writer at once
	batchBytes = 4 << 20 // and bytes of their strings
	arenaBytes = 256 << 10
	// writeRows is how many values go to a parquet column at once: pages are cut
	// only between calls, so this bounds by how much a page overshoots.
	writeRows = 1 << 10
)

// rowBatch is parsed rows on their way into a table, by column. It owns the
// bytes of its strings.
type rowBatch struct {
	columns [][]parquet.Value
	rows    int
	bytes   int
	arena   []byte
}

func newRowBatch(columns int) *rowBatch {
	b := &rowBatch{columns: make([][]parquet.Value, columns), arena: make([]byte, 0, arenaBytes)}
	for i := range b.columns {
		b.columns[i] = make([]parquet.Value, 0, batchRows)
	}
	return b
}

func (b *rowBatch) full() bool { return b.rows >= batchRows || b.bytes >= batchBytes }

func (b *rowBatch) reset() {
	for i := range b.columns {
		b.columns[i] = b.columns[i][:0]
	}
	b.rows, b.bytes, b.arena = 0, 0, b.arena[:0]
}

// add copies one row; its values have their levels and columns set.
func (b *rowBatch) add(row []parquet.Value) {
	for i, v := range row {
		if v.Kind() == parquet.ByteArray {
			v = parquet.ByteArrayValue(b.keep(v.ByteArray())).Level(0, v.DefinitionLevel(), i)
		}
		b.columns[i] = append(b.columns[i], v)
	}
	b.rows++
}

// keep copies s into the arena. A full arena is left to the values that point
// into it, and a new one begun.
func (b *rowBatch) keep(s []byte) []byte {
	if len(s) > cap(b.arena)-len(b.arena) {
		b.arena = make([]byte, 0, max(arenaBytes, len(s)))
	}
	from := len(b.arena)
	b.arena = append(b.arena, s...)
	b.bytes += len(s)
	return b.arena[from:len(b.arena):len(b.arena)]
}

// tableWriter writes batches into the part files of a table.
type tableWriter struct {
	store  *artifact.Store
	table  string
	fields []schema.Field

	schema *parquet.Schema
	order  []int // file column → index in fields

	part  int
	rows  int64 // in the open part
	out   *artifact.Writer
	w     *parquet.Writer
	group int // rows in the open row group
	bytes int // of strings in it
}

func newTableWriter(store *artifact.Store, table string, fields []schema.Field) *tableWriter {
	w := &tableWriter{store: store, table: table, fields: fields}
	w.schema, w.order = parquetSchema("table", fields)
	return w
}

func (t *tableWriter) write(ctx context.Context, b *rowBatch) error {
	if t.out == nil {
		if err := t.open(ctx); err != nil {
			return err
		}
	}
	cols := t.w.ColumnWriters()
	for file, index := range t.order {
		values := b.columns[index]
		for from := 0; from < len(values); from += writeRows {
			if _, err := cols[file].WriteRowValues(values[from:min(from+writeRows, len(values))]); err != nil {
				return t.failed(err)
			}
		}
	}
	t.rows += int64(b.rows)
	t.group += b.rows
	t.bytes += b.bytes
	if t.group+batchRows > rowsPerGroup || t.bytes >= bytesPerGroup {
		if err := t.w.Flush(); err != nil {
			return t.failed(err)
		}
		t.group, t.bytes = 0, 0
	}
	if t.rows >= rowsPerPart {
		return t.closePart()
	}
	return nil
}

func (t *tableWriter) open(ctx context.Context) error {
	if t.part == maxPart {
		return fmt.Errorf("write table %s: more than %d files", t.table, maxPart)
	}
	out, err := t.store.Create(ctx, partName(t.table, t.part))
	if err != nil {
		return t.failed(err)
	}
	t.out = out
	opts := append(parquetOptions(t.schema), parquet.KeyValueMetadata(schemaKey, encodeFields(t.fields)))
	t.w = parquet.NewWriter(out, opts...)
	t.rows, t.group, t.bytes = 0, 0, 0
	t.part++
	return nil
}

func (t *tableWriter) closePart() error {
	if err := t.w.Close(); err != nil {
		return t.failed(err)
	}
	out := t.out
	t.out = nil
	if _, err := out.Commit(); err != nil {
		return t.failed(err)
	}
	return nil
}

// close commits the last part. A table of no rows still has one part, which
// holds its columns.
func (t *tableWriter) close(ctx context.Context) error {
	if t.out == nil {
		if t.part > 0 {
			return nil
		}
		if err := t.open(ctx); err != nil {
			return err
		}
	}
	return t.closePart()
}

// abort drops the part that is open; parts already committed stay.
func (t *tableWriter) abort() {
	if t.out != nil {
		t.out.Abort()
		t.out = nil
	}
}

func (t *tableWriter) failed(err error) error { return fmt.Errorf("write table %s: %w", t.table, err) }
