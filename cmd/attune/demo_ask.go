package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"
	rtypes "github.com/aws/aws-sdk-go-v2/service/personalizeruntime/types"

	"github.com/attune-io/attune/api/verb"
)

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
