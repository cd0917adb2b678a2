package resource

import (
	"context"
	"encoding/json"

	"github.com/attune-io/attune"
)

// maxReason bounds a failureReason, in bytes, so that a row stays small.
const maxReason = 2000

// Fail moves a row that is being created to CREATE FAILED and says why. A row
// that is gone, has another id, or is past creation is left alone.
func (g *Registry) Fail(ctx context.Context, arn attune.ARN, id, why string) error {
	_, err := g.Change(ctx, arn, func(r *Resource) error {
		if r.ID != id || !r.Status.creating() {
			return nil
		}
		r.Status = CreateFailed
		return setReason(r, why)
	})
	return ignoreMissing(err)
}

// setReason writes the failureReason that the bodies of all kinds have.
func setReason(r *Resource, why string) error {
	text, err := json.Marshal(cut(why))
	if err != nil {
		return err
	}
	return ChangeBody(r, func(b *map[string]json.RawMessage) { (*b)["failureReason"] = text })
}

func cut(why string) string {
	if len(why) > maxReason {
		return why[:maxReason] + "…"
	}
	return why
}

func ignoreMissing(err error) error {
	if missing(err) {
		return nil
	}
	return err
}

// BeginDeploy shows that the work on a new campaign, or on the update of one,
// has begun, and tells which solution version to deploy. version is "" when the
// row is gone, has another id, or asks for nothing.
func (g *Registry) BeginDeploy(ctx context.Context, arn attune.ARN, id string) (r *Resource, version attune.ARN, err error) {
	r, err = g.changeCampaign(ctx, arn, id, func(r *Resource, b *CampaignBody) {
		version = ""
		switch {
		case r.Status.creating():
			r.Status, version = CreateInProgress, attune.ARN(b.SolutionVersionArn)
		case b.updating():
			if b.LatestUpdate.Status == CreatePending {
				b.LatestUpdate.Status = CreateInProgress
				b.LatestUpdate.Updated = g.after(b.LatestUpdate.Updated)
			}
			version = attune.ARN(b.LatestUpdate.SolutionVersionArn)
		}
	})
	return r, version, err
}

// FinishDeploy shows that version is served now: the campaign is ACTIVE, or its
// update is and its values are the campaign's. When the row is gone, has another
// id, or asks for another version, nothing happens.
func (g *Registry) FinishDeploy(ctx context.Context, arn attune.ARN, id string, version attune.ARN) error {
	_, err := g.changeCampaign(ctx, arn, id, func(r *Resource, b *CampaignBody) {
		switch {
		case r.Status == CreateInProgress && b.SolutionVersionArn == string(version):
			r.Status = Active
		case b.updating() && b.LatestUpdate.Status == CreateInProgress && b.LatestUpdate.SolutionVersionArn == string(version):
			u := b.LatestUpdate
			u.Status, u.Updated = Active, g.after(u.Updated)
			b.SolutionVersionArn, b.MinProvisionedTPS, b.CampaignConfig = u.SolutionVersionArn, u.MinProvisionedTPS, u.CampaignConfig
			b.FailureReason = ""
			r.Status, r.Updated = Active, g.after(r.Updated)
		}
	})
	return err
}

// FailDeploy says why a campaign, or the update of one, could not be deployed.
// After a failed update the campaign is what it was before.
func (g *Registry) FailDeploy(ctx context.Context, arn attune.ARN, id, why string) error {
	_, err := g.changeCampaign(ctx, arn, id, func(r *Resource, b *CampaignBody) {
		switch {
		case r.Status.creating():
			r.Status, b.FailureReason = CreateFailed, cut(why)
		case b.updating():
			b.LatestUpdate.Status, b.LatestUpdate.FailureReason = CreateFailed, cut(why)
			b.LatestUpdate.Updated = g.after(b.LatestUpdate.Updated)
		}
	})
	return err
}

// updating says whether an update is under way.
func (b *CampaignBody) updating() bool {
	return b.LatestUpdate != nil && b.LatestUpdate.Status.creating()
}

func (g *Registry) changeCampaign(ctx context.Context, arn attune.ARN, id string, f func(*Resource, *CampaignBody)) (*Resource, error) {
	r, err := g.Change(ctx, arn, func(r *Resource) error {
		if r.ID != id || r.Kind != Campaign || r.Status.deleting() {
			return nil
		}
		return ChangeBody(r, func(b *CampaignBody) { f(r, b) })
	})
	return r, ignoreMissing(err)
}
