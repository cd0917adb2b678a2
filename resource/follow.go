package resource

import (
	"context"
	"errors"
	"strings"

	"github.com/attune-io/attune"
)

// latestSuffix after the ARN of a solution asks for its newest ACTIVE version.
const latestSuffix = "/$LATEST"

// The keys of rankingInfluence.
const (
	InfluencePopularity = "POPULARITY"
	InfluenceFreshness  = "FRESHNESS"
)

// follows says whether the campaign moves to newer versions by itself.
func (b *CampaignBody) follows() bool {
	c, err := b.Config()
	return err == nil && c.SyncWithLatestSolutionVersion
}

// checkSync refuses a campaign that follows the latest version and is told to stay with another.
func checkSync(b CampaignBody, version string) error {
	if b.follows() && !strings.HasSuffix(version, latestSuffix) {
		return attune.Errorf(attune.Invalid, "syncWithLatestSolutionVersion deploys the latest version: give solutionVersionArn as the ARN of the solution followed by %s, or set it to false", latestSuffix)
	}
	return nil
}

// latestActive is the newest version of a solution that can be deployed.
// attune.InUse while the first one is being trained.
func (g *Registry) latestActive(ctx context.Context, solution string) (*Resource, error) {
	r, err := g.Find(ctx, Solution, attune.ARN(solution))
	if err != nil {
		return nil, err
	}
	version, err := g.any(ctx, Query{Kind: SolutionVersion, Parent: r.ARN, Statuses: []Status{Active}, Newest: true})
	if err != nil || version != nil {
		return version, err
	}
	busy, err := g.any(ctx, Query{Kind: SolutionVersion, Parent: r.ARN, Busy: true})
	if err != nil {
		return nil, err
	}
	if busy != nil {
		return nil, attune.Errorf(attune.InUse, "solution version %s is %s, and %s has no other: wait until it is ACTIVE", busy.ARN, busy.Status, solution)
	}
	return nil, attune.Errorf(attune.Invalid, "solution %s has no ACTIVE version: train one with CreateSolutionVersion first", solution)
}

// FollowLatest asks for every ACTIVE campaign that follows its solution to be
// updated to the newest ACTIVE version, and gives those that it asked for. A
// version that could not be deployed is not tried again: the next one is. It
// may be called at any time, by several processes at once.
func (g *Registry) FollowLatest(ctx context.Context) ([]Resource, error) {
	campaigns, err := g.every(ctx, Query{Kind: Campaign, Statuses: []Status{Active}})
	if err != nil {
		return nil, err
	}
	var moved []Resource
	var failed error
	for i := range campaigns {
		b, err := Body[CampaignBody](&campaigns[i])
		if err == nil && !b.follows() {
			continue
		}
		if err == nil {
			var r *Resource
			if r, err = g.follow(ctx, &campaigns[i]); r != nil {
				moved = append(moved, *r)
			}
		}
		failed = errors.Join(failed, err)
	}
	return moved, failed
}

// follow decides about one campaign; it is nil when there is nothing newer.
func (g *Registry) follow(ctx context.Context, c *Resource) (moved *Resource, err error) {
	err = g.decide(ctx, func() (bool, error) {
		moved = nil
		r, group, err := g.within(ctx, Campaign, string(c.ARN))
		if missing(err) || err == nil && (r.ID != c.ID || r.Status != Active) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		b, err := Body[CampaignBody](r)
		if err != nil || !b.follows() || b.updating() {
			return false, err
		}
		latest, err := g.any(ctx, Query{Kind: SolutionVersion, Parent: r.Parent, Statuses: []Status{Active}, Newest: true})
		if err != nil || latest == nil || string(latest.ARN) == b.SolutionVersionArn {
			return false, err
		}
		if u := b.LatestUpdate; u != nil && u.Status == CreateFailed && u.SolutionVersionArn == string(latest.ARN) {
			return false, nil
		}
		now := g.after(r.Updated)
		b.LatestUpdate = &CampaignUpdate{
			SolutionVersionArn: string(latest.ARN), MinProvisionedTPS: b.MinProvisionedTPS, CampaignConfig: b.CampaignConfig,
			Status: CreatePending, Created: now, Updated: now,
		}
		changed, err := g.write(ctx, r, func(r *Resource) error { return r.SetBody(b) }, group)
		if changed && err == nil {
			moved = r
		}
		return changed, err
	})
	return moved, err
}

// TellAutoML shows on its solution which recipe a version that is ACTIVE chose.
func (g *Registry) TellAutoML(ctx context.Context, version attune.ARN) error {
	v, err := g.store.Get(ctx, version)
	if err != nil {
		return ignoreMissing(err)
	}
	b, err := Body[SolutionVersionBody](v)
	if err != nil || !b.PerformAutoML || v.Status != Active {
		return err
	}
	_, err = g.Change(ctx, v.Parent, func(r *Resource) error {
		if r.Kind != Solution || r.Status != Active {
			return nil
		}
		return ChangeBody(r, func(s *SolutionBody) { s.AutoMLResult = &AutoMLResult{BestRecipeArn: b.RecipeArn} })
	})
	return ignoreMissing(err)
}
