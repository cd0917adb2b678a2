package job_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
)

// TestLine takes data from upload to recommendation, and all of it away again.
func TestLine(t *testing.T) {
	t.Parallel()
	h := newLine(t)
	ctx := t.Context()
	group, set := h.group("line")
	imported := h.until(h.importing("base", set, h.upload("up/base.csv", shopCSV(t, 4000)+"broken\n")), resource.Active)
	report := must[resource.ImportJobBody](t)(resource.Body[resource.ImportJobBody](imported)).Report
	if report == nil || report.Rows != 4000 || report.Rejected != 1 || len(report.Reasons) != 1 {
		t.Fatalf("report %+v", report)
	}
	solution := must[*resource.Resource](t)(h.registry.CreateSolution(ctx, "line", resource.SolutionBody{
		DatasetGroupArn: string(group.ARN), RecipeArn: "arn:aws:personalize:::recipe/aws-user-personalization"}))
	h.until(solution.ARN, resource.Active)
	version := must[*resource.Resource](t)(h.registry.CreateSolutionVersion(ctx, resource.VersionRequest{SolutionArn: string(solution.ARN)}))
	version = h.until(version.ARN, resource.Active)
	body := must[resource.SolutionVersionBody](t)(resource.Body[resource.SolutionVersionBody](version))
	if body.Model == "" || body.Snapshot == "" || body.TrainingHours == nil || body.Metrics["coverage"] == 0 {
		t.Fatalf("version %+v", body)
	}
	campaign := must[*resource.Resource](t)(h.registry.CreateCampaign(ctx, "line", resource.CampaignBody{SolutionVersionArn: string(version.ARN), MinProvisionedTPS: 1}))
	h.until(campaign.ARN, resource.Active)
	answer := must[*serve.Answer](t)(h.serve.Recommend(ctx, serve.Request{Campaign: campaign.ARN, User: "u0001", N: 5}))
	if len(answer.Items) != 5 {
		t.Fatalf("answer %+v", answer)
	}

	// A second version of the same data learns the same numbers.
	again := must[*resource.Resource](t)(h.registry.CreateSolutionVersion(ctx, resource.VersionRequest{SolutionArn: string(solution.ARN)}))
	again = h.until(again.ARN, resource.Active)
	other := must[resource.SolutionVersionBody](t)(resource.Body[resource.SolutionVersionBody](again))
	first, second := must[*model.Model](t)(model.Open(ctx, h.artifacts, body.Model)), must[*model.Model](t)(model.Open(ctx, h.artifacts, other.Model))
	if !reflect.DeepEqual(first.Tensors, second.Tensors) || !slices.Equal(first.Items, second.Items) {
		t.Error("two trainings on the same data differ")
	}
	if err := h.registry.UpdateCampaign(ctx, string(campaign.ARN), resource.CampaignChange{SolutionVersionArn: string(again.ARN)}); err != nil {
		t.Fatal(err)
	}
	h.settled(campaign.ARN)
	if r, _ := h.serve.Get(campaign.ARN); r.Version != again.ARN {
		t.Errorf("%s is served after the update", r.Version)
	}

	for _, d := range []struct {
		arn attune.ARN
		do  func(context.Context, string) error
	}{{campaign.ARN, h.registry.DeleteCampaign}, {solution.ARN, h.registry.DeleteSolution}, {set.ARN, h.registry.DeleteDataset}, {group.ARN, h.registry.DeleteDatasetGroup}} {
		if err := d.do(ctx, string(d.arn)); err != nil {
			t.Fatal(err)
		}
		h.gone(d.arn)
	}
	if h.serve.Has(campaign.ARN) {
		t.Error("a deleted campaign answers")
	}
	for info, err := range h.artifacts.List(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("%s is left behind", info.Name)
	}
}

// TestImportFailures says what is wrong, and applies nothing.
func TestImportFailures(t *testing.T) {
	t.Parallel()
	h := newLine(t)
	_, set := h.group("bad")
	for name, c := range map[string]struct{ location, says string }{
		"nothing-there": {"s3://up/none.csv", "none.csv"},
		"all-broken":    {h.upload("up/broken.csv", "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n"+strings.Repeat("u,i,View,tomorrow\n", 50)), "50"},
	} {
		if why := h.failed(h.importing(name, set, c.location)); !strings.Contains(why, c.says) {
			t.Errorf("%s: %q does not say %q", name, why, c.says)
		}
	}
	for info, err := range h.artifacts.List(t.Context(), "table/") {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(info.Name, "rejects.csv") {
			t.Errorf("a failed import left %s", info.Name)
		}
	}
}

// TestStop ends a training that its owner stops.
func TestStop(t *testing.T) {
	t.Parallel()
	h := newLine(t)
	ctx := t.Context()
	solution := h.solution("stop")
	for i := range 3 {
		v := must[*resource.Resource](t)(h.registry.CreateSolutionVersion(ctx, resource.VersionRequest{SolutionArn: string(solution.ARN), Name: fmt.Sprintf("v%d", i)}))
		if err := h.registry.StopSolutionVersion(ctx, string(v.ARN)); err != nil {
			t.Fatal(err)
		}
		h.until(v.ARN, resource.CreateStopped)
	}
}
