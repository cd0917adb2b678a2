package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

// ExportSpec says what to export.
type ExportSpec struct {
	Group  event.Group
	UpTo   event.Seq // records after it are not known yet
	Type   schema.Type
	Schema *schema.Schema // the columns to write, in their order
	Bulk   bool           // rows of live imports
	Put    bool           // what came by PutEvents, PutItems or PutUsers
	// Progress, if given, is told how many rows were looked at, of how many. It
	// is called from one goroutine, every few thousand rows.
	Progress func(rows, total int64)
}

// Export writes rows of a dataset as CSV, in the order of the log, and says how
// many. Rows that agree in every column are one, the first, and so are events of
// PutEvents with one event id. With Bulk and Put both, of items and users only
// the newest row of an id is written; with one of them, all that differ are.
//
// Memory does not grow with the data beyond one bit a row: what has to be
// compared is compared a part at a time, by going over the rows again.
func Export(ctx context.Context, log *event.Log, store *artifact.Store, spec ExportSpec, out io.Writer) (rows int64, err error) {
	return export(ctx, func() iter.Seq2[event.Record, error] {
		return log.Read(ctx, spec.Group, event.Seq{}, spec.UpTo)
	}, store, spec, out)
}

func export(ctx context.Context, records func() iter.Seq2[event.Record, error], store *artifact.Store, spec ExportSpec, out io.Writer) (rows int64, err error) {
	if spec.Schema == nil || !spec.Bulk && !spec.Put {
		return 0, errors.New("export: a schema, and what to export, are needed")
	}
	if spec.Type != schema.Interactions && spec.Type != schema.Items && spec.Type != schema.Users {
		return 0, attune.Errorf(attune.Invalid, "datasets of type %s cannot be exported", spec.Type)
	}
	x := &exporter{ctx: ctx, records: records, store: store, spec: spec, render: newRenderer(spec.Schema)}
	if err := x.survey(); err != nil {
		return 0, fmt.Errorf("export %s of %s: %w", spec.Type, spec.Group, err)
	}
	if err := x.compare(); err != nil {
		return 0, fmt.Errorf("export %s of %s: %w", spec.Type, spec.Group, err)
	}
	if rows, err = x.write(out); err != nil {
		return 0, fmt.Errorf("export %s of %s: %w", spec.Type, spec.Group, err)
	}
	return rows, nil
}

// exportKeys is how many keys are held at once to find rows that are there
// twice: about 200 MB.
const exportKeys = 4 << 20

// exporter is one export under way.
type exporter struct {
	ctx     context.Context
	records func() iter.Seq2[event.Record, error]
	store   *artifact.Store
	spec    ExportSpec
	render  *renderer
	keys    int64 // exportKeys, but for tests; 0 means exportKeys

	tables  []liveTable // live, in the order of the log
	cleared int         // order of the record that ended all before it; 0 for none
	rows    int64       // of tables and records together, about
	named   bool        // some event has an id
	dropped []uint64    // a bit for every row that is not written
}

// exportRow is one row on its way out. It is good until the next one.
type exportRow struct {
	number  int64 // among all rows, the same at every pass
	line    []byte
	id      string // of the item or user
	eventID string
}

// survey finds out which tables are live, and how much there is.
func (x *exporter) survey() error {
	f := newFold(time.Time{})
	var puts int64
	for r, err := range x.records() {
		if err != nil {
			return err
		}
		f.order++
		switch b := r.Body.(type) {
		case *event.Imported:
			if err := f.imported(b); err != nil {
				return err
			}
			if t, _ := schema.ParseType(b.Dataset); t == x.spec.Type && b.Mode == event.Cleared {
				x.cleared, puts = f.order, 0
			}
		case *event.Interaction:
			if x.spec.Type == schema.Interactions {
				puts++
				x.named = x.named || b.EventID != ""
			}
		case *event.Item, *event.User:
			puts++
		}
	}
	if x.spec.Put {
		x.rows += puts
	}
	if x.spec.Bulk {
		x.tables = f.tables[x.spec.Type]
		for _, t := range x.tables {
			x.rows += max(0, t.rows)
		}
	}
	return nil
}

// compare marks the rows that are not written.
func (x *exporter) compare() error {
	if x.named && x.spec.Put {
		err := x.mark(func(r *exportRow) (string, bool) { return r.eventID, r.eventID != "" }, false)
		if err != nil {
			return err
		}
	}
	if x.spec.Type != schema.Interactions && x.spec.Bulk && x.spec.Put {
		return x.mark(func(r *exportRow) (string, bool) { return r.id, true }, true)
	}
	return x.mark(func(r *exportRow) (string, bool) { return string(r.line), true }, false)
}

// mark drops rows of one key but the first, or but the last. It goes over all
// rows as often as their keys, a part at a time, fit into memory.
func (x *exporter) mark(key func(*exportRow) (string, bool), last bool) error {
	most := x.keys
	if most == 0 {
		most = exportKeys
	}
	parts := uint64(max(0, x.rows)/most) + 1
	for part := range parts {
		seen := map[[16]byte]int64{}
		for r, err := range x.each() {
			if err != nil {
				return err
			}
			text, ok := key(r)
			if !ok || x.isDropped(r.number) {
				continue
			}
			sum := sha256.Sum256([]byte(text))
			k := [16]byte(sum[:16]) // 128 bits: two of 10¹² rows meet by chance less than once in 10¹⁴ exports
			if binary.LittleEndian.Uint64(sum[16:])%parts != part {
				continue
			}
			before, again := seen[k]
			switch {
			case again && last:
				x.drop(before)
				seen[k] = r.number
			case again:
				x.drop(r.number)
			default:
				seen[k] = r.number
			}
		}
	}
	return nil
}

func (x *exporter) drop(row int64) {
	for int64(len(x.dropped)) <= row>>6 {
		x.dropped = append(x.dropped, 0)
	}
	x.dropped[row>>6] |= 1 << (row & 63)
}

func (x *exporter) isDropped(row int64) bool {
	return row>>6 < int64(len(x.dropped)) && x.dropped[row>>6]&(1<<(row&63)) != 0
}

// write puts the header and the rows that are left into out.
func (x *exporter) write(out io.Writer) (rows int64, err error) {
	if _, err := out.Write(x.render.header()); err != nil {
		return 0, err
	}
	for r, err := range x.each() {
		if err != nil {
			return 0, err
		}
		if x.isDropped(r.number) {
			continue
		}
		if _, err := out.Write(r.line); err != nil {
			return 0, err
		}
		rows++
	}
	return rows, nil
}

// errEnough ends a pass whose reader wants no more.
var errEnough = errors.New("enough")

// each goes over all rows, tables among records as the log has them.
func (x *exporter) each() iter.Seq2[*exportRow, error] {
	return func(yield func(*exportRow, error) bool) {
		p := &exportPass{exporter: x, yield: yield, tables: x.tables}
		if err := p.run(); err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

// exportPass is one time over the rows.
type exportPass struct {
	*exporter
	yield  func(*exportRow, error) bool
	tables []liveTable // not gone over yet
	row    exportRow
}

func (p *exportPass) run() error {
	order := 0
	for r, err := range p.records() {
		if err != nil {
			return err
		}
		order++
		for len(p.tables) > 0 && p.tables[0].order <= order {
			t := p.tables[0]
			p.tables = p.tables[1:]
			if err := t.read(p.ctx, p.store, p.batch); err != nil {
				return err
			}
		}
		if p.spec.Put && order > p.cleared {
			if err := p.put(r.Body); err != nil {
				return err
			}
		}
	}
	return nil
}

// put gives the row of one record, if it is one of the dataset's.
func (p *exportPass) put(body event.Body) error {
	p.row.eventID = ""
	switch b := body.(type) {
	case *event.Interaction:
		if p.spec.Type != schema.Interactions || b.Item == "" {
			return nil // an event without an item has no row of its own
		}
		p.row.eventID = b.EventID
		return p.give(p.render.interaction(b), "")
	case *event.Item:
		if p.spec.Type == schema.Items {
			return p.give(p.render.thing(schema.ItemID, b.ID, b.Properties), b.ID)
		}
	case *event.User:
		if p.spec.Type == schema.Users {
			return p.give(p.render.thing(schema.UserID, b.ID, b.Properties), b.ID)
		}
	}
	return nil
}

// batch gives the rows of a part of a table.
func (p *exportPass) batch(b *Batch) error {
	p.render.columns(b)
	idField := map[schema.Type]string{schema.Items: schema.ItemID, schema.Users: schema.UserID}[p.spec.Type]
	ids, _ := b.Column(idField)
	p.row.eventID = ""
	for i := range b.Len {
		id := ""
		if ids != nil && ids.Text != nil {
			id = ids.Text[i]
		}
		if err := p.give(p.render.row(i), id); err != nil {
			return err
		}
	}
	return nil
}

func (p *exportPass) give(line []byte, id string) error {
	p.row.line, p.row.id = line, id
	if p.row.number%progressRows == 0 {
		if p.spec.Progress != nil {
			p.spec.Progress(p.row.number, max(p.rows, p.row.number))
		}
		if err := p.ctx.Err(); err != nil {
			return err
		}
	}
	if !p.yield(&p.row, nil) {
		return errEnough
	}
	p.row.number++
	return nil
}
