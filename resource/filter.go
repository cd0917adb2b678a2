package resource

import (
	"context"
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/filter"
)

// CreateFilter makes a filter, after checking its expression against the
// schemas of the group's datasets, and the fields of all its filters against
// Limits.Filter. What is wrong with an expression is told in the service's words.
func (g *Registry) CreateFilter(ctx context.Context, name string, b FilterBody) (*Resource, error) {
	if err := checkTags(b.Tags); err != nil {
		return nil, err
	}
	e, err := filter.Parse(b.FilterExpression)
	if err != nil {
		return nil, noFilter(err)
	}
	return g.created(ctx, func() (*Resource, error) {
		group, err := g.findReady(ctx, DatasetGroup, b.DatasetGroupArn)
		if err != nil {
			return nil, err
		}
		schemas, err := g.Schemas(ctx, group.ID)
		if err != nil {
			return nil, err
		}
		if err := e.Check(schemas, g.limits.Filter); err != nil {
			return nil, noFilter(err)
		}
		if err := g.checkFields(ctx, group, e); err != nil {
			return nil, err
		}
		if err := g.free(ctx, Filter, name); err != nil {
			return nil, err
		}
		return g.add(ctx, &Resource{Kind: Filter, ARN: g.names.Make("filter", name), Parent: group.ARN, Name: name}, b, group)
	})
}

// noFilter begins a message about an expression as the service does.
func noFilter(err error) error {
	return attune.Errorf(attune.Invalid, "Could not create filter. %w", err)
}

// checkFields bounds the distinct fields of all filters of a group.
func (g *Registry) checkFields(ctx context.Context, group *Resource, e *filter.Expr) error {
	most := g.limits.Filter.GroupFields
	if most <= 0 {
		return nil
	}
	rows, err := g.Children(ctx, group.ARN, Filter)
	if err != nil {
		return err
	}
	fields := e.Fields()
	for i := range rows {
		b, err := Body[FilterBody](&rows[i])
		if err != nil {
			return err
		}
		other, err := filter.Parse(b.FilterExpression)
		if err != nil {
			return err
		}
		fields = append(fields, other.Fields()...)
	}
	slices.Sort(fields)
	if n := len(slices.Compact(fields)); n > most {
		return attune.Errorf(attune.LimitExceeded, "Could not create filter. The filters of dataset group %s would use %d different fields; at most %d are allowed: delete some first", group.ARN, n, most)
	}
	return nil
}

// DeleteFilter asks for a filter to be deleted, which no job under way may use.
func (g *Registry) DeleteFilter(ctx context.Context, arn string) error {
	return g.remove(ctx, Filter, arn, func(r *Resource) error {
		job, err := g.batchUses(ctx, r.Group, func(b BatchBody) bool { return b.FilterArn == arn })
		if err != nil {
			return err
		}
		return inUse(r, job)
	})
}
