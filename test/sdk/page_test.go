package sdk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/attune-io/attune/test/binary"
	"github.com/attune-io/attune/world"
)

// paginator is what all paginators of the SDK have in common.
type paginator[O any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*personalize.Options)) (*O, error)
}

// walk reads a list page by page, one thing on a page, and gives each as JSON by its ARN.
func walk[O, S any](c *clients, pages paginator[O], things func(*O) []S, arn func(S) *string) map[string]string {
	c.Helper()
	all := map[string]string{}
	for n := 0; pages.HasMorePages(); n++ {
		page := things(must[*O](c)(pages.NextPage(c.ctx)))
		if len(page) > 1 || n > 100 {
			c.Fatalf("page %d has %d things, one was asked for", n, len(page))
		}
		for _, thing := range page {
			text, err := json.Marshal(thing)
			if err != nil {
				c.Fatal(err)
			}
			if _, twice := all[*arn(thing)]; twice {
				c.Errorf("%s is listed twice", *arn(thing))
			}
			all[*arn(thing)] = string(text)
		}
	}
	return all
}

// lists walks every list of this build.
func (c *clients) lists() map[string]map[string]string {
	c.Helper()
	one := aws.Int32(1)
	return map[string]map[string]string{
		"dataset groups": walk(c, personalize.NewListDatasetGroupsPaginator(c.control, &personalize.ListDatasetGroupsInput{MaxResults: one}),
			func(o *personalize.ListDatasetGroupsOutput) []types.DatasetGroupSummary { return o.DatasetGroups },
			func(s types.DatasetGroupSummary) *string { return s.DatasetGroupArn }),
		"schemas": walk(c, personalize.NewListSchemasPaginator(c.control, &personalize.ListSchemasInput{MaxResults: one}),
			func(o *personalize.ListSchemasOutput) []types.DatasetSchemaSummary { return o.Schemas },
			func(s types.DatasetSchemaSummary) *string { return s.SchemaArn }),
		"datasets": walk(c, personalize.NewListDatasetsPaginator(c.control, &personalize.ListDatasetsInput{MaxResults: one}),
			func(o *personalize.ListDatasetsOutput) []types.DatasetSummary { return o.Datasets },
			func(s types.DatasetSummary) *string { return s.DatasetArn }),
		"import jobs": walk(c, personalize.NewListDatasetImportJobsPaginator(c.control, &personalize.ListDatasetImportJobsInput{MaxResults: one}),
			func(o *personalize.ListDatasetImportJobsOutput) []types.DatasetImportJobSummary {
				return o.DatasetImportJobs
			},
			func(s types.DatasetImportJobSummary) *string { return s.DatasetImportJobArn }),
		"event trackers": walk(c, personalize.NewListEventTrackersPaginator(c.control, &personalize.ListEventTrackersInput{MaxResults: one}),
			func(o *personalize.ListEventTrackersOutput) []types.EventTrackerSummary { return o.EventTrackers },
			func(s types.EventTrackerSummary) *string { return s.EventTrackerArn }),
		"solutions": walk(c, personalize.NewListSolutionsPaginator(c.control, &personalize.ListSolutionsInput{MaxResults: one}),
			func(o *personalize.ListSolutionsOutput) []types.SolutionSummary { return o.Solutions },
			func(s types.SolutionSummary) *string { return s.SolutionArn }),
		"solution versions": walk(c, personalize.NewListSolutionVersionsPaginator(c.control, &personalize.ListSolutionVersionsInput{MaxResults: one}),
			func(o *personalize.ListSolutionVersionsOutput) []types.SolutionVersionSummary {
				return o.SolutionVersions
			},
			func(s types.SolutionVersionSummary) *string { return s.SolutionVersionArn }),
		"campaigns": walk(c, personalize.NewListCampaignsPaginator(c.control, &personalize.ListCampaignsInput{MaxResults: one}),
			func(o *personalize.ListCampaignsOutput) []types.CampaignSummary { return o.Campaigns },
			func(s types.CampaignSummary) *string { return s.CampaignArn }),
		"filters": walk(c, personalize.NewListFiltersPaginator(c.control, &personalize.ListFiltersInput{MaxResults: one}),
			func(o *personalize.ListFiltersOutput) []types.FilterSummary { return o.Filters },
			func(s types.FilterSummary) *string { return s.FilterArn }),
		"recipes": walk(c, personalize.NewListRecipesPaginator(c.control, &personalize.ListRecipesInput{MaxResults: one}),
			func(o *personalize.ListRecipesOutput) []types.RecipeSummary { return o.Recipes },
			func(s types.RecipeSummary) *string { return s.RecipeArn }),
	}
}

// describes gives what Describe says of everything that lists holds, as JSON by ARN.
func (c *clients) describes(lists map[string]map[string]string) map[string]string {
	c.Helper()
	all := map[string]string{}
	for kind, things := range lists {
		for arn := range things {
			var out any
			var err error
			switch kind {
			case "dataset groups":
				out, err = c.control.DescribeDatasetGroup(c.ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: &arn})
			case "schemas":
				out, err = c.control.DescribeSchema(c.ctx, &personalize.DescribeSchemaInput{SchemaArn: &arn})
			case "datasets":
				out, err = c.control.DescribeDataset(c.ctx, &personalize.DescribeDatasetInput{DatasetArn: &arn})
			case "import jobs":
				out, err = c.control.DescribeDatasetImportJob(c.ctx, &personalize.DescribeDatasetImportJobInput{DatasetImportJobArn: &arn})
			case "event trackers":
				out, err = c.control.DescribeEventTracker(c.ctx, &personalize.DescribeEventTrackerInput{EventTrackerArn: &arn})
			case "solutions":
				out, err = c.control.DescribeSolution(c.ctx, &personalize.DescribeSolutionInput{SolutionArn: &arn})
			case "solution versions":
				out, err = c.control.DescribeSolutionVersion(c.ctx, &personalize.DescribeSolutionVersionInput{SolutionVersionArn: &arn})
			case "campaigns":
				out, err = c.control.DescribeCampaign(c.ctx, &personalize.DescribeCampaignInput{CampaignArn: &arn})
			case "filters":
				out, err = c.control.DescribeFilter(c.ctx, &personalize.DescribeFilterInput{FilterArn: &arn})
			case "recipes":
				out, err = c.control.DescribeRecipe(c.ctx, &personalize.DescribeRecipeInput{RecipeArn: &arn})
			}
			if err != nil {
				c.Fatalf("describe %s: %v", arn, err)
			}
			text, err := json.Marshal(out)
			if err != nil {
				c.Fatal(err)
			}
			body, _, _ := strings.Cut(string(text), `,"ResultMetadata"`)
			all[arn] = body
		}
	}
	return all
}

// objectList gives the names and sizes of all objects of a bucket.
func (c *clients) objectList(bucket string) []string {
	c.Helper()
	all := []string{}
	for pages := s3.NewListObjectsV2Paginator(c.objects, &s3.ListObjectsV2Input{Bucket: &bucket, MaxKeys: aws.Int32(1)}); pages.HasMorePages(); {
		for _, o := range must[*s3.ListObjectsV2Output](c)(pages.NextPage(c.ctx)).Contents {
			all = append(all, fmt.Sprint(*o.Key, " ", *o.Size))
		}
	}
	return all
}

// TestRestart makes a thing of every kind, some of them failed or updated, and
// compares every list and every description across a clean restart.
func TestRestart(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	node, err := binary.Start(t.Context(), attuneBinary, data)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Kill() })
	c := newClients(t, node)
	s := c.shopGroup("restart")
	for i, recipe := range []string{"aws-popularity-count", "aws-user-personalization"} {
		campaign := c.deployed(recipe, s.group, recipe)
		must[*personalize.UpdateCampaignOutput](t)(c.control.UpdateCampaign(c.ctx, &personalize.UpdateCampaignInput{CampaignArn: &campaign, MinProvisionedTPS: aws.Int32(int32(i + 2))}))
		soon(t, func() string {
			d := must[*personalize.DescribeCampaignOutput](t)(c.control.DescribeCampaign(c.ctx, &personalize.DescribeCampaignInput{CampaignArn: &campaign}))
			return strings.TrimPrefix(aws.ToString(d.Campaign.LatestCampaignUpdate.Status), "ACTIVE")
		})
	}
	c.filter("one", s.group, `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")`)
	c.filter("two", s.group, `INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ($C)`)
	failed := c.imported(s.interactions, "failed", types.ImportModeFull, interactions("u1 i1 View")+"broken\n")
	if aws.ToString(failed.Status) != "CREATE FAILED" {
		t.Fatal("a bad import did not fail")
	}
	c.dataset(c.datasetGroup("other"), "Users", world.UsersSchema)
	c.tracker("arn:aws:personalize:us-east-1:000000000000:dataset-group/other")
	c.putEvents(s.tracking, "restart-user", "session", "x1/View", "x2/View")
	c.did(s.group, "restart-user", "x1/View", "x2/View")

	lists := c.lists()
	for kind, want := range map[string]int{"dataset groups": 2, "schemas": 4, "datasets": 4, "import jobs": 4, "event trackers": 2,
		"solutions": 2, "solution versions": 2, "campaigns": 2, "filters": 2, "recipes": 25} {
		if len(lists[kind]) != want {
			t.Errorf("%d %s, want %d: %v", len(lists[kind]), kind, want, slices.Collect(maps.Keys(lists[kind])))
		}
	}
	describes, objects := c.describes(lists), c.objectList("sdk-imports")
	if len(objects) != 4 {
		t.Errorf("objects: %v", objects)
	}
	if err := node.Stop(); err != nil {
		t.Fatal(err)
	}
	if node, err = binary.Start(t.Context(), attuneBinary, data); err != nil {
		t.Fatal(err)
	}
	c = newClients(t, node)
	after := c.lists()
	for kind := range lists {
		same(t, kind, lists[kind], after[kind])
	}
	same(t, "descriptions", describes, c.describes(after))
	if now := c.objectList("sdk-imports"); !slices.Equal(now, objects) {
		t.Errorf("objects %v became %v", objects, now)
	}
	c.did(s.group, "restart-user", "x1/View", "x2/View")
	c.putEvents(s.tracking, "restart-user", "session", "x3/View")
	c.did(s.group, "restart-user", "x1/View", "x2/View", "x3/View")
	if err := node.Stop(); err != nil {
		t.Error(err)
	}
}

func same(t *testing.T, what string, before, after map[string]string) {
	t.Helper()
	if len(before) != len(after) {
		t.Errorf("%s: %d became %d", what, len(before), len(after))
	}
	for arn, text := range before {
		if after[arn] != text {
			t.Errorf("%s: %s was\n%s\nand is\n%s", what, arn, text, after[arn])
		}
	}
}
