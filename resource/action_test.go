package resource_test

import (
	"encoding/json"
	"testing"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

const actionsAvro = `{"type":"record","name":"Actions","fields":[{"name":"ACTION_ID","type":"string"},{"name":"VALUE","type":["null","long"]}]}`

// TestActionRules: what aws-next-best-action needs, and what it does not take.
func TestActionRules(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	const recipe = "arn:aws:personalize:::recipe/aws-next-best-action"
	group := h.active(h.group("offers"))
	create := func(b resource.SolutionBody) error {
		b.DatasetGroupArn, b.RecipeArn = group, recipe
		return not(h.CreateSolution(ctx, "x", b))
	}
	h.refused(create(resource.SolutionBody{EventType: "Taken"}), attune.Invalid, "leave out eventType")
	h.refused(create(resource.SolutionBody{SolutionConfig: json.RawMessage(`{"eventValueThreshold":"1"}`)}), attune.Invalid, "leave out eventType")
	h.refused(create(resource.SolutionBody{SolutionConfig: json.RawMessage(`{"featureTransformationParameters":{"action_optimization_period":"6"}}`)}), attune.Invalid, "from 7 to 28")
	h.refused(create(resource.SolutionBody{SolutionConfig: json.RawMessage(`{"algorithmHyperParameters":{"hidden_dimension":"64"}}`)}), attune.Invalid, "does not take")

	solution := h.active(h.solution("s", group, recipe))
	train := func() error {
		return not(h.CreateSolutionVersion(ctx, resource.VersionRequest{SolutionArn: solution}))
	}
	h.refused(train(), attune.Invalid, "no Actions dataset")
	set := h.dataset(group, "Actions", h.schema("actions", actionsAvro))
	h.refused(train(), attune.InUse, "dataset")
	h.active(set)
	job := h.importJob("j", set)
	h.refused(train(), attune.InUse, job)
	h.active(job)
	version := h.active(h.version(solution))
	h.refused(not(h.CreateCampaign(ctx, "c", resource.CampaignBody{SolutionVersionArn: version, CampaignConfig: json.RawMessage(`{"itemExplorationConfig":{"explorationWeight":"0.3"}}`)})),
		attune.Invalid, "itemExplorationConfig")
	h.active(h.campaign("c", version))
}
