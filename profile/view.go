package profile

import (
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/filter"
)

// numShards divides the users so that a reader and the writer rarely want the same lock.
const numShards = 256

// View is what is known now of one group's users and items. It lives: every
// answer is of the moment it is asked. Safe for concurrent readers; the Keeper
// is its one writer. Item and type numbers mean the same for as long as the
// process lives, also when a View is replaced by another.
type View struct {
	shards [numShards]shard
	seed   maphash.Seed
	limit  int // touches per user
	names  *vocabulary
	items  *filter.Columns // by item number
	acts   *filter.Columns // by action number
	users  *filter.Columns // by person.row
	tally  tally           // by item number
	seq    atomic.Pointer[event.Seq]
	people atomic.Int64
	w      writer
}

type shard struct {
	mu     sync.RWMutex
	people map[string]*person // by user id, and by the sessions joined with a user
}

// side says what touches are of.
type side int

const (
	ofItems side = iota
	ofActions
	sides
)

// person is a user, or an anonymous session until it is joined with one.
type person struct {
	key     string
	touches [sides][]Touch // oldest first; guarded by the lock of shard home
	session string         // the last session seen with the user, while no event came under it alone; the writer's
	row     int32          // in View.users; -1 without attributes; guarded like touches
	home    uint8          // shard of key
	known   bool           // seen as a user, not only as a session; guarded like touches
}

func newView(limit int, names *vocabulary) *View {
	v := &View{seed: maphash.MakeSeed(), limit: limit, names: names, items: filter.NewColumns(), acts: filter.NewColumns(), users: filter.NewColumns()}
	for i := range v.shards {
		v.shards[i].people = map[string]*person{}
	}
	v.seq.Store(&event.Seq{})
	v.w.init()
	return v
}

// History is what the user did with items, oldest first: the newest
// Options.History touches and more of rare types (see trim), nil when nothing
// is known. A session's id gives the session's history, joined
// with its user's once both were seen together. The slice never changes; the
// caller must not change it either.
func (v *View) History(user string) []Touch { return v.history(user, ofItems) }

// ActionHistory is what the user did with actions, as History is of items:
// Touch.Item is an action number, and there are no values.
func (v *View) ActionHistory(user string) []Touch { return v.history(user, ofActions) }

func (v *View) history(user string, of side) []Touch {
	p, s := v.hold(user)
	if p == nil {
		return nil
	}
	h := p.touches[of]
	s.mu.RUnlock()
	return h[:len(h):len(h)]
}

// hold finds the person of a key and read-locks their home shard, which is nil
// when there is nobody.
func (v *View) hold(key string) (*person, *shard) {
	home := v.shard(key)
	s := &v.shards[home]
	s.mu.RLock()
	p := s.people[key]
	if p != nil && p.home == home {
		return p, s
	}
	s.mu.RUnlock()
	if p == nil {
		return nil, nil
	}
	s = &v.shards[p.home]
	s.mu.RLock()
	return p, s
}

// UserAttributes are the user's attributes by column name: string, []string (of
// two or more values) or float64; empty when there are none. The map is the caller's.
func (v *View) UserAttributes(user string) map[string]any {
	out := map[string]any{}
	p, s := v.hold(user)
	if p == nil {
		return out
	}
	row := p.row
	s.mu.RUnlock()
	if row < 0 {
		return out
	}
	for _, name := range v.users.Names() {
		if x := v.users.Get(row, name); x != nil {
			out[name] = x
		}
	}
	return out
}

// UserRow is the user as filters see them: their attributes, by the name of who
// they are. A session's id gives its user's, like History. The table is the
// View's own and only to be read.
func (v *View) UserRow(user string) filter.Row {
	p, s := v.hold(user)
	if p == nil {
		return filter.Row{ID: user, Table: v.users, Number: -1}
	}
	row := filter.Row{ID: p.key, Table: v.users, Number: p.row}
	s.mu.RUnlock()
	return row
}

// Item is the id of an item number, "" for a number never given.
func (v *View) Item(n int32) string { return v.names.items.id(n) }

// ItemNumber is the number of an item id; false when it was never seen.
func (v *View) ItemNumber(id string) (int32, bool) { return v.names.items.find(id) }

// NumItems is how many numbers were given: they run from 0 to NumItems-1, and
// include items that were only touched.
func (v *View) NumItems() int { return v.names.items.len() }

// Action is the id of an action number, "" for a number never given.
func (v *View) Action(n int32) string { return v.names.actions.id(n) }

// ActionNumber is the number of an action id; false when it was never seen.
func (v *View) ActionNumber(id string) (int32, bool) { return v.names.actions.find(id) }

// NumActions is how many numbers of actions were given, as NumItems is of items.
func (v *View) NumActions() int { return v.names.actions.len() }

// Actions are the attributes of actions by action number. It is the View's own and only to be read.
func (v *View) Actions() *filter.Columns { return v.acts }

// UserIDs are the ids of all users, in byte order; anonymous sessions are none.
// The slice is the caller's: 16 bytes a user, beside ids that are there anyway.
func (v *View) UserIDs() []string {
	ids := make([]string, 0, v.NumUsers())
	for i := range v.shards {
		s := &v.shards[i]
		s.mu.RLock()
		for key, p := range s.people {
			if p.known && p.key == key { // so that this shard is the person's home, and the lock theirs
				ids = append(ids, key)
			}
		}
		s.mu.RUnlock()
	}
	slices.Sort(ids)
	return ids
}

// NumUsers is how many users are known, anonymous sessions included.
func (v *View) NumUsers() int { return int(v.people.Load()) }

// TypeName is the event type of a number, as first spelled; "" for a number never given.
func (v *View) TypeName(n uint16) string { return v.names.typeOf(n) }

// Items are the attributes of items by item number. It is the View's own and only to be read.
func (v *View) Items() *filter.Columns { return v.items }

// Seq is the place in the log up to which everything is in the View. While a
// View is being rebuilt for a full import it stands before that import, though
// later events are already seen.
func (v *View) Seq() event.Seq { return *v.seq.Load() }

// String says how much is known.
func (v *View) String() string {
	return fmt.Sprintf("profile of %d users and %d items at %s", v.NumUsers(), v.NumItems(), v.Seq())
}

func (v *View) shard(key string) uint8 { return uint8(maphash.String(v.seed, key)) }
