package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"

	"github.com/attune-io/attune/recipe/spec"
	"github.com/attune-io/attune/resource"
)

// failedPause is how long what failed is let alone, on the manager's clock: it
// stays due, and each try reads the whole log.
const failedPause = 5 * time.Minute

// failedRun is a run of a renewal that failed, and when that was first seen.
type failedRun struct {
	run  string
	seen time.Time
}

// refreshID is the workflow that makes the model of a row anew.
func refreshID(r *resource.Resource) string { return string(r.Kind) + "/" + r.ID + "/refresh" }

// renewing says whether something of a row's group is being trained again or
// made anew by itself, which no row shows.
func (m *Manager) renewing(ctx context.Context, r *resource.Resource) (bool, error) {
	ids, err := m.renewals(ctx, r)
	for _, id := range ids {
		if err != nil {
			break
		}
		var info *workflowpb.WorkflowExecutionInfo
		if info, err = m.lastRun(ctx, id); err == nil && info.GetStatus() == enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
			return true, nil
		}
	}
	return false, err
}

// renewals names the workflows that renew may have begun for a row's group.
func (m *Manager) renewals(ctx context.Context, r *resource.Resource) (ids []string, err error) {
	rows, err := m.Registry.Children(ctx, r.Parent, resource.Recommender)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		b, err := resource.Body[resource.RecommenderBody](&rows[i])
		if err != nil {
			return nil, err
		}
		if b.Learned != nil {
			ids = append(ids, againID(&rows[i], b.Learned), refreshID(&rows[i]))
		}
	}
	solutions, err := m.Registry.Children(ctx, r.Parent, resource.Solution)
	if err != nil {
		return nil, err
	}
	for i := range solutions {
		versions, err := m.Registry.Children(ctx, solutions[i].ARN, resource.SolutionVersion)
		if err != nil {
			return nil, err
		}
		for j := range versions {
			v, err := resource.Body[resource.SolutionVersionBody](&versions[j])
			if err != nil {
				return nil, err
			}
			facts, _ := spec.ByARN(v.RecipeArn)
			if refreshEvery(facts, v.Parameters(), v.PerformIncrementalUpdate) > 0 {
				ids = append(ids, refreshID(&versions[j]))
			}
		}
	}
	return ids, nil
}

// lastRun tells of the last run of a workflow; nil when Temporal knows none.
func (m *Manager) lastRun(ctx context.Context, id string) (*workflowpb.WorkflowExecutionInfo, error) {
	d, err := m.Temporal.DescribeWorkflowExecution(ctx, id, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", id, err)
	}
	return d.GetWorkflowExecutionInfo(), nil
}

// pausing says whether the last run of a workflow failed not long ago.
func (m *Manager) pausing(ctx context.Context, id string) (bool, error) {
	info, err := m.lastRun(ctx, id)
	if err != nil {
		return false, err
	}
	switch info.GetStatus() {
	case enums.WORKFLOW_EXECUTION_STATUS_FAILED, enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
	default:
		return false, nil
	}
	f, run := m.failedBefore[id], info.GetExecution().GetRunId()
	if f.run != run {
		f = failedRun{run, m.Clock()}
	}
	m.failed[id] = f
	return m.Clock().Sub(f.seen) < failedPause, nil
}
