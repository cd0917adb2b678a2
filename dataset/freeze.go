package dataset

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

// FreezeSpec says what to freeze.
type FreezeSpec struct {
	Group event.Group
	UpTo  event.Seq // records after it are not known yet
	AsOf  time.Time // interactions that happened later are not known yet; kept to the millisecond
	// Schemas, where given, say how to read the properties of PutItems,
	// PutUsers and PutEvents. Without one the columns of the newest import serve, and what they
	// do not name is taken for what it looks like.
	Schemas map[schema.Type]*schema.Schema
}

// Info says what a snapshot is without opening it.
type Info struct {
	Format       int         `json:"format"` // of the stored bytes: docs/format/snapshot.md
	Name         string      `json:"name"`   // artifact folder: snapshot/<group>/<asOf>-<digest>
	Digest       string      `json:"digest"` // SHA-256 of the content, in hexadecimal
	Group        event.Group `json:"group"`
	AsOf         time.Time   `json:"asOf"`
	UpTo         event.Seq   `json:"upTo"`   // the last record that was read when it was first made
	Tables       []string    `json:"tables"` // live imports, in the order of the log
	Users        int         `json:"users"`
	Items        int         `json:"items"`
	Interactions int64       `json:"interactions"`
	Actions      int         `json:"actions,omitempty"`
	// ActionInteractions is how many there are in the snapshot.
	ActionInteractions int64  `json:"actionInteractions,omitempty"`
	Context            int    `json:"context,omitempty"`    // columns of it
	Supersedes         string `json:"supersedes,omitempty"` // the snapshot that this is, without users who were erased
}

// String introduces the snapshot.
func (i *Info) String() string {
	return fmt.Sprintf("%s: %s users × %s items × %s events", i.Name,
		thousands(int64(i.Users)), thousands(int64(i.Items)), thousands(i.Interactions))
}

// Freeze folds a prefix of a group's log and the tables it names into a
// snapshot, and stores it. The name holds the moment and a digest of the
// content, so the same content at the same moment has the same name; what is
// there already is not written again. A killed Freeze leaves files that the
// next one with the same content completes.
//
// What counts: see fold.readLog for imports and event ids. Two events of
// PutEvents that agree in user, item, type, time and properties are one, the
// first; two rows of imports that agree in every column are one, because a file
// that is imported twice must not weigh twice (and the service itself
// collapses them on export). An event and a row never are one. An event without
// a user belongs to the first user seen in its session, else to the session id
// as if it were a user. Of items and users the last word on an id counts, whole.
//
// Memory is about 60 bytes an interaction, besides ids and attributes, and 8 for
// each column of context.
func Freeze(ctx context.Context, log *event.Log, store *artifact.Store, spec FreezeSpec) (*Info, error) {
	return freeze(ctx, log.Read(ctx, spec.Group, event.Seq{}, spec.UpTo), store, spec)
}

// Look is the snapshot that Freeze would store, in memory and without a name:
// for what is looked at once, and must leave nothing behind.
func Look(ctx context.Context, log *event.Log, store *artifact.Store, spec FreezeSpec) (*Snapshot, error) {
	s, _, err := look(ctx, log.Read(ctx, spec.Group, event.Seq{}, spec.UpTo), store, spec)
	return s, err
}

// freeze is Freeze over any records: the fold does not care where they come from.
func freeze(ctx context.Context, records iter.Seq2[event.Record, error], store *artifact.Store, spec FreezeSpec) (*Info, error) {
	s, info, err := look(ctx, records, store, spec)
	if err != nil {
		return nil, err
	}
	info.Users, info.Items, info.Interactions = s.Users.Len(), s.Items.Len(), int64(s.Events.Len())
	info.Actions, info.ActionInteractions = s.Actions.Len(), int64(s.ActionEvents.Len())
	info.Context, info.Format = len(s.Events.Context), s.format()
	info.Digest = s.Digest()
	info.Name = snapshotName(spec.Group, info.AsOf, info.Digest)
	return writeSnapshot(ctx, store, s, info)
}

func look(ctx context.Context, records iter.Seq2[event.Record, error], store *artifact.Store, spec FreezeSpec) (*Snapshot, *Info, error) {
	if spec.Group == "" || spec.AsOf.IsZero() {
		return nil, nil, attune.Errorf(attune.Invalid, "freeze needs a dataset group and a moment")
	}
	spec.AsOf = spec.AsOf.UTC().Truncate(time.Millisecond)
	f := newFold(spec.AsOf)
	f.context.said.schema = spec.Schemas[schema.Interactions]
	if err := f.readLog(records); err != nil {
		return nil, nil, fmt.Errorf("freeze %s: %w", spec.Group, err)
	}
	info := &Info{Format: formatPlain, Group: spec.Group, AsOf: spec.AsOf, UpTo: f.seq, Tables: f.liveTables()}
	s, err := f.snapshot(ctx, store, spec.Schemas)
	if err != nil {
		return nil, nil, fmt.Errorf("freeze %s: %w", spec.Group, err)
	}
	s.AsOf = spec.AsOf
	return s, info, nil
}

func snapshotName(g event.Group, asOf time.Time, digest string) string {
	return fmt.Sprintf("snapshot/%s/%s-%s", g, asOf.UTC().Format("20060102T150405Z"), digest[:12])
}

// liveTables names the live tables of all types in the order of the log.
func (f *fold) liveTables() []string {
	var all []liveTable
	for _, tables := range f.tables {
		all = append(all, tables...)
	}
	slices.SortFunc(all, func(a, b liveTable) int { return cmp.Compare(a.order, b.order) })
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.name
	}
	return names
}

// snapshot reads the live tables and ends the fold, which is of no use after.
func (f *fold) snapshot(ctx context.Context, store *artifact.Store, schemas map[schema.Type]*schema.Schema) (*Snapshot, error) {
	// The record says how many rows there are; a wrong number only costs time.
	const mostAhead = 1 << 26
	for _, kind := range []schema.Type{schema.Interactions, schema.ActionInteractions} {
		l, rows := f.laneOf(kind), int64(0)
		for _, t := range f.tables[kind] {
			rows += t.rows
		}
		l.events = slices.Grow(l.events, int(max(0, min(rows, mostAhead))))
		for _, t := range f.tables[kind] {
			if err := t.read(ctx, store, func(b *Batch) error { return f.addRows(l, b) }); err != nil {
				return nil, err
			}
		}
	}
	f.settle()
	about := f.attributeFolds(schemas)
	if err := f.foldAttributes(ctx, store, schema.Items, about.items); err != nil {
		return nil, err
	}
	if err := f.foldAttributes(ctx, store, schema.Users, about.users); err != nil {
		return nil, err
	}
	if err := f.foldAttributes(ctx, store, schema.Actions, about.actions); err != nil {
		return nil, err
	}
	return f.finish(about), nil
}

// attributeFolds are the attributes of everything that has an id.
type attributeFolds struct{ items, users, actions *attributeFold }

func (f *fold) attributeFolds(schemas map[schema.Type]*schema.Schema) attributeFolds {
	return attributeFolds{
		items:   newAttributeFold(f.items.things, schema.ItemID, schemas[schema.Items]),
		users:   newAttributeFold(f.users, schema.UserID, schemas[schema.Users]),
		actions: newAttributeFold(f.actions.things, schema.ActionID, schemas[schema.Actions]),
	}
}

// read gives take every batch of the table. One that has lost a part, as while
// its dataset is being deleted, must not be taken for a smaller one.
func (t *liveTable) read(ctx context.Context, store *artifact.Store, take func(*Batch) error) error {
	var rows int64
	for b, err := range Batches(ctx, store, t.name) {
		if err == nil {
			err = take(b)
		}
		if err != nil {
			return err
		}
		rows += int64(b.Len)
	}
	if t.rows > 0 && rows != t.rows {
		return attune.Errorf(attune.Internal, "table %s has %d rows, its import had %d", t.name, rows, t.rows)
	}
	return nil
}

// foldAttributes replays the tables and Put* records of a type in the order of the log.
func (f *fold) foldAttributes(ctx context.Context, store *artifact.Store, t schema.Type, a *attributeFold) error {
	puts := f.puts[t]
	ids := make([]string, 0, len(puts))
	for id := range puts {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(x, y string) int { return cmp.Compare(puts[x].order, puts[y].order) })
	given := a.schema != nil
	putUntil := func(order int) {
		for len(ids) > 0 && puts[ids[0]].order < order {
			a.addPut(ids[0], puts[ids[0]].properties)
			ids = ids[1:]
		}
	}
	for _, table := range f.tables[t] {
		putUntil(table.order)
		err := table.read(ctx, store, func(b *Batch) error {
			a.addBatch(b)
			if !given {
				a.schema = b.schema(string(t))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	putUntil(f.order + 1)
	return nil
}

// schema is the columns of the batch.
func (b *Batch) schema(name string) *schema.Schema {
	s := &schema.Schema{Name: name}
	for _, c := range b.Columns {
		s.Fields = append(s.Fields, c.Field)
	}
	return s
}

// finish numbers everything in byte order of the ids. Users are those with
// interactions and those of whom something was said; items and actions likewise.
func (f *fold) finish(about attributeFolds) *Snapshot {
	used := make([]bool, len(f.users.ids))
	copy(used, about.users.told)
	for _, l := range []*lane{&f.items, &f.actions} {
		for i := range l.events {
			used[l.events[i].user] = true
		}
	}
	s := new(Snapshot)
	var userRank, rank []int32
	s.Users, userRank = ranked(f.users, used)
	s.UserAttributes = about.users.finish(s.Users.Len(), userRank)
	s.Items, rank = ranked(f.items.things, nil)
	s.ItemAttributes = about.items.finish(s.Items.Len(), rank)
	s.Events = f.items.sortEvents(s.Users.Len(), userRank, rank, f.context)
	f.items.events = nil
	s.Actions, rank = ranked(f.actions.things, nil)
	s.ActionAttributes = about.actions.finish(s.Actions.Len(), rank)
	s.ActionEvents = f.actions.sortEvents(s.Users.Len(), userRank, rank, nil)
	f.actions.events = nil
	return s
}

// NewSnapshot makes a snapshot in memory from rows such as a table holds, with
// the rules of Freeze; rows of items need Item, rows of users User, and both may
// have Attributes. A zero asOf means that nothing is too late.
func NewSnapshot(asOf time.Time, interactions, items, users []Row) (*Snapshot, error) {
	return RowSets{Interactions: interactions, Items: items, Users: users}.Snapshot(asOf)
}

// RowSets are rows of every dataset. In those of actions and of interactions
// with them Item is the action.
type RowSets struct{ Interactions, Items, Users, Actions, ActionInteractions []Row }

// Snapshot makes a snapshot in memory, as NewSnapshot does.
func (r RowSets) Snapshot(asOf time.Time) (*Snapshot, error) {
	f := newFold(asOf)
	if err := f.items.addInMemory(f, r.Interactions); err != nil {
		return nil, err
	}
	if err := f.actions.addInMemory(f, r.ActionInteractions); err != nil {
		return nil, err
	}
	about := f.attributeFolds(nil)
	about.items.addRows(r.Items, func(r Row) string { return r.Item })
	about.users.addRows(r.Users, func(r Row) string { return r.User })
	about.actions.addRows(r.Actions, func(r Row) string { return r.Item })
	s := f.finish(about)
	s.AsOf = asOf
	return s, nil
}

func (l *lane) addInMemory(f *fold, rows []Row) error {
	for _, r := range rows {
		if r.At > f.asOf {
			continue
		}
		typ, err := l.typeNumber(r.Type)
		if err != nil {
			return err
		}
		sign := mixed(math.Float64bits(r.Value))
		if l == &f.items {
			sign += f.context.take(len(l.events), r.Attributes)
		}
		l.events = append(l.events, folded{user: f.users.number(r.User), item: l.things.number(r.Item), at: r.At,
			value: float32(r.Value), typ: typ, sign: sign})
	}
	return nil
}

func (a *attributeFold) addRows(rows []Row, id func(Row) string) {
	for _, r := range rows {
		n := a.begin(id(r))
		for name, v := range r.Attributes {
			a.column(a.fieldOf(name, v)).set(n, v)
		}
	}
}
