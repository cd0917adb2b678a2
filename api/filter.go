package api

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerFilters(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateFilter", p.createFilter)
	awsjson.Handle(s, wire.Personalize, "DescribeFilter", p.describeFilter)
	awsjson.Handle(s, wire.Personalize, "ListFilters", p.listFilters)
	awsjson.Handle(s, wire.Personalize, "DeleteFilter", p.deleteFilter)
}

func (p *Personalize) createFilter(ctx context.Context, in *wire.CreateFilterRequest) (*wire.CreateFilterResponse, error) {
	r, err := p.rows.CreateFilter(ctx, in.Name, resource.FilterBody{
		DatasetGroupArn: in.DatasetGroupArn, FilterExpression: in.FilterExpression, Tags: tags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &wire.CreateFilterResponse{FilterArn: arnOf(r)}, nil
}

func (p *Personalize) describeFilter(ctx context.Context, in *wire.DescribeFilterRequest) (*wire.DescribeFilterResponse, error) {
	r, err := p.rows.Find(ctx, resource.Filter, attune.ARN(in.FilterArn))
	if err != nil {
		return nil, err
	}
	f, err := shape[wire.Filter](r)
	if err != nil {
		return nil, err
	}
	f.Name, f.FilterArn, f.Status, f.CreationDateTime, f.LastUpdatedDateTime = common(r)
	return &wire.DescribeFilterResponse{Filter: f}, nil
}

func (p *Personalize) listFilters(ctx context.Context, in *wire.ListFiltersRequest) (*wire.ListFiltersResponse, error) {
	l := listing{"ListFilters", resource.Filter, resource.DatasetGroup, in.DatasetGroupArn, in.MaxResults, in.NextToken}
	filters, next, err := list(ctx, p, l, func(r *resource.Resource) (*wire.FilterSummary, error) {
		f, err := shape[wire.FilterSummary](r)
		if err == nil {
			f.Name, f.FilterArn, f.Status, f.CreationDateTime, f.LastUpdatedDateTime = common(r)
		}
		return f, err
	})
	return &wire.ListFiltersResponse{Filters: filters, NextToken: next}, err
}

func (p *Personalize) deleteFilter(ctx context.Context, in *wire.DeleteFilterRequest) (*wire.Empty, error) {
	return none(p.rows.DeleteFilter(ctx, in.FilterArn))
}
