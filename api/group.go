package api

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerDatasetGroups(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateDatasetGroup", p.createDatasetGroup)
	awsjson.Handle(s, wire.Personalize, "DescribeDatasetGroup", p.describeDatasetGroup)
	awsjson.Handle(s, wire.Personalize, "ListDatasetGroups", p.listDatasetGroups)
	awsjson.Handle(s, wire.Personalize, "DeleteDatasetGroup", p.deleteDatasetGroup)
}

func (p *Personalize) createDatasetGroup(ctx context.Context, in *wire.CreateDatasetGroupRequest) (*wire.CreateDatasetGroupResponse, error) {
	r, err := p.rows.CreateDatasetGroup(ctx, in.Name, resource.DatasetGroupBody{
		RoleArn: value(in.RoleArn), KmsKeyArn: value(in.KmsKeyArn), Domain: value(in.Domain), Tags: tags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &wire.CreateDatasetGroupResponse{DatasetGroupArn: arnOf(r), Domain: in.Domain}, nil
}

func (p *Personalize) describeDatasetGroup(ctx context.Context, in *wire.DescribeDatasetGroupRequest) (*wire.DescribeDatasetGroupResponse, error) {
	r, err := p.rows.Find(ctx, resource.DatasetGroup, attune.ARN(in.DatasetGroupArn))
	if err != nil {
		return nil, err
	}
	g, err := shape[wire.DatasetGroup](r)
	if err != nil {
		return nil, err
	}
	g.Name, g.DatasetGroupArn, g.Status, g.CreationDateTime, g.LastUpdatedDateTime = common(r)
	return &wire.DescribeDatasetGroupResponse{DatasetGroup: g}, nil
}

func (p *Personalize) listDatasetGroups(ctx context.Context, in *wire.ListDatasetGroupsRequest) (*wire.ListDatasetGroupsResponse, error) {
	l := listing{"ListDatasetGroups", resource.DatasetGroup, "", nil, in.MaxResults, in.NextToken}
	groups, next, err := list(ctx, p, l, func(r *resource.Resource) (*wire.DatasetGroupSummary, error) {
		g, err := shape[wire.DatasetGroupSummary](r)
		if err == nil {
			g.Name, g.DatasetGroupArn, g.Status, g.CreationDateTime, g.LastUpdatedDateTime = common(r)
		}
		return g, err
	})
	return &wire.ListDatasetGroupsResponse{DatasetGroups: groups, NextToken: next}, err
}

func (p *Personalize) deleteDatasetGroup(ctx context.Context, in *wire.DeleteDatasetGroupRequest) (*wire.Empty, error) {
	return none(p.rows.DeleteDatasetGroup(ctx, in.DatasetGroupArn))
}
