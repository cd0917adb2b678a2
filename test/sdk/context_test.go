package sdk_test

import (
	"fmt"
	"math/rand/v2"
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
)

const deviceSchema = `{"type": "record", "name": "Interactions", "namespace": "com.amazonaws.personalize.schema", "version": "1.0", "fields": [
	{"name": "USER_ID", "type": "string"}, {"name": "ITEM_ID", "type": "string"}, {"name": "TIMESTAMP", "type": "long"},
	{"name": "DEVICE_TYPE", "type": ["null", "string"], "categorical": true}, {"name": "HOUR", "type": ["null", "int"]}]}`

// deviceUsers and deviceItems are the size of a world in which a user likes the
// items of one kind of three, and takes of those by 9 in 10 the half for the
// device at hand.
const deviceUsers, deviceItems = 210, 90

// taken is what a user takes on a device: 0 is a phone, 1 a tv.
func taken(r *rand.Rand, user, device int) string {
	if r.IntN(10) == 0 {
		device = 1 - device
	}
	return fmt.Sprintf("i%02d", user%3*30+device*15+r.IntN(15))
}

// forTV is the share of the first ten that are for a tv.
func forTV(t *testing.T, ids []string) float64 {
	t.Helper()
	if len(ids) < 10 {
		t.Fatalf("only %v", ids)
	}
	n := 0.0
	for _, id := range ids[:10] {
		var item int
		if _, err := fmt.Sscanf(id, "i%d", &item); err != nil {
			t.Fatal(err)
		}
		n += float64(item / 15 % 2)
	}
	return n / 10
}

// TestContext goes with a column of the Interactions dataset from the import and
// from PutEvents through training to answers, rankings and batches: the same
// user gets other items on another device, and without a word about it the
// answer is that of anybody who says nothing.
func TestContext(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("devices")
	set := c.dataset(group, "Interactions", deviceSchema)
	r := rand.New(rand.NewPCG(1, 2))
	devices := []string{"phone", "tv"}
	rows := []string{"USER_ID,ITEM_ID,TIMESTAMP,DEVICE_TYPE,HOUR"}
	for u := range deviceUsers {
		for at := range 14 {
			device := (u + at/2) % 2
			rows = append(rows, fmt.Sprintf("u%03d,%s,%d,%s,%d", u, taken(r, u, device), 1_760_000_000+at*86400+u, devices[device], r.IntN(24)))
		}
	}
	c.good(c.imported(set, "devices", types.ImportModeFull, strings.Join(rows, "\n")+"\n"))
	_, tracking := c.tracker(group)
	for u := range 20 { // and what is put counts as what is imported
		device := u % 2
		_, err := c.events.PutEvents(c.ctx, &personalizeevents.PutEventsInput{TrackingId: &tracking, UserId: aws.String(fmt.Sprintf("u%03d", u)), SessionId: aws.String(fmt.Sprint("s", u)),
			EventList: []etypes.Event{{EventType: aws.String("View"), ItemId: aws.String(taken(r, u, device)), SentAt: aws.Time(time.Now()),
				Properties: aws.String(fmt.Sprintf(`{"deviceType":"%s","hour":7}`, devices[device]))}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	hears, ranks := c.solution("hears", group, "aws-user-personalization"), c.solution("ranks", group, "aws-personalized-ranking")
	deaf := c.solutionOf(&personalize.CreateSolutionInput{Name: aws.String("deaf"), DatasetGroupArn: &group, PerformAutoTraining: aws.Bool(false),
		RecipeArn:      aws.String("arn:aws:personalize:::recipe/aws-user-personalization"),
		SolutionConfig: &types.SolutionConfig{TrainingDataConfig: &types.TrainingDataConfig{ExcludedDatasetColumns: map[string][]string{"INTERACTIONS": {"DEVICE_TYPE", "HOUR"}}}}})
	version := c.version(hears)
	campaign := c.campaign("hears", version)
	page := func(campaign, user string, context map[string]string) []string {
		return ids(c.ask(&personalizeruntime.GetRecommendationsInput{CampaignArn: &campaign, UserId: &user, NumResults: 20, Context: context}).ItemList)
	}
	phone, tv := map[string]string{"DEVICE_TYPE": "phone"}, map[string]string{"deviceType": "tv"}
	for _, user := range []string{"u004", "u008", "nobody"} {
		if a, b := forTV(t, page(campaign, user, phone)), forTV(t, page(campaign, user, tv)); a > 0.4 || b < 0.6 {
			t.Errorf("%s: %g of the items are for a tv on a phone, %g on one", user, a, b)
		}
		plain := page(campaign, user, nil)
		if odd := page(campaign, user, map[string]string{"DEVICE_TYPE": "fridge", "WEATHER": "rain", "HOUR": "late"}); !slices.Equal(plain, odd) {
			t.Errorf("%s: what the model does not know changes the answer: %v, %v", user, plain, odd)
		}
	}
	t.Run("excluded", func(t *testing.T) {
		campaign := c.on(t).campaign("deaf", c.version(deaf))
		if a, b := page(campaign, "u004", phone), page(campaign, "u004", tv); !slices.Equal(a, b) {
			t.Errorf("on a phone %v, on a tv %v", a, b)
		}
	})
	t.Run("ranking", func(t *testing.T) { c.on(t).rankedByDevice(c.campaign("ranks", c.version(ranks))) })
	t.Run("batch", func(t *testing.T) {
		c.on(t).batchByDevice(version, func(context map[string]string) []string { return page(campaign, "u004", context) })
	})
}

// rankedByDevice ranks the same list on a phone and on a tv.
func (c *clients) rankedByDevice(campaign string) {
	c.Helper()
	var list []string
	for i := range deviceItems {
		list = append(list, fmt.Sprintf("i%02d", i))
	}
	rank := func(device string) []string {
		return ids(must[*personalizeruntime.GetPersonalizedRankingOutput](c)(c.runtime.GetPersonalizedRanking(c.ctx, &personalizeruntime.GetPersonalizedRankingInput{
			CampaignArn: &campaign, UserId: aws.String("newcomer"), InputList: list, Context: map[string]string{"DEVICE_TYPE": device}})).PersonalizedRanking)
	}
	if a, b := forTV(c.T, rank("phone")), forTV(c.T, rank("tv")); a > 0.3 || b < 0.7 {
		c.Errorf("%g of the best are for a tv on a phone, %g on one", a, b)
	}
}

// batchByDevice asks in a file what page asks, and what cannot be asked.
func (c *clients) batchByDevice(version string, page func(context map[string]string) []string) {
	c.Helper()
	in := c.put("devices", "in/lines.json", `{"userId":"u004","context":{"DEVICE_TYPE":"phone"}}
{"userId":"u004","context":{"DEVICE_TYPE":"tv"}}
{"userId":"u004"}
{"userId":"u004","context":{"DEVICE_TYPE":7}}
`)
	job := c.batchInference(&personalize.CreateBatchInferenceJobInput{JobName: aws.String("devices"), SolutionVersionArn: &version, NumResults: aws.Int32(20)},
		in, "s3://devices/out/")
	if *job.Status != "ACTIVE" {
		c.Fatalf("%s: %s", *job.Status, aws.ToString(job.FailureReason))
	}
	lines := c.batchLines("devices", "out/lines.json.out")
	if len(lines) != 4 || lines[3].Error == nil || !strings.Contains(*lines[3].Error, "context") {
		c.Fatalf("%d lines: %+v", len(lines), lines)
	}
	for i, context := range []map[string]string{{"DEVICE_TYPE": "phone"}, {"DEVICE_TYPE": "tv"}, nil} {
		if live := page(context); lines[i].Output == nil || !slices.Equal(lines[i].Output.Items, live) {
			c.Errorf("%v: in a batch %+v, live %v", context, lines[i].Output, live)
		}
	}
}
