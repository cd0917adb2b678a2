package maintain

import (
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune/maintain/plan"
)

const (
	// heartbeatEvery is how often a look under way says that it lives.
	heartbeatEvery = time.Second
	// heartbeatTimeout is how long it may be silent before it is taken again:
	// five missed beats.
	heartbeatTimeout = 5 * time.Second
	// lookTimeout bounds one look, with the repeats of the SDK: lists have pages,
	// and a service that counts requests makes them wait.
	lookTimeout = 2 * time.Minute
	// stepsAtOnce bounds the steps under way of one run: Temporal takes 2,000 of a
	// workflow, and its end is told why each of them failed, in less than 2 MiB.
	stepsAtOnce = 256
	// stepTimeout bounds a step from its first look to its last, beyond all
	// patience: what hangs in a way that nobody thought of.
	stepTimeout = 48 * time.Hour
)

// Outline is what a workflow knows of its run: names. The rest is in rows, so
// that a payload stays far below the 2 MiB that Temporal takes.
type Outline struct {
	Purpose plan.Purpose `json:"purpose"`
	Steps   []OpenStep   `json:"steps"`
	Over    bool         `json:"over"` // the run has ended: only its end is to be announced
}

// OpenStep is a step and what it waits for.
type OpenStep struct {
	Path  string   `json:"path"`
	Needs []string `json:"needs,omitempty"`
	Done  bool     `json:"done,omitempty"`
}

// Ending is what a workflow tells of the end of its run.
type Ending struct {
	Cancelled bool              `json:"cancelled,omitempty"`
	Failed    map[string]string `json:"failed,omitempty"` // by path; "" for the run itself
}

// RunWorkflow takes the steps of a run, each as soon as those that it needs are
// done. After a failure no other step begins; those that have go on to their end.
func RunWorkflow(ctx workflow.Context, run string) error {
	ctx = looking(ctx)
	var (
		a    *activities
		todo Outline
		end  Ending
	)
	err := workflow.ExecuteActivity(ctx, a.Outline, run).Get(ctx, &todo)
	if err == nil && !todo.Over && todo.Purpose == plan.ForDestroy {
		err = workflow.ExecuteActivity(ctx, a.Arrange, run).Get(ctx, nil) // or a task would make again what goes
	}
	if err == nil && !todo.Over {
		end.Failed = takeAll(ctx, run, todo.Steps)
	}
	if err == nil && !todo.Over && todo.Purpose == plan.ForApply && ctx.Err() == nil {
		err = workflow.ExecuteActivity(ctx, a.Arrange, run).Get(ctx, nil)
	}
	end.Cancelled = ctx.Err() != nil
	if err != nil && !end.Cancelled {
		if end.Failed == nil {
			end.Failed = map[string]string{}
		}
		end.Failed[""] = reason(err)
	}
	last, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	return workflow.ExecuteActivity(last, a.End, run, end).Get(last, nil)
}

// takeAll starts what can be started until nothing runs, and returns why steps
// failed, by path.
func takeAll(ctx workflow.Context, run string, steps []OpenStep) map[string]string {
	var (
		a       *activities
		failed  = map[string]string{}
		done    = map[string]bool{}
		begun   = map[string]bool{}
		running int
		all     = workflow.NewSelector(ctx)
	)
	for _, s := range steps {
		done[s.Path] = s.Done
	}
	start := func() {
		for _, s := range steps {
			if running == stepsAtOnce {
				return
			}
			if begun[s.Path] || done[s.Path] || len(failed) > 0 || ctx.Err() != nil || slices.ContainsFunc(s.Needs, func(p string) bool { return !done[p] }) {
				continue
			}
			begun[s.Path] = true
			running++
			all.AddFuture(workflow.ExecuteActivity(ctx, a.Take, run, s.Path), func(f workflow.Future) {
				running--
				switch err := f.Get(ctx, nil); {
				case err == nil:
					done[s.Path] = true
				case temporal.IsCanceledError(err), ctx.Err() != nil && onItsWay(err):
				default:
					failed[s.Path] = reason(err)
				}
			})
		}
	}
	for start(); running > 0; start() {
		all.Select(ctx)
	}
	return failed
}

// looking gives the options of one step: looks that come again as long as the
// step says so.
func looking(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout:    lookTimeout,
		ScheduleToCloseTimeout: stepTimeout,
		HeartbeatTimeout:       heartbeatTimeout,
		// A cancelled step ends with its look: what that began is then in its row.
		WaitForCancellation: true,
		RetryPolicy: &temporal.RetryPolicy{
			InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second,
		},
	})
}

// onItsWay says that a step was looked at while its end was asked for: Temporal
// takes it no more, and gives what it said last.
func onItsWay(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == typePending
}

// reason is why an activity failed, without the words of Temporal around it.
func reason(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Message()
	}
	return err.Error()
}
