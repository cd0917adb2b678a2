package api

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerDatasets(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateDataset", p.createDataset)
	awsjson.Handle(s, wire.Personalize, "DescribeDataset", p.describeDataset)
	awsjson.Handle(s, wire.Personalize, "ListDatasets", p.listDatasets)
	awsjson.Handle(s, wire.Personalize, "UpdateDataset", p.updateDataset)
	awsjson.Handle(s, wire.Personalize, "DeleteDataset", p.deleteDataset)
}

func (p *Personalize) createDataset(ctx context.Context, in *wire.CreateDatasetRequest) (*wire.CreateDatasetResponse, error) {
	r, err := p.rows.CreateDataset(ctx, in.Name, resource.DatasetBody{
		DatasetGroupArn: in.DatasetGroupArn, DatasetType: in.DatasetType, SchemaArn: in.SchemaArn, Tags: tags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &wire.CreateDatasetResponse{DatasetArn: arnOf(r)}, nil
}

func (p *Personalize) describeDataset(ctx context.Context, in *wire.DescribeDatasetRequest) (*wire.DescribeDatasetResponse, error) {
	r, err := p.rows.Find(ctx, resource.Dataset, attune.ARN(in.DatasetArn))
	if err != nil {
		return nil, err
	}
	d, err := shapeWithout[wire.Dataset](r, "latestDatasetUpdate")
	if err != nil {
		return nil, err
	}
	if d.LatestDatasetUpdate, err = datasetUpdate(r); err != nil {
		return nil, err
	}
	d.Name, d.DatasetArn, d.Status, d.CreationDateTime, d.LastUpdatedDateTime = common(r)
	return &wire.DescribeDatasetResponse{Dataset: d}, nil
}

func (p *Personalize) listDatasets(ctx context.Context, in *wire.ListDatasetsRequest) (*wire.ListDatasetsResponse, error) {
	l := listing{"ListDatasets", resource.Dataset, resource.DatasetGroup, in.DatasetGroupArn, in.MaxResults, in.NextToken}
	datasets, next, err := list(ctx, p, l, func(r *resource.Resource) (*wire.DatasetSummary, error) {
		d, err := shape[wire.DatasetSummary](r)
		if err == nil {
			d.Name, d.DatasetArn, d.Status, d.CreationDateTime, d.LastUpdatedDateTime = common(r)
		}
		return d, err
	})
	return &wire.ListDatasetsResponse{Datasets: datasets, NextToken: next}, err
}

func (p *Personalize) updateDataset(ctx context.Context, in *wire.UpdateDatasetRequest) (*wire.UpdateDatasetResponse, error) {
	if err := p.rows.UpdateDataset(ctx, in.DatasetArn, in.SchemaArn); err != nil {
		return nil, err
	}
	return &wire.UpdateDatasetResponse{DatasetArn: &in.DatasetArn}, nil
}

func (p *Personalize) deleteDataset(ctx context.Context, in *wire.DeleteDatasetRequest) (*wire.Empty, error) {
	return none(p.rows.DeleteDataset(ctx, in.DatasetArn))
}
