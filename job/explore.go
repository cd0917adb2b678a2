package job

import (
	"strconv"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/recipe/spec"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
)

// day is the unit of explorationItemAgeCutOff.
const day = 24 * time.Hour

// configure adds to a release what its campaign's configuration asks for. While
// the campaign is being updated that is the configuration it is updated to.
func (m *Manager) configure(release *serve.Release, campaign *resource.Resource, recipe spec.Recipe) error {
	if campaign.Kind != resource.Campaign {
		return nil
	}
	body, err := resource.Body[resource.CampaignBody](campaign)
	if err != nil {
		return err
	}
	if u := body.LatestUpdate; u != nil && u.Status.Creating() {
		body.CampaignConfig = u.CampaignConfig
	}
	c, err := body.Config()
	if err != nil {
		return err
	}
	limits := m.Registry.Limits().Serve
	release.NoMetadata = limits.MetadataEnabled && !c.EnableMetadataWithRecommendations
	if recipe.Exploration {
		release.Explore, err = m.exploration(c.ItemExplorationConfig)
	}
	return err
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
