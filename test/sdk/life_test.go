package sdk_test

import (
	"context"
	"os"
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

	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// attuneBinary is built once for all tests of this package.
var attuneBinary string

func TestMain(m *testing.M) { os.Exit(binary.Main(m, &attuneBinary)) }

// start runs a node of its own for a test.
func start(t *testing.T, args ...string) *binary.Process {
	t.Helper()
	p, err := binary.Start(t.Context(), attuneBinary, t.TempDir(), args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Log(p.Output())
		}
	})
	return p
}

// clients are the four SDK clients of one node.
type clients struct {
	*testing.T
	ctx     context.Context
	node    *binary.Process
	control *personalize.Client
	runtime *personalizeruntime.Client
	events  *personalizeevents.Client
	objects *s3.Client
}

func newClients(t *testing.T, p *binary.Process) *clients {
	cfg := p.AWS()
	return &clients{t, t.Context(), p, personalize.NewFromConfig(cfg), personalizeruntime.NewFromConfig(cfg),
		personalizeevents.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })}
}

// must ends the test on an error of a call.
func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// active waits until a Describe says ACTIVE.
func (c *clients) active(what string, status func() (*string, *string, error)) {
	c.Helper()
	var pause binary.Pause
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); pause.Sleep() {
		now, why, err := status()
		if err != nil {
			c.Fatalf("%s: %v", what, err)
		}
		switch aws.ToString(now) {
		case "ACTIVE":
			return
		case "CREATE FAILED":
			c.Fatalf("%s: CREATE FAILED: %s", what, aws.ToString(why))
		}
	}
	c.Fatalf("%s was not ACTIVE in time", what)
}

// smallShop is enough to train on, and quick.
func smallShop(t *testing.T) *world.World {
	return must[*world.World](t)(world.New(world.Spec{Users: 300, Items: 150, Events: 6000, Clusters: 6, Seed: 7}))
}

func (c *clients) datasetGroup(name string) string {
	g := must[*personalize.CreateDatasetGroupOutput](c)(c.control.CreateDatasetGroup(c.ctx, &personalize.CreateDatasetGroupInput{Name: &name}))
	c.active("dataset group", func() (*string, *string, error) {
		d, err := c.control.DescribeDatasetGroup(c.ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: g.DatasetGroupArn})
		if err != nil {
			return nil, nil, err
		}
		return d.DatasetGroup.Status, d.DatasetGroup.FailureReason, nil
	})
	return *g.DatasetGroupArn
}

func (c *clients) dataset(group, kind, schema string) string {
	name := strings.ToLower(kind) + "-" + group[strings.LastIndex(group, "/")+1:]
	s := must[*personalize.CreateSchemaOutput](c)(c.control.CreateSchema(c.ctx, &personalize.CreateSchemaInput{Name: &name, Schema: &schema}))
	d := must[*personalize.CreateDatasetOutput](c)(c.control.CreateDataset(c.ctx, &personalize.CreateDatasetInput{
		Name: &name, DatasetGroupArn: &group, DatasetType: &kind, SchemaArn: s.SchemaArn}))
	c.active("dataset", func() (*string, *string, error) {
		out, err := c.control.DescribeDataset(c.ctx, &personalize.DescribeDatasetInput{DatasetArn: d.DatasetArn})
		if err != nil {
			return nil, nil, err
		}
		return out.Dataset.Status, nil, nil
	})
	return *d.DatasetArn
}

// importing starts an import job and returns its ARN.
func (c *clients) importing(name, dataset, location string, mode types.ImportMode) string {
	j := must[*personalize.CreateDatasetImportJobOutput](c)(c.control.CreateDatasetImportJob(c.ctx, &personalize.CreateDatasetImportJobInput{
		JobName: &name, DatasetArn: &dataset, RoleArn: aws.String(binary.Role), ImportMode: mode,
		DataSource: &types.DataSource{DataLocation: &location}}))
	return *j.DatasetImportJobArn
}

func (c *clients) importStatus(arn string) (*string, *string, error) {
	d, err := c.control.DescribeDatasetImportJob(c.ctx, &personalize.DescribeDatasetImportJobInput{DatasetImportJobArn: &arn})
	if err != nil {
		return nil, nil, err
	}
	return d.DatasetImportJob.Status, d.DatasetImportJob.FailureReason, nil
}

func (c *clients) put(bucket, key, body string) string {
	_, err := c.objects.CreateBucket(c.ctx, &s3.CreateBucketInput{Bucket: &bucket})
	if err != nil && !strings.Contains(err.Error(), "BucketAlready") {
		c.Fatal(err)
	}
	must[*s3.PutObjectOutput](c)(c.objects.PutObject(c.ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(body)}))
	return "s3://" + bucket + "/" + key
}

func (c *clients) solution(name, group, recipe string) string {
	s := must[*personalize.CreateSolutionOutput](c)(c.control.CreateSolution(c.ctx, &personalize.CreateSolutionInput{
		Name: &name, DatasetGroupArn: &group, RecipeArn: aws.String("arn:aws:personalize:::recipe/" + recipe), PerformAutoTraining: aws.Bool(false)}))
	c.active("solution", func() (*string, *string, error) {
		d, err := c.control.DescribeSolution(c.ctx, &personalize.DescribeSolutionInput{SolutionArn: s.SolutionArn})
		if err != nil {
			return nil, nil, err
		}
		return d.Solution.Status, nil, nil
	})
	return *s.SolutionArn
}

func (c *clients) version(solution string) string {
	v := must[*personalize.CreateSolutionVersionOutput](c)(c.control.CreateSolutionVersion(c.ctx, &personalize.CreateSolutionVersionInput{SolutionArn: &solution}))
	c.active("solution version", func() (*string, *string, error) { return c.versionStatus(*v.SolutionVersionArn) })
	return *v.SolutionVersionArn
}

func (c *clients) versionStatus(arn string) (*string, *string, error) {
	d, err := c.control.DescribeSolutionVersion(c.ctx, &personalize.DescribeSolutionVersionInput{SolutionVersionArn: &arn})
	if err != nil {
		return nil, nil, err
	}
	return d.SolutionVersion.Status, d.SolutionVersion.FailureReason, nil
}

func (c *clients) campaign(name, version string) string {
	out := must[*personalize.CreateCampaignOutput](c)(c.control.CreateCampaign(c.ctx, &personalize.CreateCampaignInput{
		Name: &name, SolutionVersionArn: &version, MinProvisionedTPS: aws.Int32(1)}))
	c.active("campaign", func() (*string, *string, error) { return c.campaignStatus(*out.CampaignArn) })
	return *out.CampaignArn
}

func (c *clients) campaignStatus(arn string) (*string, *string, error) {
	d, err := c.control.DescribeCampaign(c.ctx, &personalize.DescribeCampaignInput{CampaignArn: &arn})
	if err != nil {
		return nil, nil, err
	}
	return d.Campaign.Status, d.Campaign.FailureReason, nil
}

func (c *clients) recommend(campaign, user string) []string {
	out := must[*personalizeruntime.GetRecommendationsOutput](c)(c.runtime.GetRecommendations(c.ctx, &personalizeruntime.GetRecommendationsInput{
		CampaignArn: &campaign, UserId: &user, NumResults: 10}))
	items := make([]string, len(out.ItemList))
	for i, item := range out.ItemList {
		items[i] = *item.ItemId
	}
	return items
}

func (c *clients) tracker(group string) (arn, id string) {
	tr := must[*personalize.CreateEventTrackerOutput](c)(c.control.CreateEventTracker(c.ctx, &personalize.CreateEventTrackerInput{Name: aws.String("tracker-" + group[strings.LastIndex(group, "/")+1:]), DatasetGroupArn: &group}))
	c.active("event tracker", func() (*string, *string, error) {
		d, err := c.control.DescribeEventTracker(c.ctx, &personalize.DescribeEventTrackerInput{EventTrackerArn: tr.EventTrackerArn})
		if err != nil {
			return nil, nil, err
		}
		return d.EventTracker.Status, nil, nil
	})
	return *tr.EventTrackerArn, *tr.TrackingId
}

func (c *clients) see(tracking, user, item string) {
	must[*personalizeevents.PutEventsOutput](c)(c.events.PutEvents(c.ctx, &personalizeevents.PutEventsInput{
		TrackingId: &tracking, UserId: &user, SessionId: aws.String("session-" + user),
		EventList: []etypes.Event{{EventType: aws.String("View"), ItemId: &item, SentAt: aws.Time(time.Now())}}}))
}
