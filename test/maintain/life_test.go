package maintain_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"

	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/test/binary"
)

// TestLife is the whole life of a declared shop in compressed time.
func TestLife(t *testing.T) {
	t.Parallel()
	newHouse(t, strict()...).life()
}

// TestLifeElsewhere is the same life on a second node, which the first knows by
// URL and keys only.
func TestLifeElsewhere(t *testing.T) { newHouses(t).life() }

func (h *house) life() {
	h.bring()
	h.put(batchInput(20))
	h.write(shopConfig("if-not-worse"))

	h.created()
	h.unchanged()
	h.exported()
	h.freshData()
	h.retrained()
	h.batched()
	h.kept()
	h.destroyed()
}

// created applies the file to nothing, and finds everything ACTIVE.
func (h *house) created() {
	h.Helper()
	if out := h.done("plan", h.file, "--source", source); !strings.Contains(out, "shop-for-you") {
		h.Errorf("the plan of everything:\n%s", out)
	}
	if n := h.changes(); n != 0 {
		h.Errorf("a plan changed %d things", n)
	}
	h.done("apply", h.file, "--source", source, "--yes")
	c := h.control()
	if got := aws.ToString(h.campaign("shop-for-you").Status); got != "ACTIVE" {
		h.Errorf("campaign shop-for-you is %s", got)
	}
	for _, j := range h.imports() {
		if aws.ToString(j.Status) != "ACTIVE" {
			h.Errorf("import %s is %s", *j.JobName, aws.ToString(j.Status))
		}
	}
	if n := len(h.imports()); n != 3 {
		h.Errorf("%d imports, want 3", n)
	}
	group := h.arn("dataset-group/shop")
	filters := must[*personalize.ListFiltersOutput](h)(c.ListFilters(h.ctx(), &personalize.ListFiltersInput{DatasetGroupArn: &group})).Filters
	if len(filters) != 2 || aws.ToString(filters[0].Status) != "ACTIVE" || aws.ToString(filters[1].Status) != "ACTIVE" {
		h.Errorf("filters %+v", filters)
	}
	trackers := must[*personalize.ListEventTrackersOutput](h)(c.ListEventTrackers(h.ctx(), &personalize.ListEventTrackersInput{DatasetGroupArn: &group})).EventTrackers
	if len(trackers) != 1 || aws.ToString(trackers[0].Name) != "shop-events" {
		h.Errorf("event trackers %+v", trackers)
	}
	if n := len(h.versions("shop-for-you")); n != 1 {
		h.Errorf("%d versions of shop-for-you, want 1", n)
	}
	tags := must[*personalize.ListTagsForResourceOutput](h)(c.ListTagsForResource(h.ctx(), &personalize.ListTagsForResourceInput{ResourceArn: &group})).Tags
	if len(tags) != 1 || aws.ToString(tags[0].TagKey) != "team" {
		h.Errorf("tags of the group: %+v", tags)
	}
	var tasks struct{ Tasks []string }
	if err := json.Unmarshal([]byte(h.done("schedule", "list")), &tasks); err != nil {
		h.Error(err)
	}
	want := []string{"batch-inference-shop-for-you", "personalize-dataset-import-shop", "solution-maintenance-full-shop-for-you", "solution-maintenance-update-shop-for-you"}
	if !slices.Equal(tasks.Tasks, want) {
		h.Errorf("schedules %v, want %v", tasks.Tasks, want)
	}
}

// unchanged applies the same file again.
func (h *house) unchanged() {
	h.Helper()
	before := h.changes()
	if out, code := h.attune("plan", h.file, "--source", source, "--exit-code"); code != 0 {
		h.Errorf("a plan of what is there ended with %d:\n%s", code, out)
	}
	if out, code := h.attune("drift", h.file); code != 0 {
		h.Errorf("drift of what is there ended with %d:\n%s", code, out)
	}
	h.done("apply", h.file, "--source", source, "--yes")
	if n := h.changes() - before; n != 0 {
		h.Errorf("the same file again made %d changing calls", n)
	}
	var described struct{ Task struct{ Version string } }
	if err := json.Unmarshal([]byte(h.done("schedule", "describe", "-t", "personalize-dataset-import-shop")), &described); err != nil || described.Task.Version != "v1" {
		h.Errorf("the schedule of imports is %+v (%v)", described, err)
	}
}

// ended counts the runs of a purpose that ended, in whatever way.
func (h *house) ended(purpose string) (n int) {
	h.Helper()
	for _, r := range h.list() {
		if string(r.Purpose) == purpose && r.Status != maintain.Running {
			if n++; r.Status == maintain.Failed {
				h.Fatalf("a run of %s failed:\n%s", purpose, h.done("runs", "list"))
			}
		}
	}
	return n
}

// due puts the clock forward and waits until as many runs of a purpose have ended.
func (h *house) due(forward, purpose string, runs int) {
	h.Helper()
	was := h.ended(purpose)
	h.done("clock", "advance", forward)
	h.eventually(fmt.Sprintf("%d runs of %s", was+runs, purpose), func() bool { return h.ended(purpose) >= was+runs })
}

// freshData lets the hour of imports come with a newer file of events, again
// without one, and with one more.
func (h *house) freshData() {
	h.Helper()
	before := len(h.imports())
	h.renew(0)
	h.due("1h", "import", 1)
	if n := len(h.imports()) - before; n != 1 {
		h.Errorf("one newer file made %d imports", n)
	}
	h.due("1h", "import", 1)
	if n := len(h.imports()) - before; n != 1 {
		h.Errorf("an hour later without a newer file there are %d new imports", n)
	}
	h.renew(1) // on a node whose clock was put forward since the last import
	h.due("1h", "import", 1)
	if n := len(h.imports()) - before; n != 2 {
		h.Errorf("with another newer file there are %d new imports, want 2", n)
	}
}

// retrained lets a day come, with its update, and the Sunday, with its training
// from scratch. The campaign follows each once.
func (h *house) retrained() {
	h.Helper()
	for _, x := range []struct{ forward, purpose, mode string }{{"24h", "update", "UPDATE"}, {"168h", "full", "FULL"}} {
		h.quiet() // an update of 4:30 may have become due already, if the test comes by there
		was, versions := aws.ToString(h.campaign("shop-for-you").SolutionVersionArn), len(h.versions("shop-for-you"))
		h.due(x.forward, x.purpose, 1)
		now := h.campaign("shop-for-you")
		if *now.SolutionVersionArn == was {
			h.Errorf("after %s the campaign still has %s", x.purpose, was)
		}
		v := must[*personalize.DescribeSolutionVersionOutput](h)(h.control().DescribeSolutionVersion(h.ctx(), &personalize.DescribeSolutionVersionInput{SolutionVersionArn: now.SolutionVersionArn})).SolutionVersion
		if string(v.TrainingMode) != x.mode && x.purpose == "update" { // a week has updates, too, and one of them may be the newest
			h.Errorf("after %s the campaign has a version trained by %s", x.purpose, v.TrainingMode)
		}
		if n := len(h.versions("shop-for-you")) - versions; n < 1 || n > 2 {
			h.Errorf("%s made %d versions", x.purpose, n)
		}
		if n := len(h.versions("shop-popular")); n != 1 {
			h.Errorf("%s of another solution: %d versions of shop-popular", x.purpose, n)
		}
	}
}

// batched finds what the batch job wrote, at the apply and on the Sunday.
func (h *house) batched() {
	h.Helper()
	h.eventually("the batch job of the Sunday", func() bool { return h.ended("batch-inference") >= 1 })
	jobs := must[*personalize.ListBatchInferenceJobsOutput](h)(h.control().ListBatchInferenceJobs(h.ctx(), &personalize.ListBatchInferenceJobsInput{MaxResults: aws.Int32(100)})).BatchInferenceJobs
	if len(jobs) < 2 {
		h.Errorf("%d batch jobs, want that of the apply and that of the Sunday", len(jobs))
	}
	for _, j := range jobs {
		if aws.ToString(j.Status) != "ACTIVE" || !strings.HasPrefix(*j.JobName, "batch_shop-for-you_") {
			h.Errorf("batch job %s is %s", *j.JobName, aws.ToString(j.Status))
			continue
		}
		out := h.get("batch/shop/shop-for-you/" + *j.JobName + "/job_config.json.out")
		if n := strings.Count(out, `"recommendedItems"`); n != 20 {
			h.Errorf("%s answered %d of 20 lines", *j.JobName, n)
		}
	}
}

// kept has an accident happen to the data, a load that ended early: of one
// customer in ten all the history is there, of the others nothing. What a Sunday's
// training learns of it may do as well for those few, and knows nobody else; it
// stays out of the campaign.
func (h *house) kept() {
	h.Helper()
	was := h.campaign("shop-for-you")
	h.put("elsewhere/slice.csv", h.history(customers/10, 1))
	dataset := h.arn("dataset/shop/INTERACTIONS")
	job := must[*personalize.CreateDatasetImportJobOutput](h)(h.control().CreateDatasetImportJob(h.ctx(), &personalize.CreateDatasetImportJobInput{
		JobName: aws.String("slice"), DatasetArn: &dataset, RoleArn: aws.String(binary.Role), ImportMode: types.ImportModeFull,
		DataSource: &types.DataSource{DataLocation: aws.String("s3://" + bucket + "/elsewhere/slice.csv")}}))
	h.eventually("the import of a slice", func() bool {
		d := must[*personalize.DescribeDatasetImportJobOutput](h)(h.control().DescribeDatasetImportJob(h.ctx(), &personalize.DescribeDatasetImportJobInput{DatasetImportJobArn: job.DatasetImportJobArn}))
		return aws.ToString(d.DatasetImportJob.Status) == "ACTIVE"
	})
	for _, task := range []string{"solution-maintenance-update-shop-for-you", "personalize-dataset-import-shop"} {
		h.done("schedule", "deactivate", "-t", task)
	}
	h.due("168h", "full", 1)
	if now := h.campaign("shop-for-you"); *now.SolutionVersionArn != *was.SolutionVersionArn {
		h.Errorf("the campaign follows %s, which learned from a slice", *now.SolutionVersionArn)
	}
	var runs struct {
		Runs []struct{ ID, Purpose string }
	}
	h.json(&runs, "runs", "list")
	i := slices.IndexFunc(runs.Runs, func(r struct{ ID, Purpose string }) bool { return r.Purpose == "full" })
	if out := h.done("runs", "describe", runs.Runs[i].ID); !strings.Contains(out, "much of the data may be missing") {
		h.Errorf("the newest run does not say why it refused a version:\n%s", out)
	}
}

// exported writes the shop out as a configuration, which is the one it was made from.
func (h *house) exported() {
	h.Helper()
	path := filepath.Join(h.dir, "exported.json")
	out := h.done("export", "shop", "-o", "json")
	if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
		h.Fatal(err)
	}
	h.done("config", "check", path)
	before := h.changes()
	if out, code := h.attune("plan", path, "--source", source, "--exit-code"); code != 0 {
		h.Errorf("a plan of what was exported ended with %d:\n%s\n%s", code, out, must[[]byte](h)(os.ReadFile(path)))
	}
	if n := h.changes() - before; n != 0 {
		h.Errorf("a plan changed %d things", n)
	}
	for _, name := range []string{"shop-events", "shop-unseen", "shop-cheap", "shop-for-you", "shop-popular", "aws-user-personalization", "PRICE"} {
		if !strings.Contains(out, name) {
			h.Errorf("the export lacks %s", name)
		}
	}
	for _, field := range []string{"datasetGroupArn", "schemaArn", "creationDateTime", "lastUpdatedDateTime", "status", "trackingId", "latestCampaignUpdate", "roleArn"} {
		if strings.Contains(out, `"`+field+`"`) {
			h.Errorf("the export has the system field %s", field)
		}
	}
}

// destroyed takes everything away.
func (h *house) destroyed() {
	h.Helper()
	h.eventually("the destruction", func() bool { // which runs alone: the Sunday's batch job may be under way
		out, code := h.attune("destroy", h.file, "--yes")
		if code != 0 && !strings.Contains(out, "under way") {
			h.Fatalf("destroy ended with %d:\n%s", code, out)
		}
		return code == 0
	})
	c := h.control()
	for what, n := range map[string]int{
		"dataset groups": len(must[*personalize.ListDatasetGroupsOutput](h)(c.ListDatasetGroups(h.ctx(), nil)).DatasetGroups),
		"schemas":        len(must[*personalize.ListSchemasOutput](h)(c.ListSchemas(h.ctx(), nil)).Schemas),
		"campaigns":      len(must[*personalize.ListCampaignsOutput](h)(c.ListCampaigns(h.ctx(), nil)).Campaigns),
		"solutions":      len(must[*personalize.ListSolutionsOutput](h)(c.ListSolutions(h.ctx(), nil)).Solutions),
		"filters":        len(must[*personalize.ListFiltersOutput](h)(c.ListFilters(h.ctx(), nil)).Filters),
		"event trackers": len(must[*personalize.ListEventTrackersOutput](h)(c.ListEventTrackers(h.ctx(), nil)).EventTrackers),
		"datasets":       len(must[*personalize.ListDatasetsOutput](h)(c.ListDatasets(h.ctx(), nil)).Datasets),
	} {
		if n != 0 {
			h.Errorf("%d %s are left", n, what)
		}
	}
	var tasks struct{ Tasks []string }
	if err := json.Unmarshal([]byte(h.done("schedule", "list")), &tasks); err != nil || len(tasks.Tasks) != 0 {
		h.Errorf("schedules are left: %v (%v)", tasks.Tasks, err)
	}
}
