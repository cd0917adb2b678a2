package sdk_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"

	"github.com/attune-io/attune/world"
)

// TestOrder asks for things before their time, and for deletions before what
// hangs on them is gone.
func TestOrder(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("order")
	deleteGroup := func() error {
		_, err := c.control.DeleteDatasetGroup(c.ctx, &personalize.DeleteDatasetGroupInput{DatasetGroupArn: &s.group})
		return err
	}
	refusedAs[*types.ResourceInUseException](t, deleteGroup(), "")
	schema := "arn:aws:personalize:us-east-1:000000000000:schema/items-order"
	_, err := c.control.DeleteSchema(c.ctx, &personalize.DeleteSchemaInput{SchemaArn: &schema})
	refusedAs[*types.ResourceInUseException](t, err, "items-order")
	_, err = c.control.CreateSchema(c.ctx, &personalize.CreateSchemaInput{Name: aws.String("items-order"), Schema: aws.String(world.ItemsSchema)})
	refusedAs[*types.ResourceAlreadyExistsException](t, err, "items-order")
	_, err = c.control.CreateDataset(c.ctx, &personalize.CreateDatasetInput{Name: aws.String("second"), DatasetGroupArn: &s.group, DatasetType: aws.String("iTeMs"), SchemaArn: &schema})
	refusedAs[*types.ResourceAlreadyExistsException](t, err, "")
	_, err = c.control.CreateDatasetImportJob(c.ctx, &personalize.CreateDatasetImportJobInput{JobName: aws.String("order-items"), DatasetArn: &s.items, RoleArn: aws.String("arn:aws:iam::000000000000:role/r"),
		DataSource: &types.DataSource{DataLocation: aws.String("s3://a/b")}})
	refusedAs[*types.ResourceAlreadyExistsException](t, err, "order-items")

	training := func(solution string, mode types.TrainingMode, name *string) (*personalize.CreateSolutionVersionOutput, error) {
		return c.control.CreateSolutionVersion(c.ctx, &personalize.CreateSolutionVersionInput{SolutionArn: &solution, TrainingMode: mode, Name: name})
	}
	popular, user := c.solution("popular", s.group, "aws-popularity-count"), c.solution("user", s.group, "aws-user-personalization")
	_, err = training(popular, types.TrainingModeUpdate, nil)
	refusedAs[*types.InvalidInputException](t, err, "FULL")
	_, err = training(user, types.TrainingModeUpdate, nil)
	refusedAs[*types.InvalidInputException](t, err, "has none")
	named := must[*personalize.CreateSolutionVersionOutput](t)(training(user, types.TrainingModeFull, aws.String("first")))
	c.versionEnds(*named.SolutionVersionArn, "ACTIVE")
	_, err = training(user, types.TrainingModeFull, aws.String("first"))
	refusedAs[*types.ResourceAlreadyExistsException](t, err, "first")
	update := must[*personalize.CreateSolutionVersionOutput](t)(training(user, types.TrainingModeUpdate, nil))
	c.versionEnds(*update.SolutionVersionArn, "ACTIVE")
	d := must[*personalize.DescribeSolutionVersionOutput](t)(c.control.DescribeSolutionVersion(c.ctx, &personalize.DescribeSolutionVersionInput{SolutionVersionArn: update.SolutionVersionArn})).SolutionVersion
	if d.TrainingMode != types.TrainingModeUpdate || d.TrainingType != types.TrainingTypeManual || *d.SolutionArn != user ||
		*d.DatasetGroupArn != s.group || *d.RecipeArn != recipePrefix+"aws-user-personalization" || d.TrainingHours == nil {
		t.Errorf("an updated version: %+v", d)
	}
	metrics := must[*personalize.GetSolutionMetricsOutput](t)(c.control.GetSolutionMetrics(c.ctx, &personalize.GetSolutionMetricsInput{SolutionVersionArn: update.SolutionVersionArn})).Metrics
	for _, name := range []string{"coverage", "mean_reciprocal_rank_at_25", "normalized_discounted_cumulative_gain_at_5", "normalized_discounted_cumulative_gain_at_10",
		"normalized_discounted_cumulative_gain_at_25", "precision_at_5", "precision_at_10", "precision_at_25"} {
		if x, ok := metrics[name]; !ok || x < 0 || x > 1 {
			t.Errorf("metric %s is %v", name, x)
		}
	}

	// An ARN of another kind, account or region names nothing here.
	for arn, want := range map[string]string{
		s.group: "InvalidInputException", strings.Replace(user, "000000000000", "111111111111", 1): "ResourceNotFoundException",
		strings.Replace(user, "us-east-1", "eu-west-1", 1): "ResourceNotFoundException", user + "x": "ResourceNotFoundException",
	} {
		_, err := c.control.DescribeSolution(c.ctx, &personalize.DescribeSolutionInput{SolutionArn: &arn})
		refusedCode(t, err, want)
	}
	_, err = c.control.CreateDatasetImportJob(c.ctx, &personalize.CreateDatasetImportJobInput{JobName: aws.String("bad-role"), DatasetArn: &s.items, RoleArn: aws.String("me"),
		DataSource: &types.DataSource{DataLocation: aws.String("s3://a/b")}})
	refusedAs[*types.InvalidInputException](t, err, "roleArn")
}

// TestUpdateBeforeActive asks for an update of a campaign that is just being made.
func TestUpdateBeforeActive(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("early")
	version := c.version(c.solution("early", s.group, "aws-popularity-count"))
	for _, name := range []string{"early-1", "early-2", "early-3", "early-4"} {
		out := must[*personalize.CreateCampaignOutput](t)(c.control.CreateCampaign(c.ctx, &personalize.CreateCampaignInput{Name: &name, SolutionVersionArn: &version}))
		_, err := c.control.UpdateCampaign(c.ctx, &personalize.UpdateCampaignInput{CampaignArn: out.CampaignArn, MinProvisionedTPS: aws.Int32(2)})
		c.active("campaign", func() (*string, *string, error) { return c.campaignStatus(*out.CampaignArn) })
		d := must[*personalize.DescribeCampaignOutput](t)(c.control.DescribeCampaign(c.ctx, &personalize.DescribeCampaignInput{CampaignArn: out.CampaignArn})).Campaign
		if err == nil {
			continue // it was ACTIVE already
		}
		refusedAs[*types.ResourceInUseException](t, err, name)
		if d.LatestCampaignUpdate != nil || *d.MinProvisionedTPS != 1 {
			t.Errorf("a refused update left %+v", d)
		}
		return
	}
	t.Error("no campaign was caught before it was ACTIVE")
}
