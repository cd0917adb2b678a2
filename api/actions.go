package api

import (
	"context"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
	"github.com/attune-io/attune/wire"
)

// getActionRecommendations answers for campaigns of aws-next-best-action.
func (rt *Runtime) getActionRecommendations(ctx context.Context, in *wire.GetActionRecommendationsRequest) (*wire.GetActionRecommendationsResponse, error) {
	if in.CampaignArn == nil {
		return nil, attune.Errorf(attune.Invalid, "campaignArn is required")
	}
	q := serve.ActionRequest{Campaign: attune.ARN(*in.CampaignArn), User: value(in.UserId), N: value(in.NumResults), FilterValues: in.FilterValues}
	if err := resource.CheckARN(resource.Campaign, q.Campaign); err != nil {
		return nil, err
	}
	release, err := rt.release(ctx, q.Campaign)
	if err != nil {
		return nil, err
	}
	if q.Filter, err = rt.filter(ctx, release, in.FilterArn, in.FilterValues); err != nil {
		return nil, err
	}
	a, err := rt.server.RecommendActions(ctx, q)
	if err != nil {
		return nil, err
	}
	rt.offer(a, &event.Impression{User: q.User, Filter: value(in.FilterArn)})
	out := make([]wire.PredictedAction, len(a.Items))
	for i := range a.Items {
		out[i] = wire.PredictedAction{ActionId: &a.Items[i].ID, Score: a.Items[i].Score}
	}
	return &wire.GetActionRecommendationsResponse{ActionList: out, RecommendationId: &a.RecommendationID}, nil
}

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
	if schema.ActionEvent(a.EventType) == schema.NoOutcome {
		return attune.Errorf(attune.Invalid, "eventType is %q: give Viewed, Taken or Not Taken", a.EventType)
	}
	_, err := columns.CheckProperties(value(a.Properties))
	return err
}
