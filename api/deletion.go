package api

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerDataDeletionJobs(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateDataDeletionJob", p.createDataDeletionJob)
	awsjson.Handle(s, wire.Personalize, "DescribeDataDeletionJob", p.describeDataDeletionJob)
	awsjson.Handle(s, wire.Personalize, "ListDataDeletionJobs", p.listDataDeletionJobs)
}

func (p *Personalize) createDataDeletionJob(ctx context.Context, in *wire.CreateDataDeletionJobRequest) (*wire.CreateDataDeletionJobResponse, error) {
	r, err := p.rows.CreateDataDeletionJob(ctx, in.JobName, resource.DataDeletionJobBody{
		DatasetGroupArn: in.DatasetGroupArn, DataSource: resource.DataSource{DataLocation: value(in.DataSource.DataLocation)},
		RoleArn: in.RoleArn, Tags: tags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &wire.CreateDataDeletionJobResponse{DataDeletionJobArn: arnOf(r)}, nil
}

func (p *Personalize) describeDataDeletionJob(ctx context.Context, in *wire.DescribeDataDeletionJobRequest) (*wire.DescribeDataDeletionJobResponse, error) {
	r, err := p.rows.Find(ctx, resource.DataDeletionJob, attune.ARN(in.DataDeletionJobArn))
	if err != nil {
		return nil, err
	}
	j, err := shape[wire.DataDeletionJob](r)
	if err != nil {
		return nil, err
	}
	j.JobName, j.DataDeletionJobArn, j.Status, j.CreationDateTime, j.LastUpdatedDateTime = common(r)
	return &wire.DescribeDataDeletionJobResponse{DataDeletionJob: j}, nil
}

func (p *Personalize) listDataDeletionJobs(ctx context.Context, in *wire.ListDataDeletionJobsRequest) (*wire.ListDataDeletionJobsResponse, error) {
	l := listing{"ListDataDeletionJobs", resource.DataDeletionJob, resource.DatasetGroup, in.DatasetGroupArn, in.MaxResults, in.NextToken}
	jobs, next, err := listNewest(ctx, p, l, func(r *resource.Resource) (*wire.DataDeletionJobSummary, error) {
		j, err := shape[wire.DataDeletionJobSummary](r)
		if err == nil {
			j.JobName, j.DataDeletionJobArn, j.Status, j.CreationDateTime, j.LastUpdatedDateTime = common(r)
		}
		return j, err
	})
	return &wire.ListDataDeletionJobsResponse{DataDeletionJobs: jobs, NextToken: next}, err
}
