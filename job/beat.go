package job

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune"
)

const (
	// heartbeatEvery is how often a running step says that it lives and how far it is.
	heartbeatEvery = time.Second
	// heartbeatTimeout is how long a step may be silent before another process
	// takes it up: five missed beats, and the wait after a kill.
	heartbeatTimeout = 5 * time.Second
	// stepTimeout bounds one attempt of a long step.
	stepTimeout = 24 * time.Hour
	// attempts bounds how often a step that fails for reasons of ours is tried.
	attempts = 10
	// stopTimeout is how long a stopping process waits for steps to notice.
	stopTimeout = 5 * time.Second
)

// Progress is how far a job is, as its heartbeats say.
type Progress struct {
	Stage string `json:"stage"` // what is being done, e.g. "read", "fit"
	Done  int64  `json:"done"`
	Total int64  `json:"total"` // 0 when not known
}

// step gives the options of one activity: long enough for real work, with
// heartbeats short enough that a killed process is noticed in seconds.
func step(ctx workflow.Context, queue string) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		TaskQueue:           queue,
		StartToCloseTimeout: stepTimeout,
		HeartbeatTimeout:    heartbeatTimeout,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2,
			MaximumInterval: 30 * time.Second, MaximumAttempts: attempts,
		},
	})
}

// beating runs f with heartbeats beside it. f reports progress through the
// function it is given; the context ends when the workflow was cancelled.
func beating[T any](ctx context.Context, f func(ctx context.Context, report func(Progress)) (T, error)) (T, error) {
	var (
		mu   sync.Mutex
		last Progress
		wg   sync.WaitGroup
	)
	done := make(chan struct{})
	wg.Add(1)
	go func() {
		defer wg.Done()
		tick := time.NewTicker(heartbeatEvery)
		defer tick.Stop()
		for {
			mu.Lock()
			p := last
			mu.Unlock()
			activity.RecordHeartbeat(ctx, p)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	out, err := f(ctx, func(p Progress) { mu.Lock(); last = p; mu.Unlock() })
	close(done)
	wg.Wait()
	return out, final(err)
}

// final marks errors that trying again cannot mend.
func final(err error) error {
	if err == nil {
		return nil
	}
	switch attune.KindOf(err) {
	case attune.Invalid, attune.NotFound, attune.LimitExceeded, attune.InUse, attune.Exists:
		return temporal.NewNonRetryableApplicationError(err.Error(), attune.KindOf(err).String(), nil)
	}
	return err
}

// reason is the sentence that a failed workflow step leaves for the customer.
func reason(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		if app.NonRetryable() {
			return app.Message()
		}
		return "internal failure after " + "repeated attempts: " + app.Message()
	}
	return err.Error()
}
