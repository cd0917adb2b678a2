package sdk_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"
	rtypes "github.com/aws/aws-sdk-go-v2/service/personalizeruntime/types"
)

// TestEveryCustomRecipe trains every recipe that solutions can use, beside
// those of TestAnswers, and asks each that campaigns can serve.
func TestEveryCustomRecipe(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("recipes")
	user, item := s.world.UserID(3), s.world.Item(0)
	recommend := func(campaign string, in *personalizeruntime.GetRecommendationsInput) []rtypes.PredictedItem {
		t.Helper()
		in.CampaignArn = &campaign
		return c.ask(in).ItemList
	}
	popular := recommend(c.deployed("popular", s.group, "aws-popularity-count"), &personalizeruntime.GetRecommendationsInput{UserId: aws.String("nobody")})
	for _, recipe := range []string{"aws-user-personalization-v2", "aws-hrnn", "aws-hrnn-metadata", "aws-hrnn-coldstart"} {
		page := recommend(c.deployed(recipe, s.group, recipe), &personalizeruntime.GetRecommendationsInput{UserId: &user})
		if len(page) != 25 || page[0].Score == nil || slices.Equal(ids(page), ids(popular)) {
			t.Errorf("%s: %v", recipe, ids(page))
		}
	}
	list := []string{"unknown", s.world.ItemID(9), s.world.ItemID(30)}
	ranked := must[*personalizeruntime.GetPersonalizedRankingOutput](t)(c.runtime.GetPersonalizedRanking(c.ctx, &personalizeruntime.GetPersonalizedRankingInput{
		CampaignArn: aws.String(c.deployed("ranking-v2", s.group, "aws-personalized-ranking-v2")), UserId: &user, InputList: list})).PersonalizedRanking
	if len(ranked) != 3 || *ranked[2].ItemId != "unknown" || ranked[0].Score == nil {
		t.Errorf("ranked %v", ids(ranked))
	}
	for _, recipe := range []string{"aws-similar-items", "aws-semantic-similarity"} {
		campaign := c.deployed(recipe, s.group, recipe)
		page := recommend(campaign, &personalizeruntime.GetRecommendationsInput{ItemId: &item.ID, MetadataColumns: map[string][]string{"ITEMS": {"CATEGORY_L1"}}})
		alike := 0
		for _, p := range page {
			if *p.ItemId == item.ID || p.Score != nil {
				t.Errorf("%s: %+v", recipe, p)
			}
			if p.Metadata["CATEGORY_L1"] == item.Category {
				alike++
			}
		}
		if alike < 15 { // one in six is of the category
			t.Errorf("%s: %d of %d items like %s are of its category", recipe, alike, len(page), item.ID)
		}
		if page := recommend(campaign, &personalizeruntime.GetRecommendationsInput{ItemId: aws.String("unknown")}); len(page) != 25 || recipe == "aws-similar-items" && !slices.Equal(ids(page), ids(popular)) {
			t.Errorf("%s: like an unknown item are %v, popular are %v", recipe, ids(page), ids(popular))
		}
	}
	for _, recipe := range []string{"aws-item-affinity", "aws-item-attribute-affinity"} {
		version := c.version(c.solution(recipe, s.group, recipe))
		_, err := c.control.CreateCampaign(c.ctx, &personalize.CreateCampaignInput{Name: aws.String(recipe), SolutionVersionArn: &version})
		refusedAs[*types.InvalidInputException](t, err, "batch segment jobs only")
	}
}

// TestSemanticSimilarityNeedsTexts shows the one recipe that asks for an Items dataset.
func TestSemanticSimilarityNeedsTexts(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("bare")
	set := c.dataset(group, "Interactions", valuedSchema)
	c.good(c.imported(set, "bare", types.ImportModeFull, valued(60)))
	solution := c.solution("bare", group, "aws-semantic-similarity")
	_, err := c.control.CreateSolutionVersion(c.ctx, &personalize.CreateSolutionVersionInput{SolutionArn: &solution})
	refusedAs[*types.InvalidInputException](t, err, "compares the texts of items")
}
