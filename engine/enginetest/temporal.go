package enginetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// waiting is a workflow that ends when it is told to.
func waiting(ctx workflow.Context, word string) (string, error) {
	var answer string
	workflow.GetSignalChannel(ctx, "go").Receive(ctx, &answer)
	return word + answer, nil
}

// Temporal runs the suite of an engine that gives out a Temporal client. What
// is written is a workflow that waits; that it survived is shown by letting it
// finish.
func Temporal[E interface {
	Engine
	Client() client.Client
	Namespace() string
}](t *testing.T, open Opener[E]) {
	const name = "enginetest.waiting"
	seam[E]{
		open:    open,
		env:     "ATTUNE_TEST_TEMPORAL_URL",
		refused: []string{"temporal://", "temporal://localhost", "temporal://localhost/a/b", "temporal://localhost/a?tls=maybe", "temporal://localhost/a?x=1"},
		absent:  "temporal://127.0.0.1:1/attune",
		write: func(t *testing.T, e E, key string) {
			opts := client.StartWorkflowOptions{ID: key, TaskQueue: key}
			if _, err := e.Client().ExecuteWorkflow(t.Context(), opts, name, "a"); err != nil {
				t.Fatalf("start a workflow: %v", err)
			}
		},
		has: func(t *testing.T, e E, key string) bool {
			_, err := e.Client().DescribeWorkflowExecution(t.Context(), key, "")
			var missing *serviceerror.NotFound
			if errors.As(err, &missing) {
				return false
			}
			if err != nil {
				t.Fatalf("describe a workflow: %v", err)
			}
			return true
		},
		clean: func(t *testing.T, e E, key string) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			w := worker.New(e.Client(), key, worker.Options{})
			w.RegisterWorkflowWithOptions(waiting, workflow.RegisterOptions{Name: name})
			if err := w.Start(); err != nil {
				t.Fatalf("start a worker: %v", err)
			}
			defer w.Stop()
			if err := e.Client().SignalWorkflow(ctx, key, "", "go", "b"); err != nil {
				t.Fatalf("signal a workflow: %v", err)
			}
			var got string
			if err := e.Client().GetWorkflow(ctx, key, "").Get(ctx, &got); err != nil {
				t.Fatalf("wait for a workflow: %v", err)
			}
			if got != "ab" {
				t.Errorf("the workflow answered %q, want \"ab\"", got)
			}
		},
	}.run(t)
}
