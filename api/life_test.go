package api_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
)

// TestEcho creates one of everything with every member that there is, and
// expects to be shown just that.
func TestEcho(t *testing.T) {
	s := newShop(t)
	c, ctx := s.control, s.ctx
	tag := []types.Tag{{TagKey: aws.String("team"), TagValue: aws.String("a")}}

	g := must[*personalize.CreateDatasetGroupOutput](s)(c.CreateDatasetGroup(ctx, &personalize.CreateDatasetGroupInput{
		Name: aws.String("films"), RoleArn: aws.String(role), KmsKeyArn: aws.String("arn:aws:kms:us-east-1:000000000000:key/a"), Tags: tag}))
	s.settle()
	dg := must[*personalize.DescribeDatasetGroupOutput](s)(c.DescribeDatasetGroup(ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: g.DatasetGroupArn})).DatasetGroup
	same(s, "group", []string{*dg.Name, *dg.DatasetGroupArn, *dg.Status, *dg.RoleArn, *dg.KmsKeyArn, string(dg.Domain)},
		[]string{"films", base + "dataset-group/films", "ACTIVE", role, "arn:aws:kms:us-east-1:000000000000:key/a", ""})
	if !dg.LastUpdatedDateTime.After(*dg.CreationDateTime) || dg.FailureReason != nil {
		t.Errorf("group %s", show(dg))
	}

	avro := " " + interactionsAvro
	schema := s.schema("Interactions-1", avro)
	ds := must[*personalize.DescribeSchemaOutput](s)(c.DescribeSchema(ctx, &personalize.DescribeSchemaInput{SchemaArn: &schema})).Schema
	same(s, "schema", []string{*ds.Name, *ds.SchemaArn, *ds.Schema}, []string{"Interactions-1", base + "schema/Interactions-1", avro})

	set := s.dataset(*g.DatasetGroupArn, "iNteractions", schema)
	dd := must[*personalize.DescribeDatasetOutput](s)(c.DescribeDataset(ctx, &personalize.DescribeDatasetInput{DatasetArn: &set})).Dataset
	same(s, "dataset", []string{*dd.Name, *dd.DatasetArn, *dd.DatasetGroupArn, *dd.DatasetType, *dd.SchemaArn, *dd.Status},
		[]string{"interactions", base + "dataset/films/INTERACTIONS", *g.DatasetGroupArn, "INTERACTIONS", schema, "ACTIVE"})

	in := importInput("first", set)
	in.ImportMode, in.Tags = types.ImportModeIncremental, []types.Tag{}
	j := must[*personalize.CreateDatasetImportJobOutput](s)(c.CreateDatasetImportJob(ctx, in))
	s.settle()
	dj := must[*personalize.DescribeDatasetImportJobOutput](s)(c.DescribeDatasetImportJob(ctx, &personalize.DescribeDatasetImportJobInput{DatasetImportJobArn: j.DatasetImportJobArn})).DatasetImportJob
	same(s, "import", []string{*dj.JobName, *dj.DatasetImportJobArn, *dj.DatasetArn, *dj.DataSource.DataLocation, *dj.RoleArn, string(dj.ImportMode), *dj.Status},
		[]string{"first", base + "dataset-import-job/first", set, "s3://films/ratings.csv", role, "INCREMENTAL", "ACTIVE"})
	if aws.ToBool(dj.PublishAttributionMetricsToS3) || dj.FailureReason != nil {
		t.Errorf("import %s", show(dj))
	}

	expression := `exclude ItemID where Interactions.event_type in ("View")`
	f := must[*personalize.CreateFilterOutput](s)(c.CreateFilter(ctx, &personalize.CreateFilterInput{Name: aws.String("f"), DatasetGroupArn: g.DatasetGroupArn, FilterExpression: &expression}))
	s.settle()
	df := must[*personalize.DescribeFilterOutput](s)(c.DescribeFilter(ctx, &personalize.DescribeFilterInput{FilterArn: f.FilterArn})).Filter
	same(s, "filter", []string{*df.Name, *df.FilterArn, *df.DatasetGroupArn, *df.FilterExpression, *df.Status},
		[]string{"f", base + "filter/f", *g.DatasetGroupArn, expression, "ACTIVE"})

	tr := must[*personalize.CreateEventTrackerOutput](s)(c.CreateEventTracker(ctx, &personalize.CreateEventTrackerInput{Name: aws.String("t"), DatasetGroupArn: g.DatasetGroupArn}))
	s.settle()
	dt := must[*personalize.DescribeEventTrackerOutput](s)(c.DescribeEventTracker(ctx, &personalize.DescribeEventTrackerInput{EventTrackerArn: tr.EventTrackerArn})).EventTracker
	same(s, "tracker", []string{*dt.Name, *dt.EventTrackerArn, *dt.TrackingId, *dt.AccountId, *dt.DatasetGroupArn, *dt.Status},
		[]string{"t", *tr.EventTrackerArn, *tr.TrackingId, "000000000000", *g.DatasetGroupArn, "ACTIVE"})
}

func TestEchoOfSolutionAndCampaign(t *testing.T) {
	s := newShop(t)
	c, ctx := s.control, s.ctx
	group, _, _ := s.trained("films")
	config := &types.SolutionConfig{
		EventValueThreshold:             aws.String("3.50"),
		AlgorithmHyperParameters:        map[string]string{"hidden_dimension": "064", "recency_mask": "True"},
		FeatureTransformationParameters: map[string]string{},
		HpoConfig: &types.HPOConfig{
			HpoObjective:      &types.HPOObjective{Type: aws.String("max"), MetricName: aws.String("precision_at_25"), MetricRegex: aws.String("<x>&\u2028")},
			HpoResourceConfig: &types.HPOResourceConfig{MaxNumberOfTrainingJobs: aws.String("4")},
			AlgorithmHyperParameterRanges: &types.HyperParameterRanges{
				IntegerHyperParameterRanges: []types.IntegerHyperParameterRange{{Name: aws.String("bptt"), MinValue: 2, MaxValue: 32}}},
		},
		OptimizationObjective: &types.OptimizationObjective{ObjectiveSensitivity: types.ObjectiveSensitivityOff},
		TrainingDataConfig:    &types.TrainingDataConfig{ExcludedDatasetColumns: map[string][]string{"INTERACTIONS": {"NUMBER_OF_RATINGS"}}},
	}
	so := must[*personalize.CreateSolutionOutput](s)(c.CreateSolution(ctx, &personalize.CreateSolutionInput{
		Name: aws.String("tuned"), DatasetGroupArn: &group, RecipeArn: aws.String(userRecipe), EventType: aws.String("Watch"), SolutionConfig: config}))
	s.settle()
	describe := func() *types.Solution {
		return must[*personalize.DescribeSolutionOutput](s)(c.DescribeSolution(ctx, &personalize.DescribeSolutionInput{SolutionArn: so.SolutionArn})).Solution
	}
	ds := describe()
	same(s, "solutionConfig", ds.SolutionConfig, config)
	same(s, "solution", []any{*ds.Name, *ds.SolutionArn, *ds.RecipeArn, *ds.DatasetGroupArn, *ds.EventType, ds.PerformHPO, ds.PerformAutoML, *ds.PerformAutoTraining, *ds.Status},
		[]any{"tuned", base + "solution/tuned", userRecipe, group, "Watch", false, false, true, "ACTIVE"})
	if ds.LatestSolutionVersion != nil {
		t.Errorf("a version before there is one: %s", show(ds.LatestSolutionVersion))
	}

	release := s.still()
	v := must[*personalize.CreateSolutionVersionOutput](s)(c.CreateSolutionVersion(ctx, &personalize.CreateSolutionVersionInput{SolutionArn: so.SolutionArn, Name: aws.String("named")}))
	if l := describe().LatestSolutionVersion; *l.Status != "CREATE PENDING" || *l.SolutionVersionArn != *v.SolutionVersionArn {
		t.Errorf("latest version %s", show(l))
	}
	_, err := c.GetSolutionMetrics(ctx, &personalize.GetSolutionMetricsInput{SolutionVersionArn: v.SolutionVersionArn})
	refused[*types.ResourceInUseException](s, err, "ACTIVE")
	release()
	s.settle()
	if l := describe().LatestSolutionVersion; *l.Status != "ACTIVE" {
		t.Errorf("latest version %s", show(l))
	}
	dv := must[*personalize.DescribeSolutionVersionOutput](s)(c.DescribeSolutionVersion(ctx, &personalize.DescribeSolutionVersionInput{SolutionVersionArn: v.SolutionVersionArn})).SolutionVersion
	same(s, "version's solutionConfig", dv.SolutionConfig, config)
	same(s, "version", []any{*dv.Name, *dv.SolutionArn, *dv.DatasetGroupArn, *dv.RecipeArn, *dv.EventType, string(dv.TrainingMode), string(dv.TrainingType), *dv.TrainingHours, *dv.Status},
		[]any{"named", *so.SolutionArn, group, userRecipe, "Watch", "FULL", "MANUAL", 0.25, "ACTIVE"})
	m := must[*personalize.GetSolutionMetricsOutput](s)(c.GetSolutionMetrics(ctx, &personalize.GetSolutionMetricsInput{SolutionVersionArn: v.SolutionVersionArn}))
	same(s, "metrics", m.Metrics, map[string]float64{"coverage": 0.5})

	cc := &types.CampaignConfig{ItemExplorationConfig: map[string]string{"explorationWeight": "0.30"}, EnableMetadataWithRecommendations: aws.Bool(true)}
	ca := must[*personalize.CreateCampaignOutput](s)(c.CreateCampaign(ctx, &personalize.CreateCampaignInput{Name: aws.String("c"), SolutionVersionArn: v.SolutionVersionArn, CampaignConfig: cc}))
	s.settle()
	campaign := func() *types.Campaign {
		return must[*personalize.DescribeCampaignOutput](s)(c.DescribeCampaign(ctx, &personalize.DescribeCampaignInput{CampaignArn: ca.CampaignArn})).Campaign
	}
	was := campaign()
	same(s, "campaignConfig", was.CampaignConfig, cc)
	same(s, "campaign", []any{*was.Name, *was.CampaignArn, *was.SolutionVersionArn, *was.MinProvisionedTPS, *was.Status, was.LatestCampaignUpdate},
		[]any{"c", base + "campaign/c", *v.SolutionVersionArn, int32(1), "ACTIVE", (*types.CampaignUpdateSummary)(nil)})

	next := s.version(*so.SolutionArn)
	release = s.still()
	up := &personalize.UpdateCampaignInput{CampaignArn: ca.CampaignArn, SolutionVersionArn: &next, MinProvisionedTPS: aws.Int32(3), CampaignConfig: &types.CampaignConfig{}}
	if out := must[*personalize.UpdateCampaignOutput](s)(c.UpdateCampaign(ctx, up)); *out.CampaignArn != *ca.CampaignArn {
		t.Error(*out.CampaignArn)
	}
	_, err = c.UpdateCampaign(ctx, up)
	refused[*types.ResourceInUseException](s, err, "being updated")
	_, err = c.DeleteCampaign(ctx, &personalize.DeleteCampaignInput{CampaignArn: ca.CampaignArn})
	refused[*types.ResourceInUseException](s, err, "being updated")
	during := campaign()
	u := during.LatestCampaignUpdate
	during.LatestCampaignUpdate = nil
	same(s, "campaign during an update", during, was)
	same(s, "update", []any{*u.SolutionVersionArn, *u.MinProvisionedTPS, u.CampaignConfig, *u.Status}, []any{next, int32(3), &types.CampaignConfig{}, "CREATE PENDING"})
	if !u.CreationDateTime.After(*was.CreationDateTime) {
		t.Errorf("update %s", show(u))
	}
	release()
	s.settle()
	now := campaign()
	same(s, "campaign after the update", []any{*now.SolutionVersionArn, *now.MinProvisionedTPS, now.CampaignConfig, *now.Status, *now.LatestCampaignUpdate.Status},
		[]any{next, int32(3), &types.CampaignConfig{}, "ACTIVE", "ACTIVE"})
	must[*personalize.UpdateCampaignOutput](s)(c.UpdateCampaign(ctx, &personalize.UpdateCampaignInput{CampaignArn: ca.CampaignArn, MinProvisionedTPS: aws.Int32(4)}))
	s.settle()
	if now = campaign(); *now.MinProvisionedTPS != 4 || *now.SolutionVersionArn != next {
		t.Errorf("after an update of the minimum: %s", show(now))
	}
}

// TestRefusals has one of each exception, as the SDK's own types.
func TestRefusals(t *testing.T) {
	s := newShop(t)
	c, ctx := s.control, s.ctx
	group, solution, version := s.trained("films")
	set := base + "dataset/films/INTERACTIONS"
	none := func(kind string) *string { return aws.String(base + kind + "/none") }
	errOf := func(_ any, err error) error { return err }

	for what, err := range map[string]error{
		"group":    errOf(c.DescribeDatasetGroup(ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: none("dataset-group")})),
		"schema":   errOf(c.DescribeSchema(ctx, &personalize.DescribeSchemaInput{SchemaArn: none("schema")})),
		"dataset":  errOf(c.DescribeDataset(ctx, &personalize.DescribeDatasetInput{DatasetArn: none("dataset/a")})),
		"import":   errOf(c.DescribeDatasetImportJob(ctx, &personalize.DescribeDatasetImportJobInput{DatasetImportJobArn: none("dataset-import-job")})),
		"tracker":  errOf(c.DescribeEventTracker(ctx, &personalize.DescribeEventTrackerInput{EventTrackerArn: none("event-tracker")})),
		"solution": errOf(c.DescribeSolution(ctx, &personalize.DescribeSolutionInput{SolutionArn: none("solution")})),
		"version":  errOf(c.DescribeSolutionVersion(ctx, &personalize.DescribeSolutionVersionInput{SolutionVersionArn: none("solution/a")})),
		"campaign": errOf(c.DescribeCampaign(ctx, &personalize.DescribeCampaignInput{CampaignArn: none("campaign")})),
		"filter":   errOf(c.DescribeFilter(ctx, &personalize.DescribeFilterInput{FilterArn: none("filter")})),
		"recipe":   errOf(c.DescribeRecipe(ctx, &personalize.DescribeRecipeInput{RecipeArn: aws.String("arn:aws:personalize:::recipe/none")})),
		"v3":       errOf(c.DescribeRecipe(ctx, &personalize.DescribeRecipeInput{RecipeArn: aws.String(userRecipe + "-v3")})),
		"-group":   errOf(c.DeleteDatasetGroup(ctx, &personalize.DeleteDatasetGroupInput{DatasetGroupArn: none("dataset-group")})),
		"-filter":  errOf(c.DeleteFilter(ctx, &personalize.DeleteFilterInput{FilterArn: none("filter")})),
		"versions": errOf(c.ListSolutionVersions(ctx, &personalize.ListSolutionVersionsInput{SolutionArn: none("solution")})),
		"metrics":  errOf(c.GetSolutionMetrics(ctx, &personalize.GetSolutionMetricsInput{SolutionVersionArn: none("solution/a")})),
		"elsewhere": errOf(c.DescribeDatasetGroup(ctx, &personalize.DescribeDatasetGroupInput{
			DatasetGroupArn: aws.String(strings.Replace(group, "us-east-1", "eu-west-1", 1))})),
	} {
		t.Log(what)
		refused[*types.ResourceNotFoundException](s, err, "")
	}
	for _, err := range []error{
		errOf(c.CreateDatasetGroup(ctx, &personalize.CreateDatasetGroupInput{Name: aws.String("films")})),
		errOf(c.CreateSchema(ctx, &personalize.CreateSchemaInput{Name: aws.String("films"), Schema: aws.String(interactionsAvro)})),
		errOf(c.CreateDatasetImportJob(ctx, importInput("films", set))),
		errOf(c.CreateSolution(ctx, &personalize.CreateSolutionInput{Name: aws.String("films"), DatasetGroupArn: &group, RecipeArn: aws.String(userRecipe)})),
	} {
		refused[*types.ResourceAlreadyExistsException](s, err, "films")
	}
	for words, err := range map[string]error{
		"is not the ARN of a campaign":    errOf(c.DescribeCampaign(ctx, &personalize.DescribeCampaignInput{CampaignArn: &group})),
		"is not the ARN of a solution":    errOf(c.ListCampaigns(ctx, &personalize.ListCampaignsInput{SolutionArn: &group})),
		"ARN of the service's recipe":     errOf(c.DescribeRecipe(ctx, &personalize.DescribeRecipeInput{RecipeArn: &group})),
		"ARN of the service's algorithm":  errOf(c.DescribeAlgorithm(ctx, &personalize.DescribeAlgorithmInput{AlgorithmArn: &group})),
		"1 validation error":              errOf(c.CreateDatasetGroup(ctx, &personalize.CreateDatasetGroupInput{Name: aws.String("bad name!")})),
		"does not exist: use one of aws-": errOf(c.CreateSolution(ctx, &personalize.CreateSolutionInput{Name: aws.String("v2"), DatasetGroupArn: &group, RecipeArn: aws.String(userRecipe + "-v3")})),
		"recipeArn is missing":            errOf(c.CreateSolution(ctx, &personalize.CreateSolutionInput{Name: aws.String("x"), DatasetGroupArn: &group})),
		"USER_ID":                         errOf(c.CreateSchema(ctx, &personalize.CreateSchemaInput{Name: aws.String("x"), Schema: aws.String(strings.Replace(interactionsAvro, "USER_ID", "WHO", 1))})),
		"can be stopped":                  errOf(c.StopSolutionVersionCreation(ctx, &personalize.StopSolutionVersionCreationInput{SolutionVersionArn: &version})),
	} {
		refused[*types.InvalidInputException](s, err, words)
	}

	release := s.still()
	must[*personalize.CreateCampaignOutput](s)(c.CreateCampaign(ctx, &personalize.CreateCampaignInput{Name: aws.String("c"), SolutionVersionArn: &version}))
	for _, err := range []error{
		errOf(c.DeleteCampaign(ctx, &personalize.DeleteCampaignInput{CampaignArn: aws.String(base + "campaign/c")})),
		errOf(c.DeleteSolution(ctx, &personalize.DeleteSolutionInput{SolutionArn: &solution})),
		errOf(c.DeleteSchema(ctx, &personalize.DeleteSchemaInput{SchemaArn: aws.String(base + "schema/films")})),
		errOf(c.DeleteDatasetGroup(ctx, &personalize.DeleteDatasetGroupInput{DatasetGroupArn: &group})),
	} {
		refused[*types.ResourceInUseException](s, err, "")
	}
	for i := range 6 {
		_, err := c.CreateDatasetImportJob(ctx, importInput(fmt.Sprint("job", i), set))
		if i == 5 {
			refused[*types.LimitExceededException](s, err, "More than 5 resources with PENDING or IN_PROGRESS status.")
		} else {
			fatal(t, err)
		}
	}
	v := must[*personalize.CreateSolutionVersionOutput](s)(c.CreateSolutionVersion(ctx, &personalize.CreateSolutionVersionInput{SolutionArn: &solution}))
	must[*personalize.StopSolutionVersionCreationOutput](s)(c.StopSolutionVersionCreation(ctx, &personalize.StopSolutionVersionCreationInput{SolutionVersionArn: v.SolutionVersionArn}))
	if d := must[*personalize.DescribeSolutionVersionOutput](s)(c.DescribeSolutionVersion(ctx, &personalize.DescribeSolutionVersionInput{SolutionVersionArn: v.SolutionVersionArn})); *d.SolutionVersion.Status != "CREATE STOPPED" {
		t.Error(*d.SolutionVersion.Status)
	}
	release()
	s.settle()
}

// TestLists walks pages of one row, and looks at the raw keys.
func TestLists(t *testing.T) {
	s := newShop(t)
	c, ctx := s.control, s.ctx
	group, solution, version := s.trained("films")
	s.trained("books")
	must[*personalize.CreateCampaignOutput](s)(c.CreateCampaign(ctx, &personalize.CreateCampaignInput{Name: aws.String("c"), SolutionVersionArn: &version}))
	want := []string{"s0", "s1", "s2", "s3", "s4"}
	for _, name := range want {
		s.schema(name, itemsAvro)
	}
	s.settle()

	var got []string
	pages := personalize.NewListSchemasPaginator(c, &personalize.ListSchemasInput{MaxResults: aws.Int32(2)})
	for n := 0; pages.HasMorePages(); n++ {
		page := must[*personalize.ListSchemasOutput](s)(pages.NextPage(ctx))
		if len(page.Schemas) == 0 || len(page.Schemas) > 2 {
			t.Errorf("a page of %d", len(page.Schemas))
		}
		for _, x := range page.Schemas {
			got = append(got, *x.Name)
		}
		if n == 0 {
			s.schema("late", itemsAvro)
		}
	}
	if want := append([]string{"films", "books"}, append(want, "late")...); !slices.Equal(got, want) {
		t.Errorf("schemas %v, want %v", got, want)
	}
	first := must[*personalize.ListSolutionsOutput](s)(c.ListSolutions(ctx, &personalize.ListSolutionsInput{MaxResults: aws.Int32(1)}))
	_, err := c.ListSolutions(ctx, &personalize.ListSolutionsInput{NextToken: first.NextToken, DatasetGroupArn: &group})
	refused[*types.InvalidNextTokenException](s, err, "nextToken")
	_, err = c.ListSchemas(ctx, &personalize.ListSchemasInput{NextToken: aws.String("made-up")})
	refused[*types.InvalidNextTokenException](s, err, "nextToken")

	for target, c := range map[string]struct{ body, key, says string }{
		"ListDatasetGroups":     {`{}`, "datasetGroups", `"name":"films"`},
		"ListDatasets":          {`{"datasetGroupArn":"` + group + `"}`, "datasets", `"datasetType":"INTERACTIONS"`},
		"ListDatasetImportJobs": {`{"datasetArn":"` + base + `dataset/films/INTERACTIONS"}`, "datasetImportJobs", `"jobName":"films"`},
		"ListEventTrackers":     {`{}`, "eventTrackers", `[]`},
		"ListSolutions":         {`{"datasetGroupArn":"` + group + `"}`, "solutions", `"recipeArn":"` + userRecipe + `"`},
		"ListSolutionVersions":  {`{"solutionArn":"` + solution + `"}`, "solutionVersions", `"trainingMode":"FULL"`},
		"ListCampaigns":         {`{"solutionArn":"` + solution + `"}`, "campaigns", `"name":"c"`},
		"ListFilters":           {`{"datasetGroupArn":"` + group + `"}`, "Filters", `[]`},
		"ListRecipes":           {`{"recipeProvider":"SERVICE"}`, "recipes", `"name":"aws-sims"`},
	} {
		body := s.post(target, c.body)
		if !strings.HasPrefix(body, `{"`+c.key+`":[`) || !strings.Contains(body, c.says) || strings.Contains(body, "nextToken") || strings.Contains(body, "books") && target != "ListDatasetGroups" {
			t.Errorf("%s: %s", target, body)
		}
	}
	if none := s.post("ListDatasets", `{"datasetGroupArn":"`+base+`dataset-group/none"}`); none != `{"datasets":[]}` {
		t.Errorf("datasets of nothing: %s", none)
	}
}

// post calls an operation of the control plane without a client.
func (s *shop) post(operation, body string) string {
	s.Helper()
	req, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.url, strings.NewReader(body))
	fatal(s.T, err)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("X-Amz-Target", "AmazonPersonalize."+operation)
	resp, err := http.DefaultClient.Do(req)
	fatal(s.T, err)
	text, err := io.ReadAll(resp.Body)
	fatal(s.T, err)
	fatal(s.T, resp.Body.Close())
	return strings.TrimSpace(string(text))
}

func TestRecipes(t *testing.T) {
	s := newShop(t)
	c, ctx := s.control, s.ctx
	var got []string
	pages := personalize.NewListRecipesPaginator(c, &personalize.ListRecipesInput{MaxResults: aws.Int32(3)})
	for pages.HasMorePages() {
		for _, r := range must[*personalize.ListRecipesOutput](s)(pages.NextPage(ctx)).Recipes {
			got = append(got, *r.Name)
			d := must[*personalize.DescribeRecipeOutput](s)(c.DescribeRecipe(ctx, &personalize.DescribeRecipeInput{RecipeArn: r.RecipeArn})).Recipe
			a := must[*personalize.DescribeAlgorithmOutput](s)(c.DescribeAlgorithm(ctx, &personalize.DescribeAlgorithmInput{AlgorithmArn: d.AlgorithmArn})).Algorithm
			f := must[*personalize.DescribeFeatureTransformationOutput](s)(c.DescribeFeatureTransformation(ctx, &personalize.DescribeFeatureTransformationInput{FeatureTransformationArn: d.FeatureTransformationArn})).FeatureTransformation
			if *d.RecipeArn != *r.RecipeArn || *d.Status != "ACTIVE" || *a.Name != *r.Name || *f.Status != "ACTIVE" {
				t.Errorf("%s %s %s", show(d), show(a), show(f))
			}
		}
	}
	if len(got) < 24 || !slices.Contains(got, "aws-user-personalization") {
		t.Errorf("recipes %v", got)
	}
	if shop := must[*personalize.ListRecipesOutput](s)(c.ListRecipes(ctx, &personalize.ListRecipesInput{Domain: types.DomainEcommerce})); len(shop.Recipes) != 5 {
		t.Errorf("recipes of a domain: %d", len(shop.Recipes))
	}
	f := must[*personalize.DescribeFeatureTransformationOutput](s)(c.DescribeFeatureTransformation(ctx, &personalize.DescribeFeatureTransformationInput{
		FeatureTransformationArn: aws.String("arn:aws:personalize:::feature-transformation/JSON-percentile-filtering")})).FeatureTransformation
	if f.DefaultParameters["max_user_history_length_percentile"] != "1.0" {
		t.Errorf("feature transformation %s", show(f))
	}
	a := must[*personalize.DescribeAlgorithmOutput](s)(c.DescribeAlgorithm(ctx, &personalize.DescribeAlgorithmInput{AlgorithmArn: aws.String("arn:aws:personalize:::algorithm/aws-user-personalization")})).Algorithm
	r := a.DefaultHyperParameterRanges
	if a.DefaultHyperParameters["hidden_dimension"] != "64" || len(r.IntegerHyperParameterRanges) != 4 || r.IntegerHyperParameterRanges[0].MaxValue != 256 || len(r.CategoricalHyperParameterRanges) != 1 {
		t.Errorf("algorithm %s", show(a))
	}
}
