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
	user  int32 // ≥ 0: number in users; < 0: ^number in sessions, not known yet whose
	item  int32
	at    int64  // Unix milliseconds
	sign  uint64 // equal for events that count once, given equal user, item, type and time
	value float32
	typ   uint16
}

// session is one session id of the log and whose it is.
type session struct{ user int32 }

// nobody marks a session in which no user has been seen yet.
const nobody int32 = -1

// fold is the state of the log as far as it was read.
type fold struct {
	asOf     int64 // Unix milliseconds; later interactions are not known yet
	users    *interner
	items    *interner
	types    *interner
	spelled  map[string]uint16 // event types as they were spelled, and in lower case, by number in types
	sessions *interner
	owners   []session // by number in sessions
	seen     map[[16]byte]struct{}
	events   []folded
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

// putRow is what PutItems or PutUsers said last of one id.
type putRow struct {
	properties string
	order      int
}

func newFold(asOf time.Time) *fold {
	f := &fold{asOf: math.MaxInt64, jobs: map[string]bool{}, items: newInterner(), users: newInterner(),
		tables: map[schema.Type][]liveTable{}, puts: map[schema.Type]map[string]putRow{schema.Items: {}, schema.Users: {}}}
	if !asOf.IsZero() {
		f.asOf = asOf.UnixMilli()
	}
	f.clearInteractions()
	return f
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
			err = f.interaction(b)
		case *event.Item:
			f.put(schema.Items, b.ID, b.Properties)
		case *event.User:
			f.put(schema.Users, b.ID, b.Properties)
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
		if t == schema.Interactions {
			f.clearInteractions()
		}
		return nil
	case event.Full:
		f.tables[t] = nil
	}
	f.tables[t] = append(f.tables[t], liveTable{name: strings.Clone(b.Table), rows: b.Rows, order: f.order})
	return nil
}

func (f *fold) clearInteractions() {
	f.users, f.items, f.types, f.sessions = newInterner(), newInterner(), newInterner(), newInterner()
	f.owners, f.events, f.seen = nil, nil, map[[16]byte]struct{}{}
	f.spelled = map[string]uint16{}
}

// interaction folds one event of PutEvents.
func (f *fold) interaction(b *event.Interaction) error {
	at := b.At.UnixMilli()
	if at > f.asOf || b.User == "" && b.Session == "" {
		return nil
	}
	// Also an event that counts once already says whose its session is: it may
	// be the first to name the user.
	user := f.who(b)
	if b.EventID != "" {
		// 128 bits of a hash instead of the id: a log of ten million ids would be a gigabyte of strings.
		sum := sha256.Sum256([]byte(b.EventID))
		key := [16]byte(sum[:16])
		if _, again := f.seen[key]; again {
			return nil
		}
		f.seen[key] = struct{}{}
	}
	if b.Item == "" {
		return nil // it only told whose the session is
	}
	typ, err := f.typeNumber(b.Type)
	if err != nil {
		return err
	}
	f.events = append(f.events, folded{user: user, item: f.items.number(b.Item), at: at,
		sign: PutIdentity(b.Properties), value: float32(b.Value), typ: typ})
	return nil
}

// who is the user of an event, or its session while that is anybody's. The
// first user seen in a session owns it.
func (f *fold) who(b *event.Interaction) int32 {
	var s int32
	if b.Session != "" {
		s = f.sessions.number(b.Session)
		if int(s) == len(f.owners) {
			f.owners = append(f.owners, session{user: nobody})
		}
	}
	if b.User == "" {
		return ^s
	}
	u := f.users.number(b.User)
	if b.Session != "" && f.owners[s].user == nobody {
		f.owners[s].user = u
	}
	return u
}

// typeNumber is the number of an event type, whose case does not matter: the
// first spelling of PutEvents, else of the tables, stays.
func (f *fold) typeNumber(name string) (uint16, error) {
	if n, ok := f.spelled[name]; ok {
		return n, nil
	}
	lower := strings.ToLower(name)
	n, ok := f.spelled[lower]
	if !ok {
		if len(f.types.ids) == maxTypes {
			return 0, attune.Errorf(attune.LimitExceeded, "more than %d event types: is %q an event type?", maxTypes, brief(name))
		}
		n = uint16(f.types.number(name))
		f.spelled[strings.Clone(lower)] = n
	}
	if len(f.spelled) < 4*maxTypes { // spellings of one type are a cache, no need
		f.spelled[strings.Clone(name)] = n
	}
	return n, nil
}

// settle gives every event its user: the session's owner, or the session id as a user of its own.
func (f *fold) settle() {
	for s := range f.owners {
		if f.owners[s].user == nobody {
			f.owners[s].user = f.users.number(f.sessions.ids[s])
		}
	}
	for i := range f.events {
		if e := &f.events[i]; e.user < 0 {
			e.user = f.owners[^e.user].user
		}
	}
	f.sessions, f.owners, f.seen = nil, nil, nil
}

// addRows folds a batch of an interactions table.
func (f *fold) addRows(b *Batch) error {
	cols := make(map[string]*Cells, len(b.Columns))
	for i := range b.Columns {
		cols[b.Columns[i].Field.Name] = &b.Columns[i]
	}
	identity := NewRowIdentity(b)
	user, item, at := cols[schema.UserID], cols[schema.ItemID], cols[schema.Timestamp]
	if user == nil || item == nil || at == nil || user.Text == nil || item.Text == nil || at.Int == nil {
		return fmt.Errorf("table of interactions lacks %s, %s or %s", schema.UserID, schema.ItemID, schema.Timestamp)
	}
	typ, value := cols[schema.EventType], cols[schema.EventValue]
	for i := range b.Len {
		ms := at.Int[i] * 1000
		if ms > f.asOf {
			continue
		}
		e := folded{user: f.users.number(user.Text[i]), item: f.items.number(item.Text[i]), at: ms, value: NoValue()}
		name := ""
		if typ != nil && typ.Text != nil {
			name = typ.Text[i]
		}
		var err error
		if e.typ, err = f.typeNumber(name); err != nil {
			return err
		}
		if value != nil && value.Number != nil && !value.Absent(i) {
			e.value = float32(value.Number[i])
		}
		e.sign = identity.Of(i)
		f.events = append(f.events, e)
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

// sortEvents orders the folded events by (user, at, item, type) in the numbers
// of the vocabularies (users is how many) and drops those that count once already: equal in all
// four and in their signature. The first in the order of the log stays.
func (f *fold) sortEvents(users int, userRank, itemRank []int32) Events {
	used := make([]bool, len(f.types.ids))
	for i := range f.events {
		e := &f.events[i]
		e.user, e.item = userRank[e.user], itemRank[e.item]
		used[e.typ] = true
	}
	types, typeRank := ranked(f.types, used)
	for i := range f.events {
		f.events[i].typ = uint16(typeRank[f.events[i].typ])
	}
	order := f.orderByUser(users)
	n := 0 // of order, after dropping
	for i, k := range order {
		if i > 0 && sameEvent(&f.events[order[n-1]], &f.events[k]) {
			continue
		}
		order[n] = k
		n++
	}
	order = order[:n]
	out := Events{User: make([]int32, n), Item: make([]int32, n), At: make([]int64, n),
		Type: make([]uint16, n), Value: make([]float32, n), Types: types.ids}
	for i, k := range order {
		e := &f.events[k]
		out.User[i], out.Item[i], out.At[i], out.Type[i], out.Value[i] = e.user, e.item, e.at, e.typ, e.value
	}
	return out
}

func sameEvent(a, b *folded) bool {
	return a.user == b.user && a.at == b.at && a.item == b.item && a.typ == b.typ && a.sign == b.sign
}

// orderByUser is the events' places in sorted order. Events are put into their
// users' stretches by counting, which keeps the order of the log, and each
// short stretch is sorted: about four times quicker than sorting everything.
func (f *fold) orderByUser(users int) []int32 {
	start := make([]int32, users+1)
	for i := range f.events {
		start[f.events[i].user+1]++
	}
	for u := range users {
		start[u+1] += start[u]
	}
	order := make([]int32, len(f.events))
	next := slices.Clone(start[:users])
	for i := range f.events {
		u := f.events[i].user
		order[next[u]] = int32(i)
		next[u]++
	}
	for u := range users {
		slices.SortFunc(order[start[u]:start[u+1]], func(a, b int32) int {
			x, y := &f.events[a], &f.events[b]
			switch {
			case x.at != y.at:
				return cmp.Compare(x.at, y.at)
			case x.item != y.item:
				return cmp.Compare(x.item, y.item)
			case x.typ != y.typ:
				return cmp.Compare(x.typ, y.typ)
			case x.sign != y.sign:
				return cmp.Compare(x.sign, y.sign)
			}
			return cmp.Compare(a, b)
		})
	}
	return order
}
