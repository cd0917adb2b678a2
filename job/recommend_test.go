package job_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/job"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
	"github.com/attune-io/attune/world"
)

// domain makes a domain dataset group with a shop's interactions. In a group of
// videos a View is a Click and a Purchase is a Watch.
func (h *house) domain(name, domain string) *resource.Resource {
	h.Helper()
	ctx := h.Context()
	group := must[*resource.Resource](h)(h.registry.CreateDatasetGroup(ctx, name, resource.DatasetGroupBody{Domain: domain}))
	group = h.until(group.ARN, resource.Active)
	sch := must[*resource.Resource](h)(h.registry.CreateSchema(ctx, name, resource.SchemaBody{Schema: world.InteractionsSchema, Domain: domain}))
	set := must[*resource.Resource](h)(h.registry.CreateDataset(ctx, name, resource.DatasetBody{
		DatasetGroupArn: string(group.ARN), DatasetType: "INTERACTIONS", SchemaArn: string(sch.ARN)}))
	h.until(set.ARN, resource.Active)
	csv := shopCSV(h, 4000)
	if domain == "VIDEO_ON_DEMAND" {
		csv = strings.NewReplacer(",View,", ",Click,", ",Purchase,", ",Watch,").Replace(csv)
	}
	h.until(h.importing(name, set, h.upload("up/"+name+".csv", csv)), resource.Active)
	return group
}

func (h *house) recommender(name, recipe string, group *resource.Resource) attune.ARN {
	h.Helper()
	r := must[*resource.Resource](h)(h.registry.CreateRecommender(h.Context(), name, resource.RecommenderBody{
		DatasetGroupArn: string(group.ARN), RecipeArn: "arn:aws:personalize:::recipe/" + recipe}))
	return r.ARN
}

func (h *house) learned(arn attune.ARN) resource.Learned {
	h.Helper()
	b := must[resource.RecommenderBody](h)(resource.Body[resource.RecommenderBody](h.get(arn)))
	if b.Learned == nil {
		h.Fatalf("%s has learned nothing", arn)
	}
	return *b.Learned
}

// below lists what lies below a folder of the artifacts.
func (h *house) below(folder string) (names []string) {
	h.Helper()
	for info, err := range h.artifacts.List(context.Background(), folder) {
		if err != nil {
			h.Fatal(err)
		}
		names = append(names, info.Name)
	}
	return names
}

func (h *house) page(arn attune.ARN, user string) []string {
	h.Helper()
	a := must[*serve.Answer](h)(h.serve.Recommend(h.Context(), serve.Request{Campaign: arn, User: user, N: 5}))
	var page []string
	for _, item := range a.Items {
		page = append(page, item.ID)
	}
	return page
}

// TestRecommenderAfterAKill stops the process while a recommender is trained:
// the next one takes it up, and leaves one model. One that is then off stays off.
func TestRecommenderAfterAKill(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	slow := newSlow()
	h.start(slow.recipes()...)
	group := h.domain("kill", "ECOMMERCE")
	arn := h.recommender("kill", "aws-ecomm-recommended-for-you", group)
	<-slow.begun
	if s := h.get(arn).Status; s != resource.CreateInProgress {
		t.Errorf("while it is trained the recommender is %s", s)
	}
	h.stop()
	close(slow.let)
	h.start(slow.recipes()...)
	h.until(arn, resource.Active)
	if models := h.below("model/" + h.get(arn).ID + "/"); len(models) != 2 { // and its checksum
		if len(models) != 1 || models[0] != h.learned(arn).Model {
			t.Errorf("models %v", models)
		}
	}
	before := h.page(arn, "u0001")
	if err := h.registry.StopRecommender(t.Context(), string(arn)); err != nil {
		t.Fatal(err)
	}
	h.eventually("it is off", func() bool { return h.get(arn).Status == resource.Inactive })
	h.stop()
	h.start(slow.recipes()...)
	if h.serve.Has(arn) {
		t.Error("a recommender that is off is served after a restart")
	}
	if err := h.registry.StartRecommender(t.Context(), string(arn)); err != nil {
		t.Fatal(err)
	}
	h.until(arn, resource.Active)
	if after := h.page(arn, "u0001"); fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("after a start %v, before the stop %v: no new model was to be learned", after, before)
	}
	if err := h.registry.DeleteRecommender(t.Context(), string(arn)); err != nil {
		t.Fatal(err)
	}
	id := h.get(arn).ID
	h.gone(arn)
	if models := h.below("model/" + id + "/"); len(models) > 0 || h.serve.Has(arn) {
		t.Errorf("a deleted recommender leaves %v, served %v", models, h.serve.Has(arn))
	}
}

// TestRecommenderTrainsAgain lets a week pass.
func TestRecommenderTrainsAgain(t *testing.T) {
	t.Parallel()
	h := newLine(t)
	arn := h.recommender("week", "aws-ecomm-popular-items-by-purchases", h.domain("week", "ECOMMERCE"))
	h.until(arn, resource.Active)
	first := h.learned(arn)
	h.later(6 * 24 * time.Hour)
	h.later(25 * time.Hour)
	h.eventually("it is trained again", func() bool { return h.learned(arn).Model != first.Model })
	second := h.learned(arn)
	if age := second.At.Sub(first.At); age < 7*24*time.Hour {
		t.Errorf("it was trained again after %s", age)
	}
	h.eventually("the old model and its data are gone", func() bool { return len(h.below(first.Model)) == 0 && len(h.below(first.Snapshot+"/")) == 0 })
	if len(h.below(second.Snapshot+"/")) == 0 {
		t.Error("the data of the new model is gone")
	}
	if page := h.page(arn, "u0001"); len(page) != 5 {
		t.Errorf("then it answers %v", page)
	}
	h.later(6 * 24 * time.Hour)
	if again := h.learned(arn); again != second {
		t.Errorf("it was trained before a week was over: %+v", again)
	}
}

// TestTrendsAreLookedAtAgain lets two hours pass, in which something becomes
// popular: the recommender says so without a training, also after a restart,
// and leaves neither snapshots nor more than two models behind.
func TestTrendsAreLookedAtAgain(t *testing.T) {
	t.Parallel()
	h := newLine(t)
	group := h.domain("trends", "VIDEO_ON_DEMAND")
	arn := h.recommender("trends", "aws-vod-trending-now", group)
	h.until(arn, resource.Active)
	first, snapshots := h.learned(arn), len(h.below("snapshot/"))
	folder := "model/" + h.get(arn).ID + "/refresh/"
	last := first
	for round, item := range []string{"i0042", "i0077", "i0013"} {
		h.ahead.Add(int64(2*time.Hour) - int64(5*time.Minute))
		for i := range 30 {
			_, err := h.log.Append(t.Context(), event.Group(group.ID), &event.Interaction{User: fmt.Sprint("crowd", i), Session: "s", Item: item,
				Type: "Watch", At: h.now().Add(time.Duration(i) * time.Second), Value: math.NaN()})
			if err != nil {
				t.Fatal(err)
			}
		}
		h.later(6 * time.Minute)
		h.eventually("trends are looked at again", func() bool { return h.learned(arn).Fresh.After(last.Fresh) })
		h.eventually(item+" is on the rise", func() bool { return h.page(arn, "anybody")[0] == item })
		if last = h.learned(arn); last.At != first.At || last.Model == first.Model {
			t.Errorf("round %d: %+v after %+v", round, last, first)
		}
	}
	if n := len(h.below("snapshot/")); n != snapshots {
		t.Errorf("%d files of snapshots, before %d", n, snapshots)
	}
	h.eventually("two models are left", func() bool {
		models := map[string]bool{}
		for _, name := range h.below(folder) {
			models[strings.TrimSuffix(name, ".sha256")] = true
		}
		return len(models) <= 2 && models[last.Model]
	})
	h.stop()
	h.serve.Drop(arn)
	h.start()
	h.eventually("it is served again", func() bool { return h.serve.Has(arn) })
	if page := h.page(arn, "anybody"); page[0] != "i0013" {
		t.Errorf("after a restart %v is on the rise", page)
	}
	if bytes.Contains(h.get(arn).Body, []byte("failureReason")) {
		t.Errorf("%s", h.get(arn).Body)
	}
}

// TestReceiptOfRecommender: a deletion tells of the recommenders that learned
// from the users, too, and when they learn again.
func TestReceiptOfRecommender(t *testing.T) {
	t.Parallel()
	h := newLine(t)
	group := h.domain("receipt", "ECOMMERCE")
	arn := h.recommender("receipt", "aws-ecomm-recommended-for-you", group)
	h.until(arn, resource.Active)
	h.upload("up/users.csv", "USER_ID\nu0001\n")
	d := must[*resource.Resource](t)(h.registry.CreateDataDeletionJob(t.Context(), "gone", resource.DataDeletionJobBody{DatasetGroupArn: string(group.ARN),
		RoleArn: "arn:aws:iam::000000000000:role/attune", DataSource: resource.DataSource{DataLocation: "s3://up/users.csv"}}))
	b := must[resource.DataDeletionJobBody](t)(resource.Body[resource.DataDeletionJobBody](h.until(d.ARN, resource.Completed)))
	m := h.jobs.Load()
	receipt := must[job.Receipt](t)(must[job.SignedReceipt](t)(m.ReadReceipt(t.Context(), b.Receipt)).Verify(m.ReceiptPublicKey(), []string{"u0001"}))
	l := h.learned(arn)
	want := job.ReceiptModel{Arn: arn, Model: l.Model, Snapshot: l.Snapshot, NextTraining: l.At.Add(7 * 24 * time.Hour).UTC().Format(time.RFC3339)}
	if len(receipt.Models) != 1 || receipt.Models[0] != want {
		t.Errorf("models %+v, want %+v", receipt.Models, want)
	}
}

// TestDeletionBesideRenewal: a recommender that is being trained again by itself
// has a snapshot of the users, so a deletion waits for it, and leaves none.
func TestDeletionBesideRenewal(t *testing.T) {
	t.Parallel()
	h := newLine(t)
	group := h.domain("beside", "ECOMMERCE")
	arn := h.recommender("beside", "aws-ecomm-recommended-for-you", group)
	h.until(arn, resource.Active)
	first := h.learned(arn)
	h.stop()
	slow := newSlow()
	h.start(slow.recipes()...)
	h.later(8 * 24 * time.Hour)
	<-slow.begun
	h.upload("up/users.csv", "USER_ID\nu0001\n")
	d := must[*resource.Resource](t)(h.registry.CreateDataDeletionJob(t.Context(), "gone", resource.DataDeletionJobBody{DatasetGroupArn: string(group.ARN),
		RoleArn: "arn:aws:iam::000000000000:role/attune", DataSource: resource.DataSource{DataLocation: "s3://up/users.csv"}}))
	time.Sleep(time.Second) // it would begin within milliseconds
	if s := h.get(d.ARN).Status; s != resource.Pending {
		t.Errorf("while the recommender is trained the deletion is %s", s)
	}
	close(slow.let)
	h.until(d.ARN, resource.Completed)
	again := h.learned(arn)
	if again.Model == first.Model {
		t.Error("the deletion did not wait for the training")
	}
	info := must[*dataset.Info](t)(dataset.ReadInfo(t.Context(), h.artifacts, again.Snapshot))
	if info.Supersedes != again.Snapshot {
		t.Errorf("the snapshot of the training was not rewritten: %+v", info)
	}
}
