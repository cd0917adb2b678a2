package dataset

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
)

// The bounds of a table's files: see docs/format/table.md.
const (
	// rowsPerGroup bounds a row group, which is what a reader holds at once.
	rowsPerGroup = 128 << 10
	// bytesPerGroup bounds a row group of long texts the same way.
	bytesPerGroup = 32 << 20
	// rowsPerPart makes a file of about a hundred megabytes for a usual interactions table.
	rowsPerPart = 4 << 20
	// dictionaryBytes is where a column of many distinct strings stops looking them up.
	dictionaryBytes = 4 << 20
	// maxPart bounds the part files of one table, as their names do.
	maxPart = 100_000
	// schemaKey names the table's schema among a file's key-value metadata.
	schemaKey = "attune.schema"
)

// partName is the name of the n-th file of a table's folder.
func partName(table string, n int) string { return fmt.Sprintf("%s/part-%05d.parquet", table, n) }

// rejectsName is the file of rejected rows of a table's folder.
func rejectsName(table string) string { return table + "/rejects.csv" }

// tableColumn is a column as it is written in a file's metadata.
type tableColumn struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Nullable    bool   `json:"nullable,omitempty"`
	Categorical bool   `json:"categorical,omitempty"`
	Textual     bool   `json:"textual,omitempty"`
}

func encodeFields(fields []schema.Field) string {
	cols := make([]tableColumn, len(fields))
	for i, f := range fields {
		cols[i] = tableColumn{f.Name, f.Kind.String(), f.Nullable, f.Categorical, f.Textual}
	}
	text, err := json.Marshal(cols)
	if err != nil {
		panic(err) // strings and booleans always marshal
	}
	return string(text)
}

func decodeFields(text string) ([]schema.Field, error) {
	var cols []tableColumn
	if err := json.Unmarshal([]byte(text), &cols); err != nil {
		return nil, fmt.Errorf("schema of the table: %w", err)
	}
	fields := make([]schema.Field, len(cols))
	for i, c := range cols {
		k, ok := schema.ParseKind(c.Type)
		if !ok {
			return nil, fmt.Errorf("schema of the table: column %s has type %q", c.Name, c.Type)
		}
		fields[i] = schema.Field{Name: c.Name, Kind: k, Nullable: c.Nullable, Categorical: c.Categorical, Textual: c.Textual}
	}
	return fields, nil
}

const (
	batchRows  = 8 << 10 // rows handed from the parser to the writer at once
	batchBytes = 4 << 20 // and bytes of their strings
	arenaBytes = 256 << 10
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

	part int          // parts begun
	file *parquetFile // the open part; nil between parts
}

func newTableWriter(store *artifact.Store, table string, fields []schema.Field) *tableWriter {
	return &tableWriter{store: store, table: table, fields: fields}
}

func (t *tableWriter) write(ctx context.Context, b *rowBatch) error {
	if t.file == nil {
		if err := t.open(ctx); err != nil {
			return err
		}
	}
	if err := t.file.write(b.columns, b.rows, b.bytes); err != nil {
		return err
	}
	if t.file.rows >= rowsPerPart {
		return t.closePart()
	}
	return nil
}

func (t *tableWriter) open(ctx context.Context) (err error) {
	if t.part == maxPart {
		return fmt.Errorf("write table %s: more than %d files", t.table, maxPart)
	}
	t.file, err = createParquet(ctx, t.store, partName(t.table, t.part), t.fields, nil)
	if err == nil {
		t.part++
	}
	return err
}

func (t *tableWriter) closePart() error {
	f := t.file
	t.file = nil
	return f.commit()
}

// close commits the last part. A table of no rows still has one part, which
// holds its columns.
func (t *tableWriter) close(ctx context.Context) error {
	if t.file == nil {
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
	if t.file != nil {
		t.file.abort()
		t.file = nil
	}
}
