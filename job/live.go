package job

import (
	"context"
	"maps"
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/resource"
)

// liveModels are the models behind campaigns of a version's solution, which the
// new one is measured beside, in order of their ARNs. One that cannot be read is
// left out with a warning: that is no reason not to train.
func (m *Manager) liveModels(ctx context.Context, r *resource.Resource) ([]recipe.Live, error) {
	v, err := resource.Body[resource.SolutionVersionBody](r)
	if err != nil {
		return nil, err
	}
	campaigns, err := m.Registry.All(ctx, resource.Campaign)
	if err != nil {
		return nil, err
	}
	versions := map[attune.ARN]bool{}
	for i := range campaigns {
		c, err := resource.Body[resource.CampaignBody](&campaigns[i])
		if err != nil {
			return nil, err
		}
		if campaigns[i].Status == resource.Active && campaigns[i].Group == r.Group {
			versions[attune.ARN(c.SolutionVersionArn)] = true
		}
	}
	var out []recipe.Live
	for _, arn := range slices.Sorted(maps.Keys(versions)) {
		live, ok, err := m.liveModel(ctx, arn, v.SolutionArn)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			m.Logger.Warn("a live model is not compared with", "version", arn, "error", err)
			continue
		}
		if ok && len(out) < model.MaxAgainst {
			out = append(out, live)
		}
	}
	return out, nil
}

// liveModel is one version, if it is of the solution.
func (m *Manager) liveModel(ctx context.Context, arn attune.ARN, solution string) (live recipe.Live, ok bool, err error) {
	r, err := m.Registry.Get(ctx, arn)
	if err != nil {
		return live, false, err
	}
	v, err := resource.Body[resource.SolutionVersionBody](r)
	if err != nil || v.SolutionArn != solution {
		return live, false, err
	}
	manifest, err := model.OpenManifest(ctx, m.Artifacts, v.Model)
	if err != nil {
		return live, false, err
	}
	open := func(ctx context.Context) (*model.Model, model.Scorer, error) {
		learned, err := model.Open(ctx, m.Artifacts, v.Model)
		if err != nil {
			return nil, nil, err
		}
		decoder, ok := m.recipes[learned.Manifest.Algorithm]
		if !ok {
			return nil, nil, attune.Errorf(attune.Invalid, "it was trained by %q, which this build does not have", learned.Manifest.Algorithm)
		}
		scorer, err := recipe.Decode(decoder, learned)
		return learned, scorer, err
	}
	return recipe.Live{Version: string(arn), Manifest: *manifest, Open: open}, true, nil
}
