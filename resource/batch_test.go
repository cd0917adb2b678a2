package resource_test

import (
	"encoding/json"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

const (
	segmentRecipe = "arn:aws:personalize:::recipe/aws-item-affinity"
	someRole      = "arn:aws:iam::000000000000:role/attune"
)

func batchBody(version string) resource.BatchBody {
	return resource.BatchBody{SolutionVersionArn: version, RoleArn: someRole,
		JobInput:  resource.JobInput{S3DataSource: resource.S3Data{Path: "s3://films/users.json"}},
		JobOutput: resource.JobOutput{S3DataDestination: resource.S3Data{Path: "s3://films/out/"}}}
}

func exportBody(dataset string) resource.ExportJobBody {
	return resource.ExportJobBody{DatasetArn: dataset, RoleArn: someRole,
		JobOutput: resource.JobOutput{S3DataDestination: resource.S3Data{Path: "s3://films/out/"}}}
}

// TestBatchRules: what a batch job may not be, and what it keeps from being deleted.
func TestBatchRules(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group, set := h.stocked("films")
	solution := h.active(h.solution("so", group, userRecipe))
	version := h.version(solution)
	make := func(name string, change func(*resource.BatchRequest)) error {
		in := resource.BatchRequest{BatchBody: batchBody(version)}
		if change != nil {
			change(&in)
		}
		return not(h.CreateBatchInferenceJob(ctx, name, in))
	}
	h.refused(make("j", nil), attune.InUse, "wait until it is ACTIVE")
	h.active(version)
	trending := h.active(h.version(h.active(h.solution("trending", group, "arn:aws:personalize:::recipe/aws-trending-now"))))
	segments := h.active(h.version(h.active(h.solution("segments", group, segmentRecipe))))
	filter := func(name, group, expression string) string {
		return h.active(h.must(h.CreateFilter(ctx, name, resource.FilterBody{DatasetGroupArn: group, FilterExpression: expression})))
	}
	other, _ := h.stocked("books")
	foreign := filter("foreign", other, `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")`)
	items := filter("items", group, `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")`)
	users := filter("users", group, `EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("View")`)
	for _, c := range []struct {
		words  string
		change func(*resource.BatchRequest)
	}{
		{"numResults is 501", func(b *resource.BatchRequest) { b.NumResults = 501 }},
		{"numResults is -1", func(b *resource.BatchRequest) { b.NumResults = -1 }},
		{"Invalid S3 input path", func(b *resource.BatchRequest) { b.JobInput.S3DataSource.Path = "https://films/users.json" }},
		{"Invalid S3 output path", func(b *resource.BatchRequest) { b.JobOutput.S3DataDestination.Path = "s3:///out" }},
		{"THEME_GENERATION is not offered", func(b *resource.BatchRequest) { b.Mode = resource.ModeThemes }},
		{"THEME_GENERATION is not offered", func(b *resource.BatchRequest) { b.ThemeConfig = true }},
		{"instead of $LATEST", func(b *resource.BatchRequest) { b.SolutionVersionArn = solution + "/$LATEST" }},
		{"not offered for aws-trending-now", func(b *resource.BatchRequest) { b.SolutionVersionArn = trending }},
		{"use CreateBatchSegmentJob", func(b *resource.BatchRequest) { b.SolutionVersionArn = segments }},
		{"is not of", func(b *resource.BatchRequest) { b.FilterArn = foreign }},
		{"is about UserID", func(b *resource.BatchRequest) { b.FilterArn = users }},
		{"itemExplorationConfig", func(b *resource.BatchRequest) {
			b.Config = json.RawMessage(`{"itemExplorationConfig":{"explorationWeight":"2"}}`)
		}},
	} {
		h.refused(make("j", c.change), attune.Invalid, c.words)
	}
	h.refused(not(h.CreateBatchSegmentJob(ctx, "s", batchBody(version))), attune.Invalid, "makes no segments")

	job := h.must(h.CreateBatchInferenceJob(ctx, "j", resource.BatchRequest{BatchBody: func() resource.BatchBody {
		b := batchBody(version)
		b.FilterArn = items
		return b
	}()}))
	if b := body[resource.BatchBody](h, job); h.status(job) != resource.Pending || b.NumResults != 25 || b.Mode != resource.ModeInference {
		t.Errorf("%s %+v", h.status(job), b)
	}
	h.refused(make("j", nil), attune.Exists, "j exists already")
	h.refused(h.DeleteFilter(ctx, items), attune.InUse, job)
	h.refused(h.DeleteSolution(ctx, solution), attune.InUse, job)
	h.to(job, resource.InProgress, resource.Active)
	h.ok(h.DeleteFilter(ctx, items))

	segment := h.must(h.CreateBatchSegmentJob(ctx, "j", func() resource.BatchBody { // a name of another kind is free
		b := batchBody(segments)
		b.FilterArn, b.NumResults = users, 5_000_000
		return b
	}()))
	if b := body[resource.BatchBody](h, segment); b.Mode != "" || b.Outputs != nil {
		t.Errorf("%+v", b)
	}
	h.refused(h.DeleteFilter(ctx, users), attune.InUse, segment)

	export := h.must(h.CreateExportJob(ctx, "e", exportBody(set)))
	if b := body[resource.ExportJobBody](h, export); b.IngestionMode != resource.ExportPut || h.status(export) != resource.CreatePending {
		t.Errorf("%+v", b)
	}
	h.refused(h.DeleteDataset(ctx, set), attune.InUse, export)
	h.refused(not(h.CreateExportJob(ctx, "f", resource.ExportJobBody{DatasetArn: set})), attune.Invalid, "Invalid S3 output path")
}
