package resource_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

// stepped takes an update one state on.
func (h *house) stepped(arn string) {
	h.Helper()
	r := mustGet(h, arn)
	h.ok(h.StepUpdate(h.Context(), r.ARN, r.ID))
}

func TestUpdateSolution(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group, _ := h.stocked("films")
	b := withConfig(`{"algorithmHyperParameters":{"hidden_dimension":"64"},"autoTrainingConfig":{"schedulingExpression":"rate(3 days)"}}`)
	b.DatasetGroupArn = group
	s := h.must(h.CreateSolution(ctx, "s", b))
	ask := func(u resource.SolutionUpdate) error { return h.UpdateSolution(ctx, s, u) }
	config := func(text string) resource.SolutionUpdate {
		return resource.SolutionUpdate{SolutionUpdateConfig: json.RawMessage(text)}
	}
	h.refused(ask(resource.SolutionUpdate{}), attune.InUse, "wait until it is ACTIVE")
	h.active(s)
	h.refused(h.UpdateSolution(ctx, s+"x", resource.SolutionUpdate{}), attune.NotFound, "does not exist")
	h.refused(ask(resource.SolutionUpdate{PerformIncrementalUpdate: new(true)}), attune.Invalid, "aws-semantic-similarity")
	h.refused(ask(config(`{"autoTrainingConfig":{"schedulingExpression":"rate(31 days)"}}`)), attune.Invalid, "1 to 30")
	h.refused(ask(config(`{"eventsConfig":{"eventParametersList":[{"eventType":"a"},{"eventType":"A"}]}}`)), attune.Invalid, "twice")

	before := body[resource.SolutionBody](h, s)
	asked := resource.SolutionUpdate{PerformAutoTraining: new(false), SolutionUpdateConfig: json.RawMessage(
		`{"autoTrainingConfig":{"schedulingExpression":"rate(1 day)"},"eventsConfig":{"eventParametersList":[{"eventType":"Buy","weight":0.5}]}}`)}
	h.ok(ask(asked))
	for _, status := range []resource.Status{resource.CreatePending, resource.CreateInProgress} {
		now := body[resource.SolutionBody](h, s)
		if now.LatestUpdate.Status != status || !*now.PerformAutoTraining || string(now.SolutionConfig) != string(before.SolutionConfig) || h.status(s) != resource.Active {
			t.Fatalf("during the update: %+v", now)
		}
		h.refused(ask(asked), attune.InUse, "being updated")
		h.refused(h.DeleteSolution(ctx, s), attune.InUse, "being updated")
		h.clock.advance(time.Second)
		h.stepped(s)
	}
	h.stepped(s) // is past its end
	after := body[resource.SolutionBody](h, s)
	if after.LatestUpdate.Status != resource.Active || *after.PerformAutoTraining || !after.LatestUpdate.Updated.After(after.LatestUpdate.Created) {
		t.Errorf("after the update: %+v", after)
	}
	c, err := after.Config()
	h.ok(err)
	if c.AutoTrainingConfig.SchedulingExpression != "rate(1 day)" || c.EventsConfig.EventParametersList[0].EventType != "Buy" || c.AlgorithmHyperParameters["hidden_dimension"] != "64" {
		t.Errorf("after the update: %s", after.SolutionConfig)
	}
	if v := body[resource.SolutionVersionBody](h, h.version(s)); len(v.Events()) != 1 || *v.Events()[0].Weight != 0.5 {
		t.Errorf("a version after the update learns from %+v", v.Events())
	}
}

func TestUpdateDataset(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group, set := h.stocked("films")
	old := body[resource.DatasetBody](h, set).SchemaArn
	with := func(from, to string) string { return strings.Replace(widerAvro, from, to, 1) }
	for name, c := range map[string]struct{ avro, words string }{
		"lacks":   {with(`{"name":"EVENT_TYPE","type":"string"},`, ""), "lacks the field EVENT_TYPE"},
		"renamed": {with("EVENT_TYPE", "EVENT_KIND"), "lacks the field EVENT_TYPE"},
		"needs":   {with(`["null","string"]`, `"string"`), "adds the field DEVICE"},
		"other":   {itemsAvro, "USER_ID"},
	} {
		h.refused(h.UpdateDataset(ctx, set, h.schema(name, c.avro)), attune.Invalid, c.words)
	}
	h.refused(h.UpdateDataset(ctx, set, old+"x"), attune.NotFound, "schema")
	h.refused(h.UpdateDataset(ctx, set+"X", old), attune.NotFound, "dataset")
	domain := h.must(h.CreateSchema(ctx, "shop", resource.SchemaBody{Schema: widerAvro, Domain: "ECOMMERCE"}))
	h.refused(h.UpdateDataset(ctx, set, domain), attune.Invalid, "domain")

	wider := h.schema("wider", widerAvro)
	h.ok(h.UpdateDataset(ctx, set, wider))
	h.refused(h.UpdateDataset(ctx, set, wider), attune.InUse, "being updated")
	h.refused(h.DeleteDataset(ctx, set), attune.InUse, "being updated")
	h.refused(h.DeleteSchema(ctx, wider), attune.InUse, "is used by")
	h.refused(h.DeleteSchema(ctx, old), attune.InUse, "is used by")
	h.stepped(set)
	if b := body[resource.DatasetBody](h, set); b.SchemaArn != old || b.LatestUpdate.Status != resource.CreateInProgress || h.status(set) != resource.Active {
		t.Fatalf("during the update: %+v", b)
	}
	h.stepped(set)
	if b := body[resource.DatasetBody](h, set); b.SchemaArn != wider || b.LatestUpdate.Status != resource.Active {
		t.Fatalf("after the update: %+v", b)
	}
	h.ok(h.DeleteSchema(ctx, old))
	in, err := h.ByDataset(ctx, attune.ARN(set), "INTERACTIONS")
	h.ok(err)
	if _, ok := in.Schema("INTERACTIONS").Field("DEVICE"); !ok {
		t.Error("intake does not know the new field")
	}
	// And another, where a field that may be null stays so.
	h.refused(h.UpdateDataset(ctx, set, h.schema("strict", with(`["null","string"]`, `"string"`))), attune.Invalid, "null")
	h.refused(h.UpdateDataset(ctx, set, h.schema("number", with(`["null","string"],"categorical":true`, `["null","long"]`))), attune.Invalid, "makes the field DEVICE")
	_ = group
}

func TestFollowLatest(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group, _ := h.stocked("films")
	solution := h.active(h.solution("s", group, userRecipe))
	latest := resource.CampaignBody{SolutionVersionArn: solution + "/$LATEST"}
	h.refused(not(h.CreateCampaign(ctx, "c", latest)), attune.Invalid, "no ACTIVE version")
	v1 := h.version(solution)
	h.refused(not(h.CreateCampaign(ctx, "c", latest)), attune.InUse, "CREATE PENDING")
	h.active(v1)
	once := h.active(h.must(h.CreateCampaign(ctx, "once", latest)))
	latest.CampaignConfig = json.RawMessage(`{"syncWithLatestSolutionVersion":true}`)
	follows := h.active(h.must(h.CreateCampaign(ctx, "follows", latest)))
	if got := body[resource.CampaignBody](h, follows).SolutionVersionArn; got != v1 {
		t.Errorf("$LATEST is %s, want %s", got, v1)
	}
	look := func(want ...string) {
		t.Helper()
		moved, err := h.FollowLatest(ctx)
		h.ok(err)
		if len(moved) != len(want) || len(want) > 0 && string(moved[0].ARN) != want[0] {
			t.Errorf("%v follow, want %v", moved, want)
		}
	}
	look()
	deploy := func(fails bool) {
		t.Helper()
		r := mustGet(h, follows)
		_, v, err := h.BeginDeploy(ctx, r.ARN, r.ID)
		h.ok(err)
		if fails {
			h.ok(h.FailDeploy(ctx, r.ARN, r.ID, "why"))
			return
		}
		h.ok(h.FinishDeploy(ctx, r.ARN, r.ID, v))
	}
	v2 := h.version(solution)
	look() // it is not ACTIVE yet
	h.active(v2)
	look(follows)
	look() // is on its way
	deploy(true)
	look() // what failed is not tried again
	v3 := h.active(h.version(solution))
	look(follows)
	deploy(false)
	if got := body[resource.CampaignBody](h, follows); got.SolutionVersionArn != v3 || got.LatestUpdate.Status != resource.Active {
		t.Errorf("after following: %+v", got)
	}
	if got := body[resource.CampaignBody](h, once); got.SolutionVersionArn != v1 || got.LatestUpdate != nil {
		t.Errorf("who does not follow: %+v", got)
	}
	h.refused(h.UpdateCampaign(ctx, follows, resource.CampaignChange{SolutionVersionArn: v1}), attune.Invalid, "followed by /$LATEST")
	h.refused(h.UpdateCampaign(ctx, once, resource.CampaignChange{CampaignConfig: latest.CampaignConfig}), attune.Invalid, "followed by /$LATEST")
	h.ok(h.UpdateCampaign(ctx, follows, resource.CampaignChange{MinProvisionedTPS: 3}))
	deploy(false)
	h.ok(h.UpdateCampaign(ctx, follows, resource.CampaignChange{SolutionVersionArn: v1, CampaignConfig: json.RawMessage(`{"syncWithLatestSolutionVersion":false}`)}))
	deploy(false)
	look()
}
