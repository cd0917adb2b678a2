package job_test

import (
	"fmt"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/job"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/resource"
)

// workflow names the workflow of a row, as an operator of Temporal sees it.
func workflow(r *resource.Resource, purpose string) string {
	return fmt.Sprintf("%s/%s/%s", r.Kind, r.ID, purpose)
}

// retried waits until the running step of a workflow is at its nth attempt or beyond.
func (h *house) retried(id string, n int32) {
	h.Helper()
	h.eventually(id+" is tried again", func() bool {
		d, err := h.temporal.DescribeWorkflowExecution(h.Context(), id, "")
		return err == nil && len(d.GetPendingActivities()) == 1 && d.GetPendingActivities()[0].GetAttempt() >= n
	})
}

// history gives a workflow's events.
func (h *house) history(id string) *historypb.History {
	h.Helper()
	out := &historypb.History{}
	for it := h.temporal.GetWorkflowHistory(h.Context(), id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT); it.HasNext(); {
		out.Events = append(out.Events, must[*historypb.HistoryEvent](h)(it.Next()))
	}
	return out
}

// TestBucketMended: an import outlives a bucket that fails for a while.
func TestBucketMended(t *testing.T) {
	t.Parallel()
	h := newLine(t)
	_, set := h.group("mended")
	location := h.upload("up/mended.csv", shopCSV(t, 4000))
	mend := h.breakBucket("table")
	imported := h.importing("mended", set, location)
	h.retried(workflow(h.get(imported), "import"), 3)
	mend()
	r := h.until(imported, resource.Active)
	if rep := must[resource.ImportJobBody](t)(resource.Body[resource.ImportJobBody](r)).Report; rep == nil || rep.Rows != 4000 {
		t.Errorf("report %+v", rep)
	}
}

// TestBucketBroken: what nobody mends ends, and says so without our insides.
func TestBucketBroken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.start().FailAfter(2)
	_, set := h.group("broken")
	location := h.upload("up/broken.csv", shopCSV(t, 1000))
	h.breakBucket("table")
	imported := h.importing("broken", set, location)
	why, id := h.failed(imported), workflow(h.get(imported), "import")
	if want := "internal failure; see the server's log for " + id; why != want {
		t.Errorf("the reason is %q, want %q", why, want)
	}
	end := must[event.Seq](t)(h.log.End(t.Context(), event.Group(h.get(imported).Group)))
	if end != (event.Seq{}) {
		t.Errorf("a failed import left the log at %v", end)
	}
}

// TestRowGone: a training whose row disappears ends, and leaves no model.
func TestRowGone(t *testing.T) {
	t.Parallel()
	h, slow := newHouse(t), newSlow()
	h.start(slow.recipes()...)
	version := h.version(h.solution("gone"))
	<-slow.begun
	h.eventually("the row is deleted", func() bool { return h.store.Delete(t.Context(), h.get(version.ARN)) == nil })
	close(slow.let)
	if err := h.temporal.GetWorkflow(t.Context(), workflow(version, "train"), "").Get(t.Context(), nil); err != nil {
		t.Errorf("the workflow failed: %v", err)
	}
	for info, err := range h.artifacts.List(t.Context(), "model/") {
		t.Errorf("%s is left behind (%v)", info.Name, err)
	}
}

// TestRestart: a process that is told to stop in the middle of a training does
// so at once, and the next one goes on at once.
func TestRestart(t *testing.T) {
	h, slow := newHouse(t), newSlow()
	h.start(slow.recipes()...)
	version := h.version(h.solution("restart"))
	<-slow.begun

	began := time.Now()
	h.stop()
	stopped := time.Since(began)
	if stopped > 4*time.Second { // a step that does not notice takes stopTimeout
		t.Errorf("stopping took %s", stopped)
	}
	if r := h.get(version.ARN); r.Status != resource.CreateInProgress {
		t.Errorf("after the stop the version is %s", r.Status)
	}
	close(slow.let)
	began = time.Now()
	h.start(slow.recipes()...)
	h.until(version.ARN, resource.Active)
	t.Logf("stopped in %s, trained %s after the next start", stopped, time.Since(began))

	var failure string
	for _, e := range h.history(workflow(version, "train")).Events {
		if f := e.GetActivityTaskStartedEventAttributes().GetLastFailure(); f != nil {
			failure = f.GetApplicationFailureInfo().GetType()
		}
	}
	if failure != "stopped" {
		t.Errorf("the interrupted step ended as %q: it was found by a time-out, not handed over", failure)
	}
}

// TestStartTwice: workflows started again for rows that are done change nothing.
func TestStartTwice(t *testing.T) {
	t.Parallel()
	h := newLine(t)
	solution := h.solution("twice")
	version := h.until(h.version(solution).ARN, resource.Active)
	campaign := h.until(h.campaign("twice", version).ARN, resource.Active)
	jobs := must[[]resource.Resource](t)(h.registry.All(t.Context(), resource.ImportJob))
	g := event.Group(version.Group)
	end := must[event.Seq](t)(h.log.End(t.Context(), g))
	for _, w := range []struct {
		row *resource.Resource
		wf  any
	}{{&jobs[0], job.ImportWorkflow}, {version, job.TrainWorkflow}, {campaign, job.DeployWorkflow}} {
		run, err := h.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: "attune"}, w.wf, job.Ref{ARN: w.row.ARN, ID: w.row.ID})
		if err == nil {
			err = run.Get(t.Context(), nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		if now := h.get(w.row.ARN); now.Version != w.row.Version {
			t.Errorf("%s went from version %d to %d", now, w.row.Version, now.Version)
		}
	}
	if now := must[event.Seq](t)(h.log.End(t.Context(), g)); now != end {
		t.Errorf("the log went from %v to %v", end, now)
	}
	models := 0
	for range h.artifacts.List(t.Context(), "model/"+version.ID+"/") {
		models++
	}
	if again := h.version(solution); h.until(again.ARN, resource.Active) != nil {
		for range h.artifacts.List(t.Context(), "model/"+again.ID+"/") {
			models--
		}
	}
	if models != 0 {
		t.Errorf("a version that was started twice has %d files more than one that was not", models)
	}
}

// TestUpdateAtOnce: an update asked for while the workflow of the last one is
// closing does not wait for the next look at the rows.
func TestUpdateAtOnce(t *testing.T) {
	h := newLine(t)
	solution := h.solution("update")
	versions := []*resource.Resource{h.until(h.version(solution).ARN, resource.Active), h.until(h.version(solution).ARN, resource.Active)}
	campaign := h.until(h.campaign("update", versions[0]).ARN, resource.Active)
	var longest time.Duration
	for i := range 12 {
		began := time.Now()
		h.update(campaign, versions[(i+1)%2])
		h.settled(campaign.ARN)
		longest = max(longest, time.Since(began))
		if r, _ := h.serve.Get(campaign.ARN); r.Version != versions[(i+1)%2].ARN {
			t.Fatalf("update %d: %s is served", i, r.Version)
		}
	}
	t.Logf("the longest of 12 updates took %s", longest)
	if longest > 8*time.Second { // the reconciler looks every ten
		t.Errorf("an update took %s", longest)
	}
}

// TestManyBusy: many waiting rows do not turn every change of one into as many
// questions.
func TestManyBusy(t *testing.T) {
	const rows, kicks = 40, 400 // kicks for so long that many looks at all rows fit in
	h, slow := newHouse(t), newSlow()
	m := h.start(slow.recipes()...)
	version := h.version(h.solution("busy"))
	<-slow.begun
	before := m.Starts()
	for i := range rows {
		r := *h.get(version.ARN)
		r.ID = fmt.Sprintf("%016x", i+1)
		r.Name = r.ID
		r.ARN = attune.ARN(string(version.Parent) + "/" + r.ID)
		r.Status = resource.CreatePending
		if err := h.store.Create(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	m.Kick()
	h.eventually("all are started", func() bool { return m.Starts() >= before+rows })
	t.Logf("%d workflows were started in %s", rows, time.Since(began))
	began = time.Now()
	for range kicks {
		m.Kick()
		time.Sleep(5 * time.Millisecond)
	}
	// Steps of the waiting rows kick as well; a full look every ten seconds may fall in between.
	if n := m.Starts() - before; n > 3*rows {
		t.Errorf("%d kicks in %s asked Temporal %d times", kicks, time.Since(began), n)
	}
	h.stop() // the trainings are left for nobody
}

// TestProgress: what heartbeats say is what Progress shows.
func TestProgress(t *testing.T) {
	t.Parallel()
	h, slow := newHouse(t), newSlow()
	m := h.start(slow.recipes()...)
	solution := h.solution("progress")
	version := h.version(solution)
	<-slow.begun
	h.eventually("the training shows progress", func() bool {
		p, running, err := m.Progress(t.Context(), version.ARN)
		return err == nil && running && p.Stage == recipe.StageTune
	})
	close(slow.let)
	h.until(version.ARN, resource.Active)
	h.eventually("the training is over", func() bool {
		_, running, err := m.Progress(t.Context(), version.ARN)
		return err == nil && !running
	})

	set := must[[]resource.Resource](t)(h.registry.All(t.Context(), resource.Dataset))[0]
	csv := shopCSV(t, 100_000)
	for i := range 6 { // long enough to be looked at on the way
		h.upload(fmt.Sprintf("up/large/%d.csv", i), csv)
	}
	imported := h.importing("large", &set, "s3://up/large")
	var last job.Progress
	seen := 0
	h.eventually("the import has ended", func() bool {
		p, running, err := m.Progress(t.Context(), imported)
		if err != nil {
			t.Fatal(err)
		}
		if running && p.Stage == "read" && p.Done != last.Done {
			if p.Done < last.Done || p.Total != int64(6*len(csv)) || p.Done > p.Total {
				t.Errorf("progress went from %+v to %+v", last, p)
			}
			last, seen = p, seen+1
		}
		return !h.get(imported).Busy()
	})
	h.until(imported, resource.Active)
	if t.Logf("an import of 600 000 rows showed %d steps, last %+v", seen, last); seen == 0 {
		t.Error("no progress of the import was seen")
	}
	if _, _, err := m.Progress(t.Context(), solution.ARN); attune.KindOf(err) != attune.Invalid {
		t.Errorf("the progress of a solution: %v", err)
	}
}
