package maintain

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/attune-io/attune/maintain/plan"
	"github.com/attune-io/attune/notify"
)

// SourceRuns is the source of what is told of runs.
const SourceRuns = "attune.maintain"

// RunStateChange is the detail-type of a run's end.
const RunStateChange = "Attune Maintenance Run State Change"

// RunDetail is the detail of a run's end.
type RunDetail struct {
	Run           string          `json:"run"`
	Configuration string          `json:"configuration"`
	DatasetGroup  string          `json:"datasetGroup"` // the same, in the words of the original
	Purpose       plan.Purpose    `json:"purpose"`
	Solution      string          `json:"solution,omitempty"`
	BaseDate      string          `json:"baseDate,omitempty"`
	Status        RunStatus       `json:"status"`
	StartedBy     Cause           `json:"startedBy"`
	Cause         json.RawMessage `json:"cause,omitempty"` // the runs that led to it, as notify.CauseOf reads it
	Summary       string          `json:"summary"`         // one sentence
	Description   string          `json:"description"`     // all of it
}

// runNotice says how a run ended.
func runNotice(r *Run) (notify.Event, RunDetail) {
	d := RunDetail{Run: r.ID, Configuration: r.Configuration, DatasetGroup: r.Configuration, Purpose: r.Purpose, Solution: r.Solution,
		BaseDate: r.BaseDate, Status: r.Status, StartedBy: r.Cause, Cause: json.RawMessage(r.chain)}
	n := notify.Event{ID: r.ID + "/" + string(r.Status), Time: r.Ended, Source: SourceRuns, DetailType: RunStateChange}
	var lines []string
	for i := range r.Steps {
		t := &r.Steps[i]
		if t.Kind == plan.DatasetGroup && t.ARN != "" {
			n.Resources = []string{t.ARN}
		}
		if changed(t.Action) {
			lines = append(lines, fmt.Sprintf("* %s %s: %s", t.Action, t.Kind, t.label()))
		}
	}
	switch r.Status {
	case Succeeded:
		d.Summary = fmt.Sprintf("The %s workflow for %s completed successfully.", r.Purpose, r.Configuration)
		d.Description = d.Summary + "\n"
		if len(lines) == 0 {
			lines = []string{"Nothing had to change."}
		}
	case Cancelled:
		d.Summary = fmt.Sprintf("The %s workflow for %s was cancelled.", r.Purpose, r.Configuration)
		d.Description = d.Summary + "\n"
	default:
		d.Summary = fmt.Sprintf("The %s workflow for %s completed with errors.", r.Purpose, r.Configuration)
		d.Description = d.Summary + "\n\n" + r.Error + "\n"
	}
	if len(lines) > 0 {
		d.Description += "\n" + listed(lines, maxReasons) + "\n"
	}
	d.Description += fmt.Sprintf("\nAll steps: attune runs describe %s\n", r.ID)
	return n, d
}

// unstartedNotice says that what was due made no run, and so has no other trace.
func unstartedNotice(cause Cause, s *Standing, at time.Time, why error) (notify.Event, RunDetail) {
	summary := fmt.Sprintf("The %s workflow for %s could not start.", s.Purpose, s.Configuration)
	return notify.Event{ID: cause.ID + "/" + string(Failed), Time: at, Source: SourceRuns, DetailType: RunStateChange},
		RunDetail{Configuration: s.Configuration, DatasetGroup: s.Configuration, Purpose: s.Purpose, Solution: s.Solution, Status: Failed,
			StartedBy: cause, Summary: summary, Description: summary + "\n\n" + why.Error() + "\n"}
}

// tell puts an event with its detail on the bus.
func (m *Manager) tell(ctx context.Context, n notify.Event, detail any) (err error) {
	if n.Detail, err = json.Marshal(detail); err != nil {
		return err
	}
	_, err = m.Notify(ctx, n)
	return err
}

// changed reports whether an action changes what is there.
func changed(a plan.Action) bool {
	switch a {
	case plan.Create, plan.Update, plan.Replace, plan.Delete:
		return true
	}
	return false
}
