package main

import (
	"context"
	"time"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/maintain"
)

// scheduleCmd groups what is done with scheduled tasks. Their answers are the
// JSON that scripts around aws-solutions-scheduler read.
type scheduleCmd struct {
	List       scheduleListCmd       `cmd:"" help:"Name the scheduled tasks."`
	Describe   scheduleDescribeCmd   `cmd:"" help:"Tell of a task: its schedule, whether it is active, and with -o json or table its next and last run."`
	Activate   scheduleActivateCmd   `cmd:"" help:"Let a task run when it is due."`
	Deactivate scheduleDeactivateCmd `cmd:"" help:"Keep a task from running when it is due."`
	RunNow     scheduleRunNowCmd     `cmd:"" help:"Run a task now, also an inactive one."`
	History    scheduleHistoryCmd    `cmd:"" help:"Show what a task was, newest first."`

	ImportDatasetGroup scheduleImportCmd `cmd:"" name:"import-dataset-group" help:"Put a dataset group that exists under maintenance: its configuration, with schedules, goes into the bucket."`
}

// scheduleFlags are those of every verb about tasks.
type scheduleFlags struct {
	clientFlags
	Output string `default:"scheduler" enum:"scheduler,json,table" short:"o" help:"Form of the answer: ${enum}; scheduler is what aws-solutions-scheduler prints."`
}

// show prints v, or the table, or what the original would.
func (f *scheduleFlags) show(s streams, original, v any, head []string, rows func(add func(cells ...any))) error {
	o := outputFlags{Output: f.Output}
	if f.Output == "scheduler" {
		o.Output, v = "json", original
	}
	return o.show(s.out, v, head, rows)
}

// scheduleListCmd asks a node for its tasks.
type scheduleListCmd struct{ scheduleFlags }

// Run prints the names.
func (c *scheduleListCmd) Run(ctx context.Context, s streams) error {
	var out verb.ListSchedulesOutput
	if err := c.call(ctx, "ListSchedules", verb.ListSchedulesInput{}, &out); err != nil {
		return err
	}
	return c.show(s, out, out, []string{"TASK"}, func(add func(...any)) {
		for _, name := range out.Tasks {
			add(name)
		}
	})
}

// taskFlags name the task that a verb is about.
type taskFlags struct {
	scheduleFlags
	Task string `required:"" short:"t" placeholder:"NAME" help:"Name of the task, as 'attune schedule list' has it."`
}

// originalTask is what the original prints of a task, in its order.
type originalTask struct {
	Active   bool   `json:"active"`
	Name     string `json:"name"`
	Schedule string `json:"schedule"`
	Workflow string `json:"step_function"`
	Version  string `json:"version"`
}

// about sends a verb about the task, and prints the task as it is then.
func (c *taskFlags) about(ctx context.Context, s streams, name string) error {
	var out verb.ScheduleOutput
	if err := c.call(ctx, name, verb.ScheduleInput{Task: c.Task}, &out); err != nil {
		return err
	}
	t := out.Task
	original := map[string]originalTask{"task": {t.Active, t.Name, t.Schedule, t.Workflow, t.Version}}
	return c.show(s, original, out, []string{"TASK", "ACTIVE", "SCHEDULE", "VERSION", "NEXT", "LAST", "RUNNING"}, func(add func(...any)) {
		add(t.Name, t.Active, t.Schedule, t.Version, shownTime(t.Next), lastRun(t.Last), len(t.Running))
	})
}

func shownTime(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.RFC3339)
}

func lastRun(r *maintain.TaskRun) string {
	if r == nil {
		return "-"
	}
	return shownTime(r.Due)
}

// scheduleDescribeCmd asks a node about a task.
type scheduleDescribeCmd struct{ taskFlags }

// Run prints the task.
func (c *scheduleDescribeCmd) Run(ctx context.Context, s streams) error {
	return c.about(ctx, s, "DescribeSchedule")
}

// scheduleActivateCmd turns a task on.
type scheduleActivateCmd struct{ taskFlags }

// Run prints the task, which is active then.
func (c *scheduleActivateCmd) Run(ctx context.Context, s streams) error {
	return c.about(ctx, s, "ActivateSchedule")
}

// scheduleDeactivateCmd turns a task off.
type scheduleDeactivateCmd struct{ taskFlags }

// Run prints the task, which is not active then.
func (c *scheduleDeactivateCmd) Run(ctx context.Context, s streams) error {
	return c.about(ctx, s, "DeactivateSchedule")
}

// scheduleRunNowCmd starts a run of a task.
type scheduleRunNowCmd struct{ taskFlags }

// Run prints the task; its run has been asked for.
func (c *scheduleRunNowCmd) Run(ctx context.Context, s streams) error {
	return c.about(ctx, s, "RunSchedule")
}

// scheduleHistoryCmd asks a node for the versions of a task.
type scheduleHistoryCmd struct{ taskFlags }

// Run prints the versions; the original had no such verb.
func (c *scheduleHistoryCmd) Run(ctx context.Context, s streams) error {
	var out verb.ScheduleHistoryOutput
	if err := c.call(ctx, "ScheduleHistory", verb.ScheduleInput{Task: c.Task}, &out); err != nil {
		return err
	}
	return c.show(s, out, out, []string{"VERSION", "CREATED", "SCHEDULE", "INPUT"}, func(add func(...any)) {
		for _, v := range out.Versions {
			add(v.Version, shownTime(v.Created), v.Schedule, string(v.Input))
		}
	})
}
