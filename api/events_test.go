package api_test

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	pe "github.com/aws/aws-sdk-go-v2/service/personalizeevents"
	"github.com/aws/aws-sdk-go-v2/service/personalizeevents/types"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
)

// intake makes a group with all three datasets and a tracker.
func (s *shop) intake() (group event.Group, tracking, items, users string) {
	s.Helper()
	arn := s.group("films")
	s.dataset(arn, "Interactions", s.schema("interactions", interactionsAvro))
	items = s.dataset(arn, "Items", s.schema("items", itemsAvro))
	users = s.dataset(arn, "Users", s.schema("users", usersAvro))
	t := must[*personalize.CreateEventTrackerOutput](s)(s.control.CreateEventTracker(s.ctx, &personalize.CreateEventTrackerInput{Name: aws.String("t"), DatasetGroupArn: &arn}))
	s.settle()
	r, err := s.rows.Get(s.ctx, attune.ARN(arn))
	fatal(s.T, err)
	return event.Group(r.ID), *t.TrackingId, items, users
}

// records reads a whole log.
func (s *shop) records(g event.Group) (bodies []event.Body) {
	s.Helper()
	end, err := s.log.End(s.ctx, g)
	fatal(s.T, err)
	for r, err := range s.log.Read(s.ctx, g, event.Seq{}, end) {
		fatal(s.T, err)
		bodies = append(bodies, r.Body)
	}
	return bodies
}

func TestPutEvents(t *testing.T) {
	s := newShop(t)
	group, tracking, _, _ := s.intake()
	at := time.Date(2026, 3, 1, 12, 0, 0, 250_000_000, time.UTC)
	full := types.Event{
		EventId: aws.String("e1"), EventType: aws.String("Watch"), EventValue: aws.Float32(4.5), ItemId: aws.String("i1"), SentAt: &at,
		Properties: aws.String(`{"numberOfRatings": "12"}`), RecommendationId: aws.String("rid"), Impression: []string{"i1", "i2"},
		MetricAttribution: &types.MetricAttribution{EventAttributionSource: aws.String("mail")},
	}
	bare := types.Event{EventType: aws.String("View"), SentAt: &at}
	must[*pe.PutEventsOutput](s)(s.events.PutEvents(s.ctx, &pe.PutEventsInput{TrackingId: &tracking, UserId: aws.String("u"), SessionId: aws.String("s"), EventList: []types.Event{full}}))
	must[*pe.PutEventsOutput](s)(s.events.PutEvents(s.ctx, &pe.PutEventsInput{TrackingId: &tracking, SessionId: aws.String("s"), EventList: []types.Event{bare, bare}}))
	got := s.records(group)
	if len(got) != 3 {
		t.Fatalf("%d records", len(got))
	}
	same(s, "full event", got[0], &event.Interaction{EventID: "e1", User: "u", Session: "s", Item: "i1", Type: "Watch", At: at, Value: 4.5,
		Properties: `{"numberOfRatings": "12"}`, RecommendationID: "rid", Impression: []string{"i1", "i2"}, Source: "mail"})
	last := got[2].(*event.Interaction)
	if !math.IsNaN(last.Value) || last.User != "" || last.Session != "s" || last.Properties != "" || !last.At.Equal(at) {
		t.Errorf("bare event %+v", last)
	}
}

// TestItemAmongProperties: events as clients sent them before itemId and
// eventValue were members.
func TestItemAmongProperties(t *testing.T) {
	s := newShop(t)
	group, tracking, _, _ := s.intake()
	event1 := types.Event{EventType: aws.String("View"), SentAt: aws.Time(time.Now()), Properties: aws.String(`{"itemId": "i1", "eventValue": 4}`)}
	event2 := event1
	event2.ItemId, event2.EventValue = aws.String("i2"), aws.Float32(1.5)
	must[*pe.PutEventsOutput](s)(s.events.PutEvents(s.ctx, &pe.PutEventsInput{TrackingId: &tracking, SessionId: aws.String("s"), EventList: []types.Event{event1, event2}}))
	for i, want := range []event.Interaction{{Item: "i1", Value: 4}, {Item: "i2", Value: 1.5}} {
		if got := s.records(group)[i].(*event.Interaction); got.Item != want.Item || got.Value != want.Value {
			t.Errorf("event %d is of item %q with value %v; want %q, %v", i+1, got.Item, got.Value, want.Item, want.Value)
		}
	}
}

func TestRefusedEvents(t *testing.T) {
	s := newShop(t)
	group, tracking, items, users := s.intake()
	now := time.Now()
	put := func(tracking, properties string) error {
		e := types.Event{EventType: aws.String("View"), ItemId: aws.String("i"), SentAt: &now}
		bad := e
		bad.Properties = &properties
		_, err := s.events.PutEvents(s.ctx, &pe.PutEventsInput{TrackingId: &tracking, SessionId: aws.String("s"), EventList: []types.Event{e, bad}})
		return err
	}
	refused[*types.InvalidInputException](s, put("no-such-tracker", `{}`), "no-such-tracker")
	for properties, words := range map[string]string{
		`{"userId":"u"}`: "reserved", `{"EVENT_TYPE":"x"}`: "reserved", `{"colour":"red"}`: "event 2", `{"numberOfRatings":"many"}`: "numberOfRatings",
		`{"a":`: "JSON", `[]`: "JSON object", `{"numberOfRatings":[1]}`: "list",
	} {
		refused[*types.InvalidInputException](s, put(tracking, properties), words)
	}
	putItem := func(dataset, properties string) error {
		_, err := s.events.PutItems(s.ctx, &pe.PutItemsInput{DatasetArn: &dataset, Items: []types.Item{{ItemId: aws.String("i"), Properties: &properties}}})
		return err
	}
	refused[*types.InvalidInputException](s, putItem(items, `{"price":1}`), "genres")
	refused[*types.InvalidInputException](s, putItem(items, `{"itemId":"other","genres":"a"}`), "itemId")
	refused[*types.InvalidInputException](s, putItem(users, `{}`), "ITEMS")
	refused[*types.ResourceNotFoundException](s, putItem(items+"X", `{}`), "does not exist")
	refused[*types.InvalidInputException](s, putItem(base+"campaign/c", `{}`), "not the ARN of a dataset")
	_, err := s.events.PutUsers(s.ctx, &pe.PutUsersInput{DatasetArn: &users, Users: []types.User{{UserId: aws.String("u"), Properties: aws.String(`{"ageGroup":7.5,"x":1}`)}}})
	refused[*types.InvalidInputException](s, err, "user 1")
	if got := s.records(group); len(got) != 0 {
		t.Errorf("refused calls left %d records", len(got))
	}

	release := s.still()
	must[*personalize.DeleteDatasetOutput](s)(s.control.DeleteDataset(s.ctx, &personalize.DeleteDatasetInput{DatasetArn: &items}))
	refused[*types.ResourceInUseException](s, putItem(items, `{"genres":"a"}`), "DELETE PENDING")
	release()
	s.settle()
	refused[*types.ResourceNotFoundException](s, putItem(items, `{"genres":"a"}`), "does not exist")
}

func TestPutItemsAndUsers(t *testing.T) {
	s := newShop(t)
	group, _, items, users := s.intake()
	must[*pe.PutItemsOutput](s)(s.events.PutItems(s.ctx, &pe.PutItemsInput{DatasetArn: &items, Items: []types.Item{
		{ItemId: aws.String("i1"), Properties: aws.String(`{"genres":"Horror|Action","price":"3.5"}`)}, {ItemId: aws.String("i2"), Properties: aws.String(`{"genres":""}`)}}}))
	must[*pe.PutUsersOutput](s)(s.events.PutUsers(s.ctx, &pe.PutUsersInput{DatasetArn: &users, Users: []types.User{{UserId: aws.String("u1")}}}))
	same(s, "records", s.records(group), []event.Body{
		&event.Item{ID: "i1", Properties: `{"genres":"Horror|Action","price":"3.5"}`}, &event.Item{ID: "i2", Properties: `{"genres":""}`}, &event.User{ID: "u1"}})
}

// TestTrackerStates: the id works exactly while its tracker is ACTIVE.
func TestTrackerStates(t *testing.T) {
	s := newShop(t)
	arn := s.group("films")
	s.dataset(arn, "Interactions", s.schema("interactions", interactionsAvro))
	release := s.still()
	tr := must[*personalize.CreateEventTrackerOutput](s)(s.control.CreateEventTracker(s.ctx, &personalize.CreateEventTrackerInput{Name: aws.String("t"), DatasetGroupArn: &arn}))
	put := func() error {
		_, err := s.events.PutEvents(s.ctx, &pe.PutEventsInput{TrackingId: tr.TrackingId, SessionId: aws.String("s"),
			EventList: []types.Event{{EventType: aws.String("View"), SentAt: aws.Time(time.Now())}}})
		return err
	}
	refused[*types.InvalidInputException](s, put(), "CREATE PENDING")
	release()
	s.settle()
	fatal(t, put())
	must[*personalize.DeleteEventTrackerOutput](s)(s.control.DeleteEventTracker(s.ctx, &personalize.DeleteEventTrackerInput{EventTrackerArn: tr.EventTrackerArn}))
	refused[*types.InvalidInputException](s, put(), *tr.TrackingId)
}

// TestManyWriters: whatever was acknowledged is in the log, once.
func TestManyWriters(t *testing.T) {
	s := newShop(t)
	group, tracking, _, _ := s.intake()
	const writers, calls = 8, 20
	var done sync.WaitGroup
	for w := range writers {
		done.Add(1)
		go func() {
			defer done.Done()
			for c := range calls {
				id := fmt.Sprintf("%d-%d", w, c)
				_, err := s.events.PutEvents(s.ctx, &pe.PutEventsInput{TrackingId: &tracking, SessionId: aws.String("s"),
					EventList: []types.Event{{EventId: &id, EventType: aws.String("View"), SentAt: aws.Time(time.Now())}}})
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	done.Wait()
	seen := map[string]int{}
	for _, b := range s.records(group) {
		seen[b.(*event.Interaction).EventID]++
	}
	if len(seen) != writers*calls {
		t.Errorf("%d of %d events are in the log", len(seen), writers*calls)
	}
	for id, n := range seen {
		if n != 1 || strings.Count(id, "-") != 1 {
			t.Errorf("%s is there %d times", id, n)
		}
	}
}
