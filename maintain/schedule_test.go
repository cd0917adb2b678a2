package maintain_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/engine/enginetest"
	enginesql "github.com/attune-io/attune/engine/sql"
	"github.com/attune-io/attune/engine/temporal"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/maintain/cron"
)

const (
	testQueue = "tasks"
	testWork  = "work" // type of the workflow that tasks start
	idPrefix  = "attune-task/"
)

// office is schedules on real engines, and a worker that tells which runs began.
type office struct {
	*testing.T
	dir     string
	log     *slog.Logger
	driven  bool
	ahead   atomic.Int64 // nanoseconds that the clock is ahead
	db      *enginesql.Engine
	engine  *temporal.Engine
	worker  worker.Worker
	s       *maintain.Schedules
	stopRun func()

	mu   sync.Mutex
	runs []ran
	hold atomic.Bool // runs wait for the signal "go"
}

// ran is a run that began.
type ran struct {
	in  maintain.TaskInput
	due time.Time
	at  time.Time
	id  string
}

func check[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newOffice(t *testing.T, driven bool) *office {
	t.Helper()
	out := io.Discard
	if testing.Verbose() {
		out = os.Stderr
	}
	o := &office{T: t, dir: t.TempDir(), driven: driven, log: slog.New(slog.NewTextHandler(out, nil))}
	o.db = check[*enginesql.Engine](t)(enginesql.Open(t.Context(), enginetest.Schema(t, enginesql.Open), filepath.Join(o.dir, "sql"), o.log, nil))
	t.Cleanup(func() { _ = o.db.Close() })
	t.Cleanup(func() { o.down() })
	o.up("temporal")
	return o
}

// up starts Temporal on a folder, a worker, and the schedules.
func (o *office) up(folder string) {
	o.Helper()
	o.engine = check[*temporal.Engine](o)(temporal.Open(o.Context(), "", filepath.Join(o.dir, folder), o.log, nil))
	o.worker = worker.New(o.engine.Client(), testQueue, worker.Options{StickyScheduleToStartTimeout: time.Second})
	o.worker.RegisterWorkflowWithOptions(o.work, workflow.RegisterOptions{Name: testWork})
	if err := o.worker.Start(); err != nil {
		o.Fatal(err)
	}
	o.s = o.open()
	o.run()
}

// open is what a process that begins does.
func (o *office) open() *maintain.Schedules {
	o.Helper()
	return check[*maintain.Schedules](o)(maintain.NewSchedules(o.Context(), maintain.ScheduleDeps{DB: o.db.Client(), Dialect: ledger.Dialect(o.db.Dialect()),
		Temporal: o.engine.Client(), Clock: o.now, Driven: o.driven, Logger: o.log, Queue: testQueue, Workflow: testWork}))
}

func (o *office) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- o.s.Run(ctx) }()
	var once sync.Once
	o.stopRun = func() { once.Do(func() { cancel(); <-done }) }
}

// down ends all that up began.
func (o *office) down() {
	if o.engine == nil {
		return
	}
	o.stopRun()
	o.worker.Stop()
	if err := o.engine.Close(); err != nil {
		o.Error(err)
	}
	o.engine = nil
}

func (o *office) now() time.Time { return time.Now().Add(time.Duration(o.ahead.Load())).UTC() }

// later puts the clock forward and lets the schedules look.
func (o *office) later(d time.Duration) {
	o.ahead.Add(int64(d))
	o.s.Kick()
}

// work is the workflow of the tasks.
func (o *office) work(ctx workflow.Context, in maintain.TaskInput) error {
	if !workflow.IsReplaying(ctx) {
		o.mu.Lock()
		o.runs = append(o.runs, ran{in, maintain.DueAt(ctx), time.Now(), workflow.GetInfo(ctx).WorkflowExecution.ID})
		o.mu.Unlock()
	}
	var wait bool
	if err := workflow.SideEffect(ctx, func(workflow.Context) any { return o.hold.Load() }).Get(&wait); err != nil || !wait {
		return err
	}
	workflow.GetSignalChannel(ctx, "go").Receive(ctx, nil)
	return nil
}

func (o *office) began() []ran {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]ran(nil), o.runs...)
}

// wantRuns waits until n runs began, and a while longer for one too many.
func (o *office) wantRuns(n int) []ran {
	o.Helper()
	o.eventually(fmt.Sprintf("%d runs", n), func() bool { return len(o.began()) >= n })
	time.Sleep(500 * time.Millisecond)
	runs := o.began()
	if len(runs) != n {
		o.Fatalf("%d runs began, want %d: %+v", len(runs), n, runs)
	}
	return runs
}

func (o *office) eventually(what string, ok func() bool) {
	o.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			o.Fatalf("not in time: %s", what)
		}
	}
}

func (o *office) put(name, text string) bool {
	o.Helper()
	return check[bool](o)(o.s.Put(o.Context(), maintain.Task{Name: name, Text: text}))
}

func (o *office) state(name string) *maintain.TaskState {
	o.Helper()
	return check[*maintain.TaskState](o)(o.s.Describe(o.Context(), name))
}

func (o *office) schedule(name string) *client.ScheduleDescription {
	o.Helper()
	return check[*client.ScheduleDescription](o)(o.engine.Client().ScheduleClient().GetHandle(o.Context(), idPrefix+name).Describe(o.Context()))
}

func (o *office) has(name string) bool {
	_, err := o.engine.Client().ScheduleClient().GetHandle(o.Context(), idPrefix+name).Describe(o.Context())
	return err == nil
}

func (o *office) exec(stmt string, args ...any) {
	o.Helper()
	check[sql.Result](o)(o.db.Client().ExecContext(o.Context(), stmt, args...))
}

func wantKind(t *testing.T, kind attune.Kind, err error, words string) {
	t.Helper()
	if attune.KindOf(err) != kind || err == nil || !strings.Contains(err.Error(), words) {
		t.Errorf("the error is %v (%v), want %v: %s", err, attune.KindOf(err), kind, words)
	}
}

func TestTasksAreKeptByVersion(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t, false), t.Context()
	full := maintain.FullTask("taste")
	if !o.put(full, "cron(0 3 ? * mon *)") || o.put(full, " cron(0  3 ? * MON *)") {
		t.Fatal("the first put changes, and the same again does not")
	}
	if changed := check[bool](t)(o.s.Put(ctx, maintain.Task{Name: full, Text: "cron(0 3 ? * MON *)", Input: json.RawMessage(`{ "solution": "taste" }`)})); !changed {
		t.Fatal("another input is another version")
	}
	o.put(maintain.ImportTask("shop"), "rate(1 day)")
	if names := check[[]string](t)(o.s.List(ctx)); strings.Join(names, " ") != "personalize-dataset-import-shop solution-maintenance-full-taste" {
		t.Errorf("the list is %v", names)
	}
	d := o.state(full)
	next, _ := check[cron.Expression](t)(cron.Parse("cron(0 3 ? * MON *)")).Next(time.Now())
	if !d.Active || d.Schedule != "cron(0 3 ? * MON *)" || d.Version != "v2" || d.Workflow != testWork || !d.Next.Equal(next) || d.Last != nil {
		t.Errorf("the task is %+v", d)
	}
	h := check[[]maintain.TaskVersion](t)(o.s.History(ctx, full))
	if len(h) != 2 || h[0].Version != "v2" || string(h[0].Input) != `{"solution":"taste"}` || h[1].Version != "v1" || string(h[1].Input) != "{}" {
		t.Errorf("the history is %+v", h)
	}

	if err := o.s.Deactivate(ctx, full); err != nil {
		t.Fatal(err)
	}
	if d := o.state(full); d.Active || !d.Next.IsZero() || d.Version != "v2" || !o.schedule(full).Schedule.State.Paused {
		t.Errorf("deactivated it is %+v", d)
	}
	if o.put(full, "cron(0 3 ? * MON *)"); o.state(full).Version != "v3" || !o.state(full).Active { // without its input it is another
		t.Errorf("a change activates: %+v", o.state(full))
	}
	if !o.put(full, maintain.DropSchedule) || o.put(full, maintain.DropSchedule) || o.has(full) {
		t.Error("the word deletes, once, and there is no schedule left")
	}
	_, err := o.s.Describe(ctx, full)
	wantKind(t, attune.NotFound, err, `there is no task "solution-maintenance-full-taste"`)
	_, err = o.s.History(ctx, full)
	wantKind(t, attune.NotFound, err, "there is no task")
	wantKind(t, attune.NotFound, o.s.Activate(ctx, full), "there is no task")
	wantKind(t, attune.NotFound, o.s.RunNow(ctx, full), "there is no task")
}

func TestTasksThatCannotBeCarriedOutAreRefused(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	for _, c := range []struct {
		task  maintain.Task
		words string
	}{
		{maintain.Task{Name: "a b", Text: "rate(1 day)"}, `task name "a b": use 1 to 128 letters`},
		{maintain.Task{Name: "a", Text: "cron(0 3 * * * *)"}, `task a: schedule "cron(0 3 * * * *)": day-of-month`},
		{maintain.Task{Name: "a", Text: "cron(0 3 * * ? 1999)"}, "never fires"},
		{maintain.Task{Name: "a", Text: "rate(1 day)", Input: json.RawMessage(`{"a"`)}, "its input is no JSON"},
		{maintain.Task{Name: "a", Text: "rate(1 day)", Input: json.RawMessage(`"` + strings.Repeat("x", 200<<10) + `"`)}, "bytes; at most"},
	} {
		_, err := o.s.Put(t.Context(), c.task)
		wantKind(t, attune.Invalid, err, c.words)
	}
	if names := check[[]string](t)(o.s.List(t.Context())); len(names) != 0 {
		t.Errorf("there are %v", names)
	}
}

// TestTwoPutsAtOnce: however many write one task at once, each is a version of
// its own, and Temporal has the last.
func TestTwoPutsAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	other := o.open() // as another process would
	const n = 12
	var wg sync.WaitGroup
	var refused atomic.Int32
	for i := range n {
		wg.Go(func() {
			s := o.s
			if i%2 == 0 {
				s = other
			}
			changed, err := s.Put(context.Background(), maintain.Task{Name: "t", Text: fmt.Sprintf("cron(%d 3 * * ? *)", i)})
			switch {
			case attune.KindOf(err) == attune.InUse:
				refused.Add(1)
			case err != nil || !changed:
				t.Errorf("put %d: %v %v", i, changed, err)
			}
		})
	}
	wg.Wait()
	h := check[[]maintain.TaskVersion](t)(o.s.History(t.Context(), "t"))
	texts := map[string]bool{}
	for i, v := range h {
		texts[v.Schedule] = true
		if v.Version != fmt.Sprintf("v%d", len(h)-i) {
			t.Errorf("version %d is %s", len(h)-i, v.Version)
		}
	}
	if len(texts) != n-int(refused.Load()) {
		t.Errorf("%d texts in %d versions, %d refused", len(texts), len(h), refused.Load())
	}
	o.stopRun()
	o.s = o.open() // compares at its start
	o.run()
	want, _ := check[cron.Expression](t)(cron.Parse(h[0].Schedule)).Next(time.Now())
	o.eventually("temporal has the last version", func() bool {
		next := o.schedule("t").Info.NextActionTimes
		return len(next) > 0 && next[0].Equal(want)
	})
}

// TestTemporalKnowsTheSameTimes: for expressions of all kinds the server names
// the same next times as Next.
func TestTemporalKnowsTheSameTimes(t *testing.T) {
	t.Parallel()
	o := newOffice(t, false)
	for i, text := range []string{
		"cron(0 3 ? * MON *)", "cron(0/15 8-17 ? * MON-FRI *)", "cron(0 22-2/2 * * ? *)", "cron(5,7,59 0 L * ? *)", "cron(0 0 LW * ? *)",
		"cron(0 0 15W * ? *)", "cron(0 0 1W * ? *)", "cron(0 0 31W * ? *)", "cron(0 0 30W 2-4,9 ? *)", "cron(0 0 L-3 * ? *)", "cron(0 0 L-3W 2 ? *)",
		"cron(0 12 ? * FRIL *)", "cron(0 12 ? * 2#1 *)", "cron(0 12 ? * 7#5 *)", "cron(0 12 ? * L *)", "cron(0 0 29 2 ? *)", "cron(0 0 L 2 ? *)",
		"cron(0 0 1,15,L 1/3 ? 2027-2040/2)", "cron(30 6 ? NOV-FEB SAT-SUN 1990-2099)", "cron(0 0 1 1 ? 2098-2102)", "rate(7 minutes)", "rate(3 days)", "rate(1 hour)",
	} {
		name := fmt.Sprintf("t%d", i)
		o.put(name, text)
		e := check[cron.Expression](t)(cron.Parse(text))
		if every, ok := e.Every(); ok {
			v := check[[]maintain.TaskVersion](t)(o.s.History(t.Context(), name))
			if e = e.Anchored(v[0].Created); e.Phase() >= every {
				t.Fatal("a phase as long as the period")
			}
		}
		got := o.schedule(name).Info.NextActionTimes
		at := time.Now()
		var want []time.Time
		for range 10 {
			next, ok := e.Next(at)
			if !ok || next.Year() > 2100 { // Temporal knows no later ones
				break
			}
			want, at = append(want, next), next
		}
		if len(got) != len(want) || len(want) == 0 {
			t.Errorf("%s: %v, want %v", text, got, want)
			continue
		}
		for k := range want {
			if !got[k].Equal(want[k]) {
				t.Errorf("%s: time %d is %s, want %s", text, k, got[k].UTC(), want[k])
			}
		}
	}
}

func TestTaskRunsWhenItIsDue(t *testing.T) {
	o := newOffice(t, false)
	o.ahead.Store(-int64(58 * time.Second)) // the minute is over two seconds after the put
	check[bool](t)(o.s.Put(t.Context(), maintain.Task{Name: "t", Text: "rate(1 minute)", Input: json.RawMessage(`{"purpose":"full"}`)}))
	created := check[[]maintain.TaskVersion](t)(o.s.History(t.Context(), "t"))[0].Created
	r := o.wantRuns(1)[0]
	due := created.Truncate(time.Second).Add(time.Minute)
	if r.in.Task != "t" || r.in.Version != 1 || string(r.in.Input) != `{"purpose":"full"}` || !r.due.Equal(due) || r.at.Before(due) || r.at.Sub(due) > 5*time.Second {
		t.Errorf("the run is %+v, due %s", r, due)
	}
	if id := idPrefix + "t-" + due.Format(time.RFC3339); r.id != id {
		t.Errorf("the workflow is %s, want %s", r.id, id)
	}
	o.eventually("the last run is told", func() bool {
		last := o.state("t").Last
		return last != nil && last.Workflow == r.id && last.Due.Equal(due)
	})
}

func TestRunNowRunsNoTaskTwice(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t, false), t.Context()
	o.hold.Store(true)
	o.put("t", "cron(0 3 * * ? *)")
	if err := errors.Join(o.s.Deactivate(ctx, "t"), o.s.RunNow(ctx, "t")); err != nil {
		t.Fatal(err)
	}
	r := o.wantRuns(1)[0]
	o.eventually("it is told to run", func() bool { return len(o.state("t").Running) == 1 })
	wantKind(t, attune.InUse, o.s.RunNow(ctx, "t"), "task t is running: "+r.id)

	// Deleted while it runs, and made again: the run is not forgotten.
	if !o.put("t", maintain.DropSchedule) || !o.put("t", "cron(0 4 * * ? *)") {
		t.Fatal("deleted and made again are changes")
	}
	wantKind(t, attune.InUse, o.s.RunNow(ctx, "t"), "task t is running")
	if !o.put("t", maintain.DropSchedule) || !o.has("t") {
		t.Fatal("its schedule stays while it runs")
	}
	if err := o.engine.Client().SignalWorkflow(ctx, r.id, "", "go", nil); err != nil {
		t.Fatal(err)
	}
	o.eventually("the schedule goes with the end of the run", func() bool { return !o.has("t") })
	o.wantRuns(1)
}

// TestDrivenTasksFollowTheirClock: one run for each task and look, none while it
// runs, and a clock put far ahead is made up for by one run.
func TestDrivenTasksFollowTheirClock(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t, true), t.Context()
	o.put("daily", "cron(0 3 * * ? *)")
	o.put("yearly", "cron(0 3 1 1 ? *)")
	first := o.state("daily").Next
	o.wantRuns(0)
	o.later(time.Until(first) + time.Second - time.Duration(o.ahead.Load()))
	r := o.wantRuns(1)[0]
	if r.in.Task != "daily" || !r.due.Equal(first) {
		t.Errorf("the run is %+v, due %s", r, first)
	}
	o.hold.Store(true)
	o.later(10 * 24 * time.Hour) // ten times due
	r = o.wantRuns(2)[1]
	if !r.due.Equal(first.AddDate(0, 0, 1)) {
		t.Errorf("what was missed is made up for by %s", r.due)
	}
	o.later(24 * time.Hour) // and it runs
	o.wantRuns(2)
	if err := o.engine.Client().SignalWorkflow(ctx, r.id, "", "go", nil); err != nil {
		t.Fatal(err)
	}
	o.hold.Store(false)
	if err := o.s.Deactivate(ctx, "daily"); err != nil {
		t.Fatal(err)
	}
	o.later(5 * 24 * time.Hour)
	o.wantRuns(2)
	if err := o.s.Activate(ctx, "daily"); err != nil { // what it missed is not made up for
		t.Fatal(err)
	}
	o.wantRuns(2)
	o.later(24 * time.Hour)
	o.wantRuns(3)
}

// TestDrivenTasksSurviveARestart: a process that is killed after it started a
// run and before it wrote so repeats nothing, and one that was down misses nothing.
func TestDrivenTasksSurviveARestart(t *testing.T) {
	t.Parallel()
	o := newOffice(t, true)
	o.put("t", "cron(0 3 * * ? *)")
	first := o.state("t").Next
	o.later(time.Until(first) + time.Second)
	o.wantRuns(1)
	o.eventually("it is written", func() bool {
		var due int64
		if err := o.db.Client().QueryRowContext(t.Context(), `SELECT due FROM schedule_task`).Scan(&due); err != nil {
			t.Fatal(err)
		}
		return due > first.UnixMilli()
	})
	o.stopRun()
	o.exec(fmt.Sprintf(`UPDATE schedule_task SET due = %d`, first.UnixMilli())) // as if it had not been written
	o.s = o.open()
	o.run()
	o.wantRuns(1)

	o.down()
	o.ahead.Add(int64(72 * time.Hour))
	o.up("temporal")
	if r := o.wantRuns(2)[1]; !r.due.Equal(first.AddDate(0, 0, 1)) {
		t.Errorf("after the downtime it runs for %s", r.due)
	}
}

// TestMissedRunsAreMadeUpFor: Temporal was down when a task was due.
func TestMissedRunsAreMadeUpFor(t *testing.T) {
	o := newOffice(t, false)
	o.ahead.Store(-int64(56 * time.Second))
	o.put("t", "rate(1 minute)")
	created := check[[]maintain.TaskVersion](t)(o.s.History(t.Context(), "t"))[0].Created
	due := created.Truncate(time.Second).Add(time.Minute)
	o.down()
	time.Sleep(time.Until(due) + time.Second)
	o.wantRuns(0)
	o.up("temporal")
	if r := o.wantRuns(1)[0]; !r.due.Equal(due) {
		t.Errorf("the run is for %s, want %s", r.due, due)
	}
}

// TestRowsAreTheTruth: whatever Temporal lost or kept, it agrees again.
func TestRowsAreTheTruth(t *testing.T) {
	t.Parallel()
	o, ctx := newOffice(t, false), t.Context()
	for i := range 5 {
		o.put(fmt.Sprintf("t%d", i), "cron(0 3 * * ? *)")
	}
	if err := o.s.Deactivate(ctx, "t1"); err != nil {
		t.Fatal(err)
	}
	o.down()
	o.up("temporal-that-is-empty") // its database was lost
	agree := func(when string) {
		t.Helper()
		o.eventually("temporal agrees "+when, func() bool {
			for i := range 5 {
				name := fmt.Sprintf("t%d", i)
				if !o.has(name) || o.schedule(name).Schedule.State.Paused != (i == 1) {
					return false
				}
			}
			return !o.has("orphan")
		})
	}
	agree("after a loss")

	// Killed between the two writes: rows say what Temporal does not know, and the other way round.
	o.stopRun()
	handle := func(name string) client.ScheduleHandle {
		return o.engine.Client().ScheduleClient().GetHandle(ctx, idPrefix+name)
	}
	err := errors.Join(handle("t2").Delete(ctx), handle("t3").Pause(ctx, client.SchedulePauseOptions{}))
	check[client.ScheduleHandle](t)(o.engine.Client().ScheduleClient().Create(ctx, client.ScheduleOptions{ID: idPrefix + "orphan",
		Action: &client.ScheduleWorkflowAction{ID: "orphan", Workflow: testWork, TaskQueue: testQueue}, Paused: true}))
	check[client.ScheduleHandle](t)(o.engine.Client().ScheduleClient().Create(ctx, client.ScheduleOptions{ID: "somebody-elses",
		Action: &client.ScheduleWorkflowAction{ID: "x", Workflow: testWork, TaskQueue: testQueue}, Paused: true}))
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second) // lists of Temporal follow by a moment; a process that begins comes later
	o.s = o.open()
	o.run()
	agree("after a kill")
	if _, err := o.engine.Client().ScheduleClient().GetHandle(ctx, "somebody-elses").Describe(ctx); err != nil {
		t.Errorf("a schedule that is not ours: %v", err)
	}
}
