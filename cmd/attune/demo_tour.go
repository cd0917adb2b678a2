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
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"
	rtypes "github.com/aws/aws-sdk-go-v2/service/personalizeruntime/types"
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

// recommend asks for a user's page.
func (t *tour) recommend(filter string, values map[string]string) ([]rtypes.PredictedItem, error) {
	in := &personalizeruntime.GetRecommendationsInput{CampaignArn: &t.campaign, UserId: &t.shop.user, NumResults: tourShown}
	if filter != "" {
		in.FilterArn, in.FilterValues = &filter, values
	}
	out, err := t.runtime.GetRecommendations(t.ctx, in)
	if err != nil {
		return nil, err
	}
	return out.ItemList, nil
}

// ask shows one user's history and page, sends three events, and shows the page again.
func (t *tour) ask() error {
	t.head("4. Ask: one user, before and after three events")
	var known verb.DescribeUserOutput
	if err := t.client.call(t.ctx, "DescribeUser", verb.DescribeUserInput{DatasetGroupArn: t.group, UserID: t.shop.user}, &known); err != nil {
		return err
	}
	t.say("user %s has %d interactions; the latest:", t.shop.user, len(known.History))
	for _, h := range known.History[max(0, len(known.History)-5):] {
		t.say("    %-9s %-8s %s", h.EventType, h.ItemID, t.shop.itemName(h.ItemID))
	}
	before, err := t.recommend("", nil)
	if err != nil {
		return err
	}
	t.say("recommended:")
	t.list(before, nil)
	if len(before) < tourShown {
		return fmt.Errorf("only %d items were recommended to user %s", len(before), t.shop.user)
	}

	liked := before[len(before)-3:]
	sent := time.Now()
	list := make([]etypes.Event, len(liked))
	for i, item := range liked {
		list[i] = etypes.Event{EventType: &t.shop.eventType, ItemId: item.ItemId, SentAt: &sent}
	}
	if _, err := t.events.PutEvents(t.ctx, &personalizeevents.PutEventsInput{TrackingId: &t.tracking, UserId: &t.shop.user, SessionId: aws.String("demo"), EventList: list}); err != nil {
		return err
	}
	after, took, err := t.recommendAnew(before)
	if err != nil {
		return err
	}
	t.say("sent three %s events with PutEvents: %s", t.shop.eventType, names(t, liked))
	t.say("recommended %s later, from the same model:", took.Round(100*time.Microsecond))
	t.list(after, before)
	return nil
}

// recommendAnew asks until the answer differs from before.
func (t *tour) recommendAnew(before []rtypes.PredictedItem) ([]rtypes.PredictedItem, time.Duration, error) {
	began := time.Now()
	for time.Since(began) < 5*time.Second {
		after, err := t.recommend("", nil)
		if err != nil {
			return nil, 0, err
		}
		for i := range after {
			if i >= len(before) || *after[i].ItemId != *before[i].ItemId {
				return after, time.Since(began), nil
			}
		}
	}
	return nil, 0, fmt.Errorf("the recommendations of user %s did not change after three events", t.shop.user)
}

// list prints items with their scores; those not in before are marked.
func (t *tour) list(items, before []rtypes.PredictedItem) {
	old := map[string]bool{}
	for _, b := range before {
		old[*b.ItemId] = true
	}
	for i, item := range items {
		mark, score := " ", ""
		if before != nil && !old[*item.ItemId] {
			mark = "+"
		}
		if item.Score != nil {
			score = fmt.Sprintf("%.5f", *item.Score)
		}
		t.say("  %s %2d. %-8s %-44s %s", mark, i+1, *item.ItemId, t.shop.itemName(*item.ItemId), score)
	}
}

func names(t *tour, items []rtypes.PredictedItem) string {
	all := make([]string, len(items))
	for i, item := range items {
		all[i] = t.shop.itemName(*item.ItemId)
	}
	return strings.Join(all, ", ")
}

// askRelated shows items related to the user's best one.
func (t *tour) askRelated() error {
	page, err := t.recommend("", nil)
	if err != nil {
		return err
	}
	t.head("5. Ask: " + t.shop.noun + " related to " + t.shop.itemName(*page[0].ItemId))
	out, err := t.runtime.GetRecommendations(t.ctx, &personalizeruntime.GetRecommendationsInput{CampaignArn: &t.related, ItemId: page[0].ItemId, NumResults: tourShown})
	if err != nil {
		return err
	}
	t.list(out.ItemList, nil)
	return nil
}

// askFiltered shows the page with a filter.
func (t *tour) askFiltered() error {
	expression := fmt.Sprintf("INCLUDE ItemID WHERE Items.%s IN ($WANTED)", t.shop.filterColumn)
	t.head("6. Ask with a filter: " + t.shop.filterValue + " only")
	f, err := t.personalize.CreateFilter(t.ctx, &personalize.CreateFilterInput{Name: aws.String(t.shop.name + "-wanted"), DatasetGroupArn: &t.group, FilterExpression: &expression})
	if err != nil {
		return err
	}
	t.filter = *f.FilterArn
	if err := t.wait("filter", t.filter, func() (string, string, error) {
		d, err := t.personalize.DescribeFilter(t.ctx, &personalize.DescribeFilterInput{FilterArn: &t.filter})
		if err != nil {
			return "", "", err
		}
		return *d.Filter.Status, aws.ToString(d.Filter.FailureReason), nil
	}); err != nil {
		return err
	}
	page, err := t.recommend(t.filter, map[string]string{"WANTED": `"` + t.shop.filterValue + `"`})
	if err != nil {
		return err
	}
	t.say("%s", expression)
	t.list(page, nil)
	return nil
}

// commands prints how to go on with the aws CLI: each line works as it stands.
func (t *tour) commands() error {
	t.head("Go on by hand (aws CLI from 1.29 or 2.13; older ones want --endpoint-url)")
	key, err := t.key.Retrieve(t.ctx)
	if err != nil {
		return err
	}
	page, err := t.recommend("", nil)
	if err != nil {
		return err
	}
	item := *page[len(page)-1].ItemId
	t.say("export AWS_ENDPOINT_URL=%s AWS_DEFAULT_REGION=%s", t.url, t.region)
	t.say("export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s", key.AccessKeyID, key.SecretAccessKey)
	ask := fmt.Sprintf("aws personalize-runtime get-recommendations --campaign-arn %s --user-id %s --num-results 5", t.campaign, t.shop.user)
	t.say("%s", ask)
	t.say(`aws personalize-events put-events --tracking-id %s --user-id %s --session-id s1 --event-list '[{"eventType":"%s","itemId":"%s","sentAt":%d}]'`,
		t.tracking, t.shop.user, t.shop.eventType, item, time.Now().Unix())
	t.say(`%s --filter-arn %s --filter-values '{"WANTED":"\"%s\""}'`, ask, t.filter, t.shop.filterValue)
	t.say("aws personalize-runtime get-recommendations --campaign-arn %s --item-id %s", t.related, item)
	t.say("aws personalize get-solution-metrics --solution-version-arn %s", t.version)
	t.say("aws s3 ls s3://%s\n", t.shop.name)
	return nil
}
