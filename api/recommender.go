package api

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerRecommenders(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateRecommender", p.createRecommender)
	awsjson.Handle(s, wire.Personalize, "DescribeRecommender", p.describeRecommender)
	awsjson.Handle(s, wire.Personalize, "ListRecommenders", p.listRecommenders)
	awsjson.Handle(s, wire.Personalize, "UpdateRecommender", p.updateRecommender)
	awsjson.Handle(s, wire.Personalize, "StartRecommender", p.startRecommender)
	awsjson.Handle(s, wire.Personalize, "StopRecommender", p.stopRecommender)
	awsjson.Handle(s, wire.Personalize, "DeleteRecommender", p.deleteRecommender)
}

func (p *Personalize) createRecommender(ctx context.Context, in *wire.CreateRecommenderRequest) (*wire.CreateRecommenderResponse, error) {
	config, err := raw(in.RecommenderConfig)
	if err != nil {
		return nil, err
	}
	r, err := p.rows.CreateRecommender(ctx, in.Name, resource.RecommenderBody{
		DatasetGroupArn: in.DatasetGroupArn, RecipeArn: in.RecipeArn, RecommenderConfig: config, Tags: tags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &wire.CreateRecommenderResponse{RecommenderArn: arnOf(r)}, nil
}

func (p *Personalize) describeRecommender(ctx context.Context, in *wire.DescribeRecommenderRequest) (*wire.DescribeRecommenderResponse, error) {
	row, err := p.rows.Find(ctx, resource.Recommender, attune.ARN(in.RecommenderArn))
	if err != nil {
		return nil, err
	}
	b, err := resource.Body[resource.RecommenderBody](row)
	if err != nil {
		return nil, err
	}
	r := &wire.Recommender{DatasetGroupArn: &b.DatasetGroupArn, RecipeArn: &b.RecipeArn, FailureReason: filled(b.FailureReason)}
	r.Name, r.RecommenderArn, r.Status, r.CreationDateTime, r.LastUpdatedDateTime = common(row)
	if r.RecommenderConfig, err = recommenderConfig(b.RecommenderConfig); err != nil {
		return nil, fmt.Errorf("show %s: %w", row.ARN, err)
	}
	switch row.Status {
	case resource.CreatePending, resource.CreateInProgress, resource.DeletePending, resource.DeleteInProgress:
	default: // the service shows no metrics of what is not there
		r.ModelMetrics = b.ModelMetrics
	}
	if u := b.LatestUpdate; u != nil {
		r.LatestRecommenderUpdate = &wire.RecommenderUpdateSummary{
			Status: (*string)(&u.Status), FailureReason: filled(u.FailureReason),
			CreationDateTime: wire.At(u.Created), LastUpdatedDateTime: wire.At(u.Updated),
		}
		if r.LatestRecommenderUpdate.RecommenderConfig, err = recommenderConfig(u.RecommenderConfig); err != nil {
			return nil, fmt.Errorf("show the update of %s: %w", row.ARN, err)
		}
	}
	return &wire.DescribeRecommenderResponse{Recommender: r}, nil
}

func recommenderConfig(given json.RawMessage) (*wire.RecommenderConfig, error) {
	c := new(wire.RecommenderConfig)
	return c, json.Unmarshal(given, c)
}

func (p *Personalize) listRecommenders(ctx context.Context, in *wire.ListRecommendersRequest) (*wire.ListRecommendersResponse, error) {
	l := listing{"ListRecommenders", resource.Recommender, resource.DatasetGroup, in.DatasetGroupArn, in.MaxResults, in.NextToken}
	recommenders, next, err := list(ctx, p, l, func(r *resource.Resource) (*wire.RecommenderSummary, error) {
		s, err := shape[wire.RecommenderSummary](r)
		if err == nil {
			s.Name, s.RecommenderArn, s.Status, s.CreationDateTime, s.LastUpdatedDateTime = common(r)
		}
		return s, err
	})
	return &wire.ListRecommendersResponse{Recommenders: recommenders, NextToken: next}, err
}

func (p *Personalize) updateRecommender(ctx context.Context, in *wire.UpdateRecommenderRequest) (*wire.UpdateRecommenderResponse, error) {
	config, err := json.Marshal(in.RecommenderConfig)
	if err != nil {
		return nil, err
	}
	if err := p.rows.UpdateRecommender(ctx, in.RecommenderArn, config); err != nil {
		return nil, err
	}
	return &wire.UpdateRecommenderResponse{RecommenderArn: &in.RecommenderArn}, nil
}

func (p *Personalize) startRecommender(ctx context.Context, in *wire.StartRecommenderRequest) (*wire.StartRecommenderResponse, error) {
	if err := p.rows.StartRecommender(ctx, in.RecommenderArn); err != nil {
		return nil, err
	}
	return &wire.StartRecommenderResponse{RecommenderArn: &in.RecommenderArn}, nil
}

func (p *Personalize) stopRecommender(ctx context.Context, in *wire.StopRecommenderRequest) (*wire.StopRecommenderResponse, error) {
	if err := p.rows.StopRecommender(ctx, in.RecommenderArn); err != nil {
		return nil, err
	}
	return &wire.StopRecommenderResponse{RecommenderArn: &in.RecommenderArn}, nil
}

func (p *Personalize) deleteRecommender(ctx context.Context, in *wire.DeleteRecommenderRequest) (*wire.Empty, error) {
	return none(p.rows.DeleteRecommender(ctx, in.RecommenderArn))
}
