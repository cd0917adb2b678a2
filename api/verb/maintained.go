package verb

import (
	"context"

	"github.com/attune-io/attune/maintain"
)

// CampaignInput names a campaign, by its ARN or its name.
type CampaignInput struct {
	Campaign string `json:"campaign"`
}

// RollbackCampaignInput names a campaign and the version that it shall have; ""
// for the one that it had before.
type RollbackCampaignInput struct {
	Campaign string `json:"campaign"`
	Version  string `json:"solutionVersionArn,omitempty"`
}

func (d *Door) rollbackCampaign(ctx context.Context, in *RollbackCampaignInput) (any, error) {
	return runOutput(d.Maintain.Rollback(ctx, maintain.RollbackInput{Campaign: in.Campaign, Version: in.Version, Cause: maintain.Cause{Kind: maintain.ByHand}}))
}

// ListDeploymentsOutput is what a campaign was given, newest first.
type ListDeploymentsOutput struct {
	Deployments []maintain.Deployment `json:"deployments"`
}

func (d *Door) listDeployments(ctx context.Context, in *CampaignInput) (any, error) {
	list, err := d.Maintain.Store.Deployments(ctx, in.Campaign)
	if err != nil {
		return nil, err
	}
	return &ListDeploymentsOutput{list}, nil
}

// ListRefreshesInput restricts by its members; zero ones do not.
type ListRefreshesInput struct {
	Campaign string `json:"campaignName,omitempty"`
	BaseDate int    `json:"baseDate,omitempty"` // yyyymmdd
	Before   int    `json:"before,omitempty"`   // the last base date of the page before
}

// ListRefreshesOutput says how far the data of each day has come, newest first.
type ListRefreshesOutput struct {
	Refreshes []maintain.Refresh `json:"refreshes"`
}

func (d *Door) listRefreshes(ctx context.Context, in *ListRefreshesInput) (any, error) {
	list, err := d.Maintain.Store.Refreshes(ctx, in.Campaign, in.BaseDate, in.Before)
	if err != nil {
		return nil, err
	}
	return &ListRefreshesOutput{list}, nil
}

// ListSolutionMetricsInput names a solution, by its ARN or its name, and one of
// its metrics; "" for all.
type ListSolutionMetricsInput struct {
	Solution string `json:"solution"`
	Metric   string `json:"metric,omitempty"`
}

// ListSolutionMetricsOutput is what was measured of its versions, oldest first.
type ListSolutionMetricsOutput struct {
	Metrics []maintain.Metric `json:"metrics"`
}

func (d *Door) listSolutionMetrics(ctx context.Context, in *ListSolutionMetricsInput) (any, error) {
	list, err := d.Maintain.Store.Metrics(ctx, in.Solution, in.Metric)
	if err != nil {
		return nil, err
	}
	return &ListSolutionMetricsOutput{list}, nil
}
