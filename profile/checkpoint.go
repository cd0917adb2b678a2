package profile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/artifact"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

// keepCheckpoints is how many of a group's checkpoints stay: the newest, and
// one more in case that is damaged.
const keepCheckpoints = 2

// checkpoint is a View standing still: everything that folding on from seq
// needs. See docs/format/profile.md.
type checkpoint struct {
	group    event.Group
	seq      event.Seq
	limit    int
	types    []string
	items    []string
	actions  []string
	counts   []Count
	latest   int64
	jobs     []string
	contents map[schema.Type]content
	item     block
	user     block
	action   block
	people   []savedPerson
	aliases  []alias
}

// block is one side's attributes.
type block struct {
	fields []schema.Field
	names  []string
	rows   []savedRow
}

type savedRow struct {
	row    int32
	values []savedValue
}

type savedValue struct {
	name int // in block.names
	x    any // string, []string or float64
}

type savedPerson struct {
	key, session string
	known        bool
	row          int32
	touches      [sides][]Touch
}

type alias struct {
	key    string
	person int // in people
}

// capture copies what the writer would change, and shares the rest: histories
// are never written where a reader can see them. The writer calls it.
func (v *View) capture(g event.Group) *checkpoint {
	c := &checkpoint{group: g, seq: v.w.at, limit: v.limit, contents: map[schema.Type]content{}}
	c.counts, c.latest = v.Counts(nil) // before the items they are of, which other writers add to
	c.items, c.actions, c.types = v.names.items.all(), v.names.actions.all(), v.names.types()
	c.jobs = slices.Sorted(maps.Keys(v.w.jobs))
	for t, have := range v.w.contents {
		c.contents[t] = *have
	}
	c.item = v.w.item.capture(v.items.Get, v.items.Len())
	c.user = v.w.user.capture(v.users.Get, v.users.Len())
	c.action = v.w.action.capture(v.acts.Get, v.acts.Len())
	index := make(map[*person]int, v.NumUsers())
	c.people = make([]savedPerson, 0, v.NumUsers())
	for i := range v.shards {
		for key, p := range v.shards[i].people {
			if key == p.key {
				index[p] = len(c.people)
				c.people = append(c.people, savedPerson{p.key, p.session, p.known, p.row, p.touches})
			}
		}
	}
	for i := range v.shards {
		for key, p := range v.shards[i].people {
			if n, ok := index[p]; ok && key != p.key {
				c.aliases = append(c.aliases, alias{key, n})
			}
		}
	}
	return c
}

func (a *attributes) capture(get func(int32, string) any, rows int) block {
	b := block{names: slices.Sorted(maps.Keys(a.columns))}
	for _, name := range slices.Sorted(maps.Keys(a.fields)) {
		b.fields = append(b.fields, a.fields[name])
	}
	for row := range int32(rows) {
		var values []savedValue
		for i, name := range b.names {
			if x := get(row, name); x != nil {
				values = append(values, savedValue{i, x})
			}
		}
		if len(values) > 0 {
			b.rows = append(b.rows, savedRow{row, values})
		}
	}
	return b
}

// restore makes the View that was captured.
func (c *checkpoint) restore() *View {
	names := newVocabulary()
	for _, id := range c.items {
		names.items.number(id)
	}
	for _, id := range c.actions {
		names.actions.number(id)
	}
	for _, t := range c.types {
		names.eventType(t)
	}
	v := newView(c.limit, names)
	v.w.at = c.seq
	v.tally.counts, v.tally.latest = c.counts, c.latest
	for _, job := range c.jobs {
		v.w.jobs[job] = true
	}
	for t, have := range c.contents {
		*v.w.contents[t] = have
	}
	c.item.restore(v.w.item, v.items.Set)
	c.user.restore(v.w.user, v.users.Set)
	c.action.restore(v.w.action, v.acts.Set)
	people := make([]*person, len(c.people))
	for i, s := range c.people {
		p := v.create(s.key)
		p.session, p.known, p.row, p.touches = s.session, s.known, s.row, s.touches
		v.w.next = max(v.w.next, s.row+1)
		people[i] = p
	}
	for _, a := range c.aliases {
		v.point(a.key, people[a.person])
	}
	at := c.seq
	v.seq.Store(&at)
	return v
}

func (b *block) restore(a *attributes, set func(int32, string, any)) {
	for _, f := range b.fields {
		a.learn(f)
	}
	for _, name := range b.names {
		a.columns[name] = true
	}
	for _, r := range b.rows {
		for _, x := range r.values {
			set(r.row, b.names[x.name], x.x)
		}
	}
}

// folder is where a group's checkpoints are.
func folder(g event.Group) string { return "profile/" + string(g) + "/" }

// name sorts as the checkpoint's place in the log.
func (c *checkpoint) name() string {
	return fmt.Sprintf("%s%020d-%010d", folder(c.group), c.seq.Message, c.seq.Index)
}

// save writes the checkpoint and removes those that are too many.
func (c *checkpoint) save(ctx context.Context, store *artifact.Store) error {
	w, err := store.Create(ctx, c.name())
	switch {
	case attune.KindOf(err) == attune.Exists:
		return nil
	case err != nil:
		return err
	}
	defer w.Abort()
	if err := c.encode(w); err != nil {
		return err
	}
	if _, err := w.Commit(); err != nil {
		return err
	}
	names, err := saved(ctx, store, c.group)
	if err != nil {
		return err
	}
	for _, old := range names[:max(0, len(names)-keepCheckpoints)] {
		err = errors.Join(err, store.Delete(ctx, old))
	}
	return err
}

// saved names a group's checkpoints, oldest first.
func saved(ctx context.Context, store *artifact.Store, g event.Group) ([]string, error) {
	var names []string
	for info, err := range store.List(ctx, folder(g)) {
		if err != nil {
			return nil, err
		}
		names = append(names, info.Name)
	}
	slices.SortFunc(names, strings.Compare)
	return names, nil
}

// open reads a checkpoint whose checksum fits.
func open(ctx context.Context, store *artifact.Store, name string) (*checkpoint, error) {
	if err := store.Verify(ctx, name); err != nil {
		return nil, err
	}
	r, err := store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	c, err := decode(r)
	return c, errors.Join(err, r.Close())
}
