package dataset

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

// maxTypes bounds distinct event types, which are numbered in 16 bits.
const maxTypes = 1 << 16

// folded is one interaction while the log is folded.
type folded struct {
	user  int32  // ≥ 0: number in users; < 0: ^number in sessions, not known yet whose
	item  int32  // or action
	at    int64  // Unix milliseconds
	sign  uint64 // equal for events that count once, given equal user, item, type and time
	value float32
	typ   uint16
}

// lane is what the log says of interactions of one kind: with items, or with actions.
type lane struct {
	idField string // ITEM_ID or ACTION_ID, of its tables
	things  *interner
	types   *interner
	spelled map[string]uint16 // event types as they were spelled, and in lower case, by number in types
	claims  []claim           // by number of session
	seen    map[[16]byte]struct{}
	events  []folded
}

// claim is the first user that events of a lane were seen with in a session.
type claim struct {
	user  int32
	order int // of the record; 0 while there is none
}

// fold is the state of the log as far as it was read.
type fold struct {
	asOf     int64 // Unix milliseconds; later interactions are not known yet
	users    *interner
	sessions *interner
	items    lane         // interactions with items
	actions  lane         // and with actions
	context  *contextFold // of interactions with items
	jobs     map[string]bool
	seq      event.Seq // of the last record

	tables map[schema.Type][]liveTable
	puts   map[schema.Type]map[string]putRow
	order  int // counts records, to say what came first
}

// liveTable is a table whose rows are true, and its place in the order of things.
type liveTable struct {
	name  string
	rows  int64
	order int
}

// putRow is what PutItems, PutUsers or PutActions said last of one id.
type putRow struct {
	properties string
	order      int
}

func newFold(asOf time.Time) *fold {
	f := &fold{asOf: math.MaxInt64, jobs: map[string]bool{}, users: newInterner(), sessions: newInterner(), context: newContextFold(nil),
		tables: map[schema.Type][]liveTable{},
		puts:   map[schema.Type]map[string]putRow{schema.Items: {}, schema.Users: {}, schema.Actions: {}}}
	if !asOf.IsZero() {
		f.asOf = asOf.UnixMilli()
	}
	f.items.clear(schema.ItemID)
	f.actions.clear(schema.ActionID)
	return f
}

func (l *lane) clear(idField string) {
	*l = lane{idField: idField, things: newInterner(), types: newInterner(), spelled: map[string]uint16{}, seen: map[[16]byte]struct{}{}}
}

// readLog folds the records of a log, in order.
//
//   - Of a dataset's imports, those from the last FULL one on are live; what came by Put* stays.
//   - A CLEARED record ends everything before it, for its dataset.
//   - A job counts once, and so does an event id.
//   - Interactions later than the moment of the snapshot are left out.
func (f *fold) readLog(records iter.Seq2[event.Record, error]) error {
	for r, err := range records {
		if err != nil {
			return err
		}
		f.seq = r.Seq
		f.order++
		switch b := r.Body.(type) {
		case *event.Interaction:
			err = f.interaction(&f.items, happened{b.EventID, b.User, b.Session, b.Item, b.Type, b.At.UnixMilli(), b.Value, b.Properties})
		case *event.ActionInteraction:
			err = f.interaction(&f.actions, happened{b.EventID, b.User, b.Session, b.Action, b.Type, b.At.UnixMilli(), math.NaN(), b.Properties})
		case *event.Item:
			f.put(schema.Items, b.ID, b.Properties)
		case *event.User:
			f.put(schema.Users, b.ID, b.Properties)
		case *event.Action:
			f.put(schema.Actions, b.ID, b.Properties)
		case *event.Imported:
			err = f.imported(b)
		}
		if err != nil {
			return fmt.Errorf("record %s: %w", r.Seq, err)
		}
	}
	return nil
}

func (f *fold) put(t schema.Type, id, properties string) {
	// A record's strings share memory with their neighbours in the log.
	f.puts[t][strings.Clone(id)] = putRow{properties: strings.Clone(properties), order: f.order}
}

func (f *fold) imported(b *event.Imported) error {
	if b.Job != "" && f.jobs[b.Job] {
		return nil
	}
	f.jobs[strings.Clone(b.Job)] = true
	t, err := schema.ParseType(b.Dataset)
	if err != nil {
		return err
	}
	switch b.Mode {
	case event.Cleared:
		f.tables[t] = nil
		if f.puts[t] != nil {
			f.puts[t] = map[string]putRow{}
		}
		if l := f.laneOf(t); l != nil {
			l.clear(l.idField)
		}
		if t == schema.Interactions {
			f.context = newContextFold(f.context.said.schema)
		}
		return nil
	case event.Full:
		f.tables[t] = nil
	}
	f.tables[t] = append(f.tables[t], liveTable{name: strings.Clone(b.Table), rows: b.Rows, order: f.order})
	return nil
}

// laneOf is where the interactions of a type of dataset go; nil for other types.
func (f *fold) laneOf(t schema.Type) *lane {
	switch t {
	case schema.Interactions:
		return &f.items
	case schema.ActionInteractions:
		return &f.actions
	}
	return nil
}

// happened is one event of PutEvents or PutActionInteractions.
type happened struct {
	eventID, user, session, thing, typ string
	at                                 int64
	value                              float64
	properties                         string
}

// interaction folds one event.
func (f *fold) interaction(l *lane, b happened) error {
	if b.at > f.asOf || b.user == "" && b.session == "" {
		return nil
	}
	// Also an event that counts once already says whose its session is: it may
	// be the first to name the user.
	user := f.who(l, b.user, b.session)
	if b.eventID != "" {
		// 128 bits of a hash instead of the id: a log of ten million ids would be a gigabyte of strings.
		sum := sha256.Sum256([]byte(b.eventID))
		key := [16]byte(sum[:16])
		if _, again := l.seen[key]; again {
			return nil
		}
		l.seen[key] = struct{}{}
	}
	if b.thing == "" {
		return nil // it only told whose the session is
	}
	typ, err := l.typeNumber(b.typ)
	if err != nil {
		return err
	}
	if l == &f.items {
		f.context.put(len(l.events), b.properties)
	}
	l.events = append(l.events, folded{user: user, item: l.things.number(b.thing), at: b.at,
		sign: PutIdentity(b.properties), value: float32(b.value), typ: typ})
	return nil
}

// who is the user of an event, or its session while that is anybody's. The
// first user seen in a session owns it.
func (f *fold) who(l *lane, user, session string) int32 {
	var s int32
	if session != "" {
		s = f.sessions.number(session)
	}
	if user == "" {
		return ^s
	}
	u := f.users.number(user)
	if session != "" {
		for int(s) >= len(l.claims) {
			l.claims = append(l.claims, claim{})
		}
		if l.claims[s].order == 0 {
			l.claims[s] = claim{u, f.order}
		}
	}
	return u
}

// typeNumber is the number of an event type, whose case does not matter: the
// first spelling of PutEvents, else of the tables, stays.
func (l *lane) typeNumber(name string) (uint16, error) {
	if n, ok := l.spelled[name]; ok {
		return n, nil
	}
	lower := strings.ToLower(name)
	n, ok := l.spelled[lower]
	if !ok {
		if len(l.types.ids) == maxTypes {
			return 0, attune.Errorf(attune.LimitExceeded, "more than %d event types: is %q an event type?", maxTypes, brief(name))
		}
		n = uint16(l.types.number(name))
		l.spelled[strings.Clone(lower)] = n
	}
	if len(l.spelled) < 4*maxTypes { // spellings of one type are a cache, no need
		l.spelled[strings.Clone(name)] = n
	}
	return n, nil
}

// settle gives every event its user: the session's owner, who is the first user
// seen in it with items or with actions, or the session id as a user of its own.
func (f *fold) settle() {
	owner := make([]int32, len(f.sessions.ids))
	for s := range owner {
		var first claim
		for _, l := range []*lane{&f.items, &f.actions} {
			if s < len(l.claims) && l.claims[s].order > 0 && (first.order == 0 || l.claims[s].order < first.order) {
				first = l.claims[s]
			}
		}
		owner[s] = first.user
		if first.order == 0 {
			owner[s] = f.users.number(f.sessions.ids[s])
		}
	}
	for _, l := range []*lane{&f.items, &f.actions} {
		for i := range l.events {
			if e := &l.events[i]; e.user < 0 {
				e.user = owner[^e.user]
			}
		}
		l.claims, l.seen = nil, nil
	}
	f.sessions = nil
}

// addRows folds a batch of a table of the lane's interactions.
func (f *fold) addRows(l *lane, b *Batch) error {
	cols := make(map[string]*Cells, len(b.Columns))
	for i := range b.Columns {
		cols[b.Columns[i].Field.Name] = &b.Columns[i]
	}
	identity := NewRowIdentity(b)
	var context []*contextColumn
	if l == &f.items {
		context = f.context.into(b)
	}
	user, item, at := cols[schema.UserID], cols[l.idField], cols[schema.Timestamp]
	if user == nil || item == nil || at == nil || user.Text == nil || item.Text == nil || at.Int == nil {
		return fmt.Errorf("table of interactions lacks %s, %s or %s", schema.UserID, l.idField, schema.Timestamp)
	}
	typ, value := cols[schema.EventType], cols[schema.EventValue]
	for i := range b.Len {
		ms := at.Int[i] * 1000
		if ms > f.asOf {
			continue
		}
		e := folded{user: f.users.number(user.Text[i]), item: l.things.number(item.Text[i]), at: ms, value: NoValue()}
		name := ""
		if typ != nil && typ.Text != nil {
			name = typ.Text[i]
		}
		var err error
		if e.typ, err = l.typeNumber(name); err != nil {
			return err
		}
		if value != nil && value.Number != nil && !value.Absent(i) {
			e.value = float32(value.Number[i])
		}
		e.sign = identity.Of(i)
		takeRow(len(l.events), context, b, i)
		l.events = append(l.events, e)
	}
	return nil
}

// ranked numbers the strings of an interner in byte order: the vocabulary, and
// for every old number its new one. used limits it to some old numbers; nil is all.
func ranked(in *interner, used []bool) (*Vocabulary, []int32) {
	order := make([]int32, 0, len(in.ids))
	for i := range in.ids {
		if used == nil || used[i] {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(in.ids[a], in.ids[b]) })
	ids, rank := make([]string, len(order)), make([]int32, len(in.ids))
	for r, old := range order {
		ids[r], rank[old] = in.ids[old], int32(r)
	}
	return sortedVocabulary(ids), rank
}
