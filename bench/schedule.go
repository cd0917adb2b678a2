package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"

	"github.com/attune-io/attune/engine/sql"
	"github.com/attune-io/attune/engine/temporal"
	"github.com/attune-io/attune/ledger"
	"github.com/attune-io/attune/maintain"
)

const (
	// scheduledTasks is how many tasks are registered, and scheduledAtOnce how
	// many of them are due in one second.
	scheduledTasks  = 5_000
	scheduledAtOnce = 20
	// scheduleRounds is how often some are due in one second.
	scheduleRounds = 10
	// putsAtOnce is how many tasks are written at the same time.
	putsAtOnce = 8
	// scheduleLead is how long before they are due a round's tasks are written.
	scheduleLead = 4 * time.Second
	// scheduleQueue is the task queue of the measured workflow, of this type.
	scheduleQueue = "bench"
)

// office is schedules on engines in this process, and a worker whose workflow
// only tells that it began.
type office struct {
	s     *maintain.Schedules
	clock atomic.Int64 // Unix seconds: what the periods of tasks count from
	round int
	began chan begun
	close []func() error
}

// begun is a workflow that began.
type begun struct{ due, at time.Time }

// schedule measures how soon scheduled tasks start when they are due.
func (b *bench) schedule() (err error) {
	o := &office{began: make(chan begun, 2*scheduledTasks)}
	defer func() {
		for _, f := range slices.Backward(o.close) {
			err = errors.Join(err, f())
		}
	}()
	if err := o.open(b.ctx, b.folder("schedule")); err != nil {
		return err
	}
	n, few, rounds := pick(b, scheduledTasks, 40), pick(b, scheduledAtOnce, 5), pick(b, scheduleRounds, 2)

	b.say("registering %d schedules", n)
	registered, err := o.put(b.ctx, n, time.Now(), "rate(365 days)")
	if err != nil {
		return err
	}
	var late []time.Duration
	for range rounds {
		list, _, err := o.dueAt(b.ctx, few, time.Now().Add(scheduleLead))
		if err != nil {
			return err
		}
		late = append(late, list...)
	}
	b.say("all of them at once")
	// Writing them again takes about as long as registering; they must not fall due before.
	all, changed, err := o.dueAt(b.ctx, n, time.Now().Add(registered+registered/2+2*scheduleLead))
	if err != nil {
		return err
	}
	drain := slices.Max(all)

	written := newTable("tasks written", "tasks", "took", "tasks/s")
	written.add("registered", n, registered, float64(n)/registered.Seconds())
	written.add("changed", n, changed, float64(n)/changed.Seconds())
	started := newTable("due in one second", "starts", "p50", "p99", "most", "starts/s")
	for _, row := range []struct {
		name string
		late []time.Duration
		rate string
	}{
		{fmt.Sprintf("%d of %s", few, figure(n)), late, "-"},
		{"all of them", all, figure(float64(n) / drain.Seconds())},
	} {
		slices.Sort(row.late)
		started.add(row.name, len(row.late), quantile(row.late, 0.5), quantile(row.late, 0.99), quantile(row.late, 1), row.rate)
	}
	b.note("Rows in SQLite and schedules in the embedded Temporal, both in the process that measures; a worker there whose workflow ends at once. %d tasks are written at a time:", putsAtOnce)
	written.write(b.out)
	b.note("From the second that a task is due to the first line of its workflow: %d rounds of %d tasks, then every task in the same second.", rounds, few)
	started.write(b.out)
	return nil
}

// open starts the engines below a folder, the worker, and the schedules.
func (o *office) open(ctx context.Context, folder string) error {
	log := slog.New(slog.DiscardHandler)
	db, err := sql.Open(ctx, "", filepath.Join(folder, "sql"), log, nil)
	if err != nil {
		return err
	}
	o.close = append(o.close, db.Close)
	t, err := temporal.Open(ctx, "", filepath.Join(folder, "temporal"), log, nil)
	if err != nil {
		return err
	}
	o.close = append(o.close, t.Close)
	w := worker.New(t.Client(), scheduleQueue, worker.Options{MaxConcurrentWorkflowTaskPollers: putsAtOnce})
	w.RegisterWorkflowWithOptions(o.work, workflow.RegisterOptions{Name: scheduleQueue})
	if err := w.Start(); err != nil {
		return err
	}
	o.close = append(o.close, func() error { w.Stop(); return nil })
	o.s, err = maintain.NewSchedules(ctx, maintain.ScheduleDeps{DB: db.Client(), Dialect: ledger.Dialect(db.Dialect()), Temporal: t.Client(),
		Clock: o.now, Logger: log, Queue: scheduleQueue, Workflow: scheduleQueue})
	return err
}

// now is when tasks are written, for what they are due by.
func (o *office) now() time.Time { return time.Unix(o.clock.Load(), 0).UTC() }

// work tells that it began.
func (o *office) work(ctx workflow.Context, _ maintain.TaskInput) error {
	if !workflow.IsReplaying(ctx) {
		o.began <- begun{maintain.DueAt(ctx), time.Now()}
	}
	return nil
}

// put writes n tasks whose periods count from a moment, and says how long that took.
func (o *office) put(ctx context.Context, n int, from time.Time, text string) (time.Duration, error) {
	o.clock.Store(from.Unix())
	start := time.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(putsAtOnce)
	for i := range n {
		g.Go(func() error {
			_, err := o.s.Put(ctx, maintain.Task{Name: fmt.Sprintf("task-%d", i), Text: text})
			return err
		})
	}
	return time.Since(start), g.Wait()
}

// dueAt has the first n tasks fall due in one second, and gives how late each of
// them began, and how long it took to write them.
func (o *office) dueAt(ctx context.Context, n int, due time.Time) (late []time.Duration, wrote time.Duration, err error) {
	due = due.Truncate(time.Second)
	o.round++ // another period each time, for a task that stays as it is stays due as it was
	began := time.Now()
	if _, err = o.put(ctx, n, due.Add(-time.Duration(o.round+1)*time.Hour), fmt.Sprintf("rate(%d hours)", o.round+1)); err != nil {
		return nil, 0, err
	}
	if wrote = time.Since(began); time.Now().After(due) {
		return nil, 0, fmt.Errorf("writing %d tasks took %s, longer than they had", n, wrote)
	}
	timeout := time.After(time.Until(due) + patience)
	for len(late) < n {
		select {
		case w := <-o.began:
			if !w.due.Equal(due) {
				return nil, 0, fmt.Errorf("a task ran that was due at %s, not at %s", w.due, due)
			}
			late = append(late, w.at.Sub(due))
		case <-timeout:
			return nil, 0, fmt.Errorf("%d of %d tasks did not start within %s", n-len(late), n, patience)
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	return late, wrote, nil
}
