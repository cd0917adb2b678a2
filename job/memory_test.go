package job_test

import (
	"regexp"
	"testing"

	"github.com/attune-io/attune/recipe/all"
	"github.com/attune-io/attune/resource"
)

// TestTrainingAboveMemory: a training that would take more than it may ends CREATE
// FAILED with both numbers, whether it is plain, a search, or chooses its recipe.
func TestTrainingAboveMemory(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.memory = 100 << 10 // where the splits of 4000 interactions take 172 KiB
	h.start(all.List()...)
	plain := h.solution("plain")
	body := must[resource.SolutionBody](t)(resource.Body[resource.SolutionBody](plain))
	for name, b := range map[string]resource.SolutionBody{
		"plain":  {},
		"hpo":    {RecipeArn: body.RecipeArn, PerformHPO: true},
		"automl": {PerformAutoML: true},
	} {
		solution := plain
		if name != "plain" {
			b.DatasetGroupArn = body.DatasetGroupArn
			solution = h.until(must[*resource.Resource](t)(h.registry.CreateSolution(t.Context(), name, b)).ARN, resource.Active)
		}
		why := h.failed(h.version(solution).ARN)
		if !regexp.MustCompile(`takes about \d{3,} KiB.*, more than the 100 KiB allowed: .*'attune serve --train-memory'`).MatchString(why) {
			t.Errorf("%s: it failed of %q", name, why)
		}
	}
}
