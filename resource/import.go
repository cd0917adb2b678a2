package resource

import (
	"context"
	"strings"

	"github.com/attune-io/attune"
)

const (
	// importsInFlight bounds the import jobs that are pending or in progress in
	// the whole account (service quota): each holds a reader and a writer.
	importsInFlight = 5
	// versionsInFlight bounds the solution versions that wait for or are in
	// training (service quota): they train one after the other.
	versionsInFlight = 20
)

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
	if b.PublishAttributionMetricsToS3 {
		return nil, attune.Errorf(attune.Invalid, "publishAttributionMetricsToS3 needs a metric attribution, and those are not built yet: leave it out")
	}
	return g.created(ctx, func() (*Resource, error) {
		set, group, err := g.within(ctx, Dataset, b.DatasetArn)
		if err != nil {
			return nil, err
		}
		if err := ready(set); err != nil {
			return nil, err
		}
		if err := g.free(ctx, ImportJob, name); err != nil {
			return nil, err
		}
		if err := g.room(ctx, ImportJob, importsInFlight); err != nil {
			return nil, err
		}
		return g.add(ctx, &Resource{Kind: ImportJob, ARN: g.names.Make("dataset-import-job", name), Parent: set.ARN, Name: name}, b, group)
	})
}

// room refuses a row of a kind when most of them are under way already.
func (g *Registry) room(ctx context.Context, k Kind, most int) error {
	rows, err := g.store.List(ctx, Query{Kind: k, Busy: true, Limit: most})
	if err == nil && len(rows) >= most {
		err = attune.Errorf(attune.LimitExceeded, "More than %d resources with PENDING or IN_PROGRESS status. Wait until a %s has ended", most, k.Words())
	}
	return err
}
