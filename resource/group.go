package resource

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// checkTags refuses keys given twice.
func checkTags(tags []Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		if seen[t.Key] {
			return attune.Errorf(attune.Invalid, "tag key %q is given twice", t.Key)
		}
		seen[t.Key] = true
	}
	return nil
}

// CreateDatasetGroup makes a dataset group.
func (g *Registry) CreateDatasetGroup(ctx context.Context, name string, b DatasetGroupBody) (*Resource, error) {
	if err := checkTags(b.Tags); err != nil {
		return nil, err
	}
	if b.KmsKeyArn != "" && b.RoleArn == "" {
		return nil, attune.Errorf(attune.Invalid, "kmsKeyArn needs a roleArn that may use the key: give both, or neither")
	}
	return g.created(ctx, func() (*Resource, error) {
		if err := g.free(ctx, DatasetGroup, name); err != nil {
			return nil, err
		}
		return g.add(ctx, &Resource{Kind: DatasetGroup, ARN: g.names.Make("dataset-group", name), Name: name}, b, nil)
	})
}

// DeleteDatasetGroup asks for a dataset group to be deleted. Its trackers,
// solutions, recommenders and datasets must be gone; its filters and data
// deletion jobs go with it.
func (g *Registry) DeleteDatasetGroup(ctx context.Context, arn string) error {
	return g.remove(ctx, DatasetGroup, arn, func(r *Resource) error {
		if err := g.notErasing(ctx, r); err != nil {
			return err
		}
		for _, k := range []Kind{EventTracker, Solution, Recommender, Dataset} {
			left, err := g.any(ctx, Query{Kind: k, Group: r.ID})
			if err != nil {
				return err
			}
			if left != nil {
				return attune.Errorf(attune.InUse, "dataset group %s still has the %s %s: delete its event trackers, solutions, recommenders and datasets first, and wait until they are gone", arn, k.Words(), left.ARN)
			}
		}
		return nil
	})
}

// CreateSchema keeps a schema. It can be used at once.
func (g *Registry) CreateSchema(ctx context.Context, name string, b SchemaBody) (*Resource, error) {
	parsed, err := schema.Parse(b.Schema)
	if err != nil {
		return nil, err
	}
	// A record named like a dataset type says where it will be used; any other
	// name is looked at when a dataset uses it.
	if t, err := schema.ParseType(parsed.Name); err == nil {
		if err := parsed.Check(t, b.Domain); err != nil {
			return nil, err
		}
		if err := parsed.CheckColumns(t, g.limits.Columns); err != nil {
			return nil, err
		}
	}
	return g.created(ctx, func() (*Resource, error) {
		if err := g.free(ctx, Schema, name); err != nil {
			return nil, err
		}
		return g.add(ctx, &Resource{Kind: Schema, ARN: g.names.Make("schema", name), Name: name, Status: Active}, b, nil)
	})
}

// DeleteSchema removes a schema at once. No dataset may refer to it.
func (g *Registry) DeleteSchema(ctx context.Context, arn string) error {
	return g.decide(ctx, func() (bool, error) {
		r, err := g.Find(ctx, Schema, attune.ARN(arn)) // read before the datasets that it guards
		if err != nil {
			return false, err
		}
		datasets, err := g.All(ctx, Dataset)
		if err != nil {
			return false, err
		}
		for i := range datasets {
			b, err := Body[DatasetBody](&datasets[i])
			if err != nil {
				return false, err
			}
			if b.SchemaArn == arn || b.LatestUpdate != nil && b.LatestUpdate.SchemaArn == arn && b.LatestUpdate.Status.Creating() {
				return false, attune.Errorf(attune.InUse, "schema %s is used by the dataset %s: delete that first, and wait until it is gone", arn, datasets[i].ARN)
			}
		}
		return true, g.store.Delete(ctx, r)
	})
}

// CreateEventTracker makes the event tracker of a dataset group, which can have one.
func (g *Registry) CreateEventTracker(ctx context.Context, name string, b EventTrackerBody) (*Resource, error) {
	if err := checkTags(b.Tags); err != nil {
		return nil, err
	}
	b.TrackingID = randomUUID()
	return g.created(ctx, func() (*Resource, error) {
		group, err := g.findReady(ctx, DatasetGroup, b.DatasetGroupArn)
		if err != nil {
			return nil, err
		}
		if err := g.free(ctx, EventTracker, name); err != nil {
			return nil, err
		}
		old, err := g.any(ctx, Query{Kind: EventTracker, Group: group.ID})
		if err != nil {
			return nil, err
		}
		if old != nil {
			return nil, attune.Errorf(attune.Exists, "dataset group %s has the event tracker %s already: a group can have one", group.ARN, old.ARN)
		}
		arn := g.names.Make("event-tracker", randomHex(4))
		return again(g.add(ctx, &Resource{Kind: EventTracker, ARN: arn, Parent: group.ARN, Name: name}, b, group))
	})
}

// again turns a clash of random ARNs into a new decision, with another ARN.
func again(r *Resource, err error) (*Resource, error) {
	if err != nil && attune.KindOf(err) == attune.Exists {
		return nil, ErrStale
	}
	return r, err
}

// DeleteEventTracker asks for an event tracker to be deleted; its data stays.
func (g *Registry) DeleteEventTracker(ctx context.Context, arn string) error {
	return g.remove(ctx, EventTracker, arn, nil)
}
