package sdk_test

import (
	"encoding/json"
	"io"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// batchLine is a line of a batch job's output.
type batchLine struct {
	Input  json.RawMessage `json:"input"`
	Output *struct {
		Items  []string  `json:"recommendedItems"`
		Scores []float64 `json:"scores"`
		Users  []string  `json:"recommendedUsers"`
	} `json:"output"`
	Error *string `json:"error"`
}

// read gives an object's text.
func (c *clients) read(bucket, key string) string {
	c.Helper()
	out := must[*s3.GetObjectOutput](c)(c.objects.GetObject(c.ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key}))
	defer out.Body.Close()
	return string(must[[]byte](c)(io.ReadAll(out.Body)))
}

func (c *clients) batchLines(bucket, key string) (lines []batchLine) {
	c.Helper()
	for line := range strings.Lines(c.read(bucket, key)) {
		var l batchLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			c.Fatalf("%s: %v", line, err)
		}
		lines = append(lines, l)
	}
	return lines
}

// ends waits for the last status of a job.
func (c *clients) ends(status func() (*string, *string, error)) (last, why string) {
	c.Helper()
	var pause binary.Pause
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); pause.Sleep() {
		now, why, err := status()
		if err != nil {
			c.Fatal(err)
		}
		switch *now {
		case "ACTIVE", "CREATE FAILED":
			return *now, aws.ToString(why)
		case "PENDING", "IN PROGRESS", "CREATE PENDING", "CREATE IN_PROGRESS":
		default:
			c.Fatalf("status %q", *now)
		}
	}
	c.Fatal("the job did not end in time")
	return
}

func (c *clients) batchInference(in *personalize.CreateBatchInferenceJobInput, input, output string) (job types.BatchInferenceJob) {
	c.Helper()
	in.RoleArn = aws.String(binary.Role)
	in.JobInput = &types.BatchInferenceJobInput{S3DataSource: &types.S3DataConfig{Path: &input}}
	in.JobOutput = &types.BatchInferenceJobOutput{S3DataDestination: &types.S3DataConfig{Path: &output}}
	made := must[*personalize.CreateBatchInferenceJobOutput](c)(c.control.CreateBatchInferenceJob(c.ctx, in))
	c.ends(func() (*string, *string, error) {
		d, err := c.control.DescribeBatchInferenceJob(c.ctx, &personalize.DescribeBatchInferenceJobInput{BatchInferenceJobArn: made.BatchInferenceJobArn})
		if err != nil {
			return nil, nil, err
		}
		job = *d.BatchInferenceJob
		return job.Status, job.FailureReason, nil
	})
	return job
}

// TestBatchJobs goes through batch inference of all kinds, segments and exports
// with the ordinary client.
func TestBatchJobs(t *testing.T) {
	t.Parallel()
	c := newClients(t, start(t))
	shop := smallShop(t)
	var events, items strings.Builder
	if err := shop.WriteInteractions(&events); err != nil {
		t.Fatal(err)
	}
	if err := shop.WriteItems(&items); err != nil {
		t.Fatal(err)
	}
	group := c.datasetGroup("batch")
	set := c.dataset(group, "INTERACTIONS", world.InteractionsSchema)
	goods := c.dataset(group, "ITEMS", world.ItemsSchema)
	for name, job := range map[string]string{
		"events": c.importing("events", set, c.put("batch", "events.csv", events.String()), types.ImportModeFull),
		"items":  c.importing("items", goods, c.put("batch", "items.csv", items.String()), types.ImportModeFull),
	} {
		c.active(name, func() (*string, *string, error) { return c.importStatus(job) })
	}
	t.Run("exports", func(t *testing.T) { c.on(t).exports(group, set, goods, events.String(), items.String()) })
	t.Run("users", func(t *testing.T) { c.on(t).batchUsers(group, shop) })
	t.Run("ranking", func(t *testing.T) { c.on(t).batchRanking(group, shop) })
	t.Run("segments", func(t *testing.T) { c.on(t).segments(group, shop) })
	t.Run("related", func(t *testing.T) { c.on(t).batchRelated(group, shop) })
}

// on is c for a part of a test.
func (c *clients) on(t *testing.T) *clients {
	part := *c
	part.T, part.ctx = t, t.Context()
	return &part
}

func (c *clients) batchUsers(group string, shop *world.World) {
	version := c.version(c.solution("users", group, "aws-user-personalization"))
	campaign := c.campaign("users", version)
	f := must[*personalize.CreateFilterOutput](c)(c.control.CreateFilter(c.ctx, &personalize.CreateFilterInput{Name: aws.String("genre"), DatasetGroupArn: &group,
		FilterExpression: aws.String(`INCLUDE ItemID WHERE Items.GENRES IN ($GENRE)`)}))
	c.active("filter", func() (*string, *string, error) {
		d, err := c.control.DescribeFilter(c.ctx, &personalize.DescribeFilterInput{FilterArn: f.FilterArn})
		if err != nil {
			return nil, nil, err
		}
		return d.Filter.Status, d.Filter.FailureReason, nil
	})
	genre := shop.Item(0).Genres[0]
	var in strings.Builder
	for u := range 100 {
		in.WriteString(`{"userId": "` + shop.User(u).ID + `", "filterValues": {"GENRE": "\"` + genre + `\""}}` + "\n")
	}
	in.WriteString(`{"userId": "u1"}` + "\nbad\n")
	job := c.batchInference(&personalize.CreateBatchInferenceJobInput{JobName: aws.String("users"), SolutionVersionArn: &version, NumResults: aws.Int32(7), FilterArn: f.FilterArn,
		BatchInferenceJobConfig: &types.BatchInferenceJobConfig{ItemExplorationConfig: map[string]string{"explorationWeight": "0"}}},
		c.put("batch", "in/users.json", in.String()), "s3://batch/out/")
	if *job.Status != "ACTIVE" || *job.NumResults != 7 || *job.FilterArn != *f.FilterArn || job.BatchInferenceJobMode != types.BatchInferenceJobModeBatchInference ||
		*job.JobInput.S3DataSource.Path != "s3://batch/in/users.json" || *job.JobOutput.S3DataDestination.Path != "s3://batch/out/" ||
		*job.RoleArn != binary.Role || job.BatchInferenceJobConfig.ItemExplorationConfig["explorationWeight"] != "0" {
		c.Errorf("described as %+v", job)
	}
	lines := c.batchLines("batch", "out/users.json.out")
	if len(lines) != 102 {
		c.Fatalf("%d lines", len(lines))
	}
	for u := range 100 {
		user, l := shop.User(u).ID, lines[u]
		want := must[*personalizeruntime.GetRecommendationsOutput](c)(c.runtime.GetRecommendations(c.ctx, &personalizeruntime.GetRecommendationsInput{
			CampaignArn: &campaign, UserId: &user, NumResults: 7, FilterArn: f.FilterArn, FilterValues: map[string]string{"GENRE": `"` + genre + `"`}}))
		if l.Error != nil || !strings.Contains(string(l.Input), `"userId":"`+user+`"`) || len(l.Output.Items) != len(want.ItemList) {
			c.Fatalf("user %s: %+v", user, l)
		}
		for i, item := range want.ItemList {
			if l.Output.Items[i] != *item.ItemId || l.Output.Scores[i] != *item.Score {
				c.Errorf("user %s, place %d: %s %g, live %s %g", user, i, l.Output.Items[i], l.Output.Scores[i], *item.ItemId, *item.Score)
			}
		}
	}
	for _, l := range lines[100:] {
		if l.Error == nil || l.Output != nil {
			c.Errorf("a bad line was answered: %+v", l)
		}
	}
	list := must[*personalize.ListBatchInferenceJobsOutput](c)(c.control.ListBatchInferenceJobs(c.ctx, &personalize.ListBatchInferenceJobsInput{SolutionVersionArn: &version}))
	if len(list.BatchInferenceJobs) != 1 || *list.BatchInferenceJobs[0].JobName != "users" || *list.BatchInferenceJobs[0].SolutionVersionArn != version {
		c.Errorf("listed as %+v", list.BatchInferenceJobs)
	}
	job = c.batchInference(&personalize.CreateBatchInferenceJobInput{JobName: aws.String("none"), SolutionVersionArn: &version}, "s3://batch/in/none.json", "s3://batch/out/")
	if *job.Status != "CREATE FAILED" || !strings.Contains(aws.ToString(job.FailureReason), "Invalid S3 input path") {
		c.Errorf("without an input: %s %s", *job.Status, aws.ToString(job.FailureReason))
	}
	_, err := c.control.CreateBatchInferenceJob(c.ctx, &personalize.CreateBatchInferenceJobInput{JobName: aws.String("themes"), SolutionVersionArn: &version, RoleArn: aws.String(binary.Role),
		BatchInferenceJobMode: types.BatchInferenceJobModeThemeGeneration, JobInput: job.JobInput, JobOutput: job.JobOutput})
	refusedAs[*types.InvalidInputException](c.T, err, "THEME_GENERATION is not offered")
}

func (c *clients) batchRanking(group string, shop *world.World) {
	version := c.version(c.solution("ranking", group, "aws-personalized-ranking"))
	campaign := c.campaign("ranking", version)
	user, list := shop.User(3).ID, []string{shop.Item(4).ID, shop.Item(9).ID, shop.Item(77).ID}
	text := must[[]byte](c)(json.Marshal(map[string]any{"userId": user, "itemList": list}))
	c.batchInference(&personalize.CreateBatchInferenceJobInput{JobName: aws.String("ranking"), SolutionVersionArn: &version},
		c.put("batch", "in/ranking.json", string(text)+"\n"+`{"userId":"`+user+`"}`), "s3://batch/out")
	want := must[*personalizeruntime.GetPersonalizedRankingOutput](c)(c.runtime.GetPersonalizedRanking(c.ctx, &personalizeruntime.GetPersonalizedRankingInput{
		CampaignArn: &campaign, UserId: &user, InputList: list}))
	lines := c.batchLines("batch", "out/ranking.json.out")
	for i, item := range want.PersonalizedRanking {
		if lines[0].Output.Items[i] != *item.ItemId || lines[0].Output.Scores[i] != *item.Score {
			c.Errorf("place %d: %+v, live %s %g", i, lines[0].Output, *item.ItemId, *item.Score)
		}
	}
	if lines[1].Error == nil || !strings.Contains(*lines[1].Error, "itemList") {
		c.Errorf("a line without a list: %+v", lines[1])
	}
}

func (c *clients) batchRelated(group string, shop *world.World) {
	version := c.version(c.solution("related", group, "aws-sims"))
	campaign := c.campaign("related", version)
	item := shop.Item(5).ID
	c.batchInference(&personalize.CreateBatchInferenceJobInput{JobName: aws.String("related"), SolutionVersionArn: &version},
		c.put("batch", "in/related.json", `{"itemId":"`+item+`"}`), "s3://batch/out")
	want := must[*personalizeruntime.GetRecommendationsOutput](c)(c.runtime.GetRecommendations(c.ctx, &personalizeruntime.GetRecommendationsInput{CampaignArn: &campaign, ItemId: &item}))
	text := c.read("batch", "out/related.json.out")
	if strings.Contains(text, "scores") {
		c.Errorf("items like another have no scores: %s", text)
	}
	got := c.batchLines("batch", "out/related.json.out")[0].Output.Items
	if len(got) != 25 || len(want.ItemList) != 25 {
		c.Fatalf("%d items, live %d", len(got), len(want.ItemList))
	}
	for i := range got {
		if got[i] != *want.ItemList[i].ItemId {
			c.Errorf("place %d: %s, live %s", i, got[i], *want.ItemList[i].ItemId)
		}
	}
}

func (c *clients) export(name, dataset, output string, mode types.IngestionMode) (job types.DatasetExportJob) {
	c.Helper()
	made := must[*personalize.CreateDatasetExportJobOutput](c)(c.control.CreateDatasetExportJob(c.ctx, &personalize.CreateDatasetExportJobInput{JobName: &name, DatasetArn: &dataset,
		IngestionMode: mode, RoleArn: aws.String(binary.Role), JobOutput: &types.DatasetExportJobOutput{S3DataDestination: &types.S3DataConfig{Path: &output}}}))
	c.ends(func() (*string, *string, error) {
		d, err := c.control.DescribeDatasetExportJob(c.ctx, &personalize.DescribeDatasetExportJobInput{DatasetExportJobArn: made.DatasetExportJobArn})
		if err != nil {
			return nil, nil, err
		}
		job = *d.DatasetExportJob
		return job.Status, job.FailureReason, nil
	})
	return job
}

// exports writes what was imported, and what was put beside it.
func (c *clients) exports(group, set, goods, events, items string) {
	_, tracking := c.tracker(group)
	c.see(tracking, "exporter", "i001")
	job := c.export("bulk", set, "s3://batch/exports", types.IngestionModeBulk)
	if *job.Status != "ACTIVE" || job.IngestionMode != types.IngestionModeBulk || *job.DatasetArn != set || *job.JobOutput.S3DataDestination.Path != "s3://batch/exports" {
		c.Errorf("described as %+v", job)
	}
	if got := c.read("batch", "exports/bulk.csv"); !sameLines(got, events) {
		c.Errorf("BULK has %d lines, %d were imported", strings.Count(got, "\n"), strings.Count(events, "\n"))
	}
	job = c.export("put", set, "s3://batch/exports/", "")
	if got := c.read("batch", "exports/put.csv"); job.IngestionMode != types.IngestionModePut || strings.Count(got, "\n") != 2 || !strings.Contains(got, "\nexporter,i001,View,") {
		c.Errorf("%s: %q", job.IngestionMode, got)
	}
	c.export("all", set, "s3://batch/exports/", types.IngestionModeAll)
	if got := c.read("batch", "exports/all.csv"); strings.Count(got, "\n") != strings.Count(c.read("batch", "exports/bulk.csv"), "\n")+1 {
		c.Errorf("ALL has %d lines", strings.Count(got, "\n"))
	}
	c.export("items", goods, "s3://batch/exports/", types.IngestionModeAll)
	if got := c.read("batch", "exports/items.csv"); strings.Count(got, "\n") != strings.Count(items, "\n") || got[:strings.Index(got, "\n")] != items[:strings.Index(items, "\n")] {
		c.Errorf("the items have %d lines after %q", strings.Count(got, "\n"), got[:80])
	}
	job = c.export("nowhere", goods, "s3://not-there/x", types.IngestionModeAll)
	if *job.Status != "CREATE FAILED" || !strings.Contains(aws.ToString(job.FailureReason), "bucket not-there does not exist") {
		c.Errorf("%s %s", *job.Status, aws.ToString(job.FailureReason))
	}
	list := must[*personalize.ListDatasetExportJobsOutput](c)(c.control.ListDatasetExportJobs(c.ctx, &personalize.ListDatasetExportJobsInput{DatasetArn: &goods}))
	if len(list.DatasetExportJobs) != 2 || *list.DatasetExportJobs[0].JobName != "items" {
		c.Errorf("listed as %+v", list.DatasetExportJobs)
	}
}

// sameLines compares texts as sets of lines: rows that are equal are exported once.
func sameLines(a, b string) bool {
	set := func(text string) map[string]bool {
		out := map[string]bool{}
		for line := range strings.Lines(text) {
			out[line] = true
		}
		return out
	}
	return maps.Equal(set(a), set(b))
}

func (c *clients) segment(name, version, input string, n int32, filter *string) (job types.BatchSegmentJob) {
	c.Helper()
	made := must[*personalize.CreateBatchSegmentJobOutput](c)(c.control.CreateBatchSegmentJob(c.ctx, &personalize.CreateBatchSegmentJobInput{JobName: &name, SolutionVersionArn: &version,
		RoleArn: aws.String(binary.Role), NumResults: &n, FilterArn: filter, JobInput: &types.BatchSegmentJobInput{S3DataSource: &types.S3DataConfig{Path: &input}},
		JobOutput: &types.BatchSegmentJobOutput{S3DataDestination: &types.S3DataConfig{Path: aws.String("s3://batch/segments/")}}}))
	c.ends(func() (*string, *string, error) {
		d, err := c.control.DescribeBatchSegmentJob(c.ctx, &personalize.DescribeBatchSegmentJobInput{BatchSegmentJobArn: made.BatchSegmentJobArn})
		if err != nil {
			return nil, nil, err
		}
		job = *d.BatchSegmentJob
		return job.Status, job.FailureReason, nil
	})
	return job
}

// segments asks for users of items and of attributes.
func (c *clients) segments(group string, shop *world.World) {
	version := c.version(c.solution("affinity", group, "aws-item-affinity"))
	metrics := must[*personalize.GetSolutionMetricsOutput](c)(c.control.GetSolutionMetrics(c.ctx, &personalize.GetSolutionMetricsInput{SolutionVersionArn: &version})).Metrics
	if len(metrics) != 3 || !(metrics["hits_at_1_percent"] > 0) || !(metrics["recall_at_1_percent"] > 0 && metrics["recall_at_1_percent"] <= 1) || !(metrics["coverage"] > 0) {
		c.Errorf("metrics %v", metrics)
	}
	item := shop.Item(5)
	job := c.segment("items", version, c.put("batch", "in/items.json", `{"itemId":"`+item.ID+`"}`+"\n"+`{"itemId":"none"}`+"\n"+`{"userId":"u1"}`), 20, nil)
	if *job.Status != "ACTIVE" || *job.NumResults != 20 || *job.SolutionVersionArn != version || *job.JobInput.S3DataSource.Path != "s3://batch/in/items.json" {
		c.Errorf("described as %+v", job)
	}
	lines := c.batchLines("batch", "segments/items.json.out")
	if len(lines) != 3 || lines[0].Output == nil || len(lines[0].Output.Users) != 20 || lines[1].Error == nil || lines[2].Error == nil {
		c.Fatalf("%+v", lines)
	}
	attributes := c.version(c.solution("attributes", group, "aws-item-attribute-affinity"))
	query := `{"itemAttributes":"Items.genres = \"` + item.Genres[0] + `\" AND Items.CATEGORY_L1 = \"` + item.Category + `\""}`
	c.segment("attributes", attributes, c.put("batch", "in/attributes.json", query+"\n"+`{"itemAttributes":"Items.PRICE > 2"}`+"\n"+
		`{"itemAttributes":"Items.GENRES = \"x\" OR Items.GENRES = \"y\""}`+"\n"+`{"itemAttributes":"Interactions.EVENT_TYPE = \"View\""}`+"\n"), 7, nil)
	lines = c.batchLines("batch", "segments/attributes.json.out")
	if len(lines) != 4 || lines[0].Output == nil || len(lines[0].Output.Users) != 7 {
		c.Fatalf("%+v", lines)
	}
	for _, l := range lines[1:] {
		if l.Error == nil || !strings.Contains(*l.Error, "itemAttributes") {
			c.Errorf("%s was answered: %+v", l.Input, l)
		}
	}
	list := must[*personalize.ListBatchSegmentJobsOutput](c)(c.control.ListBatchSegmentJobs(c.ctx, &personalize.ListBatchSegmentJobsInput{SolutionVersionArn: &version}))
	if len(list.BatchSegmentJobs) != 1 || *list.BatchSegmentJobs[0].JobName != "items" {
		c.Errorf("listed as %+v", list.BatchSegmentJobs)
	}
}
