package sdk_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"

	"github.com/attune-io/attune/world"
)

// oddIDs are legal ids that trip over separators, quotes and encodings.
var oddIDs = []string{"a|b", `say "hi"`, "x,y", "ü/ß", "日本", " leading", "null", "0", "-1", "$P", "e\u0301", strings.Repeat("長", 250), "tab\there", "back\\slash", "%41", "../up", "🛍"}

// TestOddIDs takes odd ids through import, events, training, filters and answers.
func TestOddIDs(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("odd")
	set := c.dataset(group, "Interactions", world.InteractionsSchema)
	items := c.dataset(group, "Items", `{"type":"record","name":"Items","namespace":"com.amazonaws.personalize.schema","version":"1.0","fields":[
{"name":"ITEM_ID","type":"string"},{"name":"KIND","type":["null","string"],"categorical":true}]}`)
	_, tracking := c.tracker(group)
	var b strings.Builder
	w := csv.NewWriter(&b)
	write := func(cells ...string) {
		if err := w.Write(cells); err != nil {
			t.Fatal(err)
		}
	}
	write("USER_ID", "ITEM_ID", "EVENT_TYPE", "TIMESTAMP")
	for u := range 80 {
		for i, id := range oddIDs {
			if (u+i)%7 > 0 {
				write(fmt.Sprint(oddIDs[u%len(oddIDs)], u/len(oddIDs)), id, "View", fmt.Sprint(1_700_000_000+100*u+i))
			}
		}
	}
	for i, id := range oddIDs {
		write(id, "only-item", "View", fmt.Sprint(1_700_100_000+i))
	}
	w.Flush()
	c.good(c.imported(set, "odd", types.ImportModeFull, b.String()))
	for _, id := range oddIDs {
		c.did(group, id, "only-item/View")
	}
	campaign := c.deployed("odd", group, "aws-popularity-count")
	page := c.ask(&personalizeruntime.GetRecommendationsInput{CampaignArn: &campaign, UserId: aws.String("nobody"), NumResults: 100})
	got, want := ids(page.ItemList), append(slices.Clone(oddIDs), "only-item")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("recommended %q, want %q", got, want)
	}

	for i, id := range oddIDs {
		c.putEvents(tracking, id, "session", id+"/"+id)
		kind := fmt.Sprintf("kind %d, \"%s\"", i, "q")
		must[*personalizeevents.PutItemsOutput](t)(c.events.PutItems(c.ctx, &personalizeevents.PutItemsInput{DatasetArn: &items,
			Items: []etypes.Item{{ItemId: &id, Properties: aws.String(fmt.Sprintf(`{"kind":%q}`, kind))}}}))
	}
	for _, id := range oddIDs {
		c.did(group, id, "only-item/View", id+"/"+id)
	}
	last := oddIDs[len(oddIDs)-1]
	in := &personalizeruntime.GetRecommendationsInput{CampaignArn: &campaign, UserId: &last, MetadataColumns: map[string][]string{"ITEMS": {"KIND"}}, NumResults: 50}
	soon(t, func() string {
		n := 0
		for _, item := range c.ask(in).ItemList {
			if i := slices.Index(oddIDs, *item.ItemId); i >= 0 && item.Metadata["KIND"] == fmt.Sprintf("kind %d, \"q\"", i) {
				n++
			}
		}
		if n < len(oddIDs)-1 { // an item that the user has seen may be left out
			return fmt.Sprintf("%d of %d items show their kind", n, len(oddIDs))
		}
		return ""
	})

	long := strings.Repeat("長", 257)
	c.good(c.imported(set, "too-long", types.ImportModeIncremental, b.String()+"u,"+long+",View,1700000000\n"))
	_, err := c.events.PutEvents(c.ctx, &personalizeevents.PutEventsInput{TrackingId: &tracking, UserId: &long, SessionId: aws.String("s"),
		EventList: []etypes.Event{{EventType: aws.String("View"), ItemId: aws.String("i"), SentAt: aws.Time(time.Now())}}})
	refusedAs[*etypes.InvalidInputException](t, err, "256")
}

// TestRace creates, changes and deletes the same things from many sides at once:
// exactly one wins each time, and the others hear a modelled error.
func TestRace(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	const sides = 8
	together := func(call func() error) (won int) {
		t.Helper()
		errs := make([]error, sides)
		var wg sync.WaitGroup
		for i := range sides {
			wg.Go(func() { errs[i] = call() })
		}
		wg.Wait()
		for _, err := range errs {
			var exists *types.ResourceAlreadyExistsException
			var busy *types.ResourceInUseException
			var missing *types.ResourceNotFoundException
			switch {
			case err == nil:
				won++
			case !errors.As(err, &exists) && !errors.As(err, &busy) && !errors.As(err, &missing):
				t.Errorf("a loser hears %v", err)
			}
		}
		return won
	}
	name := "race"
	if won := together(func() error {
		_, err := c.control.CreateDatasetGroup(c.ctx, &personalize.CreateDatasetGroupInput{Name: &name})
		return err
	}); won != 1 {
		t.Errorf("%d groups of one name were made", won)
	}
	group := "arn:aws:personalize:us-east-1:000000000000:dataset-group/race"
	describe := func() error {
		_, err := c.control.DescribeDatasetGroup(c.ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: &group})
		return err
	}
	c.active("group", func() (*string, *string, error) {
		d, err := c.control.DescribeDatasetGroup(c.ctx, &personalize.DescribeDatasetGroupInput{DatasetGroupArn: &group})
		if err != nil {
			return nil, nil, err
		}
		return d.DatasetGroup.Status, nil, nil
	})
	if won := together(func() error {
		_, err := c.control.CreateEventTracker(c.ctx, &personalize.CreateEventTrackerInput{Name: &name, DatasetGroupArn: &group})
		return err
	}); won != 1 {
		t.Errorf("%d event trackers of one group were made", won)
	}
	trackers := must[*personalize.ListEventTrackersOutput](t)(c.control.ListEventTrackers(c.ctx, &personalize.ListEventTrackersInput{DatasetGroupArn: &group}))
	tracker := trackers.EventTrackers[0].EventTrackerArn
	c.active("tracker", func() (*string, *string, error) {
		d, err := c.control.DescribeEventTracker(c.ctx, &personalize.DescribeEventTrackerInput{EventTrackerArn: tracker})
		if err != nil {
			return nil, nil, err
		}
		return d.EventTracker.Status, nil, nil
	})
	if won := together(func() error {
		_, err := c.control.DeleteEventTracker(c.ctx, &personalize.DeleteEventTrackerInput{EventTrackerArn: tracker})
		return err
	}); won < 1 {
		t.Error("nobody could delete the tracker")
	}
	c.gone(func() error {
		_, err := c.control.DescribeEventTracker(c.ctx, &personalize.DescribeEventTrackerInput{EventTrackerArn: tracker})
		return err
	})
	together(func() error {
		_, err := c.control.DeleteDatasetGroup(c.ctx, &personalize.DeleteDatasetGroupInput{DatasetGroupArn: &group})
		return err
	})
	c.gone(describe)
}

// TestManyEvents sends events of one user from many sides: each one that was
// acknowledged is in the history once.
func TestManyEvents(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("many")
	c.dataset(group, "Interactions", world.InteractionsSchema)
	_, tracking := c.tracker(group)
	const sides, calls = 8, 10
	var wg sync.WaitGroup
	want := []string{}
	for side := range sides {
		for call := range calls {
			for e := range 3 {
				want = append(want, fmt.Sprintf("i%d-%d-%d/View", side, call, e))
			}
		}
		wg.Go(func() {
			for call := range calls {
				in := &personalizeevents.PutEventsInput{TrackingId: &tracking, UserId: aws.String("u"), SessionId: aws.String(fmt.Sprint("s", side))}
				for e := range 3 {
					in.EventList = append(in.EventList, etypes.Event{EventType: aws.String("View"), ItemId: aws.String(fmt.Sprintf("i%d-%d-%d", side, call, e)), SentAt: aws.Time(time.Now())})
				}
				if _, err := c.events.PutEvents(c.ctx, in); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	c.did(group, "u", want...)
}
