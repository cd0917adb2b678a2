package job_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"testing"

	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
	"github.com/attune-io/attune/world"
)

// TestRankingInfluence asks a campaign for items like one, before and after an
// update that lets popularity decide along.
func TestRankingInfluence(t *testing.T) {
	t.Parallel()
	h := newLine(t)
	ctx := t.Context()
	group, set := h.group("influence")
	h.until(h.importing("events", set, h.upload("up/events.csv", shopCSV(t, 4000))), resource.Active)
	sch := must[*resource.Resource](t)(h.registry.CreateSchema(ctx, "items", resource.SchemaBody{Schema: world.ItemsSchema}))
	items := must[*resource.Resource](t)(h.registry.CreateDataset(ctx, "items", resource.DatasetBody{
		DatasetGroupArn: string(group.ARN), DatasetType: "ITEMS", SchemaArn: string(sch.ARN)}))
	h.until(items.ARN, resource.Active)
	var csv bytes.Buffer
	w := must[*world.World](t)(world.New(world.Spec{Users: 200, Items: 100, Events: 4000, Clusters: 5, Seed: 3}))
	if err := w.WriteItems(&csv); err != nil {
		t.Fatal(err)
	}
	h.until(h.importing("items", items, h.upload("up/items.csv", csv.String())), resource.Active)
	solution := must[*resource.Resource](t)(h.registry.CreateSolution(ctx, "text", resource.SolutionBody{DatasetGroupArn: string(group.ARN),
		RecipeArn: "arn:aws:personalize:::recipe/aws-semantic-similarity", PerformIncrementalUpdate: true}))
	h.until(solution.ARN, resource.Active)
	version := h.until(h.version(solution).ARN, resource.Active)
	campaign := h.campaign("text", version)
	h.until(campaign.ARN, resource.Active)
	release, _ := h.serve.Get(campaign.ARN)
	item := release.Model.Items[0]
	page := func() (ids []string) {
		for _, x := range must[*serve.Answer](t)(h.serve.Recommend(ctx, serve.Request{Campaign: campaign.ARN, Item: item, N: 25})).Items {
			ids = append(ids, x.ID)
		}
		return ids
	}
	plain := page()
	update := func(config string) {
		t.Helper()
		if err := h.registry.UpdateCampaign(ctx, string(campaign.ARN), resource.CampaignChange{CampaignConfig: json.RawMessage(config)}); err != nil {
			t.Fatal(err)
		}
		h.settled(campaign.ARN)
	}
	update(`{"rankingInfluence":{"POPULARITY":1,"FRESHNESS":0.5}}`)
	influenced := page()
	if len(plain) != 25 || len(influenced) != 25 || slices.Equal(plain, influenced) {
		t.Errorf("without influence %v, with it %v", plain, influenced)
	}
	h.stop() // and a process that starts serves it so
	h.start()
	h.eventually("it is served again", func() bool { return h.jobs.Load().Ready() })
	if again := page(); !slices.Equal(again, influenced) {
		t.Errorf("after a restart %v, before it %v", again, influenced)
	}
	// A batch job has the same configuration, and answers the same.
	h.upload("in/items.json", `{"itemId":"`+item+`"}`)
	for config, want := range map[string][]string{"": plain, `{"rankingInfluence":{"POPULARITY":1,"FRESHNESS":0.5}}`: influenced} {
		name := "batch" + strconv.Itoa(len(config))
		arn := h.batch(name, version, "s3://in/items.json", "s3://out/"+name, func(b *resource.BatchBody) {
			b.NumResults, b.Config = 25, json.RawMessage(config)
		})
		h.until(arn, resource.Active)
		if l := h.lines("out/" + name + "/items.json.out")[0]; l.Output == nil || !slices.Equal(l.Output.Items, want) {
			t.Errorf("a batch job with the configuration %q answers %+v, want %v", config, l, want)
		}
	}
	update(`{}`)
	if again := page(); !slices.Equal(again, plain) {
		t.Errorf("without influence again %v, before it %v", again, plain)
	}
}
