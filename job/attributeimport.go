package job

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/resource"
)

// publishImport writes the report on a table of interactions, before the table
// is true: an import that cannot be reported as asked is not applied. Another
// attempt writes the same object again.
func (m *Manager) publishImport(ctx context.Context, r *resource.Resource, job resource.ImportJobBody, table string) error {
	if !job.PublishAttributionMetricsToS3 {
		return nil
	}
	g, err := m.Registry.ByID(ctx, r.Group)
	if err != nil {
		return err
	}
	rows, err := m.Registry.Children(ctx, g.ARN, resource.MetricAttribution)
	if err != nil {
		return err
	}
	if len(rows) == 0 || rows[0].Status != resource.Active {
		return attune.Errorf(attune.Invalid, "publishAttributionMetricsToS3 was asked for, and the metric attribution of %s is gone", g.ARN)
	}
	b, err := resource.Body[resource.AttributionBody](&rows[0])
	if err != nil {
		return err
	}
	place := b.MetricsOutputConfig.S3DataDestination
	if place == nil {
		return attune.Errorf(attune.Invalid, "publishAttributionMetricsToS3 was asked for, and %s has no s3DataDestination any more", rows[0].ARN)
	}
	view, ok := m.Profiles.View(group(r))
	if !ok {
		return attune.Errorf(attune.Unavailable, "the profile of %s is not loaded yet; try again", g.ARN)
	}
	t, err := newTally(b.Metrics, goods{view})
	if err != nil {
		return err
	}
	a, err := m.resumeAttribution(ctx, &rows[0])
	if err != nil {
		return err
	}
	for batch, err := range dataset.Batches(ctx, m.Artifacts, table) {
		if err != nil {
			return err
		}
		if err := t.table(batch, a.recent); err != nil {
			return err
		}
	}
	name := reportName(place.Path, job.ImportMode, r.Created)
	if err := m.checkOutput(ctx, name); err != nil {
		return err
	}
	return m.writeReport(ctx, name, t)
}
