package plan_test

import (
	"strings"
	"testing"

	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
)

// TestTrainedBySchedules: a solution that the file trains is made without the
// service's own training, unless the file asks for that; and is held to its word
// only.
func TestTrainedBySchedules(t *testing.T) {
	const head, tail = `{"datasetGroup":{"serviceConfig":{"name":"shop"}},"solutions":[{"serviceConfig":{"name":"a","recipeArn":"arn:aws:personalize:::recipe/aws-sims"`, `}]}`
	const scheduled = `},"workflowConfig":{"schedules":{"full":"cron(0 3 * * ? *)"}}`
	const own = `,"solutionConfig":{"autoTrainingConfig":{"schedulingExpression":"rate(3 days)"}}`
	for _, x := range []struct {
		what, text string
		said       bool // in the call
		initial    bool
	}{
		{"no schedule", `}`, false, false},
		{"a schedule", scheduled, false, true},
		{"both", `,"performAutoTraining":true` + scheduled, true, true},
		{"both, by a plan of the service's", own + scheduled, false, false},
	} {
		c, err := config.Read([]byte(head+x.text+tail), "c.json")
		if err != nil {
			t.Fatalf("%s: %v", x.what, err)
		}
		steps, err := plan.Steps(c, plan.Order{Purpose: plan.ForApply})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			if s.Kind == plan.Solution && (strings.Contains(string(s.Call), "performAutoTraining") != x.said || (len(s.Initial) > 0) != x.initial) {
				t.Errorf("%s: call %s, initial %s", x.what, s.Call, s.Initial)
			}
		}
	}
}
