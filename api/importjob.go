package api

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerImportJobs(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateDatasetImportJob", p.createImportJob)
	awsjson.Handle(s, wire.Personalize, "DescribeDatasetImportJob", p.describeImportJob)
	awsjson.Handle(s, wire.Personalize, "ListDatasetImportJobs", p.listImportJobs)
}

func (p *Personalize) createImportJob(ctx context.Context, in *wire.CreateDatasetImportJobRequest) (*wire.CreateDatasetImportJobResponse, error) {
	r, err := p.rows.CreateImportJob(ctx, in.JobName, resource.ImportJobBody{
		DatasetArn: in.DatasetArn, DataSource: resource.DataSource{DataLocation: value(in.DataSource.DataLocation)},
		RoleArn: value(in.RoleArn), ImportMode: value(in.ImportMode),
		PublishAttributionMetricsToS3: value(in.PublishAttributionMetricsToS3), Tags: tags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &wire.CreateDatasetImportJobResponse{DatasetImportJobArn: arnOf(r)}, nil
}

func (p *Personalize) describeImportJob(ctx context.Context, in *wire.DescribeDatasetImportJobRequest) (*wire.DescribeDatasetImportJobResponse, error) {
	r, err := p.rows.Find(ctx, resource.ImportJob, attune.ARN(in.DatasetImportJobArn))
	if err != nil {
		return nil, err
	}
	j, err := shape[wire.DatasetImportJob](r)
	if err != nil {
		return nil, err
	}
	if j.FailureReason, err = importNote(r); err != nil {
		return nil, err
	}
	j.JobName, j.DatasetImportJobArn, j.Status, j.CreationDateTime, j.LastUpdatedDateTime = common(r)
	return &wire.DescribeDatasetImportJobResponse{DatasetImportJob: j}, nil
}

// importNote is the failureReason of an import job: also that of an ACTIVE one
// that left some rows out, because the shape has no other member for words.
func importNote(r *resource.Resource) (*string, error) {
	b, err := resource.Body[resource.ImportJobBody](r)
	return filled(b.Note()), err
}

func (p *Personalize) listImportJobs(ctx context.Context, in *wire.ListDatasetImportJobsRequest) (*wire.ListDatasetImportJobsResponse, error) {
	l := listing{"ListDatasetImportJobs", resource.ImportJob, resource.Dataset, in.DatasetArn, in.MaxResults, in.NextToken}
	jobs, next, err := list(ctx, p, l, func(r *resource.Resource) (*wire.DatasetImportJobSummary, error) {
		j, err := shape[wire.DatasetImportJobSummary](r)
		if err != nil {
			return nil, err
		}
		j.JobName, j.DatasetImportJobArn, j.Status, j.CreationDateTime, j.LastUpdatedDateTime = common(r)
		j.FailureReason, err = importNote(r)
		return j, err
	})
	return &wire.ListDatasetImportJobsResponse{DatasetImportJobs: jobs, NextToken: next}, err
}
