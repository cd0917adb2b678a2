package profile

import (
	"context"
	"fmt"
	"iter"
	"math"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/filter"
)

const (
	// maxPending bounds the imported touches that wait to be sorted into
	// histories: 24 bytes each, so some hundred MiB with what holds them.
	maxPending = 2 << 20

	// personPending is when one user's are sorted in; a history is hardly ever longer.
	personPending = 1024
)

// tableReader reads a table back: dataset.Batches over an artifact store.
type tableReader func(ctx context.Context, table string) iter.Seq2[*dataset.Batch, error]

// foldTable folds the rows of a table on top of the view.
func (v *View) foldTable(ctx context.Context, tables tableReader, t schema.Type, table string) error {
	pending := pendingTouches{v: v, of: map[*person][]Touch{}}
	if t == schema.ActionInteractions {
		pending.side = ofActions
	}
	for b, err := range tables(ctx, table) {
		if err == nil {
			switch t {
			case schema.Interactions:
				err = v.foldInteractions(b, schema.ItemID, &pending)
			case schema.ActionInteractions:
				err = v.foldInteractions(b, schema.ActionID, &pending)
			case schema.Items:
				err = foldThings(b, schema.ItemID, v.w.item, v.items, &v.names.items)
			case schema.Actions:
				err = foldThings(b, schema.ActionID, v.w.action, v.acts, &v.names.actions)
			case schema.Users:
				err = v.foldUsers(b)
			}
		}
		if err != nil {
			return fmt.Errorf("take in table %s: %w", table, err)
		}
	}
	pending.flush()
	return nil
}

func (v *View) foldInteractions(b *dataset.Batch, idField string, pending *pendingTouches) error {
	user, ok := b.Column(schema.UserID)
	item, also := b.Column(idField)
	at, too := b.Column(schema.Timestamp)
	if !ok || !also || !too || user.Text == nil || item.Text == nil || at.Int == nil {
		return fmt.Errorf("an interactions table needs the columns %s, %s and %s", schema.UserID, idField, schema.Timestamp)
	}
	var kind, value *dataset.Cells
	for i := range b.Columns {
		switch c := &b.Columns[i]; c.Field.Name {
		case schema.UserID, idField, schema.Timestamp:
		case schema.EventType:
			kind = c
		case schema.EventValue:
			value = c
		}
	}
	identity := dataset.NewRowIdentity(b)
	for i := range b.Len {
		if user.Absent(i) || item.Absent(i) || at.Absent(i) || user.Text[i] == "" || item.Text[i] == "" {
			continue
		}
		n, ok := v.names.of(pending.side).number(item.Text[i])
		if !ok {
			continue
		}
		touch := Touch{Item: n, At: at.Int[i] * 1000, Value: value32(math.NaN())}
		name := ""
		if kind != nil && !kind.Absent(i) {
			name = kind.Text[i]
		}
		touch.Type = v.names.eventType(name)
		if value != nil && !value.Absent(i) && value.Number != nil {
			touch.Value = value32(value.Number[i])
		}
		touch.mark(0, identity.Of(i))
		pending.add(v.user(user.Text[i]), touch)
		if pending.side == ofItems {
			v.tally.touch(n, touch.At)
		}
	}
	return nil
}

// pendingTouches gathers imported touches by user: a file is rarely in the
// order of time, and putting each into its place would move every history many times.
type pendingTouches struct {
	v    *View
	side side
	of   map[*person][]Touch
	n    int
}

func (d *pendingTouches) add(p *person, t Touch) {
	list := append(d.of[p], t)
	if d.n++; len(list) >= personPending {
		d.v.set(p, d.side, merge(p.touches[d.side], list, d.v.limit))
		d.n -= len(list)
		delete(d.of, p) // its memory, too: most files are in the order of users
		return
	}
	d.of[p] = list
	if d.n >= maxPending {
		d.flush()
	}
}

func (d *pendingTouches) flush() {
	for p, list := range d.of {
		if len(list) > 0 {
			d.v.set(p, d.side, merge(p.touches[d.side], list, d.v.limit))
		}
	}
	clear(d.of)
	d.n = 0
}

// foldThings takes in the attributes of items or actions.
func foldThings(b *dataset.Batch, idField string, a *attributes, columns *filter.Columns, names *ids) error {
	id, err := rowIDs(b, idField, a, columns)
	if err != nil {
		return err
	}
	for i := range b.Len {
		if n, ok := names.number(id.Text[i]); ok && !id.Absent(i) {
			a.replace(columns, n, a.row(b, id, i))
		}
	}
	return nil
}

func (v *View) foldUsers(b *dataset.Batch) error {
	a := v.w.user
	id, err := rowIDs(b, schema.UserID, a, v.users)
	if err != nil {
		return err
	}
	for i := range b.Len {
		if !id.Absent(i) {
			v.userRow(v.user(id.Text[i]), a.row(b, id, i))
		}
	}
	return nil
}

// rowIDs finds the column of ids, and learns the fields of the others.
func rowIDs(b *dataset.Batch, name string, a *attributes, columns *filter.Columns) (*dataset.Cells, error) {
	id, ok := b.Column(name)
	if !ok || id.Text == nil {
		return nil, fmt.Errorf("the table has no column %s", name)
	}
	for i := range b.Columns {
		if c := &b.Columns[i]; c != id {
			a.meet(c.Field, columns)
		}
	}
	return id, nil
}

func (a *attributes) row(b *dataset.Batch, id *dataset.Cells, row int) map[string]any {
	values := make(map[string]any, len(b.Columns))
	for i := range b.Columns {
		c := &b.Columns[i]
		if c == id {
			continue
		}
		if x := a.value(c.Field.Name, c.Value(row)); x != nil {
			values[c.Field.Name] = x
		}
	}
	return values
}
