package dataset

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
)

// maxObjects bounds how many objects one import reads, as the names of a
// folder are held at once.
const maxObjects = 100_000

// Source is where uploads lie. *artifact.Store is one.
type Source interface {
	List(ctx context.Context, prefix string) iter.Seq2[artifact.Info, error]
	Open(ctx context.Context, name string) (*artifact.Reader, error)
}

// ImportSpec says what to import, as what, and to where.
type ImportSpec struct {
	Type     schema.Type
	Schema   *schema.Schema
	Location string // one object, or the folder of many: "bucket/key", with or without a slash at its end
	// Table is the artifact folder to write: table/<dataset id>/<import id>/<attempt>.
	// Whatever an earlier attempt left there is removed first.
	Table string
	// MostBytes bounds all files together, and LeastRows what is left of them; 0
	// for no bound. A breach is attune.Invalid.
	MostBytes, LeastRows int64
	// Progress, if given, is told how far reading is: bytes of total bytes, and
	// rows taken. It is called from one goroutine at a time, every few thousand rows.
	Progress func(bytes, total, rows int64)
}

// Report says what an import found.
type Report struct {
	Table       string
	Files       int
	Rows        int64 // in the table
	Rejected    int64
	Bytes       int64       // of CSV read
	Reasons     []Rejection // the first few rejected rows
	Causes      []Cause     // why rows were rejected, most frequent first
	Ignored     []string    // columns of the files that the schema does not have
	RejectsFile string      // artifact name; "" when nothing was rejected
}

// String introduces the report.
func (r *Report) String() string {
	return fmt.Sprintf("table %s: %s rows, %s rejected", r.Table, thousands(r.Rows), thousands(r.Rejected))
}

// Import reads CSV objects, checks each row against the schema and writes the
// good ones as a Table, in the order of object names and lines. Rejected rows go to
// <Table>/rejects.csv (the first 10 000).
//
// When more than 1 % of rows are rejected, or none is left, the error is
// attune.Invalid and says how many and why; the Report is still returned and the
// rejects file stays, but the Table's rows are removed. Nothing at Location, an
// empty file, or a header that does not hold every column of the schema are
// attune.Invalid too. Columns that the schema lacks are ignored and reported.
//
// Memory does not grow with the size of the input. One parser and one writer
// run at a time; both have ended when Import returns.
func Import(ctx context.Context, src Source, store *artifact.Store, spec ImportSpec) (*Report, error) {
	spec.Table = strings.TrimSuffix(spec.Table, "/")
	if spec.Schema == nil || len(spec.Schema.Fields) == 0 || spec.Table == "" {
		return nil, errors.New("import: a schema and a table name are needed")
	}
	objects, total, err := findObjects(ctx, src, spec.Location)
	if err != nil {
		return nil, err
	}
	if spec.MostBytes > 0 && total > spec.MostBytes {
		return nil, attune.Errorf(attune.Invalid, "the data at s3://%s is %s bytes: one import can read %s", spec.Location, thousands(total), thousands(spec.MostBytes))
	}
	if err := store.DeletePrefix(ctx, spec.Table+"/"); err != nil {
		return nil, fmt.Errorf("clear table %s: %w", spec.Table, err)
	}
	im := newImporter(src, store, spec, total)
	if err := im.run(ctx, objects); err != nil {
		// The folder is named by this attempt, so nobody else will clear it.
		return nil, errors.Join(err, store.DeletePrefix(context.WithoutCancel(ctx), spec.Table+"/"))
	}
	return im.finish(ctx)
}

// findObjects lists what lies at a location: the object of that name, or the
// objects below it in order of their names. As writers of many files do, names
// that begin with _ or . are taken for notes (_SUCCESS) and left out, and so
// are empty objects when others are not.
func findObjects(ctx context.Context, src Source, location string) (found []artifact.Info, total int64, err error) {
	exact := strings.Trim(location, "/")
	if exact == "" {
		return nil, 0, attune.Errorf(attune.Invalid, "Invalid S3 input path: the data location is empty")
	}
	empty := 0
	for info, err := range src.List(ctx, exact) {
		if err != nil {
			return nil, 0, fmt.Errorf("list %s: %w", location, err)
		}
		if info.Name == exact && !strings.HasSuffix(location, "/") {
			if info.Size == 0 {
				return nil, 0, attune.Errorf(attune.Invalid, "object %s is empty: it needs a header line and rows", exact)
			}
			return []artifact.Info{info}, info.Size, nil
		}
		below, ok := strings.CutPrefix(info.Name, exact+"/")
		base := path.Base(below)
		switch {
		case !ok || below == "" || strings.HasSuffix(below, "/") || base[0] == '_' || base[0] == '.':
			continue
		case info.Size == 0:
			empty++
			continue
		case len(found) == maxObjects:
			return nil, 0, attune.Errorf(attune.Invalid, "more than %d objects lie below %s: import fewer, larger ones", maxObjects, location)
		}
		found = append(found, info)
		total += info.Size
	}
	if len(found) == 0 && empty > 0 {
		return nil, 0, attune.Errorf(attune.Invalid, "all %d objects below %s are empty: they need a header line and rows", empty, location)
	}
	if len(found) == 0 {
		return nil, 0, attune.Errorf(attune.Invalid, "Invalid S3 input path: nothing lies at s3://%s; upload a CSV file there first", exact)
	}
	slices.SortFunc(found, func(a, b artifact.Info) int { return strings.Compare(a.Name, b.Name) })
	return found, total, nil
}

// importer is one import under way: a parser that fills batches and a writer
// that empties them, with a fixed number of batches between the two.
type importer struct {
	src   Source
	store *artifact.Store
	spec  ImportSpec

	cells   []cell
	rejects *rejects
	report  *Report
	total   int64
	read    int64 // bytes of finished objects
	parts   int   // files of the table, once it is written

	free   chan *rowBatch // empty ones
	filled chan *rowBatch // full ones
	batch  *rowBatch      // the one being filled; nil when there is none
}

// batchesUnderWay is one being filled, one being written and one between, so
// that neither side waits for the other's every hiccup.
const batchesUnderWay = 3

func newImporter(src Source, store *artifact.Store, spec ImportSpec, total int64) *importer {
	im := &importer{src: src, store: store, spec: spec, total: total, rejects: newRejects(),
		report: &Report{Table: spec.Table},
		free:   make(chan *rowBatch, batchesUnderWay), filled: make(chan *rowBatch, batchesUnderWay)}
	for i, f := range spec.Schema.Fields {
		im.cells = append(im.cells, newCell(f, i))
	}
	for range batchesUnderWay {
		im.free <- newRowBatch(len(im.cells))
	}
	return im
}

// run parses in this goroutine and writes in another. Both have ended on return.
func (im *importer) run(ctx context.Context, objects []artifact.Info) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := newTableWriter(im.store, im.spec.Table, im.spec.Schema.Fields)
	written := make(chan error, 1)
	go func() {
		err := im.writeAll(ctx, w)
		if err != nil {
			cancel() // the parser may wait for a free batch
		}
		written <- err
	}()
	var parseErr error
	for _, o := range objects {
		if parseErr = im.parseObject(ctx, o); parseErr != nil {
			break
		}
	}
	if parseErr == nil {
		parseErr = im.hand(ctx)
	}
	if parseErr != nil {
		cancel()
	}
	close(im.filled)
	writeErr := <-written
	// Whoever failed first cancelled the other: the other's word is only "cancelled".
	if parseErr != nil && (writeErr == nil || !errors.Is(parseErr, context.Canceled)) {
		return parseErr
	}
	return writeErr
}

// writeAll writes batches until there are no more, and then the end of the table.
func (im *importer) writeAll(ctx context.Context, w *tableWriter) error {
	defer w.abort()
	for b := range im.filled {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.write(ctx, b); err != nil {
			return err
		}
		b.reset()
		im.free <- b
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := w.close(ctx)
	im.parts = w.part
	return err
}

// hand gives the batch being filled to the writer.
func (im *importer) hand(ctx context.Context) error {
	if im.batch == nil || im.batch.rows == 0 {
		return ctx.Err()
	}
	im.filled <- im.batch // never blocks: there is room for every batch
	im.batch = nil
	return ctx.Err()
}

// room makes sure that there is a batch to fill.
func (im *importer) room(ctx context.Context) error {
	if im.batch != nil {
		return nil
	}
	select {
	case im.batch = <-im.free:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// counted counts what was read of an object.
type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
