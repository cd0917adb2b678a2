package api

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

func (p *Personalize) registerSolutions(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateSolution", p.createSolution)
	awsjson.Handle(s, wire.Personalize, "DescribeSolution", p.describeSolution)
	awsjson.Handle(s, wire.Personalize, "ListSolutions", p.listSolutions)
	awsjson.Handle(s, wire.Personalize, "UpdateSolution", p.updateSolution)
	awsjson.Handle(s, wire.Personalize, "DeleteSolution", p.deleteSolution)
}

func (p *Personalize) createSolution(ctx context.Context, in *wire.CreateSolutionRequest) (*wire.CreateSolutionResponse, error) {
	config, err := raw(in.SolutionConfig)
	if err != nil {
		return nil, err
	}
	r, err := p.rows.CreateSolution(ctx, in.Name, resource.SolutionBody{
		DatasetGroupArn: in.DatasetGroupArn, RecipeArn: value(in.RecipeArn), EventType: value(in.EventType),
		PerformHPO: value(in.PerformHPO), PerformAutoML: value(in.PerformAutoML), PerformAutoTraining: in.PerformAutoTraining,
		PerformIncrementalUpdate: value(in.PerformIncrementalUpdate), SolutionConfig: config, Tags: tags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &wire.CreateSolutionResponse{SolutionArn: arnOf(r)}, nil
}

func (p *Personalize) describeSolution(ctx context.Context, in *wire.DescribeSolutionRequest) (*wire.DescribeSolutionResponse, error) {
	r, err := p.rows.Find(ctx, resource.Solution, attune.ARN(in.SolutionArn))
	if err != nil {
		return nil, err
	}
	s, err := shapeWithout[wire.Solution](r, "latestSolutionUpdate")
	if err != nil {
		return nil, err
	}
	if s.LatestSolutionUpdate, err = solutionUpdate(r); err != nil {
		return nil, err
	}
	s.Name, s.SolutionArn, s.Status, s.CreationDateTime, s.LastUpdatedDateTime = common(r)
	latest, err := p.rows.LatestVersion(ctx, r.ARN)
	if err != nil {
		return nil, err
	}
	if latest != nil {
		if s.LatestSolutionVersion, err = versionSummary(latest); err != nil {
			return nil, err
		}
	}
	return &wire.DescribeSolutionResponse{Solution: s}, nil
}

func (p *Personalize) listSolutions(ctx context.Context, in *wire.ListSolutionsRequest) (*wire.ListSolutionsResponse, error) {
	l := listing{"ListSolutions", resource.Solution, resource.DatasetGroup, in.DatasetGroupArn, in.MaxResults, in.NextToken}
	solutions, next, err := list(ctx, p, l, func(r *resource.Resource) (*wire.SolutionSummary, error) {
		s, err := shape[wire.SolutionSummary](r)
		if err == nil {
			s.Name, s.SolutionArn, s.Status, s.CreationDateTime, s.LastUpdatedDateTime = common(r)
		}
		return s, err
	})
	return &wire.ListSolutionsResponse{Solutions: solutions, NextToken: next}, err
}

func (p *Personalize) updateSolution(ctx context.Context, in *wire.UpdateSolutionRequest) (*wire.UpdateSolutionResponse, error) {
	config, err := raw(in.SolutionUpdateConfig)
	if err != nil {
		return nil, err
	}
	err = p.rows.UpdateSolution(ctx, in.SolutionArn, resource.SolutionUpdate{
		PerformAutoTraining: in.PerformAutoTraining, PerformIncrementalUpdate: in.PerformIncrementalUpdate, SolutionUpdateConfig: config,
	})
	if err != nil {
		return nil, err
	}
	return &wire.UpdateSolutionResponse{SolutionArn: &in.SolutionArn}, nil
}

func (p *Personalize) deleteSolution(ctx context.Context, in *wire.DeleteSolutionRequest) (*wire.Empty, error) {
	return none(p.rows.DeleteSolution(ctx, in.SolutionArn))
}
