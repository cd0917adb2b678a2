package maintain

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/plan"
)

// activities carries the manager into Temporal: its exported methods are the activities.
type activities struct{ m *Manager }

// Types of the error of a step.
const (
	typePending = "pending" // it is looked at again
	typeFailed  = "failed"
)

// Outline tells a workflow what its run has to do.
func (a *activities) Outline(ctx context.Context, run string) (*Outline, error) {
	r, err := a.m.Store.Run(ctx, run)
	if err != nil {
		return nil, final(err)
	}
	out := &Outline{Purpose: r.Purpose, Steps: []OpenStep{}, Over: r.Status != Running}
	for i := range r.Steps {
		t := &r.Steps[i]
		out.Steps = append(out.Steps, OpenStep{Path: t.Path, Needs: t.step.Needs, Done: t.State == StepDone})
	}
	return out, nil
}

// hopeless says that trying again cannot mend an error.
func hopeless(err error) bool {
	return slices.Contains([]attune.Kind{attune.NotFound, attune.Invalid, attune.LimitExceeded, attune.InUse, attune.Denied}, attune.KindOf(err))
}

// final marks an error that is hopeless.
func final(err error) error {
	if hopeless(err) {
		return temporal.NewNonRetryableApplicationError(err.Error(), typeFailed, nil)
	}
	return err
}

// Take looks at a step, and keeps in its row what came of it. While it is not
// done the activity fails, and Temporal takes it again after the pause that the
// step's patience gives; pauses too short for Temporal's timers pass in here.
func (a *activities) Take(ctx context.Context, run, path string) error {
	stop := beat(ctx)
	defer stop()
	for {
		pause, err := a.m.take(ctx, run, path)
		if pause == 0 || err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if pause < shortPause {
			select {
			case <-time.After(pause):
				continue
			case <-activity.GetWorkerStopChannel(ctx):
				pause = shortPause // not before the pollers of the stopping process have let go
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return temporal.NewApplicationErrorWithOptions(path+" is on its way", typePending, temporal.ApplicationErrorOptions{
			NextRetryDelay: pause, Category: temporal.ApplicationErrorCategoryBenign})
	}
}

// take looks once; pause is 0 when the step is done.
func (m *Manager) take(ctx context.Context, run, path string) (pause time.Duration, err error) {
	r, err := m.Store.Run(ctx, run)
	if err != nil {
		return 0, final(err)
	}
	t := r.at(path)
	if t == nil {
		return 0, final(attune.Errorf(attune.NotFound, "run %s has no step %s", run, path))
	}
	if t.State == StepWaiting || t.State == StepRunning { // else an attempt before was killed between the row and Temporal
		unlock := m.paths.lock(r.Configuration + "/" + path)
		defer unlock()
		before := *t
		if pause, err = m.look(ctx, r, t); err != nil {
			return 0, err
		}
		if ctx.Err() != nil { // the end came while the service answered: what that began is to be known
			var done context.CancelFunc
			ctx, done = context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
			defer done()
		}
		if err := m.Store.saveStep(ctx, run, t); err != nil {
			return 0, err
		}
		if err := m.saw(ctx, r, &before, t); err != nil {
			m.Logger.Error("keep what a step came to", "run", run, "step", path, "error", err)
		}
	}
	if t.State == StepDone || t.State == StepRunning {
		return pause, nil
	}
	return 0, temporal.NewApplicationErrorWithOptions(t.Error, typeFailed, temporal.ApplicationErrorOptions{
		NonRetryable: true, Category: temporal.ApplicationErrorCategoryBenign})
}

// look advances a step once and writes into t what came of it; pause is when it
// is to be looked at again. It fails when ctx ends before the service answers.
func (m *Manager) look(ctx context.Context, r *Run, t *RunStep) (pause time.Duration, err error) {
	m.looks.Inc()
	if t.Began.IsZero() {
		t.Began = m.Clock()
	}
	t.Attempts++
	t.State, t.Next = StepRunning, time.Time{}
	res, err := m.advance(ctx, r, t)
	if err != nil && ctx.Err() != nil {
		return 0, ctx.Err() // cancelled, or the process ends: the error is about that
	}
	switch {
	case err == nil && res.Action == plan.Blocked:
		t.fail(blocked(&res))
	case err == nil:
		t.Error, t.Patience.Trouble, t.Patience.Troubles = "", 0, 0
		t.Result = merged(&t.Result, res)
		if res.Done {
			t.State = StepDone
		} else if pause = t.pending(); pause == 0 {
			t.fail(fmt.Sprintf("%s %s is %s after %s: the service takes longer than a run waits; start the run again to go on",
				t.Kind, t.label(), orUnknown(res.Status), t.Patience.Pending.Round(time.Second)))
		}
	case plan.Retryable(err):
		if pause = t.trouble(); pause == 0 {
			t.fail(fmt.Sprintf("the service could not be asked for %s: %s", t.Patience.Trouble.Round(time.Second), err))
		} else {
			t.Error = err.Error()
		}
	default:
		t.fail(err.Error())
	}
	if t.State == StepRunning {
		t.Next = m.Clock().Add(pause)
	} else {
		t.Ended = m.Clock()
	}
	return pause, nil
}

// advance looks and acts once, as the run that it is.
func (m *Manager) advance(ctx context.Context, r *Run, t *RunStep) (plan.Result, error) {
	have := r.have()
	if res, is, err := m.rejected(ctx, r, t, have); err != nil || is {
		return res, err
	}
	target, err := m.opened(ctx, r.Replace)
	if err != nil {
		return plan.Result{}, err
	}
	ctx = context.WithValue(ctx, chainKey{}, r.chain)
	if t.Kind == plan.Version {
		ctx = context.WithValue(ctx, recipeKey{}, recipeOf(r, &t.step))
	}
	return target.Advance(ctx, t.step, have)
}

func (t *RunStep) fail(why string) { t.State, t.Error = StepFailed, why }

// label is what a step is known by to people.
func (t *RunStep) label() string {
	if t.ARN != "" {
		return t.ARN
	}
	return t.Name
}

func orUnknown(status string) string {
	if status == "" {
		return "not done"
	}
	return status
}

// blocked says why a step cannot be taken as it is declared.
func blocked(r *plan.Result) string {
	if r.Note != "" && len(r.Diffs) == 0 {
		return r.Note
	}
	var b strings.Builder
	b.WriteString(r.Note)
	for _, d := range r.Diffs {
		fmt.Fprintf(&b, "; %s is %s and shall be %s", d.Member, d.Have, d.Want)
	}
	return strings.TrimPrefix(b.String(), "; ")
}

// merged is what a step came to after another look: the action that changed
// something stays said.
func merged(was *plan.Result, is plan.Result) plan.Result {
	switch was.Action {
	case plan.Create, plan.Update, plan.Replace, plan.Delete:
		if is.Action == plan.Keep || is.Action == plan.Wait {
			is.Action = was.Action
		}
	}
	if is.ARN == "" {
		is.ARN = was.ARN
	}
	return is
}

// beat says every heartbeatEvery that a look is alive, until stop is called.
func beat(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(heartbeatEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-tick.C:
				activity.RecordHeartbeat(ctx)
			}
		}
	}()
	return func() { close(done) }
}
