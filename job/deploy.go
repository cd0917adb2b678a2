package job

import (
	"context"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/spec"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
)

const (
	// foldWait is how long a deployment waits for the profile to know all that
	// the log held when it began. A group that needs longer serves with what it knows.
	foldWait = time.Minute
	// foldPoll is how often that is looked at.
	foldPoll = 20 * time.Millisecond
)

// DeployWorkflow puts a solution version behind a campaign, on creation and on update.
func DeployWorkflow(ctx workflow.Context, ref Ref) error {
	ctx = step(ctx, queueLight)
	var a *activities
	err := workflow.ExecuteActivity(ctx, a.Deploy, ref).Get(ctx, nil)
	if temporal.IsCanceledError(err) {
		return err // by an operator of Temporal: the row still asks, and is taken up again
	}
	if err != nil {
		return workflow.ExecuteActivity(ctx, a.FailDeploy, ref, reason(ctx, err)).Get(ctx, nil)
	}
	return nil
}

// Deploy opens the model, waits until the profile has caught up, begins to
// serve it, and then shows it on the row. Until that last change the old
// version is the campaign's, and a restart serves it.
func (a *activities) Deploy(ctx context.Context, ref Ref) error {
	_, err := beating(ctx, a.m, func(ctx context.Context, report func(Progress)) (none struct{}, err error) {
		start := time.Now()
		defer func() { a.m.observe("deploy", start, err) }()
		r, version, err := a.m.Registry.BeginDeploy(ctx, ref.ARN, ref.ID)
		if err != nil || version == "" {
			return none, err
		}
		report(Progress{Stage: "load"})
		release, err := a.m.release(ctx, r, version)
		if err != nil {
			return none, err
		}
		report(Progress{Stage: "fold"})
		if err := a.m.waitForProfile(ctx, r); err != nil {
			return none, err
		}
		if err := a.m.Serve.Load(release); err != nil {
			return none, err
		}
		return none, a.m.Registry.FinishDeploy(ctx, ref.ARN, ref.ID, version)
	})
	return err
}

// FailDeploy shows why; after a failed update the old version goes on serving.
// An update that was asked for since, when a kill makes this a second attempt,
// has not failed.
func (a *activities) FailDeploy(ctx context.Context, ref Ref, why string) error {
	_, err := beating(ctx, a.m, func(ctx context.Context, _ func(Progress)) (struct{}, error) {
		var none struct{}
		r, err := a.m.Registry.Get(ctx, ref.ARN)
		if err != nil && attune.KindOf(err) == attune.NotFound {
			return none, nil
		}
		if err != nil {
			return none, err
		}
		if updateOf(r) != ref.Update {
			return none, nil
		}
		a.m.Logger.Warn("deployment failed", "resource", ref.ARN, "id", ref.ID, "reason", why)
		return none, a.m.Registry.FailDeploy(ctx, ref.ARN, ref.ID, why)
	})
	return err
}

// release opens the model of a solution version for a campaign or a batch job.
func (m *Manager) release(ctx context.Context, campaign *resource.Resource, version attune.ARN) (serve.Release, error) {
	vr, err := m.Registry.Get(ctx, version)
	if err != nil {
		return serve.Release{}, err
	}
	v, err := resource.Body[resource.SolutionVersionBody](vr)
	if err != nil {
		return serve.Release{}, err
	}
	learned, err := model.Open(ctx, m.Artifacts, v.Model)
	if err != nil {
		return serve.Release{}, fmt.Errorf("open model of %s: %w", version, err)
	}
	facts, ok := spec.ByARN(v.RecipeArn)
	decoder := m.recipes[learned.Manifest.Algorithm]
	if !ok || decoder == nil {
		return serve.Release{}, attune.Errorf(attune.Invalid, "%s was trained by %q, which this build cannot serve", version, learned.Manifest.Algorithm)
	}
	scorer, err := recipe.Decode(decoder, learned)
	if err != nil {
		return serve.Release{}, fmt.Errorf("decode model of %s: %w", version, err)
	}
	release := serve.Release{
		Campaign: campaign.ARN, Version: version, Group: group(campaign),
		Kind: serve.Kind(facts.Kind), Model: learned, Scorer: scorer, Reasons: facts.Reasons, Anybody: facts.Anybody,
	}
	return release, m.configure(&release, campaign, facts)
}

// waitForProfile waits until the group's profile knows what the log holds now.
func (m *Manager) waitForProfile(ctx context.Context, r *resource.Resource) error {
	known, err := m.knows(ctx, r, foldWait)
	if err == nil && !known {
		m.Logger.Warn("profile is behind; serving with what it knows", "campaign", r.ARN, "waited", foldWait)
	}
	return err
}

// knows waits until the group's profile knows what the log holds now; false
// when that takes longer, or ctx has ended.
func (m *Manager) knows(ctx context.Context, r *resource.Resource, wait time.Duration) (bool, error) {
	g := group(r)
	m.Profiles.Watch(g)
	end, err := m.Log.End(ctx, g)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		if v, ok := m.Profiles.View(g); ok && !v.Seq().Less(end) {
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-time.After(foldPoll):
		}
	}
}

// resume serves every active campaign and recommender again and follows every live group.
func (m *Manager) resume(ctx context.Context) error {
	groups, err := m.Registry.All(ctx, resource.DatasetGroup)
	if err != nil {
		return err
	}
	for i := range groups {
		if groups[i].Status == resource.Active {
			m.Profiles.Watch(group(&groups[i]))
		}
	}
	campaigns, err := m.Registry.All(ctx, resource.Campaign)
	if err != nil {
		return err
	}
	for i := range campaigns {
		c := &campaigns[i]
		if c.Status != resource.Active {
			continue
		}
		body, err := resource.Body[resource.CampaignBody](c)
		if err != nil {
			return err
		}
		release, err := m.release(ctx, c, attune.ARN(body.SolutionVersionArn))
		if err == nil {
			err = m.Serve.Load(release)
		}
		if err != nil {
			m.Logger.Error("campaign is not served", "campaign", c.ARN, "error", err)
		}
	}
	return m.resumeRecommenders(ctx)
}
