package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

// reconcileLoop looks at every row that asks for work, after each kick and
// every reconcileEvery, until ctx ends. A kick starts only what was not started
// yet: asking Temporal about each busy row at every change of one would take
// longer than the work.
func (m *Manager) reconcileLoop(ctx context.Context) error {
	tick, wake := time.NewTicker(reconcileEvery), time.NewTimer(0)
	defer tick.Stop()
	defer wake.Stop()
	var stood time.Time
	for {
		err := m.reconcile(ctx)
		if rest := standEvery - time.Since(stood); rest > 0 {
			wake.Reset(rest)
		} else {
			err, stood = errors.Join(err, m.stand(ctx)), time.Now()
		}
		if err != nil && ctx.Err() == nil {
			m.Logger.Error("reconcile", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-m.kick:
		case <-wake.C:
		case <-tick.C:
			clear(m.started)
		}
	}
}

// reconcile takes one step for every busy row. One row's trouble is logged and
// does not hold up the others.
func (m *Manager) reconcile(ctx context.Context) error {
	rows, err := m.Registry.Busy(ctx)
	if err != nil {
		return err
	}
	m.busy.Set(float64(len(rows)))
	m.forgetProgress(rows)
	for i := range rows {
		if err := m.advance(ctx, &rows[i]); err != nil && ctx.Err() == nil {
			m.Logger.Error("advance", "resource", rows[i].ARN, "status", rows[i].Status, "error", err)
		}
	}
	return nil
}

// stand carries out standing orders: it makes the solution versions that are
// due, lets campaigns follow theirs, and renews what grows old. What it asks for
// is a change like any other, and is worked on at the next look.
func (m *Manager) stand(ctx context.Context) error {
	made, err := m.Registry.AutoTrain(ctx)
	for i := range made {
		m.Logger.Info("automatic training", "version", made[i].ARN)
	}
	moved, also := m.Registry.FollowLatest(ctx)
	for i := range moved {
		m.Logger.Info("campaign follows its solution", "campaign", moved[i].ARN)
	}
	return errors.Join(err, also, m.renew(ctx))
}

// forgetProgress lets go of what is known of rows that are no longer busy.
func (m *Manager) forgetProgress(busy []resource.Resource) {
	ids := map[string]bool{}
	for i := range busy {
		if id, err := workflowID(&busy[i]); err == nil {
			ids[id] = true
		}
	}
	m.live.Range(func(id, _ any) bool {
		if !ids[id.(string)] {
			m.live.Delete(id)
		}
		return true
	})
}

// advance settles what is immediate and starts workflows for what is not.
func (m *Manager) advance(ctx context.Context, r *resource.Resource) error {
	switch r.Status {
	case resource.DeletePending, resource.DeleteInProgress:
		return m.erase(ctx, r)
	case resource.CreateStopping:
		return m.stopTraining(ctx, r)
	case resource.StopPending, resource.StopInProgress, resource.StartPending, resource.StartInProgress:
		return m.turn(ctx, r)
	}
	if why := resource.PlannedFailure(r); why != "" && r.Status.Creating() {
		return m.Registry.Fail(ctx, r.ARN, r.ID, why)
	}
	if w, ok := works()[r.Kind]; ok {
		return m.start(ctx, r, w.workflow)
	}
	return m.settle(ctx, r)
}

// settle creates or updates what needs no workflow: at most a log stream stands behind it.
func (m *Manager) settle(ctx context.Context, r *resource.Resource) error {
	if r.Status == resource.Active {
		for range 2 { // to CREATE IN_PROGRESS, and to ACTIVE
			if err := m.Registry.StepUpdate(ctx, r.ARN, r.ID); err != nil {
				return err
			}
		}
		return nil
	}
	if err := m.move(ctx, r.ARN, resource.CreatePending, resource.CreateInProgress); err != nil {
		return err
	}
	if r.Kind == resource.DatasetGroup {
		if err := m.Log.Create(ctx, group(r)); err != nil {
			return err
		}
		m.Profiles.Watch(group(r))
	}
	if r.Kind == resource.MetricAttribution {
		if err := m.beginAttribution(ctx, r); err != nil {
			return err
		}
	}
	return m.move(ctx, r.ARN, resource.CreateInProgress, resource.Active)
}

// move changes a status; a row that has already left from is left alone.
func (m *Manager) move(ctx context.Context, arn attune.ARN, from, to resource.Status) error {
	_, err := m.Registry.Change(ctx, arn, func(r *resource.Resource) error {
		if r.Status == from {
			r.Status = to
		}
		return nil
	})
	return err
}

// workflowID ties a workflow to a row for ever: the row's own id, never its
// name, which may be used again, and the purpose. Each update of a campaign has
// a workflow of its own: that of the last one may still be closing.
func workflowID(r *resource.Resource) (string, error) {
	w, ok := works()[r.Kind]
	if !ok {
		return "", attune.Errorf(attune.Invalid, "%s has no progress: only jobs, solution versions and campaigns do", r.ARN)
	}
	purpose := w.purpose
	if update := updateOf(r); update != "" {
		purpose += "-" + update
	}
	return string(r.Kind) + "/" + r.ID + "/" + purpose, nil
}

// start begins the row's workflow, or finds that it is running already.
func (m *Manager) start(ctx context.Context, r *resource.Resource, wf any) error {
	id, err := workflowID(r)
	if err != nil || m.started[id] {
		return err
	}
	if waits, err := m.Registry.Waits(ctx, r); err != nil || waits {
		return err // another look comes with the next change of a row
	}
	if r.Kind == resource.DataDeletionJob && r.Status == resource.Pending {
		if busy, err := m.renewing(ctx, r); err != nil || busy {
			return err
		}
	}
	m.starts.Inc()
	_, err = m.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: queueLight,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowTaskTimeout:      heartbeatTimeout,
	}, wf, Ref{r.ARN, r.ID, updateOf(r)})
	if err != nil {
		return fmt.Errorf("start %s: %w", id, err)
	}
	m.started[id] = true
	return nil
}

// Progress tells how far the work on a row is; ok is false when none is running.
func (m *Manager) Progress(ctx context.Context, arn attune.ARN) (p Progress, ok bool, err error) {
	r, err := m.Registry.Get(ctx, arn)
	if err != nil {
		return p, false, err
	}
	id, err := workflowID(r)
	if err != nil || !r.Busy() {
		return p, false, err
	}
	if p, ok := m.live.Load(id); ok {
		return p.(Progress), true, nil
	}
	d, err := m.Temporal.DescribeWorkflowExecution(ctx, id, "")
	var missing *serviceerror.NotFound
	if errors.As(err, &missing) {
		return p, false, nil
	}
	if err != nil {
		return p, false, attune.Errorf(attune.Unavailable, "ask for the progress of %s: %w", arn, err)
	}
	return lastBeat(d)
}

// lastBeat reads the newest heartbeat of a running workflow's step.
func lastBeat(d *workflowservice.DescribeWorkflowExecutionResponse) (p Progress, ok bool, err error) {
	if d.GetWorkflowExecutionInfo().GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return p, false, nil
	}
	for _, a := range d.GetPendingActivities() {
		if a.GetHeartbeatDetails() != nil {
			err = converter.GetDefaultDataConverter().FromPayloads(a.GetHeartbeatDetails(), &p)
			return p, err == nil, err
		}
	}
	return p, true, nil
}
