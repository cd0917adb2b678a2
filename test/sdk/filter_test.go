package sdk_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"
	rtypes "github.com/aws/aws-sdk-go-v2/service/personalizeruntime/types"
)

// TestFiltersFollow changes an item, a user and what a user did, over and over,
// and asks until a filter knows. It tells how long that took after each change
// was acknowledged, and holds only that it happens: Amazon Personalize takes minutes.
func TestFiltersFollow(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("filters-follow")
	campaign := c.deployed("filters-follow", s.group, "aws-popularity-count")
	const rounds = 40
	ask := func(filter string) []string {
		return ids(c.ask(&personalizeruntime.GetRecommendationsInput{CampaignArn: &campaign, UserId: aws.String("ann"), FilterArn: &filter}).ItemList)
	}
	follow := func(what string, change func(round int) (done func() string)) {
		var took []time.Duration
		for round := range rounds {
			done := change(round)
			acknowledged := time.Now()
			soon(t, done)
			took = append(took, time.Since(acknowledged))
		}
		slices.Sort(took)
		t.Logf("%s: an answer with it came after p50 %s, p99 %s, at most %s", what,
			took[rounds/2].Round(time.Microsecond), took[rounds*99/100].Round(time.Microsecond), took[rounds-1].Round(time.Microsecond))
	}

	sale := c.filter("sale", s.group, `INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ("sale") AND Items.PRICE < 5 OR Items.ITEM_ID = "none"`)
	item := s.world.Item(7).ID
	follow("PutItems", func(round int) func() string {
		price, want := 4.5, []string{item}
		if round%2 == 1 {
			price, want = 5, []string{}
		}
		must[*personalizeevents.PutItemsOutput](t)(c.events.PutItems(c.ctx, &personalizeevents.PutItemsInput{DatasetArn: &s.items, Items: []etypes.Item{{ItemId: &item,
			Properties: aws.String(fmt.Sprintf(`{"name":"lamp","categoryL1":"sale","genres":"x","price":%g,"creationTimestamp":1700000000}`, price))}}}))
		return func() string {
			if page := ask(sale); !slices.Equal(page, want) {
				return fmt.Sprintf("on sale are %v, want %v", page, want)
			}
			return ""
		}
	})

	gold := c.filter("gold", s.group, `INCLUDE ItemID WHERE Items.ITEM_ID IN ("`+item+`") IF CurrentUser.MEMBERSHIP = "gold" AND CurrentUser.AGE >= 18`)
	follow("PutUsers", func(round int) func() string {
		age := 17 + (round+1)%2
		must[*personalizeevents.PutUsersOutput](t)(c.events.PutUsers(c.ctx, &personalizeevents.PutUsersInput{DatasetArn: &s.users, Users: []etypes.User{{UserId: aws.String("ann"),
			Properties: aws.String(fmt.Sprintf(`{"age":%d,"membership":"gold"}`, age))}}}))
		return func() string {
			if page := ask(gold); (len(page) == 1) != (age == 18) {
				return fmt.Sprintf("at %d the page has %d items", age, len(page))
			}
			return ""
		}
	})

	unseen := c.filter("unseen", s.group, `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("VIEW", "purchase")`)
	follow("PutEvents", func(int) func() string {
		best := ask(unseen)[0]
		c.putEvents(s.tracking, "ann", "session", best+"/View")
		return func() string {
			if page := ask(unseen); slices.Contains(page, best) {
				return best + " was viewed and is still shown"
			}
			return ""
		}
	})
}

// TestFiltersOfEveryKind takes IF, CurrentItem and ids through the wire, with
// the operations and recipes that they are for.
func TestFiltersOfEveryKind(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("filter-kinds")
	related := c.deployed("related", s.group, "aws-sims")
	ranking := c.deployed("ranking", s.group, "aws-personalized-ranking")
	focus := s.world.Item(0)

	alike := c.filter("alike", s.group, `INCLUDE ItemID WHERE Items.CATEGORY_L1 IN CurrentItem.CATEGORY_L1`)
	page := c.ask(&personalizeruntime.GetRecommendationsInput{CampaignArn: &related, ItemId: &focus.ID, FilterArn: &alike,
		MetadataColumns: map[string][]string{"ITEMS": {"CATEGORY_L1"}}}).ItemList
	if len(page) == 0 {
		t.Errorf("nothing is like %s in %s", focus.ID, focus.Category)
	}
	for _, item := range page {
		if item.Metadata["CATEGORY_L1"] != focus.Category || *item.ItemId == focus.ID {
			t.Errorf("%s of category %s for one of %s", *item.ItemId, item.Metadata["CATEGORY_L1"], focus.Category)
		}
	}

	must[*personalizeevents.PutUsersOutput](t)(c.events.PutUsers(c.ctx, &personalizeevents.PutUsersInput{DatasetArn: &s.users,
		Users: []etypes.User{{UserId: aws.String("kid"), Properties: aws.String(`{"age":9,"membership":"free"}`)}}}))
	list := []string{s.world.Item(1).ID, s.world.Item(2).ID, s.world.Item(3).ID, s.world.Item(4).ID}
	young := c.filter("young", s.group, `EXCLUDE ItemID WHERE Items.ITEM_ID IN ($HIDDEN) IF CurrentUser.AGE < $AGE`)
	rank := func(user, campaign, filter string, values map[string]string) ([]string, error) {
		out, err := c.runtime.GetPersonalizedRanking(c.ctx, &personalizeruntime.GetPersonalizedRankingInput{
			CampaignArn: &campaign, UserId: &user, InputList: list, FilterArn: &filter, FilterValues: values})
		if err != nil {
			return nil, err
		}
		got := ids(out.PersonalizedRanking)
		slices.Sort(got)
		return got, nil
	}
	for _, test := range []struct {
		user   string
		values map[string]string
		want   []string
	}{
		{"kid", map[string]string{"HIDDEN": fmt.Sprintf("%q,%q", list[0], list[2]), "AGE": "18"}, []string{list[1], list[3]}},
		{"kid", map[string]string{"HIDDEN": fmt.Sprintf("%q,%q", list[0], list[2]), "AGE": "9"}, list},
		{"kid", map[string]string{"AGE": "18"}, list},
		{"nobody", map[string]string{"HIDDEN": fmt.Sprintf("%q", list[0]), "AGE": "18"}, list},
	} {
		want := slices.Sorted(slices.Values(test.want))
		soon(t, func() string {
			if got, err := rank(test.user, ranking, young, test.values); err != nil || !slices.Equal(got, want) {
				return fmt.Sprintf("%s with %v gets %v (%v), want %v", test.user, test.values, got, err, want)
			}
			return ""
		})
	}
	_, err := rank("kid", ranking, alike, nil)
	refusedAs[*rtypes.InvalidInputException](t, err, "CurrentItem")
	adults := c.filter("adults", s.group, `INCLUDE UserID WHERE Users.AGE >= 18 | EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("Purchase")`)
	_, err = rank("kid", ranking, adults, nil)
	refusedAs[*rtypes.InvalidInputException](t, err, "UserID")
}
