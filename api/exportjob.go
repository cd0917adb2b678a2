package api

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerExportJobs(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateDatasetExportJob", p.createExportJob)
	awsjson.Handle(s, wire.Personalize, "DescribeDatasetExportJob", p.describeExportJob)
	awsjson.Handle(s, wire.Personalize, "ListDatasetExportJobs", p.listExportJobs)
}

func (p *Personalize) createExportJob(ctx context.Context, in *wire.CreateDatasetExportJobRequest) (*wire.CreateDatasetExportJobResponse, error) {
	r, err := p.rows.CreateExportJob(ctx, in.JobName, resource.ExportJobBody{
		DatasetArn: in.DatasetArn, IngestionMode: value(in.IngestionMode), RoleArn: in.RoleArn,
		JobOutput: resource.JobOutput{S3DataDestination: s3Data(in.JobOutput.S3DataDestination)}, Tags: tags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &wire.CreateDatasetExportJobResponse{DatasetExportJobArn: arnOf(r)}, nil
}

func (p *Personalize) describeExportJob(ctx context.Context, in *wire.DescribeDatasetExportJobRequest) (*wire.DescribeDatasetExportJobResponse, error) {
	r, err := p.rows.Find(ctx, resource.ExportJob, attune.ARN(in.DatasetExportJobArn))
	if err != nil {
		return nil, err
	}
	j, err := shape[wire.DatasetExportJob](r)
	if err != nil {
		return nil, err
	}
	j.JobName, j.DatasetExportJobArn, j.Status, j.CreationDateTime, j.LastUpdatedDateTime = common(r)
	return &wire.DescribeDatasetExportJobResponse{DatasetExportJob: j}, nil
}

func (p *Personalize) listExportJobs(ctx context.Context, in *wire.ListDatasetExportJobsRequest) (*wire.ListDatasetExportJobsResponse, error) {
	l := listing{"ListDatasetExportJobs", resource.ExportJob, resource.Dataset, in.DatasetArn, in.MaxResults, in.NextToken}
	jobs, next, err := list(ctx, p, l, func(r *resource.Resource) (*wire.DatasetExportJobSummary, error) {
		j, err := shape[wire.DatasetExportJobSummary](r)
		if err == nil {
			j.JobName, j.DatasetExportJobArn, j.Status, j.CreationDateTime, j.LastUpdatedDateTime = common(r)
		}
		return j, err
	})
	return &wire.ListDatasetExportJobsResponse{DatasetExportJobs: jobs, NextToken: next}, err
}
