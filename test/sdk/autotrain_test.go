package sdk_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	"github.com/aws/aws-sdk-go-v2/service/personalize/types"

	"github.com/attune-io/attune/api/verb"
)

// TestAutoTraining lets days pass in a moment, and sees what the server has
// trained by itself.
func TestAutoTraining(t *testing.T) {
	t.Parallel()
	c := newNode(t, "--mode=strict")
	s := c.shopGroup("auto")
	solution := c.solutionOf(&personalize.CreateSolutionInput{Name: aws.String("auto"), DatasetGroupArn: &s.group, RecipeArn: aws.String(recipePrefix + "aws-popularity-count"),
		SolutionConfig: &types.SolutionConfig{AutoTrainingConfig: &types.AutoTrainingConfig{SchedulingExpression: aws.String("rate(2 days)")}}})
	time.Sleep(200 * time.Millisecond) // the schedule begins at the server's next look, moments after ACTIVE
	later := func(d time.Duration, want int) (versions []types.SolutionVersionSummary) {
		t.Helper()
		var now verb.DescribeClockOutput
		if err := c.verb("AdvanceClock", verb.AdvanceClockInput{Seconds: d.Seconds()}, &now); err != nil {
			t.Fatal(err)
		}
		soon(t, func() string {
			versions = must[*personalize.ListSolutionVersionsOutput](t)(c.control.ListSolutionVersions(c.ctx, &personalize.ListSolutionVersionsInput{SolutionArn: &solution})).SolutionVersions
			for _, v := range versions {
				if *v.Status != "ACTIVE" {
					return "a version is " + *v.Status
				}
			}
			if len(versions) != want {
				return fmt.Sprintf("%d versions, want %d", len(versions), want)
			}
			return ""
		})
		return versions
	}
	first := later(time.Hour, 1)[0]
	if first.TrainingType != types.TrainingTypeAutomatic || first.TrainingMode != types.TrainingModeAutotrain {
		t.Errorf("the first version is %s, %s", first.TrainingType, first.TrainingMode)
	}
	later(2*24*time.Hour, 2)
	later(20*24*time.Hour, 3) // one for all that was missed
	must[*personalize.UpdateSolutionOutput](t)(c.control.UpdateSolution(c.ctx, &personalize.UpdateSolutionInput{SolutionArn: &solution, PerformAutoTraining: aws.Bool(false)}))
	soon(t, func() string {
		if u := c.describeSolution(solution).LatestSolutionUpdate; *u.Status != "ACTIVE" {
			return "the update is " + *u.Status
		}
		return ""
	})
	later(40*24*time.Hour, 3)
	time.Sleep(500 * time.Millisecond) // in which a training would begin, were it on
	later(0, 3)
}
