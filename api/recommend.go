package api

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/event"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
	"github.com/attune-io/attune/wire"
)

const (
	// maxFilters bounds the parsed filters kept. A group has about ten; beyond
	// this one is dropped at random and read again when it is next used.
	maxFilters = 1024
	// filterAge is how long a parsed filter is used without a look at its row,
	// for changes that another process made. Changes of this process end it at once.
	filterAge = time.Second
)

// Runtime answers the operations of personalize-runtime from the releases that
// serve holds; SQL is asked only for a filter not used of late, and to say why
// a campaign does not answer.
//
// What the context of a request names and the model does not know is accepted, as
// Personalize accepts it, and changes nothing.
type Runtime struct {
	rows    *resource.Registry
	server  answerer
	log     offerer
	filters filterCache
}

type answerer interface {
	Get(campaign attune.ARN) (serve.Release, bool)
	Recommend(context.Context, serve.Request) (*serve.Answer, error)
	Rank(context.Context, serve.RankRequest) (*serve.Answer, error)
	RecommendActions(context.Context, serve.ActionRequest) (*serve.Answer, error)
}

type offerer interface {
	Offer(event.Group, *event.Impression)
}

// NewRuntime makes the runtime door. Call Changed after every change of a resource.
func NewRuntime(rows *resource.Registry, server *serve.Server, log *event.Log, clock attune.Clock) *Runtime {
	return newRuntime(rows, server, log, clock)
}

func newRuntime(rows *resource.Registry, server answerer, log offerer, clock attune.Clock) *Runtime {
	return &Runtime{rows: rows, server: server, log: log, filters: filterCache{clock: clock, byARN: map[attune.ARN]parsedFilter{}}}
}

// Register makes s answer the operations that are built.
func (rt *Runtime) Register(s *awsjson.Server) {
	awsjson.Handle(s, wire.PersonalizeRuntime, "GetRecommendations", rt.getRecommendations)
	awsjson.Handle(s, wire.PersonalizeRuntime, "GetPersonalizedRanking", rt.getPersonalizedRanking)
	awsjson.Handle(s, wire.PersonalizeRuntime, "GetActionRecommendations", rt.getActionRecommendations)
}

// Changed forgets what was read of resources. It does not block; it fits resource.Options.OnChange.
func (rt *Runtime) Changed() { rt.filters.drop() }

func (rt *Runtime) getRecommendations(ctx context.Context, in *wire.GetRecommendationsRequest) (*wire.GetRecommendationsResponse, error) {
	asked, err := askedOf(in)
	if err != nil {
		return nil, err
	}
	q := serve.Request{Campaign: asked, User: value(in.UserId), Item: value(in.ItemId), FilterValues: in.FilterValues, Context: in.Context}
	if in.NumResults != nil {
		q.N = *in.NumResults // 0 is legal, and what typed clients send for nothing said
	}
	if q.Filter, q.MetadataColumns, err = rt.common(ctx, q.Campaign, in.FilterArn, in.FilterValues, in.MetadataColumns); err != nil {
		return nil, err
	}
	var promoted string // name of the promotion
	if len(in.Promotions) > 0 {
		p := &in.Promotions[0] // there is at most one
		if q.Promotion, err = rt.promotion(ctx, q.Campaign, p); err != nil {
			return nil, err
		}
		promoted = value(p.Name)
	}
	a, err := rt.server.Recommend(ctx, q)
	if err != nil {
		return nil, err
	}
	rt.offer(a, &event.Impression{User: q.User, Filter: value(in.FilterArn), Promotion: promoted})
	return &wire.GetRecommendationsResponse{ItemList: predicted(a, promoted), RecommendationId: &a.RecommendationID}, nil
}

// askedOf is the campaign or the recommender that a request names: one of the two.
func askedOf(in *wire.GetRecommendationsRequest) (attune.ARN, error) {
	switch {
	case in.CampaignArn != nil && in.RecommenderArn != nil:
		return "", attune.Errorf(attune.Invalid, "campaignArn and recommenderArn are both given: give one of them")
	case in.CampaignArn != nil:
		arn := attune.ARN(*in.CampaignArn)
		return arn, resource.CheckARN(resource.Campaign, arn)
	case in.RecommenderArn != nil:
		arn := attune.ARN(*in.RecommenderArn)
		return arn, resource.CheckARN(resource.Recommender, arn)
	}
	return "", attune.Errorf(attune.Invalid, "campaignArn is required, or recommenderArn: give one of them")
}

func (rt *Runtime) getPersonalizedRanking(ctx context.Context, in *wire.GetPersonalizedRankingRequest) (*wire.GetPersonalizedRankingResponse, error) {
	q := serve.RankRequest{Campaign: attune.ARN(in.CampaignArn), User: in.UserId, Items: in.InputList, FilterValues: in.FilterValues, Context: in.Context}
	var err error
	if q.Filter, q.MetadataColumns, err = rt.common(ctx, q.Campaign, in.FilterArn, in.FilterValues, in.MetadataColumns); err != nil {
		return nil, err
	}
	a, err := rt.server.Rank(ctx, q)
	if err != nil {
		return nil, err
	}
	rt.offer(a, &event.Impression{User: q.User, Filter: value(in.FilterArn)})
	return &wire.GetPersonalizedRankingResponse{PersonalizedRanking: predicted(a, ""), RecommendationId: &a.RecommendationID}, nil
}

// common reads what both operations may bring: a filter, and columns of metadata.
func (rt *Runtime) common(ctx context.Context, campaign attune.ARN, filterARN *string, values map[string]string, metadata map[string][]string) (*filter.Expr, []string, error) {
	release, err := rt.release(ctx, campaign)
	if err != nil {
		return nil, nil, err
	}
	expr, err := rt.filter(ctx, release, filterARN, values)
	if err != nil {
		return nil, nil, err
	}
	columns, err := itemColumns(metadata)
	return expr, columns, err
}

// release finds the loaded release of a campaign or a recommender, or says from its row why there is none.
func (rt *Runtime) release(ctx context.Context, campaign attune.ARN) (serve.Release, error) {
	if release, ok := rt.server.Get(campaign); ok {
		return release, nil
	}
	kind := resource.Campaign
	if k, _ := resource.KindOfARN(campaign); k == resource.Recommender {
		kind = k
	}
	r, err := rt.rows.Find(ctx, kind, campaign)
	if err != nil {
		return serve.Release{}, err
	}
	if r.Status != resource.Active {
		return serve.Release{}, notActive(r)
	}
	return serve.Release{}, attune.Errorf(attune.Unavailable, "%s %s is being loaded; try again", kind.Words(), campaign)
}

// notActive says what to do about a resource that cannot be used as it is.
func notActive(r *resource.Resource) error {
	what := string(r.Kind.Words()) + " " + string(r.ARN)
	switch r.Status {
	case resource.CreateFailed:
		return attune.Errorf(attune.Invalid, "%s is CREATE FAILED: describe it to see why", what)
	case resource.Inactive:
		return attune.Errorf(attune.Invalid, "%s is INACTIVE: start it with StartRecommender", what)
	case resource.DeletePending, resource.DeleteInProgress:
		return attune.Errorf(attune.InUse, "%s is being deleted", what)
	}
	return attune.Errorf(attune.InUse, "%s is %s: wait until it is ACTIVE", what, r.Status)
}

// filter finds the parsed expression of a request's filter; nil when it has none.
func (rt *Runtime) filter(ctx context.Context, release serve.Release, arn *string, values map[string]string) (*filter.Expr, error) {
	if arn == nil {
		if len(values) > 0 {
			return nil, attune.Errorf(attune.Invalid, "filterValues are given without a filterArn")
		}
		return nil, nil
	}
	f, fresh := rt.filters.get(attune.ARN(*arn))
	if !fresh {
		var err error
		if f, err = rt.readFilter(ctx, attune.ARN(*arn)); err != nil {
			return nil, err
		}
	}
	if f.group != release.Group {
		return nil, attune.Errorf(attune.Invalid, "filter %s and campaign %s are in different dataset groups", *arn, release.Campaign)
	}
	return f.expr, nil
}

func (rt *Runtime) readFilter(ctx context.Context, arn attune.ARN) (parsedFilter, error) {
	round := rt.filters.begin()
	r, err := rt.rows.Find(ctx, resource.Filter, arn)
	if err != nil {
		return parsedFilter{}, err
	}
	if r.Status != resource.Active {
		return parsedFilter{}, notActive(r)
	}
	b, err := resource.Body[resource.FilterBody](r)
	if err != nil {
		return parsedFilter{}, err
	}
	e, err := filter.Parse(b.FilterExpression)
	if err != nil {
		return parsedFilter{}, err
	}
	f := parsedFilter{expr: e, group: event.Group(r.Group)}
	rt.filters.put(arn, f, round)
	return f, nil
}

// itemColumns reads metadataColumns: {"ITEMS": [columns]}.
func itemColumns(columns map[string][]string) ([]string, error) {
	var list []string
	for dataset, names := range columns {
		if !strings.EqualFold(dataset, string(schema.Items)) {
			return nil, attune.Errorf(attune.Invalid, "metadataColumns names dataset type %q: only ITEMS has metadata for answers", dataset)
		}
		list = append(list, names...)
	}
	return list, nil
}

// parsedFilter is what is kept of a filter's row.
type parsedFilter struct {
	expr  *filter.Expr
	group event.Group
	until time.Time
}

// filterCache keeps parsed filters by ARN. A filter never changes, but another
// one may get its name.
type filterCache struct {
	clock attune.Clock
	mu    sync.RWMutex
	byARN map[attune.ARN]parsedFilter
	round uint64 // grows with every drop
}

func (c *filterCache) get(arn attune.ARN) (parsedFilter, bool) {
	c.mu.RLock()
	f, ok := c.byARN[arn]
	c.mu.RUnlock()
	return f, ok && c.clock().Before(f.until)
}

// begin marks the time before a row is read.
func (c *filterCache) begin() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.round
}

// put keeps a filter unless something changed since its row was read.
func (c *filterCache) put(arn attune.ARN, f parsedFilter, round uint64) {
	f.until = c.clock().Add(filterAge)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.round != round {
		return
	}
	for old := range c.byARN {
		if len(c.byARN) < maxFilters {
			break
		}
		delete(c.byARN, old)
	}
	c.byARN[arn] = f
}

func (c *filterCache) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.byARN)
	c.round++
}
