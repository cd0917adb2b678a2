package verb

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain"
)

// ListSchedulesInput asks for the names of scheduled tasks.
type ListSchedulesInput struct{}

// ListSchedulesOutput names them, in order.
type ListSchedulesOutput struct {
	Tasks []string `json:"tasks"`
}

func (d *Door) listSchedules(ctx context.Context, _ *ListSchedulesInput) (any, error) {
	names, err := d.Schedules.List(ctx)
	if err != nil {
		return nil, err
	}
	return &ListSchedulesOutput{names}, nil
}

// ScheduleInput names a scheduled task.
type ScheduleInput struct {
	Task string `json:"task"`
}

func (in *ScheduleInput) check() error {
	if in.Task == "" {
		return attune.Errorf(attune.Invalid, "task is missing: name a scheduled task")
	}
	return nil
}

// ScheduleOutput tells of a scheduled task.
type ScheduleOutput struct {
	Task maintain.TaskState `json:"task"`
}

// scheduled does something with a task, and tells of it then.
func (d *Door) scheduled(do func(s *maintain.Schedules, ctx context.Context, task string) error) func(context.Context, *ScheduleInput) (any, error) {
	return func(ctx context.Context, in *ScheduleInput) (any, error) {
		if err := in.check(); err != nil {
			return nil, err
		}
		if do != nil {
			if err := do(d.Schedules, ctx, in.Task); err != nil {
				return nil, err
			}
		}
		t, err := d.Schedules.Describe(ctx, in.Task)
		if err != nil {
			return nil, err
		}
		return &ScheduleOutput{*t}, nil
	}
}

// ScheduleHistoryOutput lists what a scheduled task was, newest first.
type ScheduleHistoryOutput struct {
	Versions []maintain.TaskVersion `json:"versions"`
}

func (d *Door) scheduleHistory(ctx context.Context, in *ScheduleInput) (any, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	list, err := d.Schedules.History(ctx, in.Task)
	if err != nil {
		return nil, err
	}
	return &ScheduleHistoryOutput{list}, nil
}
