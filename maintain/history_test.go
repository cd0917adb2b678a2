package maintain

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune/maintain/plan"
)

var rewrite = flag.Bool("rewrite", false, "record testdata/history again, from workflows that run now")

// TestReplay runs today's workflow over histories of earlier ones. When it
// fails, a run that an older build began would get stuck after an upgrade: keep
// the old order of steps behind workflow.GetVersion, and add histories of the
// new one with
//
//	go test ./maintain -run 'TestRecord|TestReplay' -rewrite
//
// Histories of released builds stay.
func TestReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/history/*.json")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d histories were found (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			r := worker.NewWorkflowReplayer()
			r.RegisterWorkflow(RunWorkflow)
			if err := r.ReplayWorkflowHistoryFromJSONFile(nil, file); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestReplayNotices shows that a replay fails when steps change their order.
func TestReplayNotices(t *testing.T) {
	r := worker.NewWorkflowReplayer()
	changed := func(ctx workflow.Context, run string) error {
		var a *activities
		return workflow.ExecuteActivity(looking(ctx), a.End, run, Ending{}).Get(ctx, nil)
	}
	r.RegisterWorkflowWithOptions(changed, workflow.RegisterOptions{Name: "RunWorkflow"})
	if err := r.ReplayWorkflowHistoryFromJSONFile(nil, "testdata/history/applied.json"); err == nil || !strings.Contains(err.Error(), "TMPRL1100") {
		t.Errorf("the history of an apply, replayed as another: %v", err)
	}
}

// TestRecord writes the histories, with -rewrite.
func TestRecord(t *testing.T) {
	if !*rewrite {
		t.Skip("histories are recorded with -rewrite")
	}
	h := newHouse(t)
	h.record(h.apply(chain()...).ID, "applied")

	h.target.answer = func(_ context.Context, step plan.Step, look int, _ map[string]plan.Result) (plan.Result, error) {
		if step.Name == "users" {
			return plan.Result{Path: step.Path, Action: plan.Blocked, Note: "it cannot be"}, nil
		}
		return made(step, look, 12), nil // long enough for Temporal's timers
	}
	h.record(h.apply(chain()...).ID, "failed")

	h.target.answer = func(_ context.Context, step plan.Step, look int, _ map[string]plan.Result) (plan.Result, error) {
		return made(step, look, 1000), nil
	}
	r := h.apply(chain()...)
	h.eventually("the group is begun", func() bool { return h.target.taken("datasetGroup") > 15 })
	if err := h.m.Cancel(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	h.record(r.ID, "cancelled")

	h.target.answer = nil
	h.target.set(chain())
	r = must[*Run](t)(h.m.Start(t.Context(), StartInput{Configuration: "shop", Purpose: plan.ForDestroy}))
	h.record(r.ID, "destroyed")
}

// record waits for the end of a run and keeps its history.
func (h *house) record(id, name string) {
	h.Helper()
	h.ended(id)
	_ = h.temporal.GetWorkflow(h.Context(), id, "").Get(h.Context(), nil)
	var all history.History
	for events := h.temporal.GetWorkflowHistory(h.Context(), id, "", false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); events.HasNext(); {
		e, err := events.Next()
		if err != nil {
			h.Fatal(err)
		}
		all.Events = append(all.Events, e)
	}
	text, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(&all)
	if err != nil {
		h.Fatal(err)
	}
	// Nothing of the machine they were recorded on.
	text = regexp.MustCompile(`"identity": ?"[^"]*"`).ReplaceAll(text, []byte(`"identity":"attune"`))
	text = regexp.MustCompile(`"stackTrace": ?"[^"]*",?`).ReplaceAll(text, nil)
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		h.Fatal(err)
	}
	if text, err = json.MarshalIndent(tree, "", " "); err != nil {
		h.Fatal(err)
	}
	if err := os.MkdirAll("testdata/history", 0o755); err != nil {
		h.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata/history", name+".json"), append(text, '\n'), 0o644); err != nil {
		h.Fatal(err)
	}
}
