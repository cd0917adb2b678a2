package resource_test

import (
	"testing"
	"time"

	"github.com/attune-io/attune/resource"
)

// TestNextTraining: the first run, the runs after it, what is overdue, and none.
func TestNextTraining(t *testing.T) {
	on, start := true, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	days := []byte(`{"autoTrainingConfig":{"schedulingExpression":"rate(2 days)"}}`)
	for name, c := range map[string]struct {
		body resource.SolutionBody
		want time.Time // zero for none
	}{
		"off":     {resource.SolutionBody{Schedule: &resource.Schedule{Since: start}}, time.Time{}},
		"first":   {resource.SolutionBody{PerformAutoTraining: &on, Schedule: &resource.Schedule{Since: start}}, start.Add(55 * time.Minute)},
		"later":   {resource.SolutionBody{PerformAutoTraining: &on, SolutionConfig: days, Schedule: &resource.Schedule{Since: start, Last: start}}, start.Add(48 * time.Hour)},
		"overdue": {resource.SolutionBody{PerformAutoTraining: &on, Schedule: &resource.Schedule{Since: start, Last: start.Add(-9 * 24 * time.Hour)}}, start},
	} {
		at, ok, err := c.body.NextTraining(start)
		if err != nil || ok == c.want.IsZero() || ok && !at.Equal(c.want) {
			t.Errorf("%s: %v, %v, %v; want %v", name, at, ok, err, c.want)
		}
	}
}
