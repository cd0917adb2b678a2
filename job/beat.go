package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
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
	// failuresAtMost bounds how often a step that fails for reasons of ours is
	// tried: with the pauses below, about a minute and a half.
	failuresAtMost = 10
	// attemptsAtMost bounds failures, kills and restarts together: many restarts
	// are no fault of a step, but one that takes the process with it must end.
	attemptsAtMost = 50
	// stopTimeout is how long a stopping process waits for steps to notice.
	stopTimeout = 5 * time.Second
	// stoppedRetry is when a step that stopped with its process is due again: soon,
	// but not before the pollers of the stopping process have let go, who would
	// take it and lose it.
	stoppedRetry = time.Second
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
			MaximumInterval: 30 * time.Second, MaximumAttempts: attemptsAtMost,
		},
	})
}

// beating runs f with heartbeats beside it. f reports progress through the
// function it is given; its context ends when the workflow was cancelled, and
// at once when the process stops, so that the next one goes on soon.
func beating[T any](ctx context.Context, m *Manager, f func(ctx context.Context, report func(Progress)) (T, error)) (T, error) {
	work, end := context.WithCancelCause(ctx)
	defer end(nil)
	var (
		mu   sync.Mutex
		last Progress
		wg   sync.WaitGroup
	)
	done := make(chan struct{})
	wg.Go(func() {
		tick := time.NewTicker(heartbeatEvery)
		defer tick.Stop()
		stopping := activity.GetWorkerStopChannel(ctx)
		for {
			mu.Lock()
			p := last
			mu.Unlock()
			activity.RecordHeartbeat(ctx, p)
			select {
			case <-done:
				return
			case <-stopping:
				end(errStopping)
				stopping = nil
			case <-tick.C:
			}
		}
	})
	id := activity.GetInfo(ctx).WorkflowExecution.ID
	out, err := f(work, func(p Progress) {
		mu.Lock()
		last = p
		mu.Unlock()
		m.live.Store(id, p)
	})
	close(done)
	wg.Wait()
	return out, outcome(work, err, activity.GetInfo(ctx).Attempt >= m.failures)
}

// errStopping is why a step's context ends when the process does.
var errStopping = errors.New("the process is stopping")

// outcome turns the error of a step into what Temporal shall do about it. What
// is expected is marked benign: the SDK then does not log it as an error.
func outcome(work context.Context, err error, last bool) error {
	if err == nil {
		return nil
	}
	o := temporal.ApplicationErrorOptions{Category: temporal.ApplicationErrorCategoryBenign, Cause: err}
	kind := attune.KindOf(err)
	switch {
	case errors.Is(context.Cause(work), errStopping):
		o.NextRetryDelay, o.Cause = stoppedRetry, nil
		return temporal.NewApplicationErrorWithOptions(errStopping.Error(), typeStopped, o)
	case work.Err() != nil:
		o.Cause = work.Err() // by this the SDK knows a cancelled step
		return temporal.NewApplicationErrorWithOptions("the job was cancelled", typeCancelled, o)
	case slices.Contains(lasting, kind):
		o.NonRetryable, o.Cause = true, nil
	default:
		o.NonRetryable, o.Cause, o.Category = last, nil, temporal.ApplicationErrorCategoryUnspecified
	}
	return temporal.NewApplicationErrorWithOptions(err.Error(), kind.String(), o)
}

// Types of a step's error beside the names of attune's kinds.
const (
	typeStopped   = "stopped"
	typeCancelled = "cancelled"
)

// lasting are the kinds that trying again cannot mend.
var lasting = []attune.Kind{attune.Invalid, attune.NotFound, attune.LimitExceeded, attune.InUse, attune.Exists}

// reason is the sentence that a failed workflow leaves for the customer: the
// message of an error that somebody understood. The words of others are about
// our insides, and are in the log under the workflow's id.
func reason(ctx workflow.Context, err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		for _, kind := range append([]attune.Kind{attune.Unavailable}, lasting...) {
			if app.Type() == kind.String() {
				return app.Message()
			}
		}
	}
	return fmt.Sprintf("internal failure; see the server's log for %s", workflow.GetInfo(ctx).WorkflowExecution.ID)
}
