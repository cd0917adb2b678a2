package sdk_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
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
	rtypes "github.com/aws/aws-sdk-go-v2/service/personalizeruntime/types"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/engine/nats"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/test/binary"
)

// TestExploreAndPromote leads one campaign through exploration, promotions and
// placeholders, with items that no model has seen.
func TestExploreAndPromote(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	node := must[*binary.Process](t)(binary.Start(t.Context(), attuneBinary, data))
	t.Cleanup(func() { node.Kill() })
	c := newClients(t, node)
	s := c.shopGroup("explore")
	campaign := c.deployed("explore", s.group, "aws-user-personalization")
	user := s.world.UserID(3)
	ask := func(in personalizeruntime.GetRecommendationsInput) []rtypes.PredictedItem {
		t.Helper()
		in.CampaignArn, in.UserId = &campaign, &user
		return c.ask(&in).ItemList
	}
	greedy := ids(ask(personalizeruntime.GetRecommendationsInput{}))
	if again := ids(ask(personalizeruntime.GetRecommendationsInput{})); !slices.Equal(greedy, again) {
		t.Errorf("without a configuration answers differ: %v and %v", greedy, again)
	}
	for i := range 4 {
		c.newItem(s.items, fmt.Sprintf("arrival-%d", i))
	}
	arrivals := c.filter("arrivals", s.group, `INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ($WHAT)`)
	what := map[string]string{"WHAT": `"arrivals"`}

	// Placeholders: a filter that no item of the model passes.
	var found []rtypes.PredictedItem
	for deadline := time.Now().Add(10 * time.Second); len(found) < 4 && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		found = ask(personalizeruntime.GetRecommendationsInput{FilterArn: &arrivals, FilterValues: what})
	}
	if len(found) != 4 || found[0].Score != nil || !strings.HasPrefix(*found[0].ItemId, "arrival-") {
		t.Errorf("placeholders: %v", ids(found))
	}

	c.promotes(ask, greedy, arrivals, what)

	explore := func(config map[string]string) {
		t.Helper()
		must[*personalize.UpdateCampaignOutput](c)(c.control.UpdateCampaign(c.ctx, &personalize.UpdateCampaignInput{CampaignArn: &campaign,
			CampaignConfig: &types.CampaignConfig{ItemExplorationConfig: config}}))
		c.active("update", func() (*string, *string, error) {
			d, err := c.control.DescribeCampaign(c.ctx, &personalize.DescribeCampaignInput{CampaignArn: &campaign})
			if err != nil {
				return nil, nil, err
			}
			return d.Campaign.LatestCampaignUpdate.Status, d.Campaign.LatestCampaignUpdate.FailureReason, nil
		})
	}
	explore(map[string]string{"explorationWeight": "0", "explorationItemAgeCutOff": "30"})
	if got := ids(ask(personalizeruntime.GetRecommendationsInput{})); !slices.Equal(got, greedy) {
		t.Errorf("weight 0 gives %v, greedy %v", got, greedy)
	}
	explore(map[string]string{"explorationWeight": "0.5", "explorationItemAgeCutOff": "36500"})
	pages, seen := map[string]bool{}, map[string]bool{}
	for range 20 {
		page := ids(ask(personalizeruntime.GetRecommendationsInput{}))
		pages[strings.Join(page, " ")] = true
		for _, id := range page {
			if strings.HasPrefix(id, "arrival-") {
				seen[id] = true
			}
		}
		slices.Sort(page)
		if len(slices.Compact(page)) != 25 {
			t.Errorf("an item twice, or too few: %v", page)
		}
	}
	if len(pages) < 2 || len(seen) == 0 {
		t.Errorf("%d different pages of 20 with %d of the new items", len(pages), len(seen))
	}
	explore(map[string]string{"explorationWeight": "0"})
	if got := ids(ask(personalizeruntime.GetRecommendationsInput{})); !slices.Equal(got, greedy) {
		t.Errorf("weight 0 again gives %v, greedy %v", got, greedy)
	}
	if err := node.Stop(); err != nil {
		t.Fatal(err)
	}
	checkLogged(t, data)
}

// checkLogged reads the log of a stopped node's only group: answers that left
// something to chance say how likely they were, the others that they were certain.
func checkLogged(t *testing.T, data string) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	engine := must[*nats.Engine](t)(nats.Open(t.Context(), "", filepath.Join(data, "nats"), quiet, nil))
	defer func() {
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	}()
	log := must[*event.Log](t)(event.Open(t.Context(), engine.Client(), attune.WallClock, quiet, nil, nil))
	snapshots := must[[]string](t)(filepath.Glob(filepath.Join(data, "bucket", "attune", "snapshot", "*")))
	if len(snapshots) != 1 {
		t.Fatalf("snapshots of %d groups", len(snapshots))
	}
	group := event.Group(filepath.Base(snapshots[0]))
	explored, promoted, certain := 0, 0, 0
	for record, err := range log.Read(t.Context(), group, event.Seq{}, must[event.Seq](t)(log.End(t.Context(), group))) {
		if err != nil {
			t.Fatal(err)
		}
		shown, ok := record.Body.(*event.Impression)
		if !ok {
			continue
		}
		switch {
		case shown.Exploration > 0:
			explored++
		case shown.Promotion == "new":
			promoted++
		default:
			certain++
		}
		for i := range shown.Items {
			p := shown.Propensity(i)
			if !(p > 0 && p <= 1) || p != 1 && shown.Exploration == 0 && shown.Promotion == "" {
				t.Errorf("%s stands at place %d with propensity %g, as %d", shown.Items[i], i, p, shown.Reason(i))
			}
			if shown.Reason(i) == event.Explored && p > 0.5 { // the weight of the exploring campaign
				t.Errorf("%s was drawn with propensity %g", shown.Items[i], p)
			}
		}
	}
	if explored != 20 || promoted != 10 || certain == 0 {
		t.Errorf("the log has %d answers that explored, %d that promoted, %d others", explored, promoted, certain)
	}
}

// newItem puts an item that is new in the shop, in the category "arrivals".
func (c *clients) newItem(dataset, id string) {
	c.Helper()
	must[*personalizeevents.PutItemsOutput](c)(c.events.PutItems(c.ctx, &personalizeevents.PutItemsInput{DatasetArn: &dataset, Items: []etypes.Item{{ItemId: &id,
		Properties: aws.String(fmt.Sprintf(`{"name": "new", "categoryL1": "arrivals", "genres": "g1", "price": 3, "creationTimestamp": %d}`, time.Now().Unix()))}}}))
}

// promotes asks for promotions of a category the model knows and of new items.
func (c *clients) promotes(ask func(personalizeruntime.GetRecommendationsInput) []rtypes.PredictedItem, greedy []string, filter string, arrivals map[string]string) {
	c.Helper()
	places := map[string]bool{}
	for range 10 {
		list := ask(personalizeruntime.GetRecommendationsInput{Promotions: []rtypes.Promotion{
			{Name: aws.String("new"), PercentPromotedItems: aws.Int32(16), FilterArn: &filter, FilterValues: arrivals}}})
		var rest []string
		at := ""
		for i, item := range list {
			if aws.ToString(item.PromotionName) != "new" {
				rest = append(rest, *item.ItemId)
				continue
			}
			at += fmt.Sprint(i, " ")
			if !strings.HasPrefix(*item.ItemId, "arrival-") || item.Score != nil {
				c.Errorf("%s is promoted with score %v", *item.ItemId, item.Score)
			}
		}
		places[at] = true
		if len(list) != 25 || !slices.Equal(rest, greedy[:21]) {
			c.Fatalf("beside 4 promoted items of 25 there are %v, want %v", rest, greedy[:21])
		}
	}
	if len(places) < 3 {
		c.Errorf("ten answers have their promoted items at %v", places)
	}
	_, err := c.runtime.GetRecommendations(c.ctx, &personalizeruntime.GetRecommendationsInput{CampaignArn: aws.String("arn:aws:personalize:us-east-1:000000000000:campaign/explore"),
		UserId: aws.String("u"), Promotions: []rtypes.Promotion{{Name: aws.String("new"), PercentPromotedItems: aws.Int32(16), FilterArn: &filter}}})
	refusedAs[*rtypes.InvalidInputException](c.T, err, `promotion "new"`)
}
