package maintain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/plan"
	"github.com/attune-io/attune/notify"
)

// keepMetrics is told of the offline metrics of versions that are done.
func (m *Manager) keepMetrics(ctx context.Context, v plan.VersionMetrics) error {
	recipe, _ := ctx.Value(recipeKey{}).(string)
	list := make([]Metric, 0, len(v.Metrics))
	for name, value := range v.Metrics {
		list = append(list, Metric{Solution: v.Solution, Recipe: recipe, Version: v.Version, Metric: name, At: v.Made, Value: value})
	}
	if err := m.Store.measured(ctx, list); err != nil {
		return attune.Errorf(attune.Unavailable, "%w", err) // the version stands; it is looked at again
	}
	return nil
}

// recipeKey is where the context of a look has the recipe of its solution.
type recipeKey struct{}

// recipeOf is the recipe of the solution that a version's step is about, as far
// as its run says it.
func recipeOf(r *Run, version *plan.Step) string {
	for i := range r.Steps {
		if s := &r.Steps[i].step; s.Kind == plan.Solution && strings.HasPrefix(version.Path, s.Path+".") {
			var call struct {
				RecipeArn string `json:"recipeArn"`
			}
			if json.Unmarshal(s.Call, &call) == nil {
				return call.RecipeArn
			}
		}
	}
	return ""
}

// saw keeps what a look has shown beside the step itself: what a campaign
// serves, how far the data of a day is, and what the bus shall hear.
func (m *Manager) saw(ctx context.Context, r *Run, before, t *RunStep) error {
	var errs []error
	if t.Kind == plan.Campaign && !t.step.Delete {
		errs = append(errs, m.sawCampaign(ctx, r, t))
	}
	if r.BaseDate != "" {
		errs = append(errs, m.sawRefresh(ctx, r, t))
	}
	if !m.Place.Itself && m.Notify != nil {
		errs = append(errs, m.sawState(ctx, r, before, t))
	}
	return errors.Join(errs...)
}

// versionUse is the member of a campaign that its version goes into.
const versionUse = "solutionVersionArn"

// sawCampaign notes which version a campaign was given, and the one before it
// when that is not known yet.
func (m *Manager) sawCampaign(ctx context.Context, r *Run, t *RunStep) error {
	if t.ARN == "" {
		return nil
	}
	d := Deployment{Campaign: t.ARN, Configuration: r.Configuration, At: m.Clock()}
	for _, diff := range t.Diffs {
		if diff.Member == versionUse && diff.Have != "" && json.Unmarshal([]byte(diff.Have), &d.Version) == nil && d.Version != "" {
			if err := m.Store.deployed(ctx, d, true); err != nil {
				return err
			}
		}
	}
	if t.State != StepDone || t.Action == plan.Refuse || t.Action == plan.Skip {
		return nil
	}
	for i := range r.Steps {
		if v := &r.Steps[i]; v.Path == t.step.Use[versionUse] {
			d.Version, d.Run = v.ARN, r.ID
		}
	}
	if d.Run == "" || d.Version == "" {
		return nil
	}
	if r.Purpose == Rollback {
		d.RolledFrom = r.rolledFrom()
	}
	return m.Store.deployed(ctx, d, false)
}

// The words of a refresh, those of the original table.
const (
	refreshing   = "IN_PROGRESS"
	refreshed    = "ACTIVE"
	refreshFails = "FAILED"
)

// sawRefresh moves on the rows of a day's data.
func (m *Manager) sawRefresh(ctx context.Context, r *Run, t *RunStep) error {
	date, err := strconv.Atoi(r.BaseDate)
	if err != nil {
		return err
	}
	word := map[StepStatus]string{StepRunning: refreshing, StepDone: refreshed, StepFailed: refreshFails}[t.State]
	var errs []error
	for _, name := range r.refreshes(t) {
		errs = append(errs, m.moveRefresh(ctx, name, date, func(row *Refresh) (moved bool) {
			row.Run = r.ID
			set := func(arn, status *string) bool {
				if *arn == t.ARN && (*status == word || *status == refreshed) {
					return false
				}
				*arn, *status = t.ARN, word
				return true
			}
			switch t.Kind {
			case plan.Import:
				if moved = set(&row.ImportArn, &row.ImportStatus); moved {
					row.ImportAt = m.Clock()
				}
			case plan.Version:
				if moved = set(&row.VersionArn, &row.VersionStatus); moved {
					row.VersionAt, row.Solution = m.Clock(), t.step.Solution
				}
			case plan.Campaign:
				if moved = set(&row.CampaignArn, &row.CampaignStatus); moved {
					row.CampaignAt = m.Clock()
				}
			}
			return moved
		}))
	}
	return errors.Join(errs...)
}

// refreshes names the rows that a step moves on: those of the campaigns of its
// solution, or of all for imports of interactions; a solution without campaigns
// has a row of its own.
func (r *Run) refreshes(t *RunStep) (names []string) {
	if t.Kind == plan.Campaign {
		return []string{t.Name}
	}
	if t.Kind != plan.Version && (t.Kind != plan.Import || t.step.Type != "interactions") {
		return nil
	}
	for i := range r.Steps {
		v := &r.Steps[i].step
		if v.Kind != plan.Version || t.Kind == plan.Version && v.Path != t.Path {
			continue
		}
		found := false
		for k := range r.Steps {
			if c := &r.Steps[k].step; c.Kind == plan.Campaign && c.Use[versionUse] == v.Path {
				names, found = append(names, c.Name), true
			}
		}
		if !found {
			names = append(names, v.Solution)
		}
	}
	return names
}

// refreshTries bounds how often a row is read again that somebody else moves on.
const refreshTries = 10

// moveRefresh changes a row as f says; f is asked again when somebody else was
// first, so that each transition is written once.
func (m *Manager) moveRefresh(ctx context.Context, name string, date int, f func(*Refresh) bool) error {
	for range refreshTries {
		row, err := m.Store.refresh(ctx, name, date)
		if err != nil || !f(row) {
			return err
		}
		if err := m.Store.saveRefresh(ctx, row); !errors.Is(err, errMoved) {
			return err
		}
	}
	return attune.Errorf(attune.InUse, "the refresh of %s at %d is being written by others", name, date)
}

// sawState tells of a state as the original does, where the place does not do so itself.
func (m *Manager) sawState(ctx context.Context, r *Run, before, t *RunStep) error {
	if t.ARN == "" || t.step.Delete {
		return nil
	}
	tell := func(status string, took int64) error {
		return m.tell(ctx, notify.Event{ID: fmt.Sprintf("%s/%s/%s", r.ID, t.Path, status), Source: notify.SourceState,
			DetailType: "Personalize " + titled(t.Kind) + " State Change", Resources: []string{t.ARN}},
			StateDetail{Arn: t.ARN, Status: status, Duration: took, Cause: json.RawMessage(r.chain)})
	}
	var errs []error
	if changed(t.Action) && !changed(before.Action) {
		status := "CREATING"
		if t.Action == plan.Update {
			status = "UPDATING"
		}
		errs = append(errs, tell(status, 0))
	}
	waited := changed(t.Action) || before.Action == plan.Wait
	if t.State == StepDone && t.Status == "ACTIVE" && waited && t.Kind != plan.Schema {
		errs = append(errs, tell("ACTIVE", int64(t.Took.Seconds())))
	}
	return errors.Join(errs...)
}

// StateDetail is the detail of a change of a resource's state.
type StateDetail struct {
	Arn      string
	Status   string
	Duration int64           `json:",omitempty"` // seconds from creation to the last change
	Cause    json.RawMessage `json:",omitempty"` // the runs that led to it
}

// titled is a kind in the words of a detail-type: each begins with a capital.
func titled(k plan.Kind) string {
	words := strings.Fields(string(k))
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}
