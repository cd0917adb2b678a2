package api

import (
	"context"
	"math"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerEvents(s *awsjson.Server) {
	awsjson.Handle(s, wire.PersonalizeEvents, "PutEvents", p.putEvents)
	awsjson.Handle(s, wire.PersonalizeEvents, "PutItems", p.putItems)
	awsjson.Handle(s, wire.PersonalizeEvents, "PutUsers", p.putUsers)
	awsjson.Handle(s, wire.PersonalizeEvents, "PutActions", p.putActions)
	awsjson.Handle(s, wire.PersonalizeEvents, "PutActionInteractions", p.putActionInteractions)
}

// putEvents answers when all events are on disk. They are taken together or
// not at all: one bad event refuses the call before anything is written.
func (p *Personalize) putEvents(ctx context.Context, in *wire.PutEventsRequest) (*wire.Empty, error) {
	to, err := p.rows.ByTracker(ctx, in.TrackingId)
	if err != nil {
		return nil, err
	}
	columns := to.Schema(schema.Interactions)
	bodies := make([]event.Body, len(in.EventList))
	for i := range in.EventList {
		e := &in.EventList[i]
		if n := eventSize(e); n > maxEvent {
			return nil, attune.Errorf(attune.Invalid, "event %d has %d bytes of text: an event can have %d", i+1, n, maxEvent)
		}
		given, err := columns.CheckProperties(value(e.Properties))
		if err != nil {
			return nil, attune.Errorf(attune.KindOf(err), "event %d: %w", i+1, err)
		}
		bodies[i] = interaction(in, e, given)
	}
	_, err = p.log.Append(ctx, event.Group(to.Group), bodies...)
	return none(err)
}

// maxEvent bounds one event, in bytes of its texts: the service's 10 KB.
const maxEvent = 10 << 10

func eventSize(e *wire.Event) int {
	n := len(e.EventType) + len(value(e.EventId)) + len(value(e.ItemId)) + len(value(e.Properties)) + len(value(e.RecommendationId))
	for _, item := range e.Impression {
		n += len(item)
	}
	return n
}

// interaction makes the record of an event. Item and value may also come among
// the properties, which are given by column: the service had no members for
// them at first, and clients from that time are still about.
func interaction(in *wire.PutEventsRequest, e *wire.Event, given map[string]any) *event.Interaction {
	body := &event.Interaction{
		EventID: value(e.EventId), User: value(in.UserId), Session: in.SessionId, Item: value(e.ItemId), Type: e.EventType,
		At: e.SentAt.UTC().Truncate(time.Millisecond), Value: math.NaN(), Properties: value(e.Properties),
		RecommendationID: value(e.RecommendationId), Impression: e.Impression,
	}
	if e.ItemId == nil {
		body.Item, _ = given[schema.ItemID].(string)
	}
	if e.EventValue != nil {
		body.Value = *e.EventValue
	} else if v, ok := given[schema.EventValue].(float64); ok {
		body.Value = v
	}
	if e.MetricAttribution != nil {
		body.Source = e.MetricAttribution.EventAttributionSource
	}
	return body
}

func (p *Personalize) putItems(ctx context.Context, in *wire.PutItemsRequest) (*wire.Empty, error) {
	group, columns, err := p.putTo(ctx, in.DatasetArn, schema.Items)
	if err != nil {
		return nil, err
	}
	bodies := make([]event.Body, len(in.Items))
	for i, item := range in.Items {
		if err := checkRow(columns, schema.ItemID, item.ItemId, item.Properties); err != nil {
			return nil, attune.Errorf(attune.KindOf(err), "item %d: %w", i+1, err)
		}
		bodies[i] = &event.Item{ID: item.ItemId, Properties: value(item.Properties)}
	}
	_, err = p.log.Append(ctx, group, bodies...)
	return none(err)
}

func (p *Personalize) putUsers(ctx context.Context, in *wire.PutUsersRequest) (*wire.Empty, error) {
	group, columns, err := p.putTo(ctx, in.DatasetArn, schema.Users)
	if err != nil {
		return nil, err
	}
	bodies := make([]event.Body, len(in.Users))
	for i, user := range in.Users {
		if err := checkRow(columns, schema.UserID, user.UserId, user.Properties); err != nil {
			return nil, attune.Errorf(attune.KindOf(err), "user %d: %w", i+1, err)
		}
		bodies[i] = &event.User{ID: user.UserId, Properties: value(user.Properties)}
	}
	_, err = p.log.Append(ctx, group, bodies...)
	return none(err)
}

// putTo finds the log and the columns of a dataset of a type.
func (p *Personalize) putTo(ctx context.Context, arn string, t schema.Type) (event.Group, *schema.Schema, error) {
	to, err := p.rows.ByDataset(ctx, attune.ARN(arn), t)
	if err != nil {
		return "", nil, err
	}
	return event.Group(to.Group), to.Schema(t), nil
}

// checkRow checks the properties of the item or user called id, a value of the
// column key. A row is replaced as a whole, so every column that may not be null
// must be there.
func checkRow(columns *schema.Schema, key, id string, properties *string) error {
	given, err := columns.CheckProperties(value(properties))
	if err != nil {
		return err
	}
	if other, ok := given[key]; ok && other != id {
		return attune.Errorf(attune.Invalid, "properties have another %s than the request: leave it out of properties", schema.WireName(key))
	}
	for _, f := range columns.Fields {
		if _, ok := given[f.Name]; !ok && !f.Nullable && f.Name != key {
			return attune.Errorf(attune.Invalid, "properties have no %s: the schema requires the field %s", schema.WireName(f.Name), f.Name)
		}
	}
	return nil
}
