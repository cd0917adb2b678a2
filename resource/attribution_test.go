package resource_test

import (
	"fmt"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

func TestAttributionRules(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	group, set := h.stocked("films")
	body := func(metrics ...resource.Metric) resource.AttributionBody {
		return resource.AttributionBody{DatasetGroupArn: group, Metrics: metrics, MetricsOutputConfig: resource.MetricsOutput{RoleArn: "r"}}
	}
	clicks := resource.Metric{EventType: "Click", Name: "clicks", Expression: "samplecount( )"}
	create := func(name string, b resource.AttributionBody) error {
		return not(h.CreateMetricAttribution(ctx, name, b))
	}
	for expression, words := range map[string]string{
		"COUNT()": "cannot be read", "SUM(Users.AGE)": "cannot be read", "SUM(Items.PRICE)": "no such dataset", "SUM()": "cannot be read",
		"SUM(Interactions.NONE)": "no column of numbers", "SUM(Interactions.USER_ID)": "no column of numbers",
	} {
		h.refused(create("x", body(resource.Metric{EventType: "e", Name: "n", Expression: expression})), attune.Invalid, words)
	}
	h.refused(create("x", body(clicks, clicks)), attune.Invalid, "given twice")
	var many []resource.Metric
	for i := range 11 {
		many = append(many, resource.Metric{EventType: "e", Name: fmt.Sprint(i), Expression: "SAMPLECOUNT()"})
	}
	h.refused(create("x", body(many...)), attune.Invalid, "at most 10")
	nowhere := body(clicks)
	nowhere.MetricsOutputConfig.S3DataDestination = &resource.S3Data{Path: "https://a/b"}
	h.refused(create("x", nowhere), attune.Invalid, "Invalid S3 output path")

	h.ok(create("m", body(clicks)))
	const arn = "arn:aws:personalize:us-east-1:000000000000:metric-attribution/m"
	update := func(c resource.AttributionChange) error { return not(h.UpdateMetricAttribution(ctx, arn, c)) }
	h.refused(update(resource.AttributionChange{Remove: []string{"clicks"}}), attune.InUse, "wait until it is ACTIVE")
	h.active(arn)
	h.refused(create("m", body(clicks)), attune.Exists, "exists already")
	h.refused(create("n", body(clicks)), attune.LimitExceeded, "has one metric attribution")
	h.refused(update(resource.AttributionChange{Remove: []string{"none"}}), attune.NotFound, `no metric "none"`)
	h.refused(update(resource.AttributionChange{Add: []resource.Metric{clicks}}), attune.Exists, "clicks")
	h.refused(update(resource.AttributionChange{Add: many[:10]}), attune.Invalid, "at most 10")
	h.ok(update(resource.AttributionChange{Add: many[:10], Remove: []string{"clicks"}}))
	job := importBody(set)
	job.PublishAttributionMetricsToS3 = true
	h.refused(not(h.CreateImportJob(ctx, "x", job)), attune.Invalid, "has no s3DataDestination")
	h.ok(update(resource.AttributionChange{Output: &resource.MetricsOutput{RoleArn: "r", S3DataDestination: &resource.S3Data{Path: "s3://b/f/"}}}))
	h.ok(not(h.CreateImportJob(ctx, "x", job)))
	r, err := h.Get(ctx, arn)
	if err != nil {
		t.Fatal(err)
	}
	b, err := resource.Body[resource.AttributionBody](r)
	if err != nil || len(b.Metrics) != 10 || b.Metrics[0].Name != "0" || b.MetricsOutputConfig.S3DataDestination.Path != "s3://b/f/" || !r.Updated.After(r.Created) {
		t.Errorf("%+v, %v", b, err)
	}
	h.ok(h.DeleteMetricAttribution(ctx, arn))
	h.erase(arn)
	h.ok(create("n", body(clicks)))
}
