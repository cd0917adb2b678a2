package maintain

import (
	"context"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
)

// Rollback is the purpose of a run that gives a campaign back a version that it had.
const Rollback plan.Purpose = "rollback"

// RollbackInput names a campaign.
type RollbackInput struct {
	Campaign string // its ARN or its name
	Version  string // ARN of the version that it shall have; "" for the one before what it has
	Cause    Cause
}

// Rollback starts a run that gives a campaign back the version that it had
// before. The version that it is taken from does not go live again by itself:
// newer ones do. attune.NotFound when nothing is known of the campaign or of
// what it had before.
func (m *Manager) Rollback(ctx context.Context, in RollbackInput) (*Run, error) {
	list, err := m.Store.Deployments(ctx, in.Campaign)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, attune.Errorf(attune.NotFound, "no run has deployed a campaign %q", in.Campaign)
	}
	to := in.Version
	if to == "" {
		if to = previous(list); to == "" {
			return nil, attune.Errorf(attune.NotFound, "campaign %s has had no version before %s", list[0].Campaign, list[0].Version)
		}
	}
	if to == list[0].Version {
		return nil, attune.Errorf(attune.Invalid, "campaign %s has %s already", list[0].Campaign, to)
	}
	c, cfg, err := m.configuration(ctx, list[0].Configuration)
	if err != nil {
		return nil, err
	}
	return m.start(ctx, c, cfg, StartInput{Configuration: c.Name, Purpose: Rollback, Cause: in.Cause,
		rollback: &rollback{campaign: attune.ARN(list[0].Campaign).Name(), from: list[0].Version, to: to}})
}

// previous is the version that a campaign had before it first had the one that
// it has; list has the newest deployment first.
func previous(list []Deployment) string {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].Version == list[0].Version {
			if i+1 < len(list) {
				return list[i+1].Version
			}
			return ""
		}
	}
	return ""
}

type rollback struct{ campaign, from, to string }

// steps are the version, which is there, and the campaign, as it is declared
// but for the version.
func (b *rollback) steps(cfg *config.Config, o plan.Order) ([]plan.Step, map[string]plan.Result, error) {
	o.Purpose = plan.ForApply
	all, err := plan.Steps(cfg, o)
	if err != nil {
		return nil, nil, err
	}
	for i := range all {
		s := all[i]
		if s.Kind != plan.Campaign || s.Name != b.campaign {
			continue
		}
		version := s.Use[versionUse]
		s.Promote, s.Needs = nil, []string{version}
		return []plan.Step{{Path: version, Kind: plan.Version, Name: b.from, Solution: s.Solution, Group: s.Group}, s},
			map[string]plan.Result{version: {Path: version, Action: plan.Keep, ARN: b.to, Status: "ACTIVE", Done: true, Note: "it was deployed before"}}, nil
	}
	return nil, nil, attune.Errorf(attune.NotFound, "the configuration declares no campaign %q any more", b.campaign)
}

// rolledFrom is the version that a rollback takes its campaign away from.
func (r *Run) rolledFrom() string {
	if len(r.Steps) > 0 {
		return r.Steps[0].step.Name
	}
	return ""
}

// rejected reports whether the version that a campaign's step wants was rolled
// back from: then it is a person who must want it again.
func (m *Manager) rejected(ctx context.Context, r *Run, t *RunStep, have map[string]plan.Result) (plan.Result, bool, error) {
	version := have[t.step.Use[versionUse]].ARN
	if t.Kind != plan.Campaign || t.step.Delete || r.Purpose == Rollback || version == "" {
		return plan.Result{}, false, nil
	}
	list, err := m.Store.Deployments(ctx, t.Name)
	if err != nil {
		return plan.Result{}, false, attune.Errorf(attune.Unavailable, "%w", err)
	}
	if len(list) == 0 || list[0].Version == version {
		return plan.Result{}, false, nil
	}
	for _, d := range list {
		switch version {
		case d.Version: // it was given again since
			return plan.Result{}, false, nil
		case d.RolledFrom:
			return plan.Result{Path: t.Path, Action: plan.Refuse, ARN: d.Campaign, Status: "ACTIVE", Done: true,
				Note: "stays with " + list[0].Version + ": it was rolled back from " + version[strings.LastIndex(version, "/")+1:] + ", and follows newer versions only"}, true, nil
		}
	}
	return plan.Result{}, false, nil
}
