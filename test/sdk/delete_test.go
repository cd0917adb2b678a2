package sdk_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"

	"github.com/attune-io/attune/world"
)

func (c *clients) deleteDataset(arn string) {
	c.Helper()
	must[*personalize.DeleteDatasetOutput](c)(c.control.DeleteDataset(c.ctx, &personalize.DeleteDatasetInput{DatasetArn: &arn}))
	c.gone(func() error {
		_, err := c.control.DescribeDataset(c.ctx, &personalize.DescribeDatasetInput{DatasetArn: &arn})
		return err
	})
}

// datasetAgain makes a dataset of a schema that exists already.
func (c *clients) datasetAgain(group, kind, schemaName string) string {
	c.Helper()
	schema := "arn:aws:personalize:us-east-1:000000000000:schema/" + schemaName
	d := must[*personalize.CreateDatasetOutput](c)(c.control.CreateDataset(c.ctx, &personalize.CreateDatasetInput{
		Name: aws.String("again"), DatasetGroupArn: &group, DatasetType: &kind, SchemaArn: &schema}))
	c.active("dataset", func() (*string, *string, error) {
		out, err := c.control.DescribeDataset(c.ctx, &personalize.DescribeDatasetInput{DatasetArn: d.DatasetArn})
		if err != nil {
			return nil, nil, err
		}
		return out.Dataset.Status, nil, nil
	})
	return *d.DatasetArn
}

// TestDatasetAgain shows that a dataset which is made again after its deletion
// holds nothing of the first, while the group's other datasets stay.
func TestDatasetAgain(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("again")
	set := c.dataset(group, "Interactions", world.InteractionsSchema)
	people := c.dataset(group, "Users", world.UsersSchema)
	tracker, tracking := c.tracker(group)
	c.good(c.imported(people, "people", types.ImportModeFull, "USER_ID,AGE,MEMBERSHIP\nu1,31,free\n"))
	c.good(c.imported(set, "first", types.ImportModeFull, interactions("u1 i1 View", "u1 i2 View")))
	c.putEvents(tracking, "u1", "s1", "i3/View")
	c.did(group, "u1", "i1/View", "i2/View", "i3/View")

	must[*personalize.DeleteEventTrackerOutput](t)(c.control.DeleteEventTracker(c.ctx, &personalize.DeleteEventTrackerInput{EventTrackerArn: &tracker}))
	c.gone(func() error {
		_, err := c.control.DescribeEventTracker(c.ctx, &personalize.DescribeEventTrackerInput{EventTrackerArn: &tracker})
		return err
	})
	c.deleteDataset(set)
	c.did(group, "u1")
	c.is(group, "u1", "AGE", 31.0)

	set = c.datasetAgain(group, "Interactions", "interactions-again")
	c.good(c.imported(set, "second", types.ImportModeIncremental, interactions("u1 i7 View")))
	c.did(group, "u1", "i7/View")
	_, tracking = c.tracker(group)
	c.putEvents(tracking, "u1", "s1", "i8/View")
	c.did(group, "u1", "i7/View", "i8/View")
	jobs := must[*personalize.ListDatasetImportJobsOutput](t)(c.control.ListDatasetImportJobs(c.ctx, &personalize.ListDatasetImportJobsInput{DatasetArn: &set}))
	if len(jobs.DatasetImportJobs) != 1 || *jobs.DatasetImportJobs[0].JobName != "second" {
		t.Errorf("the new dataset lists the jobs %v", jobs.DatasetImportJobs)
	}
}

// TestGroupAgain shows the same for a whole dataset group of the same name.
func TestGroupAgain(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("group-again")
	set := c.dataset(group, "Interactions", world.InteractionsSchema)
	tracker, tracking := c.tracker(group)
	filter := c.filter("f", group, `EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("View")`)
	c.good(c.imported(set, "first", types.ImportModeFull, interactions("u1 i1 View")))
	c.putEvents(tracking, "u1", "s1", "i3/View")
	c.did(group, "u1", "i1/View", "i3/View")

	must[*personalize.DeleteFilterOutput](t)(c.control.DeleteFilter(c.ctx, &personalize.DeleteFilterInput{FilterArn: &filter}))
	must[*personalize.DeleteEventTrackerOutput](t)(c.control.DeleteEventTracker(c.ctx, &personalize.DeleteEventTrackerInput{EventTrackerArn: &tracker}))
	c.gone(func() error {
		_, err := c.control.DescribeEventTracker(c.ctx, &personalize.DescribeEventTrackerInput{EventTrackerArn: &tracker})
		return err
	})
	c.gone(func() error {
		_, err := c.control.DescribeFilter(c.ctx, &personalize.DescribeFilterInput{FilterArn: &filter})
		return err
	})
	c.deleteDataset(set)
	must[*personalize.DeleteDatasetGroupOutput](t)(c.control.DeleteDatasetGroup(c.ctx, &personalize.DeleteDatasetGroupInput{DatasetGroupArn: &group}))
	c.gone(func() error {
		_, err := c.control.DescribeDatasetGroup(c.ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: &group})
		return err
	})

	if again := c.datasetGroup("group-again"); again != group {
		t.Fatalf("%s became %s", group, again)
	}
	set = c.datasetAgain(group, "Interactions", "interactions-group-again")
	c.did(group, "u1")
	c.good(c.imported(set, "second", types.ImportModeIncremental, interactions("u2 i7 View")))
	c.did(group, "u2", "i7/View")
	c.did(group, "u1")
	trackers := must[*personalize.ListEventTrackersOutput](t)(c.control.ListEventTrackers(c.ctx, &personalize.ListEventTrackersInput{DatasetGroupArn: &group}))
	filters := must[*personalize.ListFiltersOutput](t)(c.control.ListFilters(c.ctx, &personalize.ListFiltersInput{DatasetGroupArn: &group}))
	if len(trackers.EventTrackers)+len(filters.Filters) > 0 {
		t.Errorf("a new group begins with %v %v", trackers.EventTrackers, filters.Filters)
	}
}
