package api

import (
	"context"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/wire"
)

// putActions answers when all actions are on disk; one bad action refuses the call.
func (p *Personalize) putActions(ctx context.Context, in *wire.PutActionsRequest) (*wire.Empty, error) {
	group, columns, err := p.putTo(ctx, in.DatasetArn, schema.Actions)
	if err != nil {
		return nil, err
	}
	bodies := make([]event.Body, len(in.Actions))
	for i, a := range in.Actions {
		if err := checkRow(columns, schema.ActionID, a.ActionId, a.Properties); err != nil {
			return nil, attune.Errorf(attune.KindOf(err), "action %d: %w", i+1, err)
		}
		bodies[i] = &event.Action{ID: a.ActionId, Properties: value(a.Properties)}
	}
	_, err = p.log.Append(ctx, group, bodies...)
	return none(err)
}

// putActionInteractions answers when all are on disk; one that is bad refuses the call.
func (p *Personalize) putActionInteractions(ctx context.Context, in *wire.PutActionInteractionsRequest) (*wire.Empty, error) {
	to, err := p.rows.ByActionTracker(ctx, in.TrackingId)
	if err != nil {
		return nil, err
	}
	columns := to.Schema(schema.ActionInteractions)
	bodies := make([]event.Body, len(in.ActionInteractions))
	for i := range in.ActionInteractions {
		a := &in.ActionInteractions[i]
		if err := checkActionInteraction(columns, a); err != nil {
			return nil, attune.Errorf(attune.KindOf(err), "action interaction %d: %w", i+1, err)
		}
		bodies[i] = &event.ActionInteraction{
			EventID: value(a.EventId), User: value(a.UserId), Session: a.SessionId, Action: a.ActionId, Type: a.EventType,
			At: a.Timestamp.UTC().Truncate(time.Millisecond), Properties: value(a.Properties),
			RecommendationID: value(a.RecommendationId), Impression: a.Impression,
		}
	}
	_, err = p.log.Append(ctx, event.Group(to.Group), bodies...)
	return none(err)
}

func checkActionInteraction(columns *schema.Schema, a *wire.ActionInteraction) error {
	if !isActionEvent(a.EventType) {
		return attune.Errorf(attune.Invalid, "eventType is %q: give Viewed, Taken or Not Taken", a.EventType)
	}
	_, err := columns.CheckProperties(value(a.Properties))
	return err
}

// isActionEvent says whether an event type is one of the three of actions,
// which the service's own texts spell in several ways: NOT_TAKEN, Not Taken.
func isActionEvent(name string) bool {
	switch strings.ToLower(strings.ReplaceAll(name, "_", " ")) {
	case "viewed", "taken", "not taken":
		return true
	}
	return false
}
