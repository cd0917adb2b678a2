package sdk_test

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"

	"github.com/attune-io/attune/world"
)

func (c *clients) describeSolution(arn string) *types.Solution {
	c.Helper()
	return must[*personalize.DescribeSolutionOutput](c)(c.control.DescribeSolution(c.ctx, &personalize.DescribeSolutionInput{SolutionArn: &arn})).Solution
}

func (c *clients) describeVersion(arn string) *types.SolutionVersion {
	c.Helper()
	return must[*personalize.DescribeSolutionVersionOutput](c)(c.control.DescribeSolutionVersion(c.ctx, &personalize.DescribeSolutionVersionInput{SolutionVersionArn: &arn})).SolutionVersion
}

func (c *clients) describeCampaign(arn string) *types.Campaign {
	c.Helper()
	return must[*personalize.DescribeCampaignOutput](c)(c.control.DescribeCampaign(c.ctx, &personalize.DescribeCampaignInput{CampaignArn: &arn})).Campaign
}

// TestEventWeights shows that what weighs more is recommended first.
func TestEventWeights(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("weights")
	c.good(c.imported(c.dataset(group, "Interactions", valuedSchema), "valued", types.ImportModeFull, valued(200)))
	for want, weights := range map[string][2]float64{"viewed": {1, 0.1}, "bought": {0.1, 1}} {
		config := &types.SolutionConfig{EventsConfig: &types.EventsConfig{EventParametersList: []types.EventParameters{
			{EventType: aws.String("View"), Weight: &weights[0]}, {EventType: aws.String("BUY"), Weight: &weights[1]}}}}
		solution := c.solutionOf(&personalize.CreateSolutionInput{Name: aws.String("w-" + want), DatasetGroupArn: &group,
			RecipeArn: aws.String(recipePrefix + "aws-popularity-count"), SolutionConfig: config})
		if got := c.describeSolution(solution).SolutionConfig; !reflect.DeepEqual(got, config) {
			t.Errorf("eventsConfig is shown as %+v", got)
		}
		if page := c.recommend(c.campaign("w-"+want, c.version(solution)), "stranger"); page[0] != want {
			t.Errorf("with weights %v the first is %s, want %s", weights, page[0], want)
		}
	}
}

// TestSearches lets the server choose parameters, and a recipe.
func TestSearches(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("search")
	hpo := c.version(c.solutionOf(&personalize.CreateSolutionInput{Name: aws.String("hpo"), DatasetGroupArn: &s.group, PerformHPO: aws.Bool(true),
		RecipeArn: aws.String(recipePrefix + "aws-user-personalization"),
		SolutionConfig: &types.SolutionConfig{HpoConfig: &types.HPOConfig{HpoResourceConfig: &types.HPOResourceConfig{MaxNumberOfTrainingJobs: aws.String("3"), MaxParallelTrainingJobs: aws.String("2")},
			AlgorithmHyperParameterRanges: &types.HyperParameterRanges{IntegerHyperParameterRanges: []types.IntegerHyperParameterRange{
				{Name: aws.String("hidden_dimension"), MinValue: 32, MaxValue: 40}}}}}}))
	v := c.describeVersion(hpo)
	if v.TunedHPOParams == nil || !v.PerformHPO {
		t.Fatalf("after a search the version shows %+v", v)
	}
	if d, err := strconv.Atoi(v.TunedHPOParams.AlgorithmHyperParameters["hidden_dimension"]); err != nil || d < 32 || d > 40 {
		t.Errorf("tuned %v", v.TunedHPOParams.AlgorithmHyperParameters)
	}

	auto := c.solutionOf(&personalize.CreateSolutionInput{Name: aws.String("automl"), DatasetGroupArn: &s.group, PerformAutoML: true})
	if got := c.describeSolution(auto); !got.PerformAutoML || !got.PerformHPO || got.AutoMLResult != nil {
		t.Errorf("before the first version: %+v", got)
	}
	version := c.version(auto)
	best := aws.ToString(c.describeVersion(version).RecipeArn)
	if !strings.HasPrefix(best, recipePrefix+"aws-user-personalization") {
		t.Errorf("AutoML chose %q", best)
	}
	soon(t, func() string {
		if r := c.describeSolution(auto).AutoMLResult; r == nil || aws.ToString(r.BestRecipeArn) != best {
			return fmt.Sprintf("the solution shows %+v, its version %s", r, best)
		}
		return ""
	})
	if page := c.recommend(c.campaign("automl", version), "u0001"); len(page) == 0 {
		t.Error("what AutoML chose recommends nothing")
	}
}

// TestObjective trains with and without an objective, and asks both.
func TestObjective(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("objective")
	var worth [2]float64
	for i, sensitivity := range []types.ObjectiveSensitivity{types.ObjectiveSensitivityOff, types.ObjectiveSensitivityHigh} {
		config := &types.SolutionConfig{OptimizationObjective: &types.OptimizationObjective{ItemAttribute: aws.String("PRICE"), ObjectiveSensitivity: sensitivity}}
		name := strings.ToLower(string(sensitivity))
		solution := c.solutionOf(&personalize.CreateSolutionInput{Name: &name, DatasetGroupArn: &s.group, RecipeArn: aws.String(recipePrefix + "aws-user-personalization"), SolutionConfig: config})
		version := c.version(solution)
		if got := c.describeVersion(version).SolutionConfig; !reflect.DeepEqual(got, config) {
			t.Errorf("the objective is shown as %+v", got)
		}
		m := must[*personalize.GetSolutionMetricsOutput](t)(c.control.GetSolutionMetrics(c.ctx, &personalize.GetSolutionMetricsInput{SolutionVersionArn: &version})).Metrics
		if got, ok := m["average_rewards_at_k"]; ok != (i == 1) || ok && !(got > 0 && got <= 1) {
			t.Errorf("%s: metrics %v", sensitivity, m)
		}
		campaign := c.campaign(name, version)
		for user := range 20 {
			page := c.ask(&personalizeruntime.GetRecommendationsInput{CampaignArn: &campaign, UserId: aws.String(fmt.Sprintf("u%03d", user)), NumResults: 10,
				MetadataColumns: map[string][]string{"ITEMS": {"PRICE"}}})
			for _, item := range page.ItemList {
				price, err := strconv.ParseFloat(item.Metadata["price"]+item.Metadata["PRICE"], 64)
				if err != nil {
					t.Fatalf("metadata %v", item.Metadata)
				}
				worth[i] += price
			}
		}
	}
	if worth[1] <= worth[0] {
		t.Errorf("pages are worth %g with the objective, %g without", worth[1], worth[0])
	}
}

// TestLatestVersion deploys what is newest, and lets a campaign follow.
func TestLatestVersion(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("latest")
	solution := c.solution("latest", s.group, "aws-popularity-count")
	latest := solution + "/$LATEST"
	in := &personalize.CreateCampaignInput{Name: aws.String("follows"), SolutionVersionArn: &latest, CampaignConfig: &types.CampaignConfig{SyncWithLatestSolutionVersion: aws.Bool(true)}}
	_, err := c.control.CreateCampaign(c.ctx, in)
	refusedAs[*types.InvalidInputException](t, err, "no ACTIVE version")
	first := c.version(solution)
	campaign := *must[*personalize.CreateCampaignOutput](t)(c.control.CreateCampaign(c.ctx, in)).CampaignArn
	c.active("campaign", func() (*string, *string, error) { return c.campaignStatus(campaign) })
	if got := c.describeCampaign(campaign); *got.SolutionVersionArn != first || got.LatestCampaignUpdate != nil || !reflect.DeepEqual(got.CampaignConfig, in.CampaignConfig) {
		t.Errorf("the campaign of the latest version: %+v", got)
	}
	second := c.version(solution)
	soon(t, func() string {
		got := c.describeCampaign(campaign)
		if u := got.LatestCampaignUpdate; u == nil || *u.Status != "ACTIVE" || *got.SolutionVersionArn != second {
			return fmt.Sprintf("the campaign serves %s, update %+v", *got.SolutionVersionArn, u)
		}
		return ""
	})
	_, err = c.control.UpdateCampaign(c.ctx, &personalize.UpdateCampaignInput{CampaignArn: &campaign, SolutionVersionArn: &first})
	refusedAs[*types.InvalidInputException](t, err, "$LATEST")

	// The solution is changed meanwhile.
	update := &personalize.UpdateSolutionInput{SolutionArn: &solution, PerformAutoTraining: aws.Bool(true),
		SolutionUpdateConfig: &types.SolutionUpdateConfig{AutoTrainingConfig: &types.AutoTrainingConfig{SchedulingExpression: aws.String("rate(2 days)")}}}
	must[*personalize.UpdateSolutionOutput](t)(c.control.UpdateSolution(c.ctx, update))
	soon(t, func() string {
		got := c.describeSolution(solution)
		u := got.LatestSolutionUpdate
		if *got.Status != "ACTIVE" || u == nil || u.CreationDateTime == nil || !reflect.DeepEqual(u.SolutionUpdateConfig, update.SolutionUpdateConfig) {
			t.Fatalf("while it is updated: %+v, %+v", got, u)
		}
		if *u.Status != "ACTIVE" {
			return "the update is " + *u.Status
		}
		if !aws.ToBool(got.PerformAutoTraining) || *got.SolutionConfig.AutoTrainingConfig.SchedulingExpression != "rate(2 days)" {
			t.Errorf("after the update: %+v", got)
		}
		return ""
	})
	update.SolutionUpdateConfig.AutoTrainingConfig.SchedulingExpression = aws.String("rate(31 days)")
	_, err = c.control.UpdateSolution(c.ctx, update)
	refusedAs[*types.InvalidInputException](t, err, "1 to 30")
}

// TestUpdateDataset gives items another column.
func TestUpdateDataset(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("swap")
	put := func() error {
		_, err := c.events.PutItems(c.ctx, &personalizeevents.PutItemsInput{DatasetArn: &s.items, Items: []etypes.Item{{ItemId: aws.String("new"),
			Properties: aws.String(`{"name":"n","categoryL1":"c","genres":"g","price":1,"creationTimestamp":1700000000,"colour":"red"}`)}}})
		return err
	}
	if err := put(); err == nil || !strings.Contains(err.Error(), "colour") {
		t.Errorf("a column that the schema does not have: %v", err)
	}
	wider := strings.Replace(world.ItemsSchema, `{"name": "PRICE"`, `{"name": "COLOUR", "type": ["null", "string"], "categorical": true},{"name": "PRICE"`, 1)
	schemaOf := func(name, avro string) *string {
		return must[*personalize.CreateSchemaOutput](t)(c.control.CreateSchema(c.ctx, &personalize.CreateSchemaInput{Name: &name, Schema: &avro})).SchemaArn
	}
	_, err := c.control.UpdateDataset(c.ctx, &personalize.UpdateDatasetInput{DatasetArn: &s.items,
		SchemaArn: schemaOf("strict", strings.Replace(wider, `["null", "string"]`, `"string"`, 1))})
	refusedAs[*types.InvalidInputException](t, err, "COLOUR")
	schema := schemaOf("wider", wider)
	must[*personalize.UpdateDatasetOutput](t)(c.control.UpdateDataset(c.ctx, &personalize.UpdateDatasetInput{DatasetArn: &s.items, SchemaArn: schema}))
	soon(t, func() string {
		d := must[*personalize.DescribeDatasetOutput](t)(c.control.DescribeDataset(c.ctx, &personalize.DescribeDatasetInput{DatasetArn: &s.items})).Dataset
		if u := d.LatestDatasetUpdate; u == nil || *u.SchemaArn != *schema || *d.Status != "ACTIVE" {
			t.Fatalf("while it is updated: %+v, %+v", d, u)
		} else if *u.Status != "ACTIVE" || *d.SchemaArn != *schema {
			return "the update is " + *u.Status
		}
		return ""
	})
	if err := put(); err != nil {
		t.Errorf("with the new schema: %v", err)
	}
	c.good(c.imported(s.items, "more", types.ImportModeIncremental, "ITEM_ID,NAME,CATEGORY_L1,GENRES,COLOUR,PRICE,CREATION_TIMESTAMP\ni999,n,c,g,blue,2,1700000000\ni998,n,c,g,,2,1700000000\n"))
	c.version(c.solution("after", s.group, "aws-user-personalization")) // old and new rows together
}
