package job

import (
	"strconv"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe/spec"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
)

// day is the unit of explorationItemAgeCutOff.
const day = 24 * time.Hour

// configure adds to a release what the configuration of its campaign, or of its
// batch job, asks for.
func (m *Manager) configure(release *serve.Release, r *resource.Resource, recipe spec.Recipe) error {
	c, err := configOf(r, release.Version)
	if err != nil {
		return err
	}
	limits := m.Registry.Limits().Serve
	release.NoMetadata = r.Kind == resource.Campaign && limits.MetadataEnabled && !c.EnableMetadataWithRecommendations
	if recipe.Exploration && (r.Kind == resource.Campaign || len(c.ItemExplorationConfig) > 0) {
		if release.Explore, err = m.exploration(c.ItemExplorationConfig); err != nil {
			return err
		}
	}
	release.Scorer, err = model.WithInfluence(release.Scorer, release.Model, c.RankingInfluence[resource.InfluencePopularity], c.RankingInfluence[resource.InfluenceFreshness])
	return err
}

// configOf is under which configuration a version is served: that of the update
// that is being deployed, or else the campaign's own. An update that only waits
// changes nothing yet. Batch jobs have the same configuration.
func configOf(r *resource.Resource, version attune.ARN) (c resource.CampaignConfig, err error) {
	switch r.Kind {
	case resource.Campaign:
		b, err := resource.Body[resource.CampaignBody](r)
		if err != nil {
			return c, err
		}
		if u := b.LatestUpdate; u != nil && u.Status == resource.CreateInProgress && u.SolutionVersionArn == string(version) {
			b.CampaignConfig = u.CampaignConfig
		}
		return b.Config()
	case resource.BatchInferenceJob:
		b, err := resource.Body[resource.BatchBody](r)
		if err != nil {
			return c, err
		}
		return resource.CampaignBody{CampaignConfig: b.Config}.Config()
	}
	return c, nil
}

// exploration reads an itemExplorationConfig, with the published defaults for
// what it leaves out. None at all is no exploration, unless Limits.Serve say so.
func (m *Manager) exploration(config map[string]string) (e serve.Exploration, err error) {
	if len(config) == 0 && !m.Registry.Limits().Serve.Explore {
		return e, nil
	}
	e = serve.Exploration{Weight: serve.DefaultWeight, MaxAge: serve.DefaultMaxAge}
	for name, text := range config {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return e, attune.Errorf(attune.Invalid, "itemExplorationConfig has %s %q: give a number", name, text)
		}
		switch name {
		case "explorationWeight", "exploration_weight":
			e.Weight = x
		case "explorationItemAgeCutOff", "exploration_item_age_cut_off":
			e.MaxAge = time.Duration(min(x, maxAgeDays) * float64(day))
		}
	}
	return e, nil
}

// maxAgeDays is a cut-off that nothing is older than, and that a Duration can hold.
const maxAgeDays = 365 * 200
