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

func (p *Personalize) registerCampaigns(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateCampaign", p.createCampaign)
	awsjson.Handle(s, wire.Personalize, "DescribeCampaign", p.describeCampaign)
	awsjson.Handle(s, wire.Personalize, "ListCampaigns", p.listCampaigns)
	awsjson.Handle(s, wire.Personalize, "UpdateCampaign", p.updateCampaign)
	awsjson.Handle(s, wire.Personalize, "DeleteCampaign", p.deleteCampaign)
}

func (p *Personalize) createCampaign(ctx context.Context, in *wire.CreateCampaignRequest) (*wire.CreateCampaignResponse, error) {
	config, err := raw(in.CampaignConfig)
	if err != nil {
		return nil, err
	}
	r, err := p.rows.CreateCampaign(ctx, in.Name, resource.CampaignBody{
		SolutionVersionArn: in.SolutionVersionArn, MinProvisionedTPS: value(in.MinProvisionedTPS), CampaignConfig: config, Tags: tags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &wire.CreateCampaignResponse{CampaignArn: arnOf(r)}, nil
}

func (p *Personalize) describeCampaign(ctx context.Context, in *wire.DescribeCampaignRequest) (*wire.DescribeCampaignResponse, error) {
	r, err := p.rows.Find(ctx, resource.Campaign, attune.ARN(in.CampaignArn))
	if err != nil {
		return nil, err
	}
	b, err := resource.Body[resource.CampaignBody](r)
	if err != nil {
		return nil, err
	}
	c := &wire.Campaign{SolutionVersionArn: &b.SolutionVersionArn, MinProvisionedTPS: &b.MinProvisionedTPS, FailureReason: filled(b.FailureReason)}
	c.Name, c.CampaignArn, c.Status, c.CreationDateTime, c.LastUpdatedDateTime = common(r)
	if c.CampaignConfig, err = campaignConfig(b.CampaignConfig); err != nil {
		return nil, fmt.Errorf("show %s: %w", r.ARN, err)
	}
	if u := b.LatestUpdate; u != nil {
		c.LatestCampaignUpdate = &wire.CampaignUpdateSummary{
			SolutionVersionArn: &u.SolutionVersionArn, MinProvisionedTPS: &u.MinProvisionedTPS,
			Status: (*string)(&u.Status), FailureReason: filled(u.FailureReason),
			CreationDateTime: wire.At(u.Created), LastUpdatedDateTime: wire.At(u.Updated),
		}
		if c.LatestCampaignUpdate.CampaignConfig, err = campaignConfig(u.CampaignConfig); err != nil {
			return nil, fmt.Errorf("show the update of %s: %w", r.ARN, err)
		}
	}
	return &wire.DescribeCampaignResponse{Campaign: c}, nil
}

// campaignConfig reads a configuration back as it was given; nil when none was.
func campaignConfig(given json.RawMessage) (*wire.CampaignConfig, error) {
	if len(given) == 0 {
		return nil, nil
	}
	c := new(wire.CampaignConfig)
	return c, json.Unmarshal(given, c)
}

func (p *Personalize) listCampaigns(ctx context.Context, in *wire.ListCampaignsRequest) (*wire.ListCampaignsResponse, error) {
	l := listing{"ListCampaigns", resource.Campaign, resource.Solution, in.SolutionArn, in.MaxResults, in.NextToken}
	campaigns, next, err := list(ctx, p, l, func(r *resource.Resource) (*wire.CampaignSummary, error) {
		c, err := shape[wire.CampaignSummary](r)
		if err == nil {
			c.Name, c.CampaignArn, c.Status, c.CreationDateTime, c.LastUpdatedDateTime = common(r)
		}
		return c, err
	})
	return &wire.ListCampaignsResponse{Campaigns: campaigns, NextToken: next}, err
}

func (p *Personalize) updateCampaign(ctx context.Context, in *wire.UpdateCampaignRequest) (*wire.UpdateCampaignResponse, error) {
	config, err := raw(in.CampaignConfig)
	if err != nil {
		return nil, err
	}
	err = p.rows.UpdateCampaign(ctx, in.CampaignArn, resource.CampaignChange{
		SolutionVersionArn: value(in.SolutionVersionArn), MinProvisionedTPS: value(in.MinProvisionedTPS), CampaignConfig: config,
	})
	if err != nil {
		return nil, err
	}
	return &wire.UpdateCampaignResponse{CampaignArn: &in.CampaignArn}, nil
}

func (p *Personalize) deleteCampaign(ctx context.Context, in *wire.DeleteCampaignRequest) (*wire.Empty, error) {
	return none(p.rows.DeleteCampaign(ctx, in.CampaignArn))
}
