package dataset

import (
	"context"
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/snappy"
	"github.com/parquet-go/parquet-go/encoding/plain"

	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
)

// writeRows is how many values go to a parquet column at once: pages are cut
// only between calls, so this bounds by how much a page overshoots.
const writeRows = 1 << 10

// parquetFile is one parquet file being written, in bounded row groups.
type parquetFile struct {
	name  string
	out   *artifact.Writer
	w     *parquet.GenericWriter[any]
	order []int // file column → index in fields
	rows  int64
	group int // rows in the open row group
	bytes int // of strings in it
}

// createParquet begins a file of the given columns. meta is added to its
// key-value metadata; it may be nil. The caller commits or aborts.
func createParquet(ctx context.Context, store *artifact.Store, name string, fields []schema.Field, meta map[string]string) (*parquetFile, error) {
	out, err := store.Create(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	s, order := parquetSchema("table", fields)
	opts := append(parquetOptions(s), parquet.KeyValueMetadata(schemaKey, encodeFields(fields)))
	for k, v := range meta {
		opts = append(opts, parquet.KeyValueMetadata(k, v))
	}
	return &parquetFile{name: name, out: out, w: parquet.NewGenericWriter[any](out, opts...), order: order}, nil
}

// write adds rows, given as one slice of values per field. bytes is about how
// long their strings are together.
func (f *parquetFile) write(columns [][]parquet.Value, rows, bytes int) error {
	cols := f.w.ColumnWriters()
	for i, index := range f.order {
		values := columns[index]
		for from := 0; from < len(values); from += writeRows {
			if _, err := cols[i].WriteRowValues(values[from:min(from+writeRows, len(values))]); err != nil {
				return fmt.Errorf("write %s: %w", f.name, err)
			}
		}
	}
	f.rows += int64(rows)
	f.group += rows
	f.bytes += bytes
	if f.group+batchRows <= rowsPerGroup && f.bytes < bytesPerGroup {
		return nil
	}
	f.group, f.bytes = 0, 0
	if err := f.w.Flush(); err != nil {
		return fmt.Errorf("write %s: %w", f.name, err)
	}
	return nil
}

// commit ends the file and makes it visible; after an error it is not there.
func (f *parquetFile) commit() error {
	defer f.out.Abort() // nothing after Commit
	if err := f.w.Close(); err != nil {
		return fmt.Errorf("write %s: %w", f.name, err)
	}
	if _, err := f.out.Commit(); err != nil {
		return fmt.Errorf("write %s: %w", f.name, err)
	}
	return nil
}

func (f *parquetFile) abort() { f.out.Abort() }

// parquetSchema is the file schema of columns. Parquet groups order their
// columns by name, so it also gives, for every column of the file, which of
// fields it is.
func parquetSchema(name string, fields []schema.Field) (*parquet.Schema, []int) {
	group := parquet.Group{}
	at := make(map[string]int, len(fields))
	for i, f := range fields {
		group[f.Name] = parquetNode(f)
		at[f.Name] = i
	}
	s := parquet.NewSchema(name, group)
	order := make([]int, 0, len(fields))
	for _, path := range s.Columns() {
		order = append(order, at[path[0]])
	}
	return s, order
}

func parquetNode(f schema.Field) parquet.Node {
	var n parquet.Node
	switch f.Kind {
	case schema.String:
		n = parquet.String()
		if f.Textual {
			n = parquet.Encoded(n, &plain.Encoding{}) // every text is its own: a dictionary would only be copied
		} else {
			n = parquet.Encoded(n, &parquet.RLEDictionary)
		}
	case schema.Int:
		n = parquet.Encoded(parquet.Int(32), &parquet.DeltaBinaryPacked)
	case schema.Long:
		n = parquet.Encoded(parquet.Int(64), &parquet.DeltaBinaryPacked)
	case schema.Float:
		n = parquet.Leaf(parquet.FloatType)
	case schema.Double:
		n = parquet.Leaf(parquet.DoubleType)
	default:
		n = parquet.Leaf(parquet.BooleanType)
	}
	if f.Nullable {
		n = parquet.Optional(n)
	}
	return n
}

// parquetOptions are shared by every file this room writes: bounded row groups,
// no statistics (nothing here searches by them), fast compression.
func parquetOptions(s *parquet.Schema) []parquet.WriterOption {
	opts := []parquet.WriterOption{s, parquet.Compression(&snappy.Codec{}), parquet.MaxRowsPerRowGroup(rowsPerGroup),
		parquet.DictionaryMaxBytes(dictionaryBytes), parquet.DataPageStatistics(false),
		parquet.CreatedBy("attune", "1", "")}
	for _, path := range s.Columns() {
		opts = append(opts, parquet.SkipPageBounds(path...))
	}
	return opts
}

// openParquet opens a file of this room for reading by column.
func openParquet(ctx context.Context, store *artifact.Store, name string) (*parquet.File, func() error, error) {
	r, err := store.Open(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	f, err := parquet.OpenFile(r, r.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(csvChunk))
	if err != nil {
		return nil, nil, errors.Join(err, r.Close())
	}
	return f, r.Close, nil
}

// fieldsOf is the columns that a file of this room says it has.
func fieldsOf(f *parquet.File) ([]schema.Field, error) {
	text, ok := f.Lookup(schemaKey)
	if !ok {
		return nil, errors.New("not a table: it does not say its schema")
	}
	return decodeFields(text)
}
