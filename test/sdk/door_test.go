package sdk_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/attune-io/attune/test/binary"
)

// TestAuthOff shows that a node on loopback can do without signatures, and that
// one which others can reach cannot.
func TestAuthOff(t *testing.T) {
	t.Parallel()
	node := start(t, "--auth=off")
	cfg := node.AWS()
	cfg.Credentials = aws.AnonymousCredentials{}
	control := personalize.NewFromConfig(cfg)
	must[*personalize.CreateDatasetGroupOutput](t)(control.CreateDatasetGroup(t.Context(), &personalize.CreateDatasetGroupInput{Name: aws.String("unsigned")}))
	if who := must[*sts.GetCallerIdentityOutput](t)(sts.NewFromConfig(cfg).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})); *who.Account != binary.Account {
		t.Errorf("account %s", *who.Account)
	}
	c := newClients(t, node) // signed requests are taken too
	list := must[*personalize.ListDatasetGroupsOutput](t)(c.control.ListDatasetGroups(t.Context(), &personalize.ListDatasetGroupsInput{}))
	if len(list.DatasetGroups) != 1 || *list.DatasetGroups[0].Name != "unsigned" {
		t.Errorf("groups: %v", list.DatasetGroups)
	}
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		began := time.Now()
		p, err := binary.Start(t.Context(), attuneBinary, t.TempDir(), "--auth=off", "--listen", listen)
		if err == nil {
			p.Kill()
			t.Errorf("a node on %s does without signatures", listen)
			continue
		}
		if !strings.Contains(err.Error(), "--auth=off is for this machine only") || time.Since(began) > 20*time.Second {
			t.Errorf("%s: %v after %s", listen, err, time.Since(began))
		}
	}
}

// TestRecipes shows which recipes there are, and how others are refused.
func TestRecipes(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	list := must[*personalize.ListRecipesOutput](t)(c.control.ListRecipes(c.ctx, &personalize.ListRecipesInput{}))
	kinds := map[string]string{
		"aws-popularity-count": "POPULAR_ITEMS", "aws-trending-now": "POPULAR_ITEMS",
		"aws-user-personalization": "USER_PERSONALIZATION", "aws-user-personalization-v2": "USER_PERSONALIZATION",
		"aws-hrnn": "USER_PERSONALIZATION", "aws-hrnn-metadata": "USER_PERSONALIZATION", "aws-hrnn-coldstart": "USER_PERSONALIZATION",
		"aws-personalized-ranking": "PERSONALIZED_RANKING", "aws-personalized-ranking-v2": "PERSONALIZED_RANKING",
		"aws-sims": "RELATED_ITEMS", "aws-similar-items": "RELATED_ITEMS", "aws-semantic-similarity": "RELATED_ITEMS",
		"aws-item-affinity": "USER_SEGMENTATION", "aws-item-attribute-affinity": "USER_SEGMENTATION",
		"aws-next-best-action":             "PERSONALIZED_ACTIONS",
		"aws-ecomm-popular-items-by-views": "POPULAR_ITEMS", "aws-ecomm-popular-items-by-purchases": "POPULAR_ITEMS",
		"aws-ecomm-frequently-bought-together": "RELATED_ITEMS", "aws-ecomm-customers-who-viewed-x-also-viewed": "RELATED_ITEMS",
		"aws-ecomm-recommended-for-you": "USER_PERSONALIZATION",
		"aws-vod-because-you-watched-x": "RELATED_ITEMS", "aws-vod-more-like-x": "RELATED_ITEMS",
		"aws-vod-most-popular": "POPULAR_ITEMS", "aws-vod-trending-now": "POPULAR_ITEMS", "aws-vod-top-picks": "USER_PERSONALIZATION",
	}
	if len(list.Recipes) != len(kinds) {
		t.Errorf("%d recipes of %d", len(list.Recipes), len(kinds))
	}
	for _, r := range list.Recipes {
		d := must[*personalize.DescribeRecipeOutput](t)(c.control.DescribeRecipe(c.ctx, &personalize.DescribeRecipeInput{RecipeArn: r.RecipeArn})).Recipe
		if *d.RecipeType != kinds[*r.Name] || *d.Status != "ACTIVE" || *r.Status != "ACTIVE" || !strings.Contains(aws.ToString(d.Description), "Behind it ") {
			t.Errorf("%s: %+v", *r.Name, d)
		}
		algorithm := must[*personalize.DescribeAlgorithmOutput](t)(c.control.DescribeAlgorithm(c.ctx, &personalize.DescribeAlgorithmInput{AlgorithmArn: d.AlgorithmArn})).Algorithm
		ranges := algorithm.DefaultHyperParameterRanges
		features := must[*personalize.DescribeFeatureTransformationOutput](t)(c.control.DescribeFeatureTransformation(c.ctx, &personalize.DescribeFeatureTransformationInput{FeatureTransformationArn: d.FeatureTransformationArn})).FeatureTransformation
		if *r.Name == "aws-trending-now" && features.DefaultParameters["trend_discovery_frequency"] != "3 hours" {
			t.Errorf("%s: %+v", *r.Name, features.DefaultParameters)
		}
		if *r.Name == "aws-sims" && (algorithm.DefaultHyperParameters["popularity_discount_factor"] != "0.5" || len(ranges.ContinuousHyperParameterRanges) == 0) {
			t.Errorf("%s: %+v", *r.Name, algorithm)
		}
	}
	for domain, prefix := range map[types.Domain]string{types.DomainEcommerce: "aws-ecomm-", types.DomainVideoOnDemand: "aws-vod-"} {
		seen := map[string]bool{}
		pages := personalize.NewListRecipesPaginator(c.control, &personalize.ListRecipesInput{Domain: domain, RecipeProvider: types.RecipeProviderService, MaxResults: aws.Int32(2)})
		for pages.HasMorePages() {
			for _, r := range must[*personalize.ListRecipesOutput](t)(pages.NextPage(c.ctx)).Recipes {
				seen[*r.Name] = r.Domain == domain && strings.HasPrefix(*r.Name, prefix)
			}
		}
		if len(seen) != 5 || slices.Contains(slices.Collect(maps.Values(seen)), false) {
			t.Errorf("recipes of %s: %v", domain, seen)
		}
	}
	for _, name := range []string{"aws-made-up"} {
		_, err := c.control.DescribeRecipe(c.ctx, &personalize.DescribeRecipeInput{RecipeArn: aws.String(recipePrefix + name)})
		refusedAs[*types.ResourceNotFoundException](t, err, name)
		refusedAs[*types.ResourceNotFoundException](t, err, "aws-popularity-count, aws-trending-now, aws-user-personalization-v2")
		_, err = c.control.CreateSolution(c.ctx, &personalize.CreateSolutionInput{Name: aws.String("s"), RecipeArn: aws.String(recipePrefix + name),
			DatasetGroupArn: aws.String("arn:aws:personalize:us-east-1:000000000000:dataset-group/g")})
		refusedAs[*types.InvalidInputException](t, err, "aws-popularity-count, aws-trending-now, aws-user-personalization-v2")
	}
}
