package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	ptypes "github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/api/verb"
)

const (
	tourRole   = "arn:aws:iam::000000000000:role/demo" // checked by pattern only
	recipeBase = "arn:aws:personalize:::recipe/"
	tourShown  = 8 // items shown of a list
	// tourPatience bounds the wait for one job of the tour.
	tourPatience = 10 * time.Minute
)

// shop is what the tour is told about: data, and how to speak of it.
type shop struct {
	name, noun   string                           // "shop" and "items", or "movielens" and "films"
	schemas      map[string]string                // Avro text by dataset type
	files        map[string]func(io.Writer) error // CSV writer by dataset type
	itemName     func(id string) string
	user         string // whose page is shown
	eventType    string // of the events that the tour sends
	filterColumn string
	filterValue  string
}

// tour walks through the life of a recommender as any AWS client would.
type tour struct {
	ctx    context.Context
	s      streams
	shop   *shop
	url    string
	region string
	client clientFlags
	key    aws.CredentialsProvider

	personalize *personalize.Client
	runtime     *personalizeruntime.Client
	events      *personalizeevents.Client
	objects     *s3.Client

	group, tracking                    string
	version, campaign, related, filter string
}

// newTour speaks to the node of flags through clients made from cfg.
func newTour(ctx context.Context, s streams, cfg aws.Config, shop *shop, flags clientFlags) *tour {
	return &tour{
		ctx: ctx, s: s, shop: shop, url: flags.Endpoint, region: flags.Region, key: cfg.Credentials, client: flags,
		personalize: personalize.NewFromConfig(cfg), runtime: personalizeruntime.NewFromConfig(cfg),
		events:  personalizeevents.NewFromConfig(cfg),
		objects: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
	}
}

func (t *tour) say(format string, args ...any) { fmt.Fprintf(t.s.out, format+"\n", args...) }

// head opens a part of the tour.
func (t *tour) head(text string) {
	t.say("\n── %s %s", text, strings.Repeat("─", max(0, 68-len(text))))
}

// walk is the tour, in order.
func (t *tour) walk() error {
	for _, part := range []func() error{t.bringData, t.learn, t.deploy, t.ask, t.askRelated, t.askFiltered, t.commands, t.maintain} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// bringData uploads the files and imports them.
func (t *tour) bringData() error {
	t.head("1. Data: upload, schema, dataset, import")
	bucket := t.shop.name
	if _, err := t.objects.CreateBucket(t.ctx, &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		return fmt.Errorf("make bucket: %w", err)
	}
	group, err := t.personalize.CreateDatasetGroup(t.ctx, &personalize.CreateDatasetGroupInput{Name: &t.shop.name})
	if err != nil {
		return err
	}
	t.group = *group.DatasetGroupArn
	if err := t.wait("dataset group", t.group, func() (string, string, error) {
		d, err := t.personalize.DescribeDatasetGroup(t.ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: &t.group})
		if err != nil {
			return "", "", err
		}
		return *d.DatasetGroup.Status, aws.ToString(d.DatasetGroup.FailureReason), nil
	}); err != nil {
		return err
	}
	for _, kind := range []string{"INTERACTIONS", "ITEMS", "USERS"} {
		if t.shop.files[kind] != nil {
			if err := t.bringDataset(bucket, kind); err != nil {
				return err
			}
		}
	}
	tracker, err := t.personalize.CreateEventTracker(t.ctx, &personalize.CreateEventTrackerInput{Name: aws.String(t.shop.name + "-events"), DatasetGroupArn: &t.group})
	if err != nil {
		return err
	}
	t.tracking = *tracker.TrackingId
	return t.wait("event tracker", *tracker.EventTrackerArn, func() (string, string, error) {
		d, err := t.personalize.DescribeEventTracker(t.ctx, &personalize.DescribeEventTrackerInput{EventTrackerArn: tracker.EventTrackerArn})
		if err != nil {
			return "", "", err
		}
		return *d.EventTracker.Status, "", nil
	})
}

// bringDataset takes one dataset from its CSV writer to ACTIVE.
func (t *tour) bringDataset(bucket, kind string) error {
	name := strings.ToLower(kind)
	key := name + ".csv"
	if err := t.upload(bucket, key, t.shop.files[kind]); err != nil {
		return err
	}
	sch, err := t.personalize.CreateSchema(t.ctx, &personalize.CreateSchemaInput{Name: aws.String(t.shop.name + "-" + name), Schema: aws.String(t.shop.schemas[kind])})
	if err != nil {
		return err
	}
	set, err := t.personalize.CreateDataset(t.ctx, &personalize.CreateDatasetInput{
		Name: aws.String(t.shop.name + "-" + name), DatasetGroupArn: &t.group, DatasetType: &kind, SchemaArn: sch.SchemaArn,
	})
	if err != nil {
		return err
	}
	if err := t.wait(name+" dataset", *set.DatasetArn, func() (string, string, error) {
		d, err := t.personalize.DescribeDataset(t.ctx, &personalize.DescribeDatasetInput{DatasetArn: set.DatasetArn})
		if err != nil {
			return "", "", err
		}
		return *d.Dataset.Status, "", nil
	}); err != nil {
		return err
	}
	job, err := t.personalize.CreateDatasetImportJob(t.ctx, &personalize.CreateDatasetImportJobInput{
		JobName: aws.String(t.shop.name + "-" + name), DatasetArn: set.DatasetArn, RoleArn: aws.String(tourRole),
		DataSource: &ptypes.DataSource{DataLocation: aws.String("s3://" + bucket + "/" + key)},
	})
	if err != nil {
		return err
	}
	if err := t.wait("import "+name, *job.DatasetImportJobArn, func() (string, string, error) {
		d, err := t.personalize.DescribeDatasetImportJob(t.ctx, &personalize.DescribeDatasetImportJobInput{DatasetImportJobArn: job.DatasetImportJobArn})
		if err != nil {
			return "", "", err
		}
		return *d.DatasetImportJob.Status, aws.ToString(d.DatasetImportJob.FailureReason), nil
	}); err != nil {
		return err
	}
	var report verb.DescribeImportOutput
	if err := t.client.call(t.ctx, "DescribeImport", verb.DescribeImportInput{DatasetImportJobArn: *job.DatasetImportJobArn}, &report); err != nil {
		return err
	}
	t.say("%-13s %8d rows imported, %d rejected", name, report.Rows, report.Rejected)
	for _, r := range report.Reasons {
		t.say("                       %s", r)
	}
	return nil
}

// upload streams what write writes into an object.
func (t *tour) upload(bucket, key string, write func(io.Writer) error) error {
	file, err := spool(write)
	if err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	defer file.remove()
	if _, err := t.objects.PutObject(t.ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: file}); err != nil {
		return fmt.Errorf("upload %s: %w", key, err)
	}
	return nil
}

// learn trains two solutions and shows how good the first is.
func (t *tour) learn() error {
	t.head("2. Learn: train, and measure beside honest baselines")
	version, err := t.train("for-you", "aws-user-personalization")
	if err != nil {
		return err
	}
	t.version = version
	var out verb.DescribeModelOutput
	if err := t.client.call(t.ctx, "DescribeModel", verb.DescribeModelInput{SolutionVersionArn: version}, &out); err != nil {
		return err
	}
	m := out.Manifest
	if m.Evaluation == nil {
		return fmt.Errorf("%s was not measured", version)
	}
	t.say("trained on %d users × %d items × %d interactions; items already seen are %s", m.Users, m.Items, m.Interactions, m.Seen)
	if len(m.Members()) > 0 {
		t.say("the blend that was chosen, on events held back from training:\n")
		blended(t.s.out, m)
	}
	t.say("measured by protocol %s over all %d eligible users:\n", m.Evaluation.Protocol, m.Evaluation.Users)
	return table(t.s.out, evaluationHead, func(add func(...any)) { evaluationRows(m.Evaluation, add) })
}

// train takes a recipe to an ACTIVE solution version.
func (t *tour) train(name, recipe string) (version string, err error) {
	sol, err := t.personalize.CreateSolution(t.ctx, &personalize.CreateSolutionInput{
		Name: aws.String(t.shop.name + "-" + name), DatasetGroupArn: &t.group, RecipeArn: aws.String(recipeBase + recipe), PerformAutoTraining: aws.Bool(false),
	})
	if err != nil {
		return "", err
	}
	if err := t.wait("solution "+name, *sol.SolutionArn, func() (string, string, error) {
		d, err := t.personalize.DescribeSolution(t.ctx, &personalize.DescribeSolutionInput{SolutionArn: sol.SolutionArn})
		if err != nil {
			return "", "", err
		}
		return *d.Solution.Status, "", nil
	}); err != nil {
		return "", err
	}
	v, err := t.personalize.CreateSolutionVersion(t.ctx, &personalize.CreateSolutionVersionInput{SolutionArn: sol.SolutionArn})
	if err != nil {
		return "", err
	}
	return *v.SolutionVersionArn, t.wait("train "+recipe, *v.SolutionVersionArn, func() (string, string, error) {
		d, err := t.personalize.DescribeSolutionVersion(t.ctx, &personalize.DescribeSolutionVersionInput{SolutionVersionArn: v.SolutionVersionArn})
		if err != nil {
			return "", "", err
		}
		return *d.SolutionVersion.Status, aws.ToString(d.SolutionVersion.FailureReason), nil
	})
}

// deploy puts the versions behind campaigns.
func (t *tour) deploy() (err error) {
	t.head("3. Deploy: campaigns")
	related, err := t.train("related", "aws-sims")
	if err != nil {
		return err
	}
	if t.campaign, err = t.launch("for-you", t.version); err != nil {
		return err
	}
	if t.related, err = t.launch("related", related); err != nil {
		return err
	}
	t.say("campaigns %s-for-you and %s-related are ACTIVE", t.shop.name, t.shop.name)
	return nil
}

func (t *tour) launch(name, version string) (campaign string, err error) {
	c, err := t.personalize.CreateCampaign(t.ctx, &personalize.CreateCampaignInput{Name: aws.String(t.shop.name + "-" + name), SolutionVersionArn: &version, MinProvisionedTPS: aws.Int32(1)})
	if err != nil {
		return "", err
	}
	return *c.CampaignArn, t.wait("campaign "+name, *c.CampaignArn, func() (string, string, error) {
		d, err := t.personalize.DescribeCampaign(t.ctx, &personalize.DescribeCampaignInput{CampaignArn: c.CampaignArn})
		if err != nil {
			return "", "", err
		}
		return *d.Campaign.Status, aws.ToString(d.Campaign.FailureReason), nil
	})
}
