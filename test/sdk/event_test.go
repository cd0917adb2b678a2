package sdk_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	etypes "github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"
	"github.com/aws/aws-sdk-go-v2/service/personalizeruntime"

	"github.com/attune-io/attune/world"
)

// TestEventTwice shows that a repeated eventId counts once, also in another
// call, and that two ids are two events.
func TestEventTwice(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("twice")
	c.dataset(group, "Interactions", world.InteractionsSchema)
	_, tracking := c.tracker(group)
	at := time.Now().Truncate(time.Millisecond)
	event := func(id, item string, at time.Time) etypes.Event {
		return etypes.Event{EventId: &id, EventType: aws.String("View"), ItemId: &item, SentAt: &at}
	}
	put := func(e ...etypes.Event) {
		must[*personalizeevents.PutEventsOutput](t)(c.events.PutEvents(c.ctx, &personalizeevents.PutEventsInput{
			TrackingId: &tracking, UserId: aws.String("u1"), SessionId: aws.String("s1"), EventList: e}))
	}
	put(event("e1", "i1", at), event("e1", "i1", at.Add(time.Second)))
	put(event("e1", "i1", at))
	put(event("e1", "i2", at)) // the id alone counts
	put(event("e2", "i1", at.Add(2*time.Second)))
	put(event("e3", "end", at.Add(3*time.Second)))
	c.did(group, "u1", "i1/View", "i1/View", "end/View")
}

// TestSession shows how an anonymous session is answered, and becomes a user's.
func TestSession(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("session")
	campaign := c.deployed("session", s.group, "aws-user-personalization")
	stranger := c.recommend(campaign, "nobody-yet")
	if len(stranger) != 10 {
		t.Fatalf("%d items for a stranger", len(stranger))
	}
	liked := s.world.Item(140).ID
	c.putEvents(s.tracking, "", "session-a", liked+"/View")
	c.did(s.group, "session-a", liked+"/View")
	c.changes(campaign, "session-a", stranger)
	c.did(s.group, "new-user")

	c.putEvents(s.tracking, "new-user", "session-a", s.world.Item(141).ID+"/View")
	c.did(s.group, "new-user", liked+"/View", s.world.Item(141).ID+"/View")
	c.changes(campaign, "new-user", stranger)
	if now := c.recommend(campaign, "nobody-yet"); !slices.Equal(now, stranger) {
		t.Errorf("others' events changed a stranger's page from %v to %v", stranger, now)
	}
	before := c.recommend(campaign, "new-user")
	c.putEvents(s.tracking, "new-user", "session-b", s.world.Item(3).ID+"/View", s.world.Item(4).ID+"/View")
	c.changes(campaign, "new-user", before)

	// An item that no model knows is remembered and disturbs nothing.
	before = c.recommend(campaign, "new-user")
	c.putEvents(s.tracking, "new-user", "session-b", "never-seen/View")
	soon(t, func() string {
		if !slices.Contains(c.history(s.group, "new-user"), "never-seen/View") {
			return "the event of an unknown item is not in the history"
		}
		return ""
	})
	if now := c.recommend(campaign, "new-user"); !slices.Equal(now, before) {
		t.Errorf("an unknown item changed the page from %v to %v", before, now)
	}
	c.putEvents(s.tracking, "stranger-things", "session-c", "never-seen/View")
	c.did(s.group, "stranger-things", "never-seen/View")
	if page := c.recommend(campaign, "stranger-things"); len(page) != 10 {
		t.Errorf("%d items for a user who only knows an unknown item", len(page))
	}
}

// TestPutItems shows that new attributes of items count in filters and metadata
// as soon as they are put.
func TestPutItems(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	s := c.shopGroup("put-items")
	campaign := c.deployed("put-items", s.group, "aws-popularity-count")
	filter := c.filter("category", s.group, `INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ($CATEGORY)`)
	in := &personalizeruntime.GetRecommendationsInput{CampaignArn: &campaign, UserId: aws.String("u"), FilterArn: &filter,
		FilterValues: map[string]string{"CATEGORY": `"clearance"`}, MetadataColumns: map[string][]string{"ITEMS": {"NAME", "PRICE"}}}
	if page := c.ask(in).ItemList; len(page) != 0 {
		t.Fatalf("items of a category that none has: %v", page)
	}
	target := s.world.Item(7).ID
	put := func(item, name string, price float64) {
		must[*personalizeevents.PutItemsOutput](t)(c.events.PutItems(c.ctx, &personalizeevents.PutItemsInput{DatasetArn: &s.items, Items: []etypes.Item{{
			ItemId: &item, Properties: aws.String(fmt.Sprintf(`{"name":%q,"categoryL1":"clearance","genres":"x|y","price":%g,"creationTimestamp":1700000000}`, name, price))}}}))
	}
	put(target, "lamp", 4.5)
	shows := func(name, price string) {
		t.Helper()
		soon(t, func() string {
			page := c.ask(in).ItemList
			if len(page) != 1 || *page[0].ItemId != target || page[0].Metadata["NAME"] != name || page[0].Metadata["PRICE"] != price {
				return fmt.Sprintf("answer %v, want only %s, %s, %s", page, target, name, price)
			}
			return ""
		})
	}
	shows("lamp", "4.5")
	put(target, "red lamp", 3)
	shows("red lamp", "3")
	put("not-in-the-model", "vase", 2)
	soon(t, func() string { // behind what the model knows, in a place that the filter left empty
		page := c.ask(in).ItemList
		if len(page) != 2 || *page[0].ItemId != target || *page[1].ItemId != "not-in-the-model" {
			return fmt.Sprintf("answer %v, want %s and what the model does not know", page, target)
		}
		return ""
	})

	_, err := c.events.PutItems(c.ctx, &personalizeevents.PutItemsInput{DatasetArn: &s.items, Items: []etypes.Item{{ItemId: &target, Properties: aws.String(`{"colour":"red"}`)}}})
	refusedAs[*etypes.InvalidInputException](t, err, "colour")
	_, err = c.events.PutItems(c.ctx, &personalizeevents.PutItemsInput{DatasetArn: &s.items, Items: []etypes.Item{{ItemId: &target, Properties: aws.String(`{"name":"only a name"}`)}}})
	refusedAs[*etypes.InvalidInputException](t, err, "CATEGORY_L1")
	_, err = c.events.PutItems(c.ctx, &personalizeevents.PutItemsInput{DatasetArn: &s.users, Items: []etypes.Item{{ItemId: &target}}})
	refusedAs[*etypes.InvalidInputException](t, err, "USERS")
	_, err = c.events.PutItems(c.ctx, &personalizeevents.PutItemsInput{DatasetArn: aws.String(s.group + "/ITEMS"), Items: []etypes.Item{{ItemId: &target}}})
	if err == nil {
		t.Error("items went to a dataset that does not exist")
	}
}

// TestPutUsers shows that users can be put, a batch at a time, all or none.
func TestPutUsers(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("put-users")
	set := c.dataset(group, "USERS", world.UsersSchema)
	put := func(users ...etypes.User) error {
		_, err := c.events.PutUsers(c.ctx, &personalizeevents.PutUsersInput{DatasetArn: &set, Users: users})
		return err
	}
	good := etypes.User{UserId: aws.String("u1"), Properties: aws.String(`{"age":30,"membership":"free|gold"}`)}
	bad := etypes.User{UserId: aws.String("u2"), Properties: aws.String(`{"age":"thirty","membership":"free"}`)}
	refusedAs[*etypes.InvalidInputException](t, put(good, bad), "user 2")
	refusedAs[*etypes.InvalidInputException](t, put(slices.Repeat([]etypes.User{good}, 11)...), "10")
	if err := put(etypes.User{UserId: aws.String("u3"), Properties: aws.String(`{"AGE":33,"MEMBERSHIP":"gold"}`)}); err != nil {
		t.Fatal(err)
	}
	c.is(group, "u3", "AGE", 33.0)
	c.is(group, "u1", "AGE", nil) // came with a bad one, before u3
	if err := put(good); err != nil {
		t.Fatal(err)
	}
	c.is(group, "u1", "AGE", 30.0)
}

// TestTrackerGone shows that a deleted event tracker takes no more events.
func TestTrackerGone(t *testing.T) {
	t.Parallel()
	c := newNode(t)
	group := c.datasetGroup("tracker-gone")
	c.dataset(group, "Interactions", world.InteractionsSchema)
	arn, tracking := c.tracker(group)
	c.putEvents(tracking, "u1", "s1", "i1/View")
	must[*personalize.DeleteEventTrackerOutput](t)(c.control.DeleteEventTracker(c.ctx, &personalize.DeleteEventTrackerInput{EventTrackerArn: &arn}))
	c.gone(func() error {
		_, err := c.control.DescribeEventTracker(c.ctx, &personalize.DescribeEventTrackerInput{EventTrackerArn: &arn})
		return err
	})
	_, err := c.events.PutEvents(c.ctx, &personalizeevents.PutEventsInput{TrackingId: &tracking, UserId: aws.String("u1"), SessionId: aws.String("s1"),
		EventList: []etypes.Event{{EventType: aws.String("View"), ItemId: aws.String("i2"), SentAt: aws.Time(time.Now())}}})
	refusedAs[*etypes.InvalidInputException](t, err, "tracker")
	_, again := c.tracker(group)
	c.putEvents(again, "u1", "s1", "i3/View")
	c.did(group, "u1", "i1/View", "i3/View")
}
