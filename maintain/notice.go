package maintain

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/attune-io/attune/maintain/plan"
)

// Notice is something that the bus shall hear, in the shape that events have
// there: id, detail-type, resources and detail.
type Notice struct {
	ID         string // the same for the same notice, however often it comes
	At         time.Time
	DetailType string
	Resources  []string // ARNs, may be empty
	Detail     any      // marshals to an object
}

// RunStateChange is the detail-type of a run's end.
const RunStateChange = "Attune Maintenance Run State Change"

// RunDetail is the detail of a run's end.
type RunDetail struct {
	Run           string       `json:"run"`
	Configuration string       `json:"configuration"`
	DatasetGroup  string       `json:"datasetGroup"` // the same, in the words of the original
	Purpose       plan.Purpose `json:"purpose"`
	Solution      string       `json:"solution,omitempty"`
	BaseDate      string       `json:"baseDate,omitempty"`
	Status        RunStatus    `json:"status"`
	Cause         Cause        `json:"cause"`
	Summary       string       `json:"summary"`     // one sentence
	Description   string       `json:"description"` // all of it
}

// runNotice says how a run ended.
func runNotice(r *Run) Notice {
	d := RunDetail{Run: r.ID, Configuration: r.Configuration, DatasetGroup: r.Configuration, Purpose: r.Purpose, Solution: r.Solution,
		BaseDate: r.BaseDate, Status: r.Status, Cause: r.Cause}
	n := Notice{ID: r.ID + "/" + string(r.Status), At: r.Ended, DetailType: RunStateChange}
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
		d.Description += "\n" + strings.Join(lines, "\n") + "\n"
	}
	d.Description += fmt.Sprintf("\nAll steps: attune runs describe %s\n", r.ID)
	n.Detail = d
	return n
}

// changed reports whether an action changes what is there.
func changed(a plan.Action) bool {
	switch a {
	case plan.Create, plan.Update, plan.Replace, plan.Delete:
		return true
	}
	return false
}

// saw keeps what a look has shown beside the step itself.
func (m *Manager) saw(context.Context, *Run, *RunStep, *RunStep) error { return nil }
