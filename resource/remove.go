package resource

import (
	"context"

	"github.com/attune-io/attune"
)

// remove takes a row of a group to DELETE PENDING, after check has found
// nothing that forbids it.
func (g *Registry) remove(ctx context.Context, k Kind, arn string, check func(r *Resource) error) error {
	return g.decide(ctx, func() (bool, error) {
		r, group, err := g.within(ctx, k, arn)
		if err != nil {
			return false, err
		}
		if r.Status != Active && r.Status != CreateFailed && r.Status != Inactive {
			return false, attune.Errorf(attune.InUse, "%s %s is %s: it can be deleted when it is ACTIVE or CREATE FAILED", k.Words(), arn, r.Status)
		}
		if check != nil {
			if err := check(r); err != nil {
				return false, err
			}
		}
		touch := []*Resource{group}
		if group.ID == r.ID {
			touch = nil
		}
		return g.write(ctx, r, func(r *Resource) error { r.Status = DeletePending; return nil }, touch...)
	})
}

// Remove takes away the row of a deleted resource, after all rows that hang on
// it. It is for whoever has removed what stood behind them. A row that is gone,
// or whose ARN another row has now, is no error; one that nobody asked to
// delete is attune.InUse.
func (g *Registry) Remove(ctx context.Context, arn attune.ARN, id string) error {
	r, err := g.store.Get(ctx, arn)
	if missing(err) || err == nil && r.ID != id {
		return nil
	}
	if err != nil {
		return err
	}
	if ok, err := g.doomed(ctx, r); err != nil || !ok {
		if err == nil {
			err = attune.Errorf(attune.InUse, "%s %s is %s: nobody asked to delete it", r.Kind.Words(), r.ARN, r.Status)
		}
		return err
	}
	children, err := g.every(ctx, Query{Parent: arn})
	if err != nil {
		return err
	}
	for i := range children {
		if err := g.Remove(ctx, children[i].ARN, children[i].ID); err != nil {
			return err
		}
	}
	return g.decide(ctx, func() (bool, error) {
		r, err := g.store.Get(ctx, arn)
		if missing(err) || err == nil && r.ID != id {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		return true, g.store.Delete(ctx, r)
	})
}

// doomed says whether a row, or what it hangs on at any height, was asked to be
// deleted: a batch job hangs on a version, which hangs on a solution.
func (g *Registry) doomed(ctx context.Context, r *Resource) (bool, error) {
	if r.Status.deleting() {
		return true, nil
	}
	if r.Parent == "" {
		return false, nil
	}
	parent, err := g.store.Get(ctx, r.Parent)
	if missing(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return g.doomed(ctx, parent)
}
