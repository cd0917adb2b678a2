package job

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/resource"
)

// erase removes what stands behind a row, then the row. Every part may be done
// twice: a process killed in between starts again at the first.
func (m *Manager) erase(ctx context.Context, r *resource.Resource) error {
	if r.Status == resource.DeletePending && r.Kind != resource.DatasetGroup { // a dataset group has no DELETE IN_PROGRESS
		if err := m.move(ctx, r.ARN, resource.DeletePending, resource.DeleteInProgress); err != nil {
			return err
		}
	}
	if err := m.eraseBehind(ctx, r); err != nil {
		return err
	}
	return m.Registry.Remove(ctx, r.ARN, r.ID)
}

// eraseBehind removes what only this row refers to.
func (m *Manager) eraseBehind(ctx context.Context, r *resource.Resource) error {
	switch r.Kind {
	case resource.Campaign:
		m.Serve.Drop(r.ARN)
	case resource.Recommender:
		m.Serve.Drop(r.ARN)
		return m.Artifacts.DeletePrefix(ctx, "model/"+r.ID+"/")
	case resource.Solution:
		return m.eraseVersions(ctx, r)
	case resource.MetricAttribution:
		m.attributed.DeletePartialMatch(prometheus.Labels{"attribution": string(r.ARN)})
		if err := m.Artifacts.Delete(ctx, positionName(r)); err != nil && attune.KindOf(err) != attune.NotFound {
			return err
		}
	case resource.Dataset:
		return m.eraseDataset(ctx, r)
	case resource.DatasetGroup:
		m.Profiles.Forget(group(r))
		if err := m.Artifacts.DeletePrefix(ctx, "snapshot/"+r.ID+"/"); err != nil {
			return err
		}
		if err := m.Artifacts.DeletePrefix(ctx, "profile/"+r.ID+"/"); err != nil {
			return err
		}
		if err := m.Artifacts.DeletePrefix(ctx, deletionFolder(r.ID)); err != nil {
			return err
		}
		if err := m.Artifacts.DeletePrefix(ctx, "attribution/"+r.ID+"/"); err != nil {
			return err
		}
		return m.Log.Delete(ctx, group(r))
	}
	return nil
}

// eraseVersions removes a solution's versions and their models.
func (m *Manager) eraseVersions(ctx context.Context, solution *resource.Resource) error {
	versions, err := m.Registry.Children(ctx, solution.ARN, resource.SolutionVersion)
	if err != nil {
		return err
	}
	for i := range versions {
		v := &versions[i]
		if err := m.Artifacts.DeletePrefix(ctx, "model/"+v.ID+"/"); err != nil {
			return err
		}
		if err := m.Registry.Remove(ctx, v.ARN, v.ID); err != nil {
			return err
		}
	}
	return nil
}

// eraseDataset makes the dataset's rows untrue from here on, then removes its
// tables and the rows of its import jobs.
func (m *Manager) eraseDataset(ctx context.Context, r *resource.Resource) error {
	body, err := resource.Body[resource.DatasetBody](r)
	if err != nil {
		return err
	}
	if _, err := m.Log.Append(ctx, group(r), &event.Imported{Dataset: body.DatasetType, Mode: event.Cleared, Job: "delete-" + r.ID}); err != nil {
		return err
	}
	jobs, err := m.Registry.Children(ctx, r.ARN, resource.ImportJob)
	if err != nil {
		return err
	}
	for i := range jobs {
		if err := m.Registry.Remove(ctx, jobs[i].ARN, jobs[i].ID); err != nil {
			return err
		}
	}
	return m.Artifacts.DeletePrefix(ctx, "table/"+r.ID+"/")
}
