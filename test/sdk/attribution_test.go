package sdk_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/test/binary"
)

// attributing is a shop whose clicks and purchases are reported to s3://reports/shop/.
type attributing struct {
	*clients
	shop shopGroup
	arn  string
}

func (a *attributing) put(source, recommendation *string, kind, item, id string) {
	a.Helper()
	e := etypes.Event{EventType: &kind, ItemId: &item, SentAt: aws.Time(time.Now()), EventId: &id, RecommendationId: recommendation}
	if source != nil {
		e.MetricAttribution = &etypes.MetricAttribution{EventAttributionSource: source}
	}
	must[*personalizeevents.PutEventsOutput](a)(a.events.PutEvents(a.ctx, &personalizeevents.PutEventsInput{
		TrackingId: &a.shop.tracking, UserId: aws.String("u"), SessionId: aws.String("s"), EventList: []etypes.Event{e}}))
}

// reports waits until there are n files and gives their lines without the head
// and the time, by name.
func (a *attributing) reports(n int) map[string][]string {
	a.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		list := must[*s3.ListObjectsV2Output](a)(a.objects.ListObjectsV2(a.ctx, &s3.ListObjectsV2Input{Bucket: aws.String("reports"), Prefix: aws.String("shop/")}))
		if len(list.Contents) < n {
			if time.Now().After(deadline) {
				a.Fatalf("%d reports after a minute, want %d", len(list.Contents), n)
			}
			continue
		}
		out := map[string][]string{}
		for _, o := range list.Contents {
			lines := strings.Split(strings.TrimSpace(a.read("reports", *o.Key)), "\n")
			if lines[0] != "METRIC_NAME,EVENT_TYPE,VALUE,MATH_FUNCTION,EVENT_ATTRIBUTION_SOURCE,TIMESTAMP" {
				a.Errorf("%s begins with %s", *o.Key, lines[0])
			}
			for _, line := range lines[1:] {
				out[*o.Key] = append(out[*o.Key], line[:strings.LastIndex(line, ",")])
			}
		}
		return out
	}
}

func (a *attributing) advance(d time.Duration) {
	a.Helper()
	if err := a.verb("AdvanceClock", verb.AdvanceClockInput{Seconds: d.Seconds()}, new(verb.DescribeClockOutput)); err != nil {
		a.Fatal(err)
	}
}

// TestMetricAttribution follows events into reports: by campaign, by source, over
// a kill, and of an import.
func TestMetricAttribution(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	node := must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data, "--mode=strict"))
	t.Cleanup(func() { node.Kill() })
	c := newClients(t, node)
	a := &attributing{clients: c, shop: c.shopGroup("metrics")}
	must[*s3.CreateBucketOutput](t)(c.objects.CreateBucket(c.ctx, &s3.CreateBucketInput{Bucket: aws.String("reports")}))
	a.arn = a.attribution()
	campaign := c.deployed("metrics", a.shop.group, "aws-popularity-count")
	shown := c.ask(&personalizeruntime.GetRecommendationsInput{CampaignArn: &campaign, UserId: aws.String("u")})
	item := *shown.ItemList[0].ItemId
	price := a.price(item)
	a.advance(15 * time.Minute) // what follows is within one window, unless 15 minutes pass
	a.reports(0)
	a.put(nil, shown.RecommendationId, "Click", item, "e1")
	a.put(nil, shown.RecommendationId, "Click", item, "e1") // the same again
	a.put(nil, shown.RecommendationId, "click", item, "e2")
	a.put(aws.String("mail"), shown.RecommendationId, "Buy", item, "e3")
	a.put(nil, nil, "Click", item, "e4")
	a.put(nil, nil, "View", item, "e5")
	time.Sleep(500 * time.Millisecond) // the answer is in the log by then, and in the window of the events
	a.advance(15 * time.Minute)
	first := a.reports(1)
	want := []string{"clicks,Click,1.0,samplecount,SOURCE_NAME_UNDEFINED", "clicks,Click,2.0,samplecount," + campaign, "revenue,Buy," + price + ",sum,mail"}
	var name string
	for key, lines := range first {
		name = key
		if strings.Join(lines, "\n") != strings.Join(want, "\n") || !strings.HasPrefix(key, "shop/AggregatedAttributionMetrics - PutEvents - ") {
			t.Errorf("%s has\n%s\nwant\n%s", key, strings.Join(lines, "\n"), strings.Join(want, "\n"))
		}
	}

	a.put(nil, shown.RecommendationId, "Click", item, "e6")
	node.Kill()
	node = must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data, "--mode=strict"))
	a.clients = newClients(t, node)
	a.put(nil, shown.RecommendationId, "Click", item, "e7")
	a.advance(15 * time.Minute)
	for key, lines := range a.reports(2) {
		if key == name {
			if strings.Join(lines, "\n") != strings.Join(want, "\n") {
				t.Errorf("after a kill the first report has\n%s", strings.Join(lines, "\n"))
			}
		} else if got := strings.Join(lines, "\n"); got != "clicks,Click,2.0,samplecount,"+campaign {
			t.Errorf("after a kill the second report has\n%s", got)
		}
	}
	a.importing()
	a.ends()
}

// attribution makes the metric attribution and looks at it from every side.
func (a *attributing) attribution() string {
	a.Helper()
	output := &types.MetricAttributionOutput{RoleArn: aws.String("arn:aws:iam::000000000000:role/r"), S3DataDestination: &types.S3DataConfig{Path: aws.String("s3://reports/shop/")}}
	m := must[*personalize.CreateMetricAttributionOutput](a)(a.control.CreateMetricAttribution(a.ctx, &personalize.CreateMetricAttributionInput{
		Name: aws.String("shop"), DatasetGroupArn: &a.shop.group, MetricsOutputConfig: output,
		Metrics: []types.MetricAttribute{{EventType: aws.String("Click"), MetricName: aws.String("clicks"), Expression: aws.String("SAMPLECOUNT()")},
			{EventType: aws.String("Gone"), MetricName: aws.String("gone"), Expression: aws.String("SAMPLECOUNT()")}}}))
	a.active("metric attribution", func() (*string, *string, error) {
		d, err := a.control.DescribeMetricAttribution(a.ctx, &personalize.DescribeMetricAttributionInput{MetricAttributionArn: m.MetricAttributionArn})
		if err != nil {
			return nil, nil, err
		}
		return d.MetricAttribution.Status, d.MetricAttribution.FailureReason, nil
	})
	must[*personalize.UpdateMetricAttributionOutput](a)(a.control.UpdateMetricAttribution(a.ctx, &personalize.UpdateMetricAttributionInput{
		MetricAttributionArn: m.MetricAttributionArn, RemoveMetrics: []string{"gone"},
		AddMetrics: []types.MetricAttribute{{EventType: aws.String("Buy"), MetricName: aws.String("revenue"), Expression: aws.String("SUM(Items.PRICE)")}}}))
	var names []string
	pages := personalize.NewListMetricAttributionMetricsPaginator(a.control, &personalize.ListMetricAttributionMetricsInput{MetricAttributionArn: m.MetricAttributionArn, MaxResults: aws.Int32(1)})
	for pages.HasMorePages() {
		page := must[*personalize.ListMetricAttributionMetricsOutput](a)(pages.NextPage(a.ctx))
		for _, metric := range page.Metrics {
			names = append(names, *metric.MetricName)
		}
	}
	if fmt.Sprint(names) != "[clicks revenue]" {
		a.Errorf("metrics %v", names)
	}
	list := must[*personalize.ListMetricAttributionsOutput](a)(a.control.ListMetricAttributions(a.ctx, &personalize.ListMetricAttributionsInput{DatasetGroupArn: &a.shop.group}))
	if len(list.MetricAttributions) != 1 || *list.MetricAttributions[0].MetricAttributionArn != *m.MetricAttributionArn {
		a.Errorf("listed %v", list.MetricAttributions)
	}
	_, err := a.control.CreateMetricAttribution(a.ctx, &personalize.CreateMetricAttributionInput{Name: aws.String("more"), DatasetGroupArn: &a.shop.group, MetricsOutputConfig: output, Metrics: []types.MetricAttribute{}})
	refusedAs[*types.LimitExceededException](a.T, err, "one metric attribution")
	return *m.MetricAttributionArn
}

// price is an item's price as reports write it, from the shop's own file.
func (a *attributing) price(id string) string {
	for i := range 150 {
		if it := a.shop.world.Item(i); it.ID == id {
			text := fmt.Sprintf("%.2f", it.Price)
			text = strings.TrimRight(text, "0")
			if strings.HasSuffix(text, ".") {
				text += "0"
			}
			return text
		}
	}
	a.Fatalf("no item %s", id)
	return ""
}

// importing publishes the report on an import: its rows by their own time.
func (a *attributing) importing() {
	a.Helper()
	csv := "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n"
	for i := range 1000 {
		csv += fmt.Sprintf("x%d,y,Click,%d\n", i, 1_767_225_600+i)
	}
	location := a.clients.put("reports", "in/more.csv", csv)
	job := must[*personalize.CreateDatasetImportJobOutput](a)(a.control.CreateDatasetImportJob(a.ctx, &personalize.CreateDatasetImportJobInput{
		JobName: aws.String("published"), DatasetArn: &a.shop.interactions, DataSource: &types.DataSource{DataLocation: &location}, RoleArn: aws.String("arn:aws:iam::000000000000:role/r"),
		ImportMode: types.ImportModeIncremental, PublishAttributionMetricsToS3: aws.Bool(true)}))
	a.active("import", func() (*string, *string, error) { return a.importStatus(*job.DatasetImportJobArn) })
	for key, lines := range a.reports(3) {
		if !strings.Contains(key, " - INCREMENTAL - ") {
			continue
		}
		if got := strings.Join(lines, "\n"); got != "clicks,Click,900.0,samplecount,SOURCE_NAME_UNDEFINED\nclicks,Click,100.0,samplecount,SOURCE_NAME_UNDEFINED" {
			a.Errorf("the report on an import has\n%s", got)
		}
		return
	}
	a.Error("there is no report on the import")
}

// ends deletes the attribution.
func (a *attributing) ends() {
	a.Helper()
	must[*personalize.DeleteMetricAttributionOutput](a)(a.control.DeleteMetricAttribution(a.ctx, &personalize.DeleteMetricAttributionInput{MetricAttributionArn: &a.arn}))
	a.gone(func() error {
		_, err := a.control.DescribeMetricAttribution(a.ctx, &personalize.DescribeMetricAttributionInput{MetricAttributionArn: &a.arn})
		return err
	})
}
