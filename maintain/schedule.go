package maintain

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.temporal.io/sdk/client"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/maintain/cron"
)

const (
	// maxTasks bounds the tasks of a node: each is a workflow that Temporal keeps.
	maxTasks = 20_000
	// maxTaskInput bounds the input of a task, in bytes; Temporal warns from 256 KiB on.
	maxTaskInput = 128 << 10
	// putTries bounds how often a write that met another is made again.
	putTries = 5
	// DropSchedule is the text that takes a schedule away, as a configuration says it.
	DropSchedule = "delete"
)

// The names of the tasks that a configuration's schedules make.
const (
	taskImport    = "personalize-dataset-import-"
	taskFull      = "solution-maintenance-full-"
	taskUpdate    = "solution-maintenance-update-"
	taskInference = "batch-inference-"
	taskSegment   = "batch-segment-"
)

// ImportTask names the task that looks for newer data of a dataset group.
func ImportTask(group string) string { return taskImport + group }

// FullTask names the task that trains a solution from scratch.
func FullTask(solution string) string { return taskFull + solution }

// UpdateTask names the task that trains a solution on.
func UpdateTask(solution string) string { return taskUpdate + solution }

// InferenceTask names the task that makes a solution's batch inference job again.
func InferenceTask(solution string) string { return taskInference + solution }

// SegmentTask names the task that makes a solution's batch segment job again.
func SegmentTask(solution string) string { return taskSegment + solution }

// Task is what is done again and again.
type Task struct {
	Name  string          // at most 128 of a–z A–Z 0–9 - _
	Text  string          // cron(…), rate(…), or DropSchedule
	Input json.RawMessage // what its workflow is given; nil is {}
}

// TaskInput is what the workflow of a task gets. When it was due tells DueAt.
type TaskInput struct {
	Task    string          `json:"task"`
	Version int             `json:"version"` // of the task
	Input   json.RawMessage `json:"input"`
}

// ScheduleDeps is what schedules work with; all fields but Driven, Jitter and
// Metrics are required.
type ScheduleDeps struct {
	DB       *sql.DB
	Dialect  ledger.Dialect
	Temporal client.Client
	Clock    attune.Clock
	// Driven says that Clock is not the wall's: what is due is then looked up by
	// Clock each second, and at each Kick. Else Temporal does it.
	Driven   bool
	Logger   *slog.Logger
	Queue    string        // task queue of the workflow
	Workflow string        // its type; it takes a TaskInput
	Jitter   time.Duration // each run comes later by a random part of it; 0: on the minute
	Metrics  prometheus.Registerer
}

// Schedules keeps tasks in rows, and has Temporal carry them out. The rows are
// the truth: Run makes Temporal agree with them, whatever was lost between.
//
// A task never runs twice at once: what falls due while it runs is left out.
// What fell due while nothing ran is made up for by one run, however long that
// was; what fell due while the task was inactive is not.
type Schedules struct {
	ScheduleDeps
	db               *ledger.DB
	kick             chan struct{}
	behind           atomic.Bool // something may differ between rows and Temporal
	locks            [64]sync.Mutex
	form             string // what all schedules have in common, in short
	created, deleted prometheus.Counter
}

// NewSchedules brings the tables up to date and returns the schedules in them;
// Run carries them out. Tables of a newer build are refused as attune.Invalid.
func NewSchedules(ctx context.Context, d ScheduleDeps) (*Schedules, error) {
	db, err := ledger.Open(ctx, d.DB, d.Dialect, "schedule", scheduleTables())
	if err != nil {
		return nil, err
	}
	s := &Schedules{ScheduleDeps: d, db: db, kick: make(chan struct{}, 1)}
	s.form = s.fingerprint()
	s.created = prometheus.NewCounter(prometheus.CounterOpts{Name: "attune_schedule_created_total", Help: "Scheduled tasks that were made."})
	s.deleted = prometheus.NewCounter(prometheus.CounterOpts{Name: "attune_schedule_deleted_total", Help: "Scheduled tasks that were deleted."})
	if d.Metrics != nil {
		d.Metrics.MustRegister(s.created, s.deleted)
	}
	return s, s.takeOver(ctx)
}

var taskName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,127}$`)

func checkTaskName(name string) error {
	if !taskName.MatchString(name) {
		return attune.Errorf(attune.Invalid, "task name %q: use 1 to 128 letters, digits, - and _, the first a letter or a digit", name)
	}
	return nil
}

// check makes a task comparable, and refuses one that could not be carried out.
func (t *Task) check(now time.Time) error {
	if err := checkTaskName(t.Name); err != nil {
		return err
	}
	e, err := cron.Parse(t.Text)
	if err == nil {
		err = e.Check(now)
	}
	if err != nil {
		return attune.Errorf(attune.Invalid, "task %s: %w", t.Name, err)
	}
	t.Text = e.String()
	if len(t.Input) == 0 {
		t.Input = json.RawMessage("{}")
	}
	var b bytes.Buffer
	if err := json.Compact(&b, t.Input); err != nil {
		return attune.Errorf(attune.Invalid, "task %s: its input is no JSON: %w", t.Name, err)
	}
	if b.Len() > maxTaskInput {
		return attune.Errorf(attune.Invalid, "task %s: its input has %d bytes; at most %d are taken", t.Name, b.Len(), maxTaskInput)
	}
	t.Input = b.Bytes()
	return nil
}

// Put keeps a task as the next version of its name, and activates it. One that
// is as its latest version changes nothing. DropSchedule deletes; that there is
// nothing to delete is no error. It is done when Put returns without an error,
// also if Temporal is down: it follows as soon as it can.
func (s *Schedules) Put(ctx context.Context, t Task) (changed bool, err error) {
	if t.Text == DropSchedule {
		err := s.Delete(ctx, t.Name)
		if attune.KindOf(err) == attune.NotFound {
			return false, nil
		}
		return err == nil, err
	}
	if err := t.check(s.Clock()); err != nil {
		return false, err
	}
	for range putTries {
		var version int
		if version, err = s.write(ctx, t); err == nil {
			if version == 1 {
				s.created.Inc()
			}
			if version > 0 {
				s.follow(ctx, t.Name)
			}
			return version > 0, nil
		}
		if !errors.Is(err, ledger.ErrNone) {
			return false, doing("put task "+t.Name, err)
		}
	}
	return false, attune.Errorf(attune.InUse, "task %s is being changed by others; try again", t.Name)
}

// Delete ends a task and forgets its versions. A run under way goes on.
// attune.NotFound when there is none.
func (s *Schedules) Delete(ctx context.Context, name string) error {
	if err := s.remove(ctx, name); err != nil {
		return doing("delete task "+name, err)
	}
	s.deleted.Inc()
	s.follow(ctx, name)
	return nil
}

// Activate lets a task run when it is due. attune.NotFound when there is none.
func (s *Schedules) Activate(ctx context.Context, name string) error { return s.turn(ctx, name, true) }

// Deactivate keeps a task from running when it is due; RunNow still runs it.
// attune.NotFound when there is none.
func (s *Schedules) Deactivate(ctx context.Context, name string) error {
	return s.turn(ctx, name, false)
}

func (s *Schedules) turn(ctx context.Context, name string, active bool) error {
	t, err := s.task(ctx, name)
	if err != nil {
		return err
	}
	if t.Active != active {
		if err := s.setActive(ctx, t, active); err != nil {
			return doing("turn task "+name, err)
		}
		s.follow(ctx, name)
	}
	return nil
}

// TaskState is a task, and when it runs. Its first five members are the original's.
type TaskState struct {
	Active   bool      `json:"active"`
	Name     string    `json:"name"`
	Schedule string    `json:"schedule"`
	Workflow string    `json:"step_function"`
	Version  string    `json:"version"`           // v1, v2, …
	Next     time.Time `json:"next,omitzero"`     // when it is due next; zero: never, or it is inactive
	Last     *TaskRun  `json:"last,omitempty"`    // nil: Temporal remembers none
	Running  []string  `json:"running,omitempty"` // ids of workflows
}

// TaskRun is one run of a task.
type TaskRun struct {
	Due      time.Time `json:"due"`     // for a run by hand, when it was asked for
	Started  time.Time `json:"started"` // by the wall's clock
	Workflow string    `json:"workflow"`
}

// List names all tasks, in order.
func (s *Schedules) List(ctx context.Context) ([]string, error) {
	rows, err := s.tasks(ctx)
	names := make([]string, len(rows))
	for i := range rows {
		names[i] = rows[i].Name
	}
	return names, err
}

// Describe tells of a task. attune.NotFound when there is none.
func (s *Schedules) Describe(ctx context.Context, name string) (*TaskState, error) {
	t, err := s.task(ctx, name)
	if err != nil {
		return nil, err
	}
	d := &TaskState{Active: t.Active, Name: t.Name, Schedule: t.Text, Workflow: t.Workflow, Version: "v" + strconv.Itoa(t.Version)}
	e, err := t.expression()
	if err != nil {
		return nil, err
	}
	if t.Active {
		d.Next, _ = e.Next(s.Clock())
	}
	return d, s.describeRuns(ctx, d)
}

// TaskVersion is one of the things that a task was.
type TaskVersion struct {
	Version  string          `json:"version"`
	Schedule string          `json:"schedule"`
	Workflow string          `json:"step_function"`
	Input    json.RawMessage `json:"input"`
	Created  time.Time       `json:"created"`
}

// History lists the versions of a task, newest first, at most historyKept.
// attune.NotFound when there is none.
func (s *Schedules) History(ctx context.Context, name string) ([]TaskVersion, error) {
	if _, err := s.task(ctx, name); err != nil {
		return nil, err
	}
	list, err := s.versions(ctx, name)
	return list, doing("read the history of task "+name, err)
}

// RunNow runs a task that may be inactive. attune.InUse when it runs already,
// attune.NotFound when there is none.
func (s *Schedules) RunNow(ctx context.Context, name string) error {
	t, err := s.task(ctx, name)
	if err != nil {
		return err
	}
	if err := s.agree(ctx, name); err != nil {
		return doing("run task "+name, err)
	}
	return s.trigger(ctx, t)
}

// Kick asks for a look at what is due soon. It never blocks; many kicks are one look.
func (s *Schedules) Kick() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}
