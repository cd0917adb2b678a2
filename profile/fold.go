package profile

import (
	"context"
	"math"
	"strings"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
)

// writer is what folding needs and reading does not. Only the one goroutine
// that folds touches it.
type writer struct {
	at    event.Seq // the last record folded
	stale bool      // an import or a deletion came that only a rebuild can take in; Seq stands still
	since int       // records folded since the last checkpoint
	next  int32     // row for the next user with attributes

	jobs     map[string]bool          // import jobs seen
	contents map[schema.Type]*content // what is in the view of each dataset
	item     *attributes
	user     *attributes
	action   *attributes
	plan     plan
}

// datasets are all types, in the order of a checkpoint.
var datasets = [...]schema.Type{schema.Interactions, schema.Items, schema.Users, schema.Actions, schema.ActionInteractions}

// content says what a later import would have to take away.
type content struct {
	imports int  // tables folded
	puts    bool // records folded
}

func (w *writer) init() {
	w.jobs = map[string]bool{}
	w.contents = map[schema.Type]*content{}
	for _, t := range datasets {
		w.contents[t] = &content{}
	}
	w.item, w.user, w.action = newAttributes(), newAttributes(), newAttributes()
}

// fold takes in records, in order. After an error the view holds a part of
// what failed and is only good to be read until another replaces it.
func (v *View) fold(ctx context.Context, tables tableReader, records []event.Record) error {
	for i := range records {
		r := &records[i]
		if err := v.foldOne(ctx, tables, r); err != nil {
			return err
		}
		v.w.at = r.Seq
	}
	v.w.since += len(records)
	if !v.w.stale {
		at := v.w.at
		v.seq.Store(&at)
	}
	return nil
}

func (v *View) foldOne(ctx context.Context, tables tableReader, r *event.Record) error {
	switch b := r.Body.(type) {
	case *event.Interaction:
		if v.takes(schema.Interactions, r.Seq) {
			v.interaction(ofItems, happened{b.EventID, b.User, b.Session, b.Item, b.Type, b.At.UnixMilli(), b.Value, b.Properties})
			v.shown(b)
		}
	case *event.ActionInteraction:
		if v.takes(schema.ActionInteractions, r.Seq) {
			v.interaction(ofActions, happened{b.EventID, b.User, b.Session, b.Action, b.Type, b.At.UnixMilli(), math.NaN(), b.Properties})
		}
	case *event.Item:
		if !v.takes(schema.Items, r.Seq) {
			return nil
		}
		if n, ok := v.names.items.number(b.ID); ok {
			v.w.item.replace(v.items, n, v.w.item.parse(b.Properties))
		}
	case *event.Action:
		if !v.takes(schema.Actions, r.Seq) {
			return nil
		}
		if n, ok := v.names.actions.number(b.ID); ok {
			v.w.action.replace(v.acts, n, v.w.action.parse(b.Properties))
		}
	case *event.User:
		if v.takes(schema.Users, r.Seq) {
			v.userRow(v.user(b.ID), v.w.user.parse(b.Properties))
		}
	case *event.Impression:
		v.tally.show(&v.names.items, b.Items)
	case *event.Imported:
		return v.imported(ctx, tables, r.Seq, b)
	case *event.Erased:
		v.erased(r.Seq, b)
	}
	return nil
}

// erased takes in the mark of a deletion of users: the log before it is another
// than the one that was folded, unless this view was begun after it.
func (v *View) erased(at event.Seq, b *event.Erased) {
	if b.Job == "" || v.w.stale || v.w.jobs[b.Job] {
		return
	}
	if !v.w.plan.horizon.Less(at) {
		v.did(b.Job)
		return
	}
	v.renew()
}

// renew makes the view stale: it goes on taking in events and waits to be
// replaced, and its Seq stands still.
func (v *View) renew() {
	before := v.w.at
	v.w.stale = true
	v.seq.Store(&before)
}

// takes says whether a record of a dataset counts, and that there is one: it
// does not when the dataset was cleared after it.
func (v *View) takes(t schema.Type, at event.Seq) bool {
	if at.Less(v.w.plan.cleared[t]) {
		return false
	}
	v.w.contents[t].puts = true
	return true
}

// happened is one event of PutEvents or PutActionInteractions.
type happened struct {
	eventID, user, session, thing, typ string
	at                                 int64
	value                              float64
	properties                         string
}

func (v *View) interaction(of side, b happened) {
	var p *person
	switch {
	case b.user != "":
		p = v.user(b.user)
		v.join(b.session, p)
	case b.session != "":
		p = v.anonymous(b.session)
	default:
		return
	}
	if b.thing == "" {
		return
	}
	n, ok := v.names.of(of).number(b.thing)
	if !ok {
		return
	}
	t := Touch{Item: n, Type: v.names.eventType(b.typ), At: b.at, Value: value32(b.value)}
	t.mark(hash(b.eventID), dataset.PutIdentity(b.properties))
	v.touch(p, of, t)
}

// userRow makes values the attributes of a user.
func (v *View) userRow(p *person, values map[string]any) {
	if p.row < 0 {
		if len(values) == 0 {
			return
		}
		s := &v.shards[p.home]
		s.mu.Lock()
		p.row = v.w.next
		s.mu.Unlock()
		v.w.next++
	}
	v.w.user.replace(v.users, p.row, values)
}

// imported folds a table on top where that is all it takes. Where rows must
// go away, which a fold cannot do, the view becomes stale: it goes on taking
// in events and waits to be replaced.
func (v *View) imported(ctx context.Context, tables tableReader, at event.Seq, b *event.Imported) error {
	t := schema.Type(strings.ToUpper(b.Dataset))
	c := v.w.contents[t]
	if c == nil || v.w.stale || b.Job != "" && v.w.jobs[b.Job] {
		return nil
	}
	planned := !v.w.plan.horizon.Less(at)
	if planned && !v.w.plan.live[at] {
		v.did(b.Job)
		return nil
	}
	if !planned && (b.Mode == event.Full && c.imports > 0 || b.Mode == event.Cleared && (c.imports > 0 || c.puts)) {
		v.renew()
		return nil
	}
	v.did(b.Job)
	if b.Mode == event.Cleared {
		return nil
	}
	c.imports++
	return v.foldTable(ctx, tables, t, b.Table)
}

func (v *View) did(job string) {
	if job != "" {
		v.w.jobs[strings.Clone(job)] = true
	}
}

// plan says which of the records up to a horizon still count, so that a fold
// from the start needs to take nothing away.
type plan struct {
	horizon event.Seq
	live    map[event.Seq]bool        // imports whose tables count
	cleared map[schema.Type]event.Seq // records of the dataset before this do not
}

// planner makes a plan from the imports in a log, in order.
type planner struct {
	plan
	jobs map[string]bool
	last map[schema.Type][]event.Seq
}

func newPlanner(horizon event.Seq) *planner {
	return &planner{
		plan: plan{horizon: horizon, live: map[event.Seq]bool{}, cleared: map[schema.Type]event.Seq{}},
		jobs: map[string]bool{}, last: map[schema.Type][]event.Seq{},
	}
}

func (p *planner) add(at event.Seq, b *event.Imported) {
	t := schema.Type(strings.ToUpper(b.Dataset))
	if b.Job != "" {
		if p.jobs[b.Job] {
			return
		}
		p.jobs[b.Job] = true
	}
	if b.Mode != event.Incremental {
		for _, dead := range p.last[t] {
			delete(p.live, dead)
		}
		p.last[t] = nil
	}
	if b.Mode == event.Cleared {
		p.cleared[t] = at
		return
	}
	p.live[at] = true
	p.last[t] = append(p.last[t], at)
}
