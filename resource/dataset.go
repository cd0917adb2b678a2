package resource

import (
	"context"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// CreateDataset makes a dataset: one of each type in a dataset group.
// b.DatasetType may be in any case.
func (g *Registry) CreateDataset(ctx context.Context, name string, b DatasetBody) (*Resource, error) {
	if err := checkTags(b.Tags); err != nil {
		return nil, err
	}
	t, err := schema.ParseType(b.DatasetType)
	if err != nil {
		return nil, err
	}
	b.DatasetType = string(t)
	if t == schema.ActionInteractions {
		b.TrackingID = randomUUID()
	}
	return g.created(ctx, func() (*Resource, error) {
		group, err := g.findReady(ctx, DatasetGroup, b.DatasetGroupArn)
		if err != nil {
			return nil, err
		}
		sr, err := g.Find(ctx, Schema, attune.ARN(b.SchemaArn))
		if err != nil {
			return nil, err
		}
		if err := fits(group, sr, t); err != nil {
			return nil, err
		}
		if err := g.columnRoom(sr, t); err != nil {
			return nil, err
		}
		arn := g.names.Make("dataset", group.Name, string(t))
		if old, err := g.store.Get(ctx, arn); !missing(err) {
			if err == nil {
				err = attune.Errorf(attune.Exists, "dataset group %s has a dataset of type %s already (%s)", group.ARN, t, old.ARN)
			}
			return nil, err
		}
		return g.add(ctx, &Resource{Kind: Dataset, ARN: arn, Parent: group.ARN, Name: name}, b, group, sr)
	})
}

// fits says whether a schema can be that of a dataset of type t in a group.
func fits(group, sr *Resource, t schema.Type) error {
	gb, err := Body[DatasetGroupBody](group)
	if err != nil {
		return err
	}
	sb, err := Body[SchemaBody](sr)
	if err != nil {
		return err
	}
	if sb.Domain != gb.Domain {
		return attune.Errorf(attune.Invalid, "schema %s is for domain %q and dataset group %s has %q: they must be the same", sr.ARN, sb.Domain, group.ARN, gb.Domain)
	}
	if gb.Domain != "" && (t == schema.Actions || t == schema.ActionInteractions) {
		return attune.Errorf(attune.Invalid, "datasets of type %s are for custom dataset groups: %s has domain %s", t, group.ARN, gb.Domain)
	}
	parsed, err := schema.Parse(sb.Schema)
	if err != nil {
		return err
	}
	return parsed.Check(t, gb.Domain)
}

// DeleteDataset asks for a dataset to be deleted. No import into it or export of
// it may be under way, and no training that may be reading it.
func (g *Registry) DeleteDataset(ctx context.Context, arn string) error {
	return g.remove(ctx, Dataset, arn, func(r *Resource) error {
		if r.Busy() {
			return attune.Errorf(attune.InUse, "dataset %s is being updated: wait until latestDatasetUpdate is ACTIVE", arn)
		}
		if err := g.notErasing(ctx, r); err != nil {
			return err
		}
		for _, q := range []Query{
			{Kind: ImportJob, Parent: r.ARN, Busy: true},
			{Kind: ExportJob, Parent: r.ARN, Busy: true},
			{Kind: SolutionVersion, Group: r.Group, Busy: true},
			{Kind: Recommender, Group: r.Group, Busy: true},
		} {
			busy, err := g.any(ctx, q)
			if err != nil {
				return err
			}
			if busy != nil {
				return attune.Errorf(attune.InUse, "dataset %s is in use: %s %s is %s", arn, busy.Kind.Words(), busy.ARN, busy.Status)
			}
		}
		return nil
	})
}

// Schemas gives the parsed schemas of a dataset group's datasets that are not
// being deleted. group is the ID of the group's row.
func (g *Registry) Schemas(ctx context.Context, group string) (map[schema.Type]*schema.Schema, error) {
	datasets, err := g.every(ctx, Query{Kind: Dataset, Group: group})
	if err != nil {
		return nil, err
	}
	all := map[schema.Type]*schema.Schema{}
	for i := range datasets {
		if datasets[i].Status.deleting() {
			continue
		}
		b, err := Body[DatasetBody](&datasets[i])
		if err != nil {
			return nil, err
		}
		sr, err := g.store.Get(ctx, attune.ARN(b.SchemaArn))
		if missing(err) { // both were deleted while this was read
			continue
		}
		if err != nil {
			return nil, err
		}
		if all[schema.Type(b.DatasetType)], err = parseRow(sr); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// The modes of an import.
const (
	ImportFull        = "FULL"
	ImportIncremental = "INCREMENTAL"
)

// CreateImportJob makes an import job into an ACTIVE dataset.
func (g *Registry) CreateImportJob(ctx context.Context, name string, b ImportJobBody) (*Resource, error) {
	if err := checkTags(b.Tags); err != nil {
		return nil, err
	}
	if b.ImportMode == "" {
		b.ImportMode = ImportFull
	}
	path, ok := strings.CutPrefix(b.DataSource.DataLocation, "s3://")
	if bucket, _, _ := strings.Cut(path, "/"); !ok || bucket == "" {
		return nil, attune.Errorf(attune.Invalid, "Invalid Data location. dataLocation is %q: write s3://bucket/key, for one file or for a folder", b.DataSource.DataLocation)
	}
	return g.created(ctx, func() (*Resource, error) {
		set, group, err := g.within(ctx, Dataset, b.DatasetArn)
		if err != nil {
			return nil, err
		}
		if err := ready(set); err != nil {
			return nil, err
		}
		if b.PublishAttributionMetricsToS3 {
			if err := g.publisher(ctx, set, group); err != nil {
				return nil, err
			}
		}
		if err := g.free(ctx, ImportJob, name); err != nil {
			return nil, err
		}
		return g.add(ctx, &Resource{Kind: ImportJob, ARN: g.names.Make("dataset-import-job", name), Parent: set.ARN, Name: name}, b, group)
	})
}
