package resource_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

const shopAvro = `{"type":"record","name":"Interactions","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
{"name":"USER_ID","type":"string"},{"name":"ITEM_ID","type":"string"},{"name":"EVENT_TYPE","type":"string"},{"name":"TIMESTAMP","type":"long"}]}`

// shop makes an ACTIVE group of domain ECOMMERCE with data.
func (h *house) shop(name string) (group, dataset string) {
	h.Helper()
	ctx := h.Context()
	group = h.active(h.must(h.CreateDatasetGroup(ctx, name, resource.DatasetGroupBody{Domain: "ECOMMERCE"})))
	schema := h.must(h.CreateSchema(ctx, name, resource.SchemaBody{Schema: shopAvro, Domain: "ECOMMERCE"}))
	dataset = h.active(h.dataset(group, "Interactions", schema))
	h.active(h.importJob(name, dataset))
	return group, dataset
}

func recommenderOf(group, config string) resource.RecommenderBody {
	return resource.RecommenderBody{DatasetGroupArn: group, RecipeArn: "arn:aws:personalize:::recipe/aws-ecomm-recommended-for-you", RecommenderConfig: json.RawMessage(config)}
}

func (h *house) body(arn string) (*resource.Resource, resource.RecommenderBody) {
	h.Helper()
	r, err := h.Get(h.Context(), attune.ARN(arn))
	h.ok(err)
	b, err := resource.Body[resource.RecommenderBody](r)
	h.ok(err)
	return r, b
}

// same compares two JSON documents.
func (h *house) same(what string, got json.RawMessage, want string) {
	h.Helper()
	var a, b any
	h.ok(json.Unmarshal(got, &a))
	h.ok(json.Unmarshal([]byte(want), &b))
	if fmt.Sprint(a) != fmt.Sprint(b) {
		h.Errorf("%s: %s, want %s", what, got, want)
	}
}

// TestRecommenderLife takes a recommender through all of its states, trying
// what is too early or too late on the way.
func TestRecommenderLife(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group, dataset := h.shop("shop")
	arn := h.must(h.CreateRecommender(ctx, "r", recommenderOf(group, "")))
	if arn != "arn:aws:personalize:us-east-1:000000000000:recommender/r" {
		t.Error(arn)
	}
	h.refused(not(h.CreateRecommender(ctx, "r", recommenderOf(group, ""))), attune.Exists, arn)
	r, b := h.body(arn)
	h.same("a new configuration", b.RecommenderConfig, `{"minRecommendationRequestsPerSecond": 1}`)
	for what, try := range map[string]func() error{
		"update": func() error { return h.UpdateRecommender(ctx, arn, nil) }, "stop": func() error { return h.StopRecommender(ctx, arn) },
		"start": func() error { return h.StartRecommender(ctx, arn) }, "delete": func() error { return h.DeleteRecommender(ctx, arn) },
		"delete the group": func() error { return h.DeleteDatasetGroup(ctx, group) }, "delete the dataset": func() error { return h.DeleteDataset(ctx, dataset) },
	} {
		t.Log(what)
		h.refused(try(), attune.InUse, "")
	}
	never := time.Time{}
	_, task, err := h.BeginRecommender(ctx, r.ARN, r.ID, never)
	if h.ok(err); task == nil || !task.Train || task.Learned != nil || h.status(arn) != resource.CreateInProgress {
		t.Fatalf("creation asks for %+v", task)
	}
	first := resource.Learned{Model: "model/a", At: time.UnixMilli(1000).UTC()}
	took, err := h.FinishRecommender(ctx, r.ARN, r.ID, never, &first, map[string]float64{"coverage": 0.5})
	if h.ok(err); !took || h.status(arn) != resource.Active {
		t.Fatalf("took %v, %s", took, h.status(arn))
	}
	if _, task, _ = h.BeginRecommender(ctx, r.ARN, r.ID, never); task != nil {
		t.Errorf("a second time it asks for %+v", task)
	}
	h.refused(h.StartRecommender(ctx, arn), attune.InUse, "started when it is INACTIVE")
	h.refused(h.DeleteDatasetGroup(ctx, group), attune.InUse, arn)

	h.ok(h.StopRecommender(ctx, arn))
	h.refused(h.DeleteRecommender(ctx, arn), attune.InUse, "STOP PENDING")
	if _, task, _ = h.BeginRecommender(ctx, r.ARN, r.ID, first.At); task != nil {
		t.Errorf("on its way to be off it trains again: %+v", task)
	}
	h.to(arn, resource.StopInProgress, resource.Inactive)
	h.refused(h.UpdateRecommender(ctx, arn, nil), attune.InUse, "INACTIVE")
	h.ok(h.StartRecommender(ctx, arn))
	h.refused(h.StartRecommender(ctx, arn), attune.InUse, "START PENDING")
	h.to(arn, resource.StartInProgress, resource.Active)
	h.ok(h.StopRecommender(ctx, arn))
	h.to(arn, resource.StopInProgress, resource.Inactive)
	h.ok(h.DeleteRecommender(ctx, arn))
	h.erase(arn)
	h.ok(h.DeleteDataset(ctx, dataset))
}

// TestRecommenderUpdates shows what an update keeps, when it trains, and that
// the old configuration stands until it is done.
func TestRecommenderUpdates(t *testing.T) {
	h := newHouse(t)
	ctx, never := t.Context(), time.Time{}
	group, _ := h.shop("shop")
	given := `{"minRecommendationRequestsPerSecond": 3, "itemExplorationConfig": {"explorationWeight": "0.3"}, "enableMetadataWithRecommendations": true}`
	arn := h.must(h.CreateRecommender(ctx, "r", recommenderOf(group, given)))
	r, b := h.body(arn)
	h.same("as given", b.RecommenderConfig, given)
	old := resource.Learned{Model: "model/a", At: time.UnixMilli(1000).UTC()}
	_, _, err := h.BeginRecommender(ctx, r.ARN, r.ID, never)
	h.ok(err)
	_, err = h.FinishRecommender(ctx, r.ARN, r.ID, never, &old, nil)
	h.ok(err)

	h.ok(h.UpdateRecommender(ctx, arn, json.RawMessage(`{"minRecommendationRequestsPerSecond": 9}`)))
	h.refused(h.UpdateRecommender(ctx, arn, nil), attune.InUse, "is being updated")
	h.refused(h.StopRecommender(ctx, arn), attune.InUse, "is being updated")
	h.refused(h.DeleteRecommender(ctx, arn), attune.InUse, "is being updated")
	_, b = h.body(arn)
	h.same("while updating", b.RecommenderConfig, given)
	_, task, err := h.BeginRecommender(ctx, r.ARN, r.ID, never)
	if h.ok(err); task == nil || task.Train || task.Learned.Model != "model/a" {
		t.Fatalf("an update of a figure asks for %+v", task)
	}
	_, err = h.FinishRecommender(ctx, r.ARN, r.ID, never, nil, nil)
	h.ok(err)
	_, b = h.body(arn)
	h.same("after the update", b.RecommenderConfig, `{"minRecommendationRequestsPerSecond": 9, "itemExplorationConfig": {"explorationWeight": "0.3"}, "enableMetadataWithRecommendations": true}`)
	if b.Learned.Model != "model/a" || b.LatestUpdate.Status != resource.Active {
		t.Errorf("%+v", b)
	}

	h.ok(h.UpdateRecommender(ctx, arn, json.RawMessage(`{"trainingDataConfig": {"excludedDatasetColumns": {"Items": ["PRICE"]}}}`)))
	if _, task, err = h.BeginRecommender(ctx, r.ARN, r.ID, never); err != nil || task == nil || !task.Train {
		t.Fatalf("other columns ask for %+v, %v", task, err)
	}
	// Training again by itself was under way, and comes too late.
	if took, err := h.FinishRecommender(ctx, r.ARN, r.ID, old.At, &resource.Learned{Model: "model/late"}, nil); err != nil || took {
		t.Errorf("while updating a training by itself is taken: %v", err)
	}
	h.ok(h.FailRecommender(ctx, r.ARN, r.ID, never, "too little"))
	_, b = h.body(arn)
	if b.LatestUpdate.Status != resource.CreateFailed || b.LatestUpdate.FailureReason != "too little" || b.Learned.Model != "model/a" || h.status(arn) != resource.Active {
		t.Errorf("after a failed update: %+v", b)
	}
}

// TestRecommenderByItself shows that only the model which was due is replaced.
func TestRecommenderByItself(t *testing.T) {
	h := newHouse(t)
	ctx, never := t.Context(), time.Time{}
	group, _ := h.shop("shop")
	arn := h.must(h.CreateRecommender(ctx, "r", recommenderOf(group, "")))
	r, _ := h.body(arn)
	old := resource.Learned{Model: "model/a", At: time.UnixMilli(1000).UTC()}
	_, _, err := h.BeginRecommender(ctx, r.ARN, r.ID, never)
	h.ok(err)
	_, err = h.FinishRecommender(ctx, r.ARN, r.ID, never, &old, nil)
	h.ok(err)
	if _, task, _ := h.BeginRecommender(ctx, r.ARN, r.ID, old.At.Add(time.Second)); task != nil {
		t.Errorf("another model's turn: %+v", task)
	}
	h.ok(h.FailRecommender(ctx, r.ARN, r.ID, old.At, "no disk"))
	if _, b := h.body(arn); b.Tried.IsZero() || b.FailureReason != "training again by itself: no disk" || h.status(arn) != resource.Active {
		t.Errorf("after a failure: %+v", b)
	}
	next := resource.Learned{Model: "model/b", At: time.UnixMilli(2000).UTC()}
	took, err := h.FinishRecommender(ctx, r.ARN, r.ID, old.At, &next, nil)
	if _, b := h.body(arn); err != nil || !took || b.Learned.Model != "model/b" || !b.Tried.IsZero() || b.FailureReason != "" {
		t.Errorf("%v, %v: %+v", took, err, b)
	}
	if took, err := h.RefreshRecommender(ctx, r.ARN, r.ID, "model/a", next); err != nil || took {
		t.Errorf("a refreshment of a model that is gone was taken: %v", err)
	}
	for _, id := range []string{"0000000000000000"} { // the name may be another's by now
		if _, task, err := h.BeginRecommender(ctx, r.ARN, id, never); err != nil || task != nil {
			t.Errorf("%+v, %v", task, err)
		}
	}
}

func TestTrainingData(t *testing.T) {
	h := newHouse(t)
	group, _ := h.shop("shop")
	for config, says := range map[string]string{
		`{"excludedDatasetColumns": {"THINGS": ["A"]}}`:                                            "THINGS",
		`{"excludedDatasetColumns": {"items": ["A"]}, "includedDatasetColumns": {"ITEMS": ["B"]}}`: "includes and excludes columns of ITEMS",
	} {
		h.refused(not(h.CreateRecommender(t.Context(), "r", recommenderOf(group, `{"trainingDataConfig": `+config+`}`))), attune.Invalid, says)
		h.refused(not(h.CreateSolution(t.Context(), "s", resource.SolutionBody{DatasetGroupArn: group, RecipeArn: simsRecipe,
			SolutionConfig: json.RawMessage(`{"trainingDataConfig": ` + config + `}`)})), attune.Invalid, says)
	}
	d := resource.TrainingData{Included: map[string][]string{"Items": {"GENRES"}}, Excluded: map[string][]string{"USERS": {"AGE"}}}
	for column, want := range map[string]bool{"GENRES": true, "PRICE": false} {
		if d.Uses("ITEMS", column) != want || d.Uses("USERS", "AGE") || !d.Uses("USERS", column) || !d.Uses("INTERACTIONS", column) {
			t.Errorf("%s: items %v, users %v", column, d.Uses("ITEMS", column), d.Uses("USERS", column))
		}
	}
}
