package api

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerSolutionVersions(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateSolutionVersion", p.createSolutionVersion)
	awsjson.Handle(s, wire.Personalize, "DescribeSolutionVersion", p.describeSolutionVersion)
	awsjson.Handle(s, wire.Personalize, "ListSolutionVersions", p.listSolutionVersions)
	awsjson.Handle(s, wire.Personalize, "StopSolutionVersionCreation", p.stopSolutionVersionCreation)
	awsjson.Handle(s, wire.Personalize, "GetSolutionMetrics", p.getSolutionMetrics)
}

func (p *Personalize) createSolutionVersion(ctx context.Context, in *wire.CreateSolutionVersionRequest) (*wire.CreateSolutionVersionResponse, error) {
	r, err := p.rows.CreateSolutionVersion(ctx, resource.VersionRequest{
		SolutionArn: in.SolutionArn, Name: value(in.Name), TrainingMode: value(in.TrainingMode), Tags: tags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &wire.CreateSolutionVersionResponse{SolutionVersionArn: arnOf(r)}, nil
}

func (p *Personalize) describeSolutionVersion(ctx context.Context, in *wire.DescribeSolutionVersionRequest) (*wire.DescribeSolutionVersionResponse, error) {
	r, err := p.rows.Find(ctx, resource.SolutionVersion, attune.ARN(in.SolutionVersionArn))
	if err != nil {
		return nil, err
	}
	v, err := shape[wire.SolutionVersion](r) // its name is in the body: it need not have one
	if err != nil {
		return nil, err
	}
	_, v.SolutionVersionArn, v.Status, v.CreationDateTime, v.LastUpdatedDateTime = common(r)
	return &wire.DescribeSolutionVersionResponse{SolutionVersion: v}, nil
}

func versionSummary(r *resource.Resource) (*wire.SolutionVersionSummary, error) {
	v, err := shape[wire.SolutionVersionSummary](r)
	if err == nil {
		_, v.SolutionVersionArn, v.Status, v.CreationDateTime, v.LastUpdatedDateTime = common(r)
	}
	return v, err
}

// listSolutionVersions is the only List that says when what it is asked of does not exist.
func (p *Personalize) listSolutionVersions(ctx context.Context, in *wire.ListSolutionVersionsRequest) (*wire.ListSolutionVersionsResponse, error) {
	if in.SolutionArn != nil {
		if _, err := p.rows.Find(ctx, resource.Solution, attune.ARN(*in.SolutionArn)); err != nil {
			return nil, err
		}
	}
	l := listing{"ListSolutionVersions", resource.SolutionVersion, resource.Solution, in.SolutionArn, in.MaxResults, in.NextToken}
	versions, next, err := list(ctx, p, l, versionSummary)
	return &wire.ListSolutionVersionsResponse{SolutionVersions: versions, NextToken: next}, err
}

func (p *Personalize) stopSolutionVersionCreation(ctx context.Context, in *wire.StopSolutionVersionCreationRequest) (*wire.Empty, error) {
	return none(p.rows.StopSolutionVersion(ctx, in.SolutionVersionArn))
}

func (p *Personalize) getSolutionMetrics(ctx context.Context, in *wire.GetSolutionMetricsRequest) (*wire.GetSolutionMetricsResponse, error) {
	metrics, err := p.rows.Metrics(ctx, in.SolutionVersionArn)
	if err != nil {
		return nil, err
	}
	return &wire.GetSolutionMetricsResponse{SolutionVersionArn: &in.SolutionVersionArn, Metrics: metrics}, nil
}
