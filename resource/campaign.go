package resource

import (
	"context"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/recipe/spec"
)

// defaultTPS is minProvisionedTPS when nobody says; Describe always shows it.
const defaultTPS = 1

// CreateCampaign asks for an ACTIVE solution version to be served.
func (g *Registry) CreateCampaign(ctx context.Context, name string, b CampaignBody) (*Resource, error) {
	if err := checkTags(b.Tags); err != nil {
		return nil, err
	}
	if b.MinProvisionedTPS == 0 {
		b.MinProvisionedTPS = defaultTPS
	}
	if err := g.tpsRoom("minProvisionedTPS", b.MinProvisionedTPS); err != nil {
		return nil, err
	}
	b.LatestUpdate = nil
	asked := b.SolutionVersionArn
	if err := checkSync(b, asked); err != nil {
		return nil, err
	}
	return g.created(ctx, func() (*Resource, error) {
		version, group, err := g.deployable(ctx, asked, b)
		if err != nil {
			return nil, err
		}
		b.SolutionVersionArn = string(version.ARN)
		if err := g.free(ctx, Campaign, name); err != nil {
			return nil, err
		}
		return g.add(ctx, &Resource{Kind: Campaign, ARN: g.names.Make("campaign", name), Parent: version.Parent, Name: name}, b, group)
	})
}

// deployable finds an ACTIVE version, whose solution must be ACTIVE too, and
// checks that its recipe can be served with the configuration in b.
func (g *Registry) deployable(ctx context.Context, arn string, b CampaignBody) (version, group *Resource, err error) {
	if solution, ok := strings.CutSuffix(arn, latestSuffix); ok {
		latest, err := g.latestActive(ctx, solution)
		if err != nil {
			return nil, nil, err
		}
		arn = string(latest.ARN)
	}
	version, group, recipe, err := g.usable(ctx, arn)
	if err != nil {
		return nil, nil, err
	}
	if recipe.Kind == spec.Segment {
		return nil, nil, attune.Errorf(attune.Invalid, "%s is of %s, which answers batch segment jobs only: a campaign cannot serve it", arn, recipe.Name)
	}
	return version, group, checkCampaign(b, recipe)
}

// usable finds an ACTIVE version, whose solution must be ACTIVE too, and its recipe.
func (g *Registry) usable(ctx context.Context, arn string) (version, group *Resource, recipe spec.Recipe, err error) {
	if version, group, err = g.within(ctx, SolutionVersion, arn); err != nil {
		return nil, nil, recipe, err
	}
	solution, err := g.store.Get(ctx, version.Parent)
	if err != nil {
		return nil, nil, recipe, err
	}
	for _, r := range []*Resource{version, solution} {
		if err := ready(r); err != nil {
			return nil, nil, recipe, err
		}
	}
	vb, err := Body[SolutionVersionBody](version)
	if err != nil {
		return nil, nil, recipe, err
	}
	recipe, ok := spec.ByARN(vb.RecipeArn)
	if !ok {
		return nil, nil, recipe, attune.Errorf(attune.Invalid, "recipe %s of %s is not known to this build", vb.RecipeArn, arn)
	}
	return version, group, recipe, nil
}

// checkCampaign refuses configuration that would have no effect.
func checkCampaign(b CampaignBody, recipe spec.Recipe) error {
	c, err := b.Config()
	if err != nil {
		return attune.Errorf(attune.Invalid, "campaignConfig cannot be read: %w", err)
	}
	if len(c.RankingInfluence) > 0 && !recipe.Text {
		return attune.Errorf(attune.Invalid, "rankingInfluence is for aws-semantic-similarity: leave it out for %s", recipe.Name)
	}
	for name, x := range c.RankingInfluence {
		if name != InfluencePopularity && name != InfluenceFreshness || !(x >= 0 && x <= 1) {
			return attune.Errorf(attune.Invalid, "rankingInfluence has %s %g: it takes %s and %s, each from 0 to 1", name, x, InfluencePopularity, InfluenceFreshness)
		}
	}
	return checkExploration(c.ItemExplorationConfig, recipe)
}

// checkExploration refuses an itemExplorationConfig that would have no effect.
func checkExploration(config map[string]string, recipe spec.Recipe) error {
	if len(config) > 0 && !recipe.Exploration {
		return attune.Errorf(attune.Invalid, "itemExplorationConfig is for aws-user-personalization, aws-ecomm-recommended-for-you and aws-vod-top-picks: leave it out for %s", recipe.Name)
	}
	for name, value := range config {
		most := 1.0
		switch name {
		case "explorationWeight", "exploration_weight":
		case "explorationItemAgeCutOff", "exploration_item_age_cut_off":
			most = math.MaxInt32 // days
		default:
			return attune.Errorf(attune.Invalid, "itemExplorationConfig has %q: it takes explorationWeight and explorationItemAgeCutOff", name)
		}
		if x, err := strconv.ParseFloat(value, 64); err != nil || !(x >= 0 && x <= most) {
			return attune.Errorf(attune.Invalid, "itemExplorationConfig has %s %q: give a number from 0 to %.0f", name, value, most)
		}
	}
	return nil
}

// CampaignChange is what UpdateCampaign asks for; zero members stay as they are.
type CampaignChange struct {
	SolutionVersionArn string
	MinProvisionedTPS  int
	CampaignConfig     json.RawMessage
}

// UpdateCampaign asks for a campaign to serve something else. It must be ACTIVE
// or CREATE FAILED and not be updated already; until the update is ACTIVE the
// campaign is and shows what it was.
func (g *Registry) UpdateCampaign(ctx context.Context, arn string, in CampaignChange) error {
	if err := g.tpsRoom("minProvisionedTPS", in.MinProvisionedTPS); err != nil {
		return err
	}
	return g.decide(ctx, func() (bool, error) {
		r, group, err := g.within(ctx, Campaign, arn)
		if err != nil {
			return false, err
		}
		b, err := Body[CampaignBody](r)
		if err != nil {
			return false, err
		}
		if r.Status != Active && r.Status != CreateFailed {
			return false, attune.Errorf(attune.InUse, "campaign %s is %s: it can be updated when it is ACTIVE or CREATE FAILED", arn, r.Status)
		}
		if b.updating() {
			return false, attune.Errorf(attune.InUse, "campaign %s is being updated: wait until latestCampaignUpdate is ACTIVE", arn)
		}
		u := &CampaignUpdate{
			SolutionVersionArn: b.SolutionVersionArn, MinProvisionedTPS: b.MinProvisionedTPS, CampaignConfig: b.CampaignConfig,
			Status: CreatePending, Created: g.after(r.Updated),
		}
		u.Updated = u.Created
		if in.SolutionVersionArn != "" {
			u.SolutionVersionArn = in.SolutionVersionArn
		}
		if in.MinProvisionedTPS != 0 {
			u.MinProvisionedTPS = in.MinProvisionedTPS
		}
		if in.CampaignConfig != nil {
			u.CampaignConfig = in.CampaignConfig
		}
		next := CampaignBody{CampaignConfig: u.CampaignConfig}
		if in.SolutionVersionArn != "" || in.CampaignConfig != nil && !b.follows() {
			if err := checkSync(next, u.SolutionVersionArn); err != nil {
				return false, err
			}
		}
		version, _, err := g.deployable(ctx, u.SolutionVersionArn, next)
		if err != nil {
			return false, err
		}
		u.SolutionVersionArn = string(version.ARN)
		if version.Parent != r.Parent {
			return false, attune.Errorf(attune.Invalid, "solution version %s is not one of %s: a campaign stays with its solution", u.SolutionVersionArn, r.Parent)
		}
		return g.write(ctx, r, func(r *Resource) error {
			b.LatestUpdate = u
			return r.SetBody(b)
		}, group)
	})
}

// DeleteCampaign asks for a campaign to be deleted. It must not be on its way
// into being, or to another version.
func (g *Registry) DeleteCampaign(ctx context.Context, arn string) error {
	return g.remove(ctx, Campaign, arn, func(r *Resource) error {
		if r.Busy() {
			return attune.Errorf(attune.InUse, "campaign %s is being updated: wait until latestCampaignUpdate is ACTIVE", arn)
		}
		return nil
	})
}

// maxReason bounds a failureReason, in bytes, so that a row stays small.
const maxReason = 2000

// Fail moves a row that is being created to CREATE FAILED, or its kind's word for it, and says why. A row
// that is gone, has another id, or is past creation is left alone.
func (g *Registry) Fail(ctx context.Context, arn attune.ARN, id, why string) error {
	_, err := g.Change(ctx, arn, func(r *Resource) error {
		if r.ID != id || !r.Status.Creating() {
			return nil
		}
		r.Status = WordsOf(r.Kind).Failed
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
		case r.Status.Creating():
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
		case r.Status.Creating():
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
	return b.LatestUpdate != nil && b.LatestUpdate.Status.Creating()
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
