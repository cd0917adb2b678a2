package maintain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/cron"
)

const (
	// schedulePrefix begins the ids of our schedules in Temporal, and with the
	// task's name those of their workflows. It must never change: runs are found by it.
	schedulePrefix = "attune-task/"
	// scheduleForm is raised when schedules are written another way: those of
	// older builds are then written again.
	scheduleForm = 1
	// catchUp is how far back missed runs are looked for; one is made up for.
	// Temporal keeps no more than a thousand of them in mind, so long is not costly.
	catchUp = 365 * 24 * time.Hour

	// compareEvery is how often all schedules are compared with the rows.
	compareEvery = 10 * time.Minute
	// compareAgain is how soon when something is known to differ.
	compareAgain = 5 * time.Second
	// schedulesPage is how many schedules Temporal lists at a time.
	schedulesPage = 1000

	// Temporal knows calendars of these years only.
	firstCalendarYear = 2000
	lastCalendarYear  = 2100
)

// dueKey is where Temporal keeps when a workflow of a schedule was due.
var dueKey = temporal.NewSearchAttributeKeyTime("TemporalScheduledStartTime")

// DueAt is when the run of a task that ctx belongs to was due; for a run by
// hand, when it was asked for.
func DueAt(ctx workflow.Context) time.Time {
	if at, ok := workflow.GetTypedSearchAttributes(ctx).GetTime(dueKey); ok {
		return at.UTC()
	}
	return workflow.Now(ctx).UTC()
}

// Run makes Temporal agree with the rows, now and again, and starts what is due
// where the clock is not the wall's, until ctx ends.
func (s *Schedules) Run(ctx context.Context) error {
	every := compareAgain
	if s.Driven {
		every = lookEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var compared, tried time.Time
	for {
		now := time.Now() // pauses, which no test clock moves
		if now.Sub(compared) >= compareEvery || s.behind.Load() && now.Sub(tried) >= compareAgain {
			tried = now
			s.behind.Store(false)
			if err := s.compare(ctx); err != nil && ctx.Err() == nil {
				s.behind.Store(true)
				s.Logger.Warn("schedules are not all carried out yet", "error", err)
			} else {
				compared = now
			}
		}
		if s.Driven {
			if err := s.look(ctx); err != nil && ctx.Err() == nil {
				s.behind.Store(true)
				s.Logger.Warn("what is due is tried again", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.kick:
		}
	}
}

// compare finds where Temporal differs from the rows, and mends that.
func (s *Schedules) compare(ctx context.Context) error {
	rows, err := s.tasks(ctx)
	if err != nil {
		return err
	}
	list, err := s.Temporal.ScheduleClient().List(ctx, client.ScheduleListOptions{PageSize: schedulesPage})
	if err != nil {
		return err
	}
	there := map[string]bool{} // of our tasks; true: as the row says
	want := map[string]*taskRow{}
	for i := range rows {
		want[rows[i].Name] = &rows[i]
	}
	for list.HasNext() {
		entry, err := list.Next()
		if err != nil {
			return err
		}
		if name, ours := strings.CutPrefix(entry.ID, schedulePrefix); ours {
			t := want[name]
			there[name] = t != nil && entry.Note == s.note(t) && entry.Paused == s.paused(t)
		}
	}
	var g errgroup.Group
	g.SetLimit(callsAtOnce)
	for name := range want {
		if !there[name] {
			g.Go(func() error { return s.agree(ctx, name) })
		}
	}
	for name := range there {
		if want[name] == nil {
			g.Go(func() error { return s.agree(ctx, name) })
		}
	}
	return g.Wait()
}

// follow makes Temporal agree about one task; if it cannot now, Run will.
func (s *Schedules) follow(ctx context.Context, name string) {
	if err := s.agree(ctx, name); err != nil {
		s.behind.Store(true)
		if ctx.Err() == nil {
			s.Logger.Warn("a schedule is carried out later", "task", name, "error", err)
		}
	}
}

// agree makes Temporal agree with a task's row as it is now: one at a time, so
// that no older row is written over a newer one.
func (s *Schedules) agree(ctx context.Context, name string) error {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	lock := &s.locks[h.Sum32()%uint32(len(s.locks))]
	lock.Lock()
	defer lock.Unlock()

	t, err := s.task(ctx, name)
	switch {
	case attune.KindOf(err) == attune.NotFound:
		return s.end(ctx, name)
	case err != nil:
		return err
	case t.Version == 1:
		err := s.create(ctx, t)
		if !errors.Is(err, temporal.ErrScheduleAlreadyRunning) {
			return err
		}
		return s.update(ctx, t)
	}
	err = s.update(ctx, t)
	if isGone(err) {
		return s.create(ctx, t)
	}
	return err
}

func (s *Schedules) handle(ctx context.Context, name string) client.ScheduleHandle {
	return s.Temporal.ScheduleClient().GetHandle(ctx, schedulePrefix+name)
}

func (s *Schedules) create(ctx context.Context, t *taskRow) error {
	spec, err := s.spec(t)
	if err != nil {
		return err
	}
	h, err := s.Temporal.ScheduleClient().Create(ctx, client.ScheduleOptions{
		ID: schedulePrefix + t.Name, Spec: *spec, Action: s.action(t),
		Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: catchUp,
		Note: s.note(t), Paused: s.paused(t),
	})
	if err != nil {
		return err
	}
	// Temporal counts what was missed from when it first looked at the schedule;
	// it has done so when it can describe it.
	_, err = h.Describe(ctx)
	return err
}

func (s *Schedules) update(ctx context.Context, t *taskRow) error {
	spec, err := s.spec(t)
	if err != nil {
		return err
	}
	return s.handle(ctx, t.Name).Update(ctx, client.ScheduleUpdateOptions{DoUpdate: func(in client.ScheduleUpdateInput) (*client.ScheduleUpdate, error) {
		if have := in.Description.Schedule.State; have.Note == s.note(t) && have.Paused == s.paused(t) {
			return nil, temporal.ErrSkipScheduleUpdate
		}
		return &client.ScheduleUpdate{Schedule: &client.Schedule{
			Spec: spec, Action: s.action(t),
			Policy: &client.SchedulePolicies{Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP, CatchupWindow: catchUp},
			State:  &client.ScheduleState{Note: s.note(t), Paused: s.paused(t)},
		}}, nil
	}})
}

// end takes away the schedule of a task that is no more. While it runs the
// schedule stays, paused: should the task come again, it knows of that run.
func (s *Schedules) end(ctx context.Context, name string) error {
	h := s.handle(ctx, name)
	d, err := h.Describe(ctx)
	switch {
	case isGone(err):
		return nil
	case err != nil:
		return err
	case len(d.Info.RunningWorkflows) > 0:
		s.behind.Store(true)
		if d.Schedule.State.Paused {
			return nil
		}
		return h.Pause(ctx, client.SchedulePauseOptions{Note: "its task was deleted; it goes when the run has ended"})
	}
	if err := h.Delete(ctx); !isGone(err) {
		return err
	}
	return nil
}

// isGone says that Temporal has no such schedule or workflow.
func isGone(err error) bool {
	var missing *serviceerror.NotFound
	return errors.As(err, &missing)
}

// paused says whether Temporal leaves a task's runs to others.
func (s *Schedules) paused(t *taskRow) bool { return s.Driven || !t.Active }

// note is what a schedule that is up to date has.
func (s *Schedules) note(t *taskRow) string {
	return fmt.Sprintf("v%d %s %s", t.Version, t.mark, s.form)
}

// fingerprint is another when schedules must be written again though no task changed.
func (s *Schedules) fingerprint() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %q %q %v %d", scheduleForm, s.Queue, s.Workflow, s.Driven, s.Jitter))
	return hex.EncodeToString(sum[:4])
}

func (s *Schedules) action(t *taskRow) *client.ScheduleWorkflowAction {
	return &client.ScheduleWorkflowAction{
		ID: schedulePrefix + t.Name, Workflow: t.Workflow, TaskQueue: s.Queue,
		Args: []any{TaskInput{t.Name, t.Version, t.Input}},
	}
}

// spec says the expression of a task in Temporal's words.
func (s *Schedules) spec(t *taskRow) (*client.ScheduleSpec, error) {
	e, err := t.expression()
	if err != nil {
		return nil, err
	}
	spec := &client.ScheduleSpec{Jitter: s.Jitter}
	if s.Driven {
		spec.Jitter = 0 // what is due is asked for by its exact time
	}
	if every, ok := e.Every(); ok {
		spec.Intervals = []client.ScheduleIntervalSpec{{Every: every, Offset: e.Phase()}}
	}
	for _, c := range e.Calendars() {
		years := calendarYears(c.Year)
		if len(c.Year) > 0 && len(years) == 0 {
			continue
		}
		spec.Calendars = append(spec.Calendars, client.ScheduleCalendarSpec{
			Second: ranges(c.Second), Minute: ranges(c.Minute), Hour: ranges(c.Hour), DayOfMonth: ranges(c.DayOfMonth),
			Month: ranges(c.Month), Year: ranges(years), DayOfWeek: ranges(c.DayOfWeek),
		})
	}
	return spec, nil
}

func ranges(list []cron.Range) (out []client.ScheduleRange) {
	for _, r := range list {
		out = append(out, client.ScheduleRange{Start: r.Start, End: r.End, Step: r.Step})
	}
	return out
}

// calendarYears leaves out the years that Temporal does not take: those before
// are over, and the expression itself goes on knowing those after.
func calendarYears(list []cron.Range) (out []cron.Range) {
	for _, r := range list {
		if r.Start < firstCalendarYear {
			r.Start += (firstCalendarYear - r.Start + r.Step - 1) / r.Step * r.Step
		}
		r.End = min(r.End, lastCalendarYear)
		if r.Start <= r.End {
			out = append(out, r)
		}
	}
	return out
}

// startDue starts the run of a task that was due at a time, unless there is one
// already or the task runs.
func (s *Schedules) startDue(ctx context.Context, t *taskRow, at time.Time) error {
	// What Temporal calls the run that is due at a time.
	_, err := s.Temporal.DescribeWorkflowExecution(ctx, schedulePrefix+t.Name+"-"+at.Format(time.RFC3339), "")
	if !isGone(err) {
		return err // nil: a process that was killed had begun with it
	}
	h := s.handle(ctx, t.Name)
	start := func() error {
		if at.Year() > lastCalendarYear {
			return h.Trigger(ctx, client.ScheduleTriggerOptions{Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP})
		}
		return h.Backfill(ctx, client.ScheduleBackfillOptions{Backfill: []client.ScheduleBackfill{
			{Start: at, End: at, Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP}}})
	}
	if err = start(); isGone(err) {
		if err = s.agree(ctx, t.Name); err == nil {
			err = start()
		}
	}
	return err
}

// trigger runs a task now, through its schedule, which knows whether it runs.
func (s *Schedules) trigger(ctx context.Context, t *taskRow) error {
	h := s.handle(ctx, t.Name)
	d, err := h.Describe(ctx)
	if err != nil {
		return doing("run task "+t.Name, err)
	}
	if running := d.Info.RunningWorkflows; len(running) > 0 {
		return attune.Errorf(attune.InUse, "task %s is running: %s; wait for its end", t.Name, running[0].WorkflowID)
	}
	return doing("run task "+t.Name, h.Trigger(ctx, client.ScheduleTriggerOptions{Overlap: enums.SCHEDULE_OVERLAP_POLICY_SKIP}))
}

// describeRuns adds what Temporal knows of a task's runs; nothing when the
// schedule is not there yet.
func (s *Schedules) describeRuns(ctx context.Context, to *TaskState) error {
	d, err := s.handle(ctx, to.Name).Describe(ctx)
	if isGone(err) {
		return nil
	}
	if err != nil {
		return attune.Errorf(attune.Unavailable, "the runs of task %s are not known: %w", to.Name, err)
	}
	for _, w := range d.Info.RunningWorkflows {
		to.Running = append(to.Running, w.WorkflowID)
	}
	if n := len(d.Info.RecentActions); n > 0 {
		a := d.Info.RecentActions[n-1]
		to.Last = &TaskRun{Due: a.ScheduleTime.UTC(), Started: a.ActualTime.UTC()}
		if a.StartWorkflowResult != nil {
			to.Last.Workflow = a.StartWorkflowResult.WorkflowID
		}
	}
	return nil
}
