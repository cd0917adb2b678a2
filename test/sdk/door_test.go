package sdk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"

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
	kinds := map[string]string{"aws-popularity-count": "POPULAR_ITEMS", "aws-user-personalization": "USER_PERSONALIZATION",
		"aws-personalized-ranking": "PERSONALIZED_RANKING", "aws-sims": "RELATED_ITEMS"}
	if len(list.Recipes) != len(kinds) {
		t.Errorf("%d recipes", len(list.Recipes))
	}
	for _, r := range list.Recipes {
		d := must[*personalize.DescribeRecipeOutput](t)(c.control.DescribeRecipe(c.ctx, &personalize.DescribeRecipeInput{RecipeArn: r.RecipeArn})).Recipe
		if *d.RecipeType != kinds[*r.Name] || *d.Status != "ACTIVE" || *r.Status != "ACTIVE" || aws.ToString(d.Description) == "" {
			t.Errorf("%s: %+v", *r.Name, d)
		}
		algorithm := must[*personalize.DescribeAlgorithmOutput](t)(c.control.DescribeAlgorithm(c.ctx, &personalize.DescribeAlgorithmInput{AlgorithmArn: d.AlgorithmArn})).Algorithm
		ranges := algorithm.DefaultHyperParameterRanges
		if *r.Name == "aws-sims" && (algorithm.DefaultHyperParameters["popularity_discount_factor"] != "0.5" || len(ranges.ContinuousHyperParameterRanges) == 0) {
			t.Errorf("%s: %+v", *r.Name, algorithm)
		}
	}
	domain := must[*personalize.ListRecipesOutput](t)(c.control.ListRecipes(c.ctx, &personalize.ListRecipesInput{Domain: types.DomainEcommerce}))
	if len(domain.Recipes) != 0 {
		t.Errorf("recipes of a domain: %v", domain.Recipes)
	}
	for _, name := range []string{"aws-similar-items", "aws-made-up"} {
		_, err := c.control.DescribeRecipe(c.ctx, &personalize.DescribeRecipeInput{RecipeArn: aws.String(recipePrefix + name)})
		refusedAs[*types.ResourceNotFoundException](t, err, name)
		refusedAs[*types.ResourceNotFoundException](t, err, "aws-popularity-count, aws-user-personalization, aws-personalized-ranking, aws-sims")
		_, err = c.control.CreateSolution(c.ctx, &personalize.CreateSolutionInput{Name: aws.String("s"), RecipeArn: aws.String(recipePrefix + name),
			DatasetGroupArn: aws.String("arn:aws:personalize:us-east-1:000000000000:dataset-group/g")})
		refusedAs[*types.InvalidInputException](t, err, "aws-popularity-count, aws-user-personalization, aws-personalized-ranking, aws-sims")
	}
}

// TestNotBuilt shows that operations which are not built yet say so by name.
func TestNotBuilt(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	arn := aws.String("arn:aws:personalize:us-east-1:000000000000:recommender/r")
	for name, call := range map[string]func() error{
		"ListRecommenders": func() error {
			_, err := c.control.ListRecommenders(c.ctx, &personalize.ListRecommendersInput{})
			return err
		},
		"DescribeRecommender": func() error {
			_, err := c.control.DescribeRecommender(c.ctx, &personalize.DescribeRecommenderInput{RecommenderArn: arn})
			return err
		},
		"ListBatchInferenceJobs": func() error {
			_, err := c.control.ListBatchInferenceJobs(c.ctx, &personalize.ListBatchInferenceJobsInput{})
			return err
		},
		"ListTagsForResource": func() error {
			_, err := c.control.ListTagsForResource(c.ctx, &personalize.ListTagsForResourceInput{ResourceArn: arn})
			return err
		},
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), name+" is not built") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
