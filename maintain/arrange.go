package maintain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
)

// Standing is the input of a task: the run that is made again and again.
type Standing struct {
	Configuration string       `json:"configuration"`
	Purpose       plan.Purpose `json:"purpose"`
	Solution      string       `json:"solution,omitempty"`
	Job           string       `json:"job,omitempty"` // path of the batch job
}

// TaskWorkflowName is the type of TaskWorkflow, for ScheduleDeps.
const TaskWorkflowName = "TaskWorkflow"

// TaskWorkflow is what schedules start: it makes a run, and is its workflow. A
// run of the same that is under way stands in for it.
func TaskWorkflow(ctx workflow.Context, in TaskInput) error {
	var (
		a   *activities
		run string
	)
	err := workflow.ExecuteActivity(looking(ctx), a.Due, in, DueAt(ctx)).Get(ctx, &run)
	if err != nil || run == "" {
		return err
	}
	return RunWorkflow(ctx, run)
}

// Due makes the run of a task that is due, once for each time; "" when another
// is under way in its place.
func (a *activities) Due(ctx context.Context, in TaskInput, due time.Time) (run string, err error) {
	var s Standing
	if err := json.Unmarshal(in.Input, &s); err != nil {
		return "", final(attune.Errorf(attune.Invalid, "task %s: its input is not that of a run: %w", in.Task, err))
	}
	cause := Cause{Kind: BySchedule, ID: fmt.Sprintf("%s at %s", in.Task, due.UTC().Format(time.RFC3339Nano))}
	r, err := a.m.Start(ctx, StartInput{Configuration: s.Configuration, Purpose: s.Purpose, Solution: s.Solution, Job: s.Job,
		Cause: cause, workflow: activity.GetInfo(ctx).WorkflowExecution.ID})
	var busy *errBusy
	if errors.As(err, &busy) {
		a.m.Logger.Info("a task that is due is left out", "task", in.Task, "due", due, "run", busy.id)
		return "", nil
	}
	if err != nil && hopeless(err) {
		n, d := unstartedNotice(cause, &s, a.m.Clock(), err)
		if untold := a.m.tell(ctx, n, d); untold != nil {
			return "", untold // and tried again
		}
	}
	if err != nil {
		return "", final(err)
	}
	return r.ID, nil
}

// schedule is one that a configuration declares, with the task that it makes.
type schedule struct {
	name  string
	when  config.Schedule
	owner string // path, or beginning of paths, of the steps that must be done first
	Standing
}

// schedulesOf lists what a configuration says of schedules, and those that it
// does not mention with an empty text.
func schedulesOf(cfg *config.Config) []schedule {
	name := cfg.Group.Name
	list := []schedule{{ImportTask(name), cfg.Group.Import, "datasets.", Standing{Configuration: name, Purpose: plan.ForImport}}}
	for i := range cfg.Solutions {
		s := &cfg.Solutions[i]
		list = append(list,
			schedule{FullTask(s.Name), s.Full, s.Path, Standing{Configuration: name, Purpose: plan.ForFull, Solution: s.Name}},
			schedule{UpdateTask(s.Name), s.Update, s.Path, Standing{Configuration: name, Purpose: plan.ForUpdate, Solution: s.Name}})
		for _, kind := range []struct {
			task    string
			purpose plan.Purpose
			jobs    []config.Batch
		}{{InferenceTask(s.Name), plan.ForInference, s.Inference}, {SegmentTask(s.Name), plan.ForSegment, s.Segments}} {
			for k := range kind.jobs {
				task := kind.task
				if k > 0 { // the original keeps one only
					task = fmt.Sprintf("%s-%d", task, k+1)
				}
				list = append(list, schedule{task, kind.jobs[k].Schedule, kind.jobs[k].Path,
					Standing{Configuration: name, Purpose: kind.purpose, Solution: s.Name, Job: kind.jobs[k].Path}})
			}
		}
	}
	return list
}

// Arrange writes the schedules that a run's configuration declares and whose
// steps are done; of a run that destroys, it drops them all.
func (a *activities) Arrange(ctx context.Context, run string) error {
	m := a.m
	if m.Schedules == nil {
		return nil
	}
	r, err := m.Store.Run(ctx, run)
	if err != nil {
		return final(err)
	}
	if r.Purpose == plan.ForDestroy {
		return final(m.dropTasks(ctx, r.Configuration))
	}
	c, err := m.Store.Configuration(ctx, r.Configuration, r.Version)
	if err != nil {
		return final(err)
	}
	cfg, err := config.Read([]byte(c.Text), c.File)
	if err != nil {
		return final(err)
	}
	var errs []error
	for _, s := range schedulesOf(cfg) {
		text := s.when.Text
		switch {
		case s.when.Drop:
			text = DropSchedule
		case text == "" || !r.done(s.owner):
			continue
		}
		input, err := json.Marshal(s.Standing)
		if err == nil {
			_, err = m.Schedules.Put(ctx, Task{Name: s.name, Text: text, Input: input})
		}
		errs = append(errs, err)
	}
	return final(errors.Join(errs...))
}

// dropTasks deletes every task of a configuration: also those that older versions
// of it declared, for a key that was left out has left its task.
func (m *Manager) dropTasks(ctx context.Context, configuration string) error {
	tasks, err := m.Schedules.tasks(ctx)
	errs := []error{err}
	for i := range tasks {
		var s Standing
		if json.Unmarshal(tasks[i].Input, &s) != nil || s.Configuration != configuration {
			continue
		}
		if err := m.Schedules.Delete(ctx, tasks[i].Name); attune.KindOf(err) != attune.NotFound {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// done reports whether all steps at or below a path are done.
func (r *Run) done(owner string) bool {
	for i := range r.Steps {
		t := &r.Steps[i]
		if rest, below := strings.CutPrefix(t.Path, owner); below && (rest == "" || strings.HasSuffix(owner, ".") || rest[0] == '.') && t.State != StepDone {
			return false
		}
	}
	return true
}
