package resource

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/attune-io/attune"
)

// maxDecisions bounds how often one decision is made again because another
// process changed what it was made on. Each loss means that somebody else won.
const maxDecisions = 50

// Options are the choices of a Registry; nil means all defaults.
type Options struct {
	// OnChange is called after every committed change, without locks held; it
	// must not block. Default: nobody is told.
	OnChange func()
	// Limits are the quotas. Default: none.
	Limits Limits
}

// Registry is the only way to rows: it makes their names, knows the rules
// between them, and lets them change only as the table of states allows. It is
// safe for concurrent use, and several may share a store.
type Registry struct {
	store    Store
	names    attune.Namer
	clock    attune.Clock
	onChange func()
	limits   Limits

	deciding sync.Mutex // saves this process losing against itself; the store decides
	clocking sync.Mutex
	last     time.Time // creation time given last: creations of one process are in order

	intake intakeCache
}

// New makes a registry over a store. names makes the ARNs.
func New(store Store, names attune.Namer, clock attune.Clock, o *Options) *Registry {
	if o == nil {
		o = &Options{}
	}
	g := &Registry{store: store, names: names, clock: clock, onChange: o.OnChange, limits: o.Limits}
	if g.onChange == nil {
		g.onChange = func() {}
	}
	return g
}

// Account is the twelve digits that own the resources.
func (g *Registry) Account() string { return g.names.Account }

// Get finds the row of an ARN; attune.NotFound when there is none.
func (g *Registry) Get(ctx context.Context, arn attune.ARN) (*Resource, error) {
	return g.store.Get(ctx, arn)
}

// Find is Get for a row that must be of a kind; attune.Invalid when the ARN
// names another kind.
func (g *Registry) Find(ctx context.Context, k Kind, arn attune.ARN) (*Resource, error) {
	if err := CheckARN(k, arn); err != nil {
		return nil, err
	}
	return g.store.Get(ctx, arn)
}

// ByID finds a row by its id; attune.NotFound when there is none.
func (g *Registry) ByID(ctx context.Context, id string) (*Resource, error) {
	if id == "" {
		return nil, attune.Errorf(attune.NotFound, "no resource has the empty id")
	}
	rows, err := g.store.List(ctx, Query{ID: id, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, attune.Errorf(attune.NotFound, "no resource has the id %s", id)
	}
	return &rows[0], nil
}

// List gives one page of rows, and the cursor of the next page (zero when this
// is the last).
func (g *Registry) List(ctx context.Context, q Query) ([]Resource, Cursor, error) {
	q.Limit = q.page()
	rows, err := g.store.List(ctx, q)
	if err != nil || len(rows) < q.Limit {
		return rows, Cursor{}, err
	}
	end := q
	end.After, end.Limit = At(&rows[len(rows)-1]), 1
	more, err := g.store.List(ctx, end) // so that the last page never promises another
	if err != nil || len(more) == 0 {
		return rows, Cursor{}, err
	}
	return rows, end.After, nil
}

// All gives every row of a kind, oldest first.
func (g *Registry) All(ctx context.Context, k Kind) ([]Resource, error) {
	return g.every(ctx, Query{Kind: k})
}

// Children gives every row of a kind that hangs on a parent, oldest first.
func (g *Registry) Children(ctx context.Context, parent attune.ARN, k Kind) ([]Resource, error) {
	return g.every(ctx, Query{Kind: k, Parent: parent})
}

// Busy gives every row that asks for work, oldest first: those whose status is
// on its way to another, and campaigns that are being updated.
func (g *Registry) Busy(ctx context.Context) ([]Resource, error) {
	return g.every(ctx, Query{Busy: true})
}

func (g *Registry) every(ctx context.Context, q Query) ([]Resource, error) {
	var all []Resource
	for {
		rows, err := g.store.List(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if len(rows) < q.page() {
			return all, nil
		}
		q.After = At(&rows[len(rows)-1])
	}
}

// any finds one row, or nil.
func (g *Registry) any(ctx context.Context, q Query) (*Resource, error) {
	q.Limit = 1
	rows, err := g.store.List(ctx, q)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// Change reads a row, lets f change its Status and Body, and writes it, all
// again if somebody else changed the row meanwhile; f may run several times. A
// status that the table of states does not allow is refused with attune.InUse.
// Updated moves when Status does. A row that f leaves as it is is not written.
func (g *Registry) Change(ctx context.Context, arn attune.ARN, f func(*Resource) error) (*Resource, error) {
	var r *Resource
	err := g.decide(ctx, func() (changed bool, err error) {
		if r, err = g.store.Get(ctx, arn); err != nil {
			return false, err
		}
		return g.write(ctx, r, f)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// write applies f to a row that was read and stores it; changed says whether
// there was something to store.
func (g *Registry) write(ctx context.Context, r *Resource, f func(*Resource) error, touch ...*Resource) (changed bool, err error) {
	before := *r
	if err := f(r); err != nil {
		return false, err
	}
	if r.Status == before.Status && bytes.Equal(r.Body, before.Body) && r.Updated.Equal(before.Updated) {
		return false, nil
	}
	to := r.Status
	r.Status = before.Status
	if err := checkMove(r, to); err != nil {
		return false, err
	}
	r.Status = to
	r.ID, r.Kind, r.ARN, r.Parent, r.Name, r.Group = before.ID, before.Kind, before.ARN, before.Parent, before.Name, before.Group
	r.Version, r.Created = before.Version, before.Created
	if r.Status != before.Status {
		r.Updated = g.after(before.Updated)
	}
	return true, g.store.Update(ctx, r, touch...)
}

// decide runs f, and again while the store says that f decided on an old
// picture. f says whether it changed anything.
func (g *Registry) decide(ctx context.Context, f func() (changed bool, err error)) error {
	changed, err := g.decideOnce(ctx, f)
	if err != nil {
		return err
	}
	if changed {
		g.intake.drop()
		g.onChange()
	}
	return nil
}

func (g *Registry) decideOnce(ctx context.Context, f func() (bool, error)) (changed bool, err error) {
	g.deciding.Lock()
	defer g.deciding.Unlock()
	for range maxDecisions {
		if changed, err = f(); !errors.Is(err, ErrStale) {
			return changed, err
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	return false, attune.Errorf(attune.Throttled, "too many changes at once; try again")
}

// now is a time for a new row: later than that of the row before it.
func (g *Registry) now() time.Time {
	g.clocking.Lock()
	defer g.clocking.Unlock()
	g.last = g.after(g.last)
	return g.last
}

// after is the clock's time in whole milliseconds, and later than t.
func (g *Registry) after(t time.Time) time.Time {
	now := g.clock().UTC().Truncate(time.Millisecond)
	if next := t.Add(time.Millisecond); now.Before(next) {
		return next
	}
	return now
}

// add makes a row CREATE PENDING and stores it. group is the row of the
// dataset group that it is made in, and is touched; nil for groups and schemas.
func (g *Registry) add(ctx context.Context, r *Resource, body any, group *Resource, touch ...*Resource) (*Resource, error) {
	r.ID = randomHex(8)
	r.Created = g.now()
	r.Updated = r.Created
	if r.Status == "" {
		r.Status = WordsOf(r.Kind).Pending
	}
	switch {
	case group != nil:
		r.Group = group.ID
		touch = append(touch, group)
	case r.Kind == DatasetGroup:
		r.Group = r.ID
	}
	if err := r.SetBody(body); err != nil {
		return nil, err
	}
	if err := planFailure(ctx, r); err != nil {
		return nil, err
	}
	if err := g.quota(ctx, r); err != nil {
		return nil, err
	}
	if err := g.store.Create(ctx, r, touch...); err != nil {
		return nil, err
	}
	return r, nil
}

// created runs a creation until it is decided.
func (g *Registry) created(ctx context.Context, f func() (*Resource, error)) (r *Resource, err error) {
	err = g.decide(ctx, func() (bool, error) {
		r, err = f()
		return err == nil, err
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// free refuses a name that a living row of the kind has. The store's index
// decides in the end; this gives the message its ARN, also where ARNs are not
// made from names.
func (g *Registry) free(ctx context.Context, k Kind, name string) error {
	r, err := g.any(ctx, Query{Kind: k, Name: name})
	if err != nil || r == nil {
		return err
	}
	if r.Status.deleting() {
		return attune.Errorf(attune.Exists, "the %s named %s is still being deleted (%s): try again when it is gone", k.Words(), name, r.ARN)
	}
	return attune.Errorf(attune.Exists, "%s named %s exists already (%s): choose another name, or delete that one first", k.One(), name, r.ARN)
}

// ready refuses a row that is not ACTIVE: attune.InUse when waiting helps,
// attune.Invalid when it does not.
func ready(r *Resource) error {
	switch {
	case r.Status == Active:
		return nil
	case r.Status == CreateFailed, r.Status == CreateStopped:
		return attune.Errorf(attune.Invalid, "%s %s is %s: use one that is ACTIVE", r.Kind.Words(), r.ARN, r.Status)
	case r.Status.deleting():
		return attune.Errorf(attune.InUse, "%s %s is being deleted", r.Kind.Words(), r.ARN)
	}
	return attune.Errorf(attune.InUse, "%s %s is %s: wait until it is ACTIVE", r.Kind.Words(), r.ARN, r.Status)
}

// findReady finds an ACTIVE row of a kind.
func (g *Registry) findReady(ctx context.Context, k Kind, arn string) (*Resource, error) {
	r, err := g.Find(ctx, k, attune.ARN(arn))
	if err != nil {
		return nil, err
	}
	return r, ready(r)
}

// groupOf reads the row of the dataset group that r belongs to. Read it before
// what it guards, and r again after it.
func (g *Registry) groupOf(ctx context.Context, r *Resource) (*Resource, error) {
	group, err := g.ByID(ctx, r.Group)
	if attune.KindOf(err) == attune.NotFound { // it went away after r was read
		return nil, ErrStale
	}
	return group, err
}

// within finds a row of a kind together with its group, the group read first.
func (g *Registry) within(ctx context.Context, k Kind, arn string) (r, group *Resource, err error) {
	if r, err = g.Find(ctx, k, attune.ARN(arn)); err != nil {
		return nil, nil, err
	}
	if group, err = g.groupOf(ctx, r); err != nil {
		return nil, nil, err
	}
	again, err := g.store.Get(ctx, r.ARN)
	if err != nil {
		return nil, nil, err
	}
	return again, group, nil
}

func missing(err error) bool { return err != nil && attune.KindOf(err) == attune.NotFound }

// randomHex makes n random bytes into 2n lower-case digits.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails: it ends the process instead
	return hex.EncodeToString(b)
}

// randomUUID makes a version 4 UUID.
func randomUUID() string {
	b := make([]byte, 16)
	rand.Read(b)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
