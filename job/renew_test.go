package job_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/attune-io/attune/job"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/all"
	"github.com/attune-io/attune/resource"
)

// failing is the recipe of trends, which fails once let is closed, after it was told begun.
type failing struct {
	recipe.Recipe
	tries atomic.Int64
	begun chan struct{} // gets one value for each try
	let   chan struct{}
}

func newFailing() *failing {
	return &failing{begun: make(chan struct{}, 100), let: make(chan struct{})}
}

// recipes is every recipe of the build, with this one in its place.
func (f *failing) recipes() (list []recipe.Recipe) {
	for _, r := range all.List() {
		if r.Name() == "trending" {
			f.Recipe, r = r, f
		}
		list = append(list, r)
	}
	return list
}

func (f *failing) Train(ctx context.Context, _ recipe.Input) (*model.Model, error) {
	f.tries.Add(1)
	f.begun <- struct{}{}
	select {
	case <-f.let:
		return nil, errors.New("broken on purpose")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestRenewalPauses: what fails is tried again after a pause, not at every look.
func TestRenewalPauses(t *testing.T) {
	t.Parallel()
	h, f := newLine(t), newFailing()
	arn := h.recommender("pause", "aws-vod-trending-now", h.domain("pause", "VIDEO_ON_DEMAND"))
	h.until(arn, resource.Active)
	first := h.learned(arn)
	h.stop()
	close(f.let)
	h.start(f.recipes()...).FailAfter(1)
	h.later(3 * time.Hour)
	<-f.begun
	for range 5 { // looks in more time than reconcileEvery, after which nothing holds it back but the pause
		time.Sleep(3 * time.Second)
		h.later(0)
	}
	if n := f.tries.Load(); n != 1 {
		t.Errorf("it was tried %d times at once", n)
	}
	h.later(6 * time.Minute)
	h.eventually("it is tried again", func() bool { return f.tries.Load() == 2 })
	if now := h.learned(arn); now != first {
		t.Errorf("after failures %+v, before %+v", now, first)
	}
}

// TestRenewalGivesWay: a deletion waits for what is being made anew, and nothing
// more begins before it is done: neither another try nor a training by itself,
// whichever process began it.
func TestRenewalGivesWay(t *testing.T) {
	t.Parallel()
	h, f := newLine(t), newFailing()
	group := h.domain("way", "VIDEO_ON_DEMAND")
	arn := h.recommender("way", "aws-vod-trending-now", group)
	h.until(arn, resource.Active)
	first, snapshots := h.learned(arn), len(h.below("snapshot/"))
	h.stop()
	h.start(f.recipes()...)
	h.later(3 * time.Hour)
	<-f.begun
	h.upload("up/users.csv", "USER_ID\nu0001\n")
	d := must[*resource.Resource](t)(h.registry.CreateDataDeletionJob(t.Context(), "gone", resource.DataDeletionJobBody{DatasetGroupArn: string(group.ARN),
		RoleArn: "arn:aws:iam::000000000000:role/attune", DataSource: resource.DataSource{DataLocation: "s3://up/users.csv"}}))

	before := h.get(arn).Version
	run := must[client.WorkflowRun](t)(h.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: "attune"}, job.RecommendWorkflow,
		job.Ref{ARN: arn, ID: h.get(arn).ID, Update: fmt.Sprint("again-", first.At.UnixMilli())}))
	if err := run.Get(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if n, now := len(h.below("snapshot/")), h.get(arn).Version; n != snapshots || now != before {
		t.Errorf("a training beside a deletion: %d files of snapshots after %d, version %d of the row after %d", n, snapshots, now, before)
	}
	if s := h.get(d.ARN).Status; s != resource.Pending {
		t.Errorf("while the model is made anew the deletion is %s", s)
	}
	close(f.let) // this try fails; the next finds the deletion
	h.eventually("the deletion begins", func() bool { return h.get(d.ARN).Status != resource.Pending })
	if n := f.tries.Load(); n != 1 {
		t.Errorf("when the deletion began it was tried %d times", n)
	}
	h.until(d.ARN, resource.Completed)
}
