package resource_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

func (h *house) deletion(name, group string) string {
	h.Helper()
	return h.must(h.CreateDataDeletionJob(h.Context(), name, resource.DataDeletionJobBody{
		DatasetGroupArn: group, RoleArn: "arn:aws:iam::000000000000:role/r", DataSource: resource.DataSource{DataLocation: "s3://films/users.csv"}}))
}

func (h *house) waits(arn string) bool {
	h.Helper()
	r, err := h.Get(h.Context(), attune.ARN(arn))
	if err != nil {
		h.Fatal(err)
	}
	waits, err := h.Waits(h.Context(), r)
	if err != nil {
		h.Fatal(err)
	}
	return waits
}

func TestDataDeletionJob(t *testing.T) {
	h := newHouse(t)
	group, dataset := h.stocked("films")
	first := h.deletion("first", group)
	h.refused(not(h.CreateDataDeletionJob(h.Context(), "first", resource.DataDeletionJobBody{DatasetGroupArn: group, DataSource: resource.DataSource{DataLocation: "s3://films/users.csv"}})), attune.Exists, "first")
	h.refused(not(h.CreateDataDeletionJob(h.Context(), "x", resource.DataDeletionJobBody{DatasetGroupArn: group, DataSource: resource.DataSource{DataLocation: "/tmp/users.csv"}})), attune.Invalid, "Invalid Data location")
	h.refused(not(h.CreateDataDeletionJob(h.Context(), "x", resource.DataDeletionJobBody{DatasetGroupArn: dataset, DataSource: resource.DataSource{DataLocation: "s3://films/users.csv"}})), attune.Invalid, "dataset group")
	if s := h.status(first); s != resource.Pending {
		t.Errorf("a new job is %s", s)
	}
	h.refused(h.DeleteDataset(h.Context(), dataset), attune.InUse, "data deletion job")
	h.to(first, resource.DeletionInProgress, resource.Completed)
	h.ok(h.DeleteDataset(h.Context(), dataset))
	h.erase(dataset)
	second := h.deletion("second", group)
	h.refused(h.DeleteDatasetGroup(h.Context(), group), attune.InUse, "data deletion job")
	h.to(second, resource.Failed)
	h.ok(h.DeleteDatasetGroup(h.Context(), group))
	h.erase(group)
	if _, err := h.Get(h.Context(), attune.ARN(first)); attune.KindOf(err) != attune.NotFound {
		t.Errorf("a job of a group that is gone: %v", err)
	}
}

// TestWaits: work on the data of a group goes one after the other around
// deletions, in the order in which it was asked for, and never in a circle.
func TestWaits(t *testing.T) {
	h := newHouse(t)
	group, dataset := h.stocked("films")
	other, _ := h.stocked("books")
	earlier := h.importJob("earlier", dataset)
	first := h.deletion("first", group)
	second := h.deletion("second", group)
	later := h.importJob("later", dataset)
	elsewhere := h.deletion("elsewhere", other)
	check := func(step string, want map[string]bool) {
		t.Helper()
		for arn, waits := range want {
			if got := h.waits(arn); got != waits {
				t.Errorf("%s: %s waits is %v, want %v", step, arn, got, waits)
			}
		}
	}
	check("all pending", map[string]bool{earlier: false, first: true, second: true, later: true, elsewhere: false})
	h.to(earlier, resource.CreateInProgress)
	check("import under way", map[string]bool{earlier: false, first: true, second: true, later: true})
	h.to(earlier, resource.Active)
	check("import done", map[string]bool{first: false, second: true, later: true})
	h.to(first, resource.DeletionInProgress)
	check("deletion under way", map[string]bool{first: false, second: true, later: true})
	h.to(first, resource.Completed)
	check("deletion done", map[string]bool{second: false, later: true})
	h.to(second, resource.DeletionInProgress, resource.Failed)
	check("second failed", map[string]bool{later: false})
}

// TestWaitsOfUpdates: the update of a recommender may train, so it takes its turn
// by when it was asked for, and not by when the recommender was.
func TestWaitsOfUpdates(t *testing.T) {
	h := newHouse(t)
	group, _ := h.shop("shop")
	arn := h.active(h.must(h.CreateRecommender(t.Context(), "r", recommenderOf(group, ""))))
	if r, _ := h.body(arn); h.waits(arn) {
		t.Errorf("a recommender that is %s waits", r.Status)
	}
	first := h.deletion("first", group)
	h.clock.advance(time.Second)
	h.ok(h.UpdateRecommender(t.Context(), arn, json.RawMessage(`{"trainingDataConfig":{"excludedDatasetColumns":{"ITEMS":["GENRE"]}}}`)))
	h.clock.advance(time.Second)
	second := h.deletion("second", group)
	if h.waits(first) || !h.waits(arn) || !h.waits(second) {
		t.Errorf("first waits %v, the update %v, second %v", h.waits(first), h.waits(arn), h.waits(second))
	}
	h.to(first, resource.DeletionInProgress, resource.Completed)
	if h.waits(arn) || !h.waits(second) {
		t.Errorf("after the first the update waits %v, second %v", h.waits(arn), h.waits(second))
	}
	r, _ := h.body(arn)
	if _, _, err := h.BeginRecommender(t.Context(), r.ARN, r.ID, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if h.waits(arn) || !h.waits(second) {
		t.Errorf("while it is updated the update waits %v, second %v", h.waits(arn), h.waits(second))
	}
}
