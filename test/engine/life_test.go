// Package engine_test runs the binary on engines that it does not start itself.
package engine_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/url"
	"os"
	"slices"
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

	"github.com/attune-io/attune/engine/sql"
	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// patience bounds the wait for one resource; each takes about a second.
const patience = time.Minute

// TestLife takes a node on a real NATS server, PostgreSQL and a bucket by URL
// from import to recommendations, and through a kill in the middle of it.
func TestLife(t *testing.T) {
	args := []string{}
	for flag, env := range map[string]string{"--nats-url": "ATTUNE_TEST_NATS_URL", "--sql-url": "ATTUNE_TEST_SQL_URL", "--bucket-url": "ATTUNE_TEST_BUCKET_URL"} {
		value := os.Getenv(env)
		if value == "" {
			t.Skipf("%s is not set: 'make test-engines' starts the servers and sets it", env)
		}
		if flag == "--sql-url" {
			value = schema(t, value)
		}
		args = append(args, flag, value)
	}
	path, err := binary.Build(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := &life{T: t, path: path, data: t.TempDir(), args: args}
	t.Cleanup(func() { c.node.Kill() })
	c.start()

	group := must[*personalize.CreateDatasetGroupOutput](t)(c.control.CreateDatasetGroup(t.Context(), &personalize.CreateDatasetGroupInput{Name: aws.String("shop")})).DatasetGroupArn
	c.active(func() (any, error) {
		return c.control.DescribeDatasetGroup(t.Context(), &personalize.DescribeDatasetGroupInput{DatasetGroupArn: group})
	})
	imported := c.importing(group)
	c.node.Kill() // whatever the import has come to
	c.start()
	c.active(func() (any, error) {
		return c.control.DescribeDatasetImportJob(t.Context(), &personalize.DescribeDatasetImportJobInput{DatasetImportJobArn: imported})
	})

	solution := must[*personalize.CreateSolutionOutput](t)(c.control.CreateSolution(t.Context(), &personalize.CreateSolutionInput{
		Name: aws.String("shop"), DatasetGroupArn: group, RecipeArn: aws.String("arn:aws:personalize:::recipe/aws-user-personalization"), PerformAutoTraining: aws.Bool(false)})).SolutionArn
	c.active(func() (any, error) {
		return c.control.DescribeSolution(t.Context(), &personalize.DescribeSolutionInput{SolutionArn: solution})
	})
	version := must[*personalize.CreateSolutionVersionOutput](t)(c.control.CreateSolutionVersion(t.Context(), &personalize.CreateSolutionVersionInput{SolutionArn: solution})).SolutionVersionArn
	c.active(func() (any, error) {
		return c.control.DescribeSolutionVersion(t.Context(), &personalize.DescribeSolutionVersionInput{SolutionVersionArn: version})
	})
	campaign := must[*personalize.CreateCampaignOutput](t)(c.control.CreateCampaign(t.Context(), &personalize.CreateCampaignInput{Name: aws.String("shop"), SolutionVersionArn: version, MinProvisionedTPS: aws.Int32(1)})).CampaignArn
	c.active(func() (any, error) {
		return c.control.DescribeCampaign(t.Context(), &personalize.DescribeCampaignInput{CampaignArn: campaign})
	})

	before := c.recommend(campaign)
	c.see(group, before[:3])
	for deadline := time.Now().Add(patience); slices.Equal(before, c.recommend(campaign)); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("events do not change the answer")
		}
	}
	// The three events come one after another: the answer is that of all once it stays.
	after, same := c.recommend(campaign), 0
	for deadline := time.Now().Add(patience); same < 20 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		now := c.recommend(campaign)
		if same++; !slices.Equal(after, now) {
			after, same = now, 0
		}
	}
	if err := c.node.Stop(); err != nil {
		t.Fatal(err)
	}
	c.start()
	for deadline := time.Now().Add(patience); !slices.Equal(after, c.recommend(campaign)); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after the next start the answer is %v, it was %v", c.recommend(campaign), after)
		}
	}
}

// schema makes a schema of PostgreSQL for this test alone, and gives its URL.
func schema(t *testing.T, raw string) string {
	t.Helper()
	e := must[*sql.Engine](t)(sql.Open(t.Context(), raw, "", slog.New(slog.DiscardHandler), nil))
	name := "attune_life_" + strings.ToLower(rand.Text())
	if _, err := e.Client().ExecContext(t.Context(), "CREATE SCHEMA "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := e.Client().ExecContext(context.Background(), "DROP SCHEMA "+name+" CASCADE"); err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	u := must[*url.URL](t)(url.Parse(raw))
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

// life is a node and its clients.
type life struct {
	*testing.T
	path, data string
	args       []string

	node    *binary.Process
	control *personalize.Client
	runtime *personalizeruntime.Client
}

// start starts the node, again on the same folder and engines.
func (c *life) start() {
	c.Helper()
	c.node = must[*binary.Process](c)(binary.Start(c.Context(), c.path, c.data, c.args...))
	c.control, c.runtime = personalize.NewFromConfig(c.node.AWS()), personalizeruntime.NewFromConfig(c.node.AWS())
	c.Logf("ready after %s", c.node.Ready.Round(time.Millisecond))
}

func must[T any](t testing.TB) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// active waits until a Describe's answer says ACTIVE.
func (c *life) active(describe func() (any, error)) {
	c.Helper()
	var text string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		text = string(must[[]byte](c)(json.Marshal(must[any](c)(describe()))))
		switch {
		case strings.Contains(text, `"Status":"ACTIVE"`):
			return
		case strings.Contains(text, `"Status":"CREATE FAILED"`):
			c.Fatal(text)
		}
	}
	c.Fatalf("not ACTIVE in time: %s\n%s", text, c.node.Output())
}

// importing uploads a synthetic shop and begins its import.
func (c *life) importing(group *string) (job *string) {
	c.Helper()
	ctx, shop := c.Context(), must[*world.World](c)(world.New(world.Spec{Users: 300, Items: 150, Events: 6000, Clusters: 6, Seed: 7}))
	var csv strings.Builder
	if err := shop.WriteInteractions(&csv); err != nil {
		c.Fatal(err)
	}
	objects := s3.NewFromConfig(c.node.AWS(), func(o *s3.Options) { o.UsePathStyle = true })
	// The bucket may be there from an earlier run: it belongs to whoever started it.
	if _, err := objects.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("life")}); err != nil && !strings.Contains(err.Error(), "BucketAlready") {
		c.Fatal(err)
	}
	must[*s3.PutObjectOutput](c)(objects.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("life"), Key: aws.String("shop.csv"), Body: strings.NewReader(csv.String())}))

	shape := must[*personalize.CreateSchemaOutput](c)(c.control.CreateSchema(ctx, &personalize.CreateSchemaInput{Name: aws.String("shop"), Schema: aws.String(world.InteractionsSchema)}))
	set := must[*personalize.CreateDatasetOutput](c)(c.control.CreateDataset(ctx, &personalize.CreateDatasetInput{
		Name: aws.String("shop"), DatasetGroupArn: group, DatasetType: aws.String("INTERACTIONS"), SchemaArn: shape.SchemaArn}))
	c.active(func() (any, error) {
		return c.control.DescribeDataset(ctx, &personalize.DescribeDatasetInput{DatasetArn: set.DatasetArn})
	})
	return must[*personalize.CreateDatasetImportJobOutput](c)(c.control.CreateDatasetImportJob(ctx, &personalize.CreateDatasetImportJobInput{
		JobName: aws.String("shop"), DatasetArn: set.DatasetArn, RoleArn: aws.String(binary.Role),
		DataSource: &types.DataSource{DataLocation: aws.String("s3://life/shop.csv")}})).DatasetImportJobArn
}

// recommend gives the ids recommended to a user without history of her own.
func (c *life) recommend(campaign *string) (items []string) {
	c.Helper()
	out := must[*personalizeruntime.GetRecommendationsOutput](c)(c.runtime.GetRecommendations(c.Context(), &personalizeruntime.GetRecommendationsInput{
		CampaignArn: campaign, UserId: aws.String("newcomer"), NumResults: 10}))
	for _, item := range out.ItemList {
		items = append(items, *item.ItemId)
	}
	if len(items) != 10 {
		c.Fatalf("%d items are recommended", len(items))
	}
	return items
}

// see sends an event for each item.
func (c *life) see(group *string, items []string) {
	c.Helper()
	tracker := must[*personalize.CreateEventTrackerOutput](c)(c.control.CreateEventTracker(c.Context(), &personalize.CreateEventTrackerInput{Name: aws.String("shop"), DatasetGroupArn: group}))
	c.active(func() (any, error) {
		return c.control.DescribeEventTracker(c.Context(), &personalize.DescribeEventTrackerInput{EventTrackerArn: tracker.EventTrackerArn})
	})
	for _, item := range items {
		must[*personalizeevents.PutEventsOutput](c)(personalizeevents.NewFromConfig(c.node.AWS()).PutEvents(c.Context(), &personalizeevents.PutEventsInput{
			TrackingId: tracker.TrackingId, UserId: aws.String("newcomer"), SessionId: aws.String("first"),
			EventList: []etypes.Event{{EventType: aws.String("View"), ItemId: &item, SentAt: aws.Time(time.Now())}}}))
	}
}
