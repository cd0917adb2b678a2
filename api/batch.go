package api

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerBatchJobs(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateBatchInferenceJob", p.createBatchInferenceJob)
	awsjson.Handle(s, wire.Personalize, "DescribeBatchInferenceJob", p.describeBatchInferenceJob)
	awsjson.Handle(s, wire.Personalize, "ListBatchInferenceJobs", p.listBatchInferenceJobs)
	awsjson.Handle(s, wire.Personalize, "CreateBatchSegmentJob", p.createBatchSegmentJob)
	awsjson.Handle(s, wire.Personalize, "DescribeBatchSegmentJob", p.describeBatchSegmentJob)
	awsjson.Handle(s, wire.Personalize, "ListBatchSegmentJobs", p.listBatchSegmentJobs)
}

// s3Data is a place as it was given.
func s3Data(c wire.S3DataConfig) resource.S3Data {
	return resource.S3Data{Path: c.Path, KmsKeyArn: value(c.KmsKeyArn)}
}

func (p *Personalize) createBatchInferenceJob(ctx context.Context, in *wire.CreateBatchInferenceJobRequest) (*wire.CreateBatchInferenceJobResponse, error) {
	config, err := raw(in.BatchInferenceJobConfig)
	if err != nil {
		return nil, err
	}
	r, err := p.rows.CreateBatchInferenceJob(ctx, in.JobName, resource.BatchRequest{
		BatchBody: resource.BatchBody{
			SolutionVersionArn: in.SolutionVersionArn, FilterArn: value(in.FilterArn), NumResults: value(in.NumResults),
			JobInput:  resource.JobInput{S3DataSource: s3Data(in.JobInput.S3DataSource)},
			JobOutput: resource.JobOutput{S3DataDestination: s3Data(in.JobOutput.S3DataDestination)},
			RoleArn:   in.RoleArn, Mode: value(in.BatchInferenceJobMode), Config: config, Tags: tags(in.Tags),
		},
		ThemeConfig: in.ThemeGenerationConfig != nil,
	})
	if err != nil {
		return nil, err
	}
	return &wire.CreateBatchInferenceJobResponse{BatchInferenceJobArn: arnOf(r)}, nil
}

func (p *Personalize) describeBatchInferenceJob(ctx context.Context, in *wire.DescribeBatchInferenceJobRequest) (*wire.DescribeBatchInferenceJobResponse, error) {
	r, err := p.rows.Find(ctx, resource.BatchInferenceJob, attune.ARN(in.BatchInferenceJobArn))
	if err != nil {
		return nil, err
	}
	j, err := shape[wire.BatchInferenceJob](r)
	if err != nil {
		return nil, err
	}
	j.JobName, j.BatchInferenceJobArn, j.Status, j.CreationDateTime, j.LastUpdatedDateTime = common(r)
	return &wire.DescribeBatchInferenceJobResponse{BatchInferenceJob: j}, nil
}

func (p *Personalize) listBatchInferenceJobs(ctx context.Context, in *wire.ListBatchInferenceJobsRequest) (*wire.ListBatchInferenceJobsResponse, error) {
	l := listing{"ListBatchInferenceJobs", resource.BatchInferenceJob, resource.SolutionVersion, in.SolutionVersionArn, in.MaxResults, in.NextToken}
	jobs, next, err := list(ctx, p, l, func(r *resource.Resource) (*wire.BatchInferenceJobSummary, error) {
		j, err := shape[wire.BatchInferenceJobSummary](r)
		if err == nil {
			j.JobName, j.BatchInferenceJobArn, j.Status, j.CreationDateTime, j.LastUpdatedDateTime = common(r)
		}
		return j, err
	})
	return &wire.ListBatchInferenceJobsResponse{BatchInferenceJobs: jobs, NextToken: next}, err
}

func (p *Personalize) createBatchSegmentJob(ctx context.Context, in *wire.CreateBatchSegmentJobRequest) (*wire.CreateBatchSegmentJobResponse, error) {
	r, err := p.rows.CreateBatchSegmentJob(ctx, in.JobName, resource.BatchBody{
		SolutionVersionArn: in.SolutionVersionArn, FilterArn: value(in.FilterArn), NumResults: value(in.NumResults),
		JobInput:  resource.JobInput{S3DataSource: s3Data(in.JobInput.S3DataSource)},
		JobOutput: resource.JobOutput{S3DataDestination: s3Data(in.JobOutput.S3DataDestination)},
		RoleArn:   in.RoleArn, Tags: tags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &wire.CreateBatchSegmentJobResponse{BatchSegmentJobArn: arnOf(r)}, nil
}

func (p *Personalize) describeBatchSegmentJob(ctx context.Context, in *wire.DescribeBatchSegmentJobRequest) (*wire.DescribeBatchSegmentJobResponse, error) {
	r, err := p.rows.Find(ctx, resource.BatchSegmentJob, attune.ARN(in.BatchSegmentJobArn))
	if err != nil {
		return nil, err
	}
	j, err := shape[wire.BatchSegmentJob](r)
	if err != nil {
		return nil, err
	}
	j.JobName, j.BatchSegmentJobArn, j.Status, j.CreationDateTime, j.LastUpdatedDateTime = common(r)
	return &wire.DescribeBatchSegmentJobResponse{BatchSegmentJob: j}, nil
}

func (p *Personalize) listBatchSegmentJobs(ctx context.Context, in *wire.ListBatchSegmentJobsRequest) (*wire.ListBatchSegmentJobsResponse, error) {
	l := listing{"ListBatchSegmentJobs", resource.BatchSegmentJob, resource.SolutionVersion, in.SolutionVersionArn, in.MaxResults, in.NextToken}
	jobs, next, err := list(ctx, p, l, func(r *resource.Resource) (*wire.BatchSegmentJobSummary, error) {
		j, err := shape[wire.BatchSegmentJobSummary](r)
		if err == nil {
			j.JobName, j.BatchSegmentJobArn, j.Status, j.CreationDateTime, j.LastUpdatedDateTime = common(r)
		}
		return j, err
	})
	return &wire.ListBatchSegmentJobsResponse{BatchSegmentJobs: jobs, NextToken: next}, err
}
