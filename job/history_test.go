package job_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/worker"
	sdkworkflow "go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune/job"
	"github.com/attune-io/attune/resource"
)

var rewrite = flag.Bool("rewrite", false, "record testdata/history again, from workflows that run now")

// TestReplay runs today's workflows over histories of earlier ones. When it
// fails, a workflow that an older build began would get stuck after an upgrade:
// keep the old order of steps behind workflow.GetVersion, and add histories of
// the new one with
//
//	go test ./job -run 'TestRecord|TestReplay' -rewrite
//
// Histories of released builds stay.
func TestReplay(t *testing.T) {
	files, err := filepath.Glob("testdata/history/*.json")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d histories were found (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			r := worker.NewWorkflowReplayer()
			r.RegisterWorkflow(job.ImportWorkflow)
			r.RegisterWorkflow(job.TrainWorkflow)
			r.RegisterWorkflow(job.DeployWorkflow)
			r.RegisterWorkflow(job.DataDeletionWorkflow)
			if err := r.ReplayWorkflowHistoryFromJSONFile(nil, file); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestReplayNotices shows that a replay fails when steps change their order.
func TestReplayNotices(t *testing.T) {
	r := worker.NewWorkflowReplayer()
	changed := func(ctx sdkworkflow.Context, ref job.Ref) error { return job.TrainWorkflow(ctx, ref) }
	r.RegisterWorkflowWithOptions(changed, sdkworkflow.RegisterOptions{Name: "ImportWorkflow"})
	if err := r.ReplayWorkflowHistoryFromJSONFile(nil, "testdata/history/import-active.json"); err == nil || !strings.Contains(err.Error(), "nondeterministic") {
		t.Errorf("the history of an import, replayed as a training: %v", err)
	}
}

// TestRecord writes the histories, with -rewrite. The data is synthetic.
func TestRecord(t *testing.T) {
	if !*rewrite {
		t.Skip("histories are recorded with -rewrite")
	}
	t.Run("import", recordImports)
	t.Run("train", recordTrainings)
	t.Run("deploy", recordDeployments)
}

// record waits for the end of a workflow and keeps its history.
func (h *house) record(id, name string) {
	h.Helper()
	h.eventually(id+" is there", func() bool {
		_, err := h.temporal.DescribeWorkflowExecution(h.Context(), id, "")
		return err == nil
	})
	_ = h.temporal.GetWorkflow(h.Context(), id, "").Get(h.Context(), nil) // some end with an error on purpose
	text, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(h.history(id))
	if err != nil {
		h.Fatal(err)
	}
	// Nothing of the machine they were recorded on.
	text = regexp.MustCompile(`"identity": ?"[^"]*"`).ReplaceAll(text, []byte(`"identity":"attune"`))
	text = regexp.MustCompile(`"stackTrace": ?"[^"]*",?`).ReplaceAll(text, nil)
	text = bytes.ReplaceAll(text, []byte(h.files), []byte("/bucket"))
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

func (h *house) cancel(id string) {
	h.Helper()
	if err := h.temporal.CancelWorkflow(h.Context(), id, ""); err != nil {
		h.Fatal(err)
	}
}

func recordImports(t *testing.T) {
	h := newHouse(t)
	m := h.start()
	_, set := h.group("shop")
	good := h.upload("up/good.csv", shopCSV(t, 2000))
	id := func(name, location string) string {
		return workflow(h.get(h.importing(name, set, location)), "import")
	}
	h.record(id("active", good), "import-active")
	h.record(id("failed", "s3://up/nothing.csv"), "import-failed")

	mend := h.breakBucket("table")
	retried, cancelled := id("retried", good), id("cancelled", good)
	h.retried(cancelled, 2)
	h.cancel(cancelled)
	h.record(cancelled, "import-cancelled")
	h.retried(retried, 2)
	mend()
	h.record(retried, "import-retried")

	m.FailAfter(2)
	h.breakBucket("table")
	h.record(id("broken", good), "import-broken")
}

func recordTrainings(t *testing.T) {
	h, slow := newHouse(t), newSlow()
	h.start(slow.recipes()...)
	solution := h.solution("shop")
	stopped := h.version(solution)
	<-slow.begun
	if err := h.registry.StopSolutionVersion(t.Context(), string(stopped.ARN)); err != nil {
		t.Fatal(err)
	}
	h.until(stopped.ARN, resource.CreateStopped)
	h.record(workflow(stopped, "train"), "train-cancelled")

	restarted := h.version(solution)
	<-slow.begun
	h.stop()
	close(slow.let)
	h.start(slow.recipes()...)
	h.record(workflow(restarted, "train"), "train-restarted")
	h.record(workflow(h.version(solution), "train"), "train-active")

	group, set := h.group("small")
	h.until(h.importing("small", set, h.upload("up/small.csv", strings.Join(strings.SplitAfter(shopCSV(t, 1000), "\n")[:60], ""))), resource.Active)
	small := must[*resource.Resource](t)(h.registry.CreateSolution(t.Context(), "small", resource.SolutionBody{
		DatasetGroupArn: string(group.ARN), RecipeArn: "arn:aws:personalize:::recipe/aws-user-personalization"}))
	h.record(workflow(h.version(h.until(small.ARN, resource.Active)), "train"), "train-failed")
}

func recordDeployments(t *testing.T) {
	h := newHouse(t)
	m := h.start()
	version := h.until(h.version(h.solution("shop")).ARN, resource.Active)
	active := h.campaign("active", version)
	h.record(workflow(active, "deploy"), "deploy-active")
	h.update(active, version)
	id := must[string](t)(job.WorkflowID(h.get(active.ARN)))
	h.record(id, "deploy-update")

	mend := h.breakBucket("model")
	cancelled := h.campaign("cancelled", version)
	h.retried(workflow(cancelled, "deploy"), 2)
	h.cancel(workflow(cancelled, "deploy"))
	h.record(workflow(cancelled, "deploy"), "deploy-cancelled")
	m.FailAfter(2)
	h.record(workflow(h.campaign("broken", version), "deploy"), "deploy-broken")
	mend()
}
