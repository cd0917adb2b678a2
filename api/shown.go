package api

import (
	"context"
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/serve"
	"github.com/attune-io/attune/wire"
)

// promotion reads the one promotion of a request.
func (rt *Runtime) promotion(ctx context.Context, campaign attune.ARN, p *wire.Promotion) (*serve.Promotion, error) {
	if p.FilterArn == nil || p.PercentPromotedItems == nil {
		return nil, attune.Errorf(attune.Invalid, "promotion %q needs filterArn, which says what is promoted, and percentPromotedItems, from 1 to 100", value(p.Name))
	}
	release, err := rt.release(ctx, campaign)
	if err != nil {
		return nil, err
	}
	expr, err := rt.filter(ctx, release, p.FilterArn, p.FilterValues)
	if err != nil {
		return nil, attune.Errorf(attune.KindOf(err), "promotion %q: %w", value(p.Name), err)
	}
	return &serve.Promotion{Name: value(p.Name), Percent: *p.PercentPromotedItems, Filter: expr, FilterValues: p.FilterValues}, nil
}

// offer hands the answer to the log, which never waits. The request's part of
// the impression is filled in; the rest is copied, because the log keeps it.
func (rt *Runtime) offer(a *serve.Answer, i *event.Impression) {
	if len(a.Items) == 0 {
		return
	}
	i.RecommendationID, i.Campaign, i.Version = a.RecommendationID, string(a.Release.Campaign), string(a.Release.Version)
	i.Exploration, i.Propensities = float32(a.Release.Explore.Weight), a.Propensities
	i.Items = make([]string, len(a.Items))
	for at := range a.Items {
		i.Items[at] = a.Items[at].ID
	}
	if slices.ContainsFunc(a.Items, func(x serve.Scored) bool { return x.Reason != event.ByScore }) {
		i.Reasons = make([]event.Reason, len(a.Items))
		for at := range a.Items {
			i.Reasons[at] = a.Items[at].Reason
		}
	}
	rt.log.Offer(a.Release.Group, i)
}

// reasons are the published words for why an item is in an answer.
var reasons = map[event.Reason][]string{
	event.Explored: {"Exploration"}, event.Promoted: {"Promoted item"}, event.Placeholder: {"Popular item"},
}

// predicted writes items as the wire has them. promotion is the name that
// promoted ones carry; "" for none.
func predicted(a *serve.Answer, promotion string) []wire.PredictedItem {
	out := make([]wire.PredictedItem, len(a.Items))
	for i := range a.Items {
		x := &a.Items[i]
		out[i] = wire.PredictedItem{ItemId: &x.ID, Score: x.Score, Metadata: x.Metadata}
		if promotion != "" && x.Reason == event.Promoted {
			out[i].PromotionName = &promotion
		}
		if a.Release.Reasons {
			out[i].Reason = reasons[x.Reason]
		}
	}
	return out
}
