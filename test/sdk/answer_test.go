package sdk_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"
	rtypes "github.com/aws/aws-sdk-go-v2/service/personalizeruntime/types"
)

// TestAnswers deploys every built recipe on one shop and asks each of them.
func TestAnswers(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("answers")
	a := answers{c, s, map[string]string{}}
	for _, recipe := range []string{"aws-popularity-count", "aws-user-personalization", "aws-personalized-ranking", "aws-sims"} {
		a.campaigns[recipe] = c.deployed(recipe, s.group, recipe)
	}
	for name, f := range map[string]func(*testing.T){
		"user": a.user, "stranger": a.stranger, "related": a.related, "ranking": a.ranking, "limits": a.limits,
		"filters": a.filters, "wrong values": a.wrongValues, "refusals": a.refusals,
	} {
		t.Run(name, f)
	}
}

type answers struct {
	*clients
	shop      shopGroup
	campaigns map[string]string
}

func (a answers) request(recipe, user string) *personalizeruntime.GetRecommendationsInput {
	return &personalizeruntime.GetRecommendationsInput{CampaignArn: aws.String(a.campaigns[recipe]), UserId: &user}
}

// refuses expects a runtime exception that names what is wrong.
func (a answers) refuses(t *testing.T, in *personalizeruntime.GetRecommendationsInput, says string) {
	t.Helper()
	_, err := a.runtime.GetRecommendations(a.ctx, in)
	refusedAs[*rtypes.InvalidInputException](t, err, says)
}

func ids(list []rtypes.PredictedItem) []string {
	all := make([]string, len(list))
	for i := range list {
		all[i] = *list[i].ItemId
	}
	return all
}

func (a answers) user(t *testing.T) {
	user := a.shop.world.UserID(3)
	in := a.request("aws-user-personalization", user)
	in.NumResults = 500
	out := a.ask(in)
	sum, last := 0.0, math.Inf(1)
	for _, item := range out.ItemList {
		if item.Score == nil || *item.Score > last || *item.Score < 0 {
			t.Fatalf("score %v after %v", item.Score, last)
		}
		last = *item.Score
		sum += last
	}
	if sum > 1+1e-6 || sum <= 0 || aws.ToString(out.RecommendationId) == "" {
		t.Errorf("the scores of %d items sum to %v; id %v", len(out.ItemList), sum, out.RecommendationId)
	}
	other := a.ask(a.request("aws-user-personalization", a.shop.world.UserID(4)))
	if slices.Equal(ids(out.ItemList[:25]), ids(other.ItemList)) {
		t.Error("two users with different taste get the same page")
	}
	if again := a.ask(a.request("aws-user-personalization", user)); *again.RecommendationId == *out.RecommendationId || !slices.Equal(ids(again.ItemList), ids(out.ItemList[:25])) {
		t.Error("the same question has another answer, or the same recommendation id")
	}
}

func (a answers) stranger(t *testing.T) {
	popular := ids(a.ask(a.request("aws-popularity-count", "nobody")).ItemList)
	one, two := a.ask(a.request("aws-user-personalization", "nobody")), a.ask(a.request("aws-user-personalization", "nobody-else"))
	if len(popular) != 25 || !slices.Equal(ids(one.ItemList), ids(two.ItemList)) {
		t.Errorf("two strangers get different pages: %v %v", ids(one.ItemList), ids(two.ItemList))
	}
	if !slices.Equal(ids(one.ItemList), popular) {
		t.Errorf("a stranger gets %v, popular is %v", ids(one.ItemList), popular)
	}
	all := a.request("aws-user-personalization", "nobody")
	all.NumResults = 500
	sum := 0.0
	for _, item := range a.ask(all).ItemList {
		sum += aws.ToFloat64(item.Score)
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("the scores of the whole catalogue sum to %v", sum)
	}
	for _, item := range a.ask(a.request("aws-popularity-count", "nobody")).ItemList {
		if item.Score != nil {
			t.Errorf("popularity has a score: %v", *item.Score)
		}
	}
}

func (a answers) related(t *testing.T) {
	in := &personalizeruntime.GetRecommendationsInput{CampaignArn: aws.String(a.campaigns["aws-sims"]), ItemId: aws.String(a.shop.world.Item(0).ID)}
	out := a.ask(in)
	if len(out.ItemList) == 0 || slices.Contains(ids(out.ItemList), *in.ItemId) {
		t.Errorf("%v are like %s", ids(out.ItemList), *in.ItemId)
	}
	for _, item := range out.ItemList {
		if item.Score != nil {
			t.Errorf("%s has score %v", *item.ItemId, *item.Score)
		}
	}
	in.ItemId = aws.String("unknown-item")
	popular := ids(a.ask(a.request("aws-popularity-count", "nobody")).ItemList)
	if got := ids(a.ask(in).ItemList); !slices.Equal(got, popular) {
		t.Errorf("like an unknown item are %v, popular are %v", got, popular)
	}
	in.ItemId, in.UserId = nil, aws.String("u")
	a.refuses(t, in, "itemId is required")
}

func (a answers) ranking(t *testing.T) {
	user := a.shop.world.UserID(3)
	list := []string{"unknown-b", a.shop.world.Item(9).ID, a.shop.world.Item(30).ID, "unknown-a", a.shop.world.Item(60).ID}
	in := &personalizeruntime.GetPersonalizedRankingInput{CampaignArn: aws.String(a.campaigns["aws-personalized-ranking"]), UserId: &user, InputList: list}
	out := must[*personalizeruntime.GetPersonalizedRankingOutput](t)(a.runtime.GetPersonalizedRanking(a.ctx, in))
	got := ids(out.PersonalizedRanking)
	if len(got) != 5 || !slices.Equal(got[3:], []string{"unknown-b", "unknown-a"}) {
		t.Fatalf("%v became %v", list, got)
	}
	sum := 0.0
	for i, item := range out.PersonalizedRanking {
		switch {
		case (item.Score == nil) != (i > 2):
			t.Errorf("%s has score %v", *item.ItemId, item.Score)
		case i < 3:
			sum += *item.Score
		}
	}
	if math.Abs(sum-1) > 1e-6 {
		t.Errorf("the scores sum to %v", sum)
	}
	in.InputList = slices.Repeat([]string{"i"}, 501)
	_, err := a.runtime.GetPersonalizedRanking(a.ctx, in)
	refusedAs[*rtypes.InvalidInputException](t, err, "500")
	in.InputList, in.CampaignArn = list, aws.String(a.campaigns["aws-user-personalization"])
	_, err = a.runtime.GetPersonalizedRanking(a.ctx, in)
	refusedAs[*rtypes.InvalidInputException](t, err, "does not rank")
	a.refuses(t, a.request("aws-personalized-ranking", user), "GetPersonalizedRanking")
}

func (a answers) limits(t *testing.T) {
	in := a.request("aws-popularity-count", "nobody")
	if n := len(a.ask(in).ItemList); n != 25 {
		t.Errorf("%d items when nobody says how many", n)
	}
	for ask, want := range map[int32]int{1: 1, 3: 3, 500: 150} {
		in.NumResults = ask
		if n := len(a.ask(in).ItemList); n != want {
			t.Errorf("%d items of %d, want %d", n, ask, want)
		}
	}
	for n, says := range map[int32]string{-1: "numResults", 501: "500"} {
		in.NumResults = n
		a.refuses(t, in, says)
	}
	in.NumResults, in.MetadataColumns = 51, map[string][]string{"ITEMS": {"NAME"}}
	a.refuses(t, in, "50")
	in.NumResults, in.MetadataColumns = 5, map[string][]string{"USERS": {"AGE"}}
	a.refuses(t, in, "")
	in.MetadataColumns, in.UserId = nil, nil
	a.refuses(t, in, "userId is required")
	missing := a.request("aws-popularity-count", "u")
	missing.CampaignArn = aws.String("arn:aws:personalize:us-east-1:000000000000:campaign/none")
	_, err := a.runtime.GetRecommendations(a.ctx, missing)
	refusedAs[*rtypes.ResourceNotFoundException](t, err, "campaign/none")
}

func (a answers) filters(t *testing.T) {
	user := "filter-user"
	category := a.filter("by-category", a.shop.group, `INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ($CATEGORY)`)
	in := a.request("aws-user-personalization", user)
	in.FilterArn, in.MetadataColumns = &category, map[string][]string{"ITEMS": {"CATEGORY_L1", "GENRES"}}
	want := a.shop.world.Item(0).Category
	in.FilterValues = map[string]string{"CATEGORY": fmt.Sprintf("%q", want)}
	page := a.ask(in).ItemList
	if len(page) < 3 {
		t.Fatalf("%d items of category %s", len(page), want)
	}
	for _, item := range page {
		if item.Metadata["CATEGORY_L1"] != want || item.Metadata["GENRES"] == "" {
			t.Errorf("%s has %v, want %s", *item.ItemId, item.Metadata, want)
		}
	}
	without := a.filter("without-category", a.shop.group, `EXCLUDE ItemID WHERE Items.CATEGORY_L1 IN ($CATEGORY)`)
	in.FilterArn, in.NumResults = &without, 50
	for _, item := range a.ask(in).ItemList {
		if item.Metadata["CATEGORY_L1"] == want {
			t.Errorf("%s of category %s was to be left out", *item.ItemId, want)
		}
	}
	in.FilterValues = nil // a missing parameter switches an EXCLUDE off
	free := a.request("aws-user-personalization", user)
	free.NumResults = 50
	if got, want := ids(a.ask(in).ItemList), ids(a.ask(free).ItemList); !slices.Equal(got, want) {
		t.Errorf("an EXCLUDE without its parameter gives %v, want %v", got, want)
	}

	seen := a.filter("not-viewed", a.shop.group, `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view")`)
	mine := a.filter("only-viewed", a.shop.group, `INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View","Purchase")`)
	best := a.recommend(a.campaigns["aws-popularity-count"], user)[0]
	in = a.request("aws-popularity-count", user)
	in.FilterArn = &mine
	if page := ids(a.ask(in).ItemList); len(page) != 0 {
		t.Errorf("a user without history viewed %v", page)
	}
	a.putEvents(a.shop.tracking, user, "filter-session", best+"/View")
	soon(t, func() string {
		in.FilterArn = &seen
		if page := ids(a.ask(in).ItemList); slices.Contains(page, best) {
			return fmt.Sprintf("%s was viewed, and is still in %v", best, page)
		}
		return ""
	})
}

func (a answers) wrongValues(t *testing.T) {
	f := a.filter("wrong", a.shop.group, `INCLUDE ItemID WHERE Items.PRICE < $PRICE AND Items.CATEGORY_L1 = $CATEGORY`)
	in := a.request("aws-popularity-count", "u")
	in.FilterArn = &f
	for says, values := range map[string]map[string]string{
		"CATEGORY": {"PRICE": "10"},
		"lacks":    nil,
		"COLOUR":   {"PRICE": "10", "CATEGORY": `"x"`, "COLOUR": `"red"`},
		"PRICE":    {"PRICE": `"cheap"`, "CATEGORY": `"x"`},
	} {
		in.FilterValues = values
		a.refuses(t, in, says)
	}
	in.FilterArn, in.FilterValues = nil, map[string]string{"PRICE": "1"}
	a.refuses(t, in, "filterArn")
	in.FilterArn, in.FilterValues = aws.String(strings.Replace(f, "wrong", "none", 1)), nil
	_, err := a.runtime.GetRecommendations(a.ctx, in)
	refusedAs[*rtypes.ResourceNotFoundException](t, err, "none")
	elsewhere := a.filter("elsewhere", a.datasetGroup("elsewhere"), `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")`)
	in.FilterArn = &elsewhere
	a.refuses(t, in, "different dataset groups")
	for expression, says := range map[string]string{
		`INCLUDE ItemID WHERE Items.COLOUR = "red"`:       "COLOUR",
		`INCLUDE ItemID WHERE Items.PRICE NOT IN ($P)`:    "Could not create filter. Invalid input symbol: $P. Placeholders are not allowed with NOT_IN operator",
		`INCLUDE ItemID Items.PRICE < 3`:                  "WHERE",
		`EXCLUDE UserID WHERE Users.COLOUR < 3`:           "COLOUR",
		`INCLUDE UserID WHERE Items.PRICE < 3`:            "UserID",
		`INCLUDE ItemID WHERE Items.PRICE < 3 AND`:        "",
		`INCLUDE ItemID WHERE Interactions.WEATHER = "x"`: "",
	} {
		_, err := a.control.CreateFilter(a.ctx, &personalize.CreateFilterInput{Name: aws.String("refused"), DatasetGroupArn: &a.shop.group, FilterExpression: &expression})
		refusedAs[*types.InvalidInputException](t, err, says)
	}
}

func (a answers) refusals(t *testing.T) {
	in := a.request("aws-popularity-count", "u")
	in.Promotions = []rtypes.Promotion{{Name: aws.String("p"), PercentPromotedItems: aws.Int32(10)}}
	a.refuses(t, in, "needs filterArn")
	in.Promotions, in.CampaignArn = nil, nil
	_, err := a.runtime.GetActionRecommendations(a.ctx, &personalizeruntime.GetActionRecommendationsInput{CampaignArn: aws.String(a.campaigns["aws-sims"]), UserId: aws.String("u")})
	refusedAs[*rtypes.InvalidInputException](t, err, "recommends no actions")
}
