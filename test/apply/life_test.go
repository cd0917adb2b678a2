package apply_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/maintain/plan"
)

// TestLife applies, applies again, retrains, rolls back and destroys.
func TestLife(t *testing.T) {
	h := newHouse(t)
	h.shop(1)
	text := declared(h, nil)

	began := time.Now()
	r := h.succeeded(h.apply(text).ID)
	t.Logf("applied in %s, %d steps", time.Since(began).Round(time.Millisecond), len(r.Steps))
	if have := h.census(); !maps.Equal(have, whole()) {
		t.Errorf("there is %v, want %v", have, whole())
	}
	first := arnOf(r, plan.Version)

	again := h.succeeded(h.apply(text).ID)
	for _, s := range again.Steps {
		if s.Action != plan.Keep {
			t.Errorf("applied again: %s %s: %s", s.Action, s.Path, s.Note)
		}
	}
	if have := h.census(); !maps.Equal(have, whole()) || again.Version != 1 {
		t.Errorf("applied again: there is %v, want %v; version %d", have, whole(), again.Version)
	}

	time.Sleep(1100 * time.Millisecond) // a version of this second is new enough
	full := h.succeeded(ask[verb.RunOutput](h, "StartRun", verb.StartRunInput{Configuration: "shop", Purpose: plan.ForFull, Solution: "taste"}).Run.ID)
	second := arnOf(full, plan.Version)
	if second == first || second == "" {
		t.Errorf("retrained to %s after %s", second, first)
	}
	h.deployments(second, first)
	h.succeeded(ask[verb.RunOutput](h, "RollbackCampaign", verb.RollbackCampaignInput{Campaign: "home"}).Run.ID)
	h.deployments(first, second, first)
	kept := h.succeeded(h.apply(text).ID)
	if s := kept.Steps[len(kept.Steps)-1]; s.Kind != plan.Campaign || s.Action != plan.Refuse || !strings.Contains(s.Note, "rolled back") {
		t.Errorf("applied after a rollback: %+v", s)
	}
	h.deployments(first, second, first)
	if why := h.refused("RollbackCampaign", verb.RollbackCampaignInput{Campaign: "home"}); !strings.Contains(why, "no version before") {
		t.Errorf("rolled back once more: %s", why)
	}

	if list := ask[verb.ListSolutionMetricsOutput](h, "ListSolutionMetrics", verb.ListSolutionMetricsInput{Solution: "taste", Metric: "coverage"}).Metrics; len(list) != 2 ||
		list[0].Version != first || list[1].Version != second || list[0].Recipe != "arn:aws:personalize:::recipe/aws-user-personalization" || !list[0].At.Before(list[1].At) {
		t.Errorf("metrics: %+v", list)
	}

	gone := h.succeeded(ask[verb.RunOutput](h, "DestroyConfiguration", verb.DestroyConfigurationInput{Configuration: "shop"}).Run.ID)
	if have := h.census(); len(have) > 0 {
		t.Errorf("destroyed, and there is %v: %s", have, said(gone))
	}
	if runs := ask[verb.ListRunsOutput](h, "ListRuns", maintain.RunsQuery{}).Runs; len(runs) != 6 || runs[0].ID != gone.ID || runs[5].ID != r.ID {
		t.Errorf("runs: %+v", runs)
	}
}

func arnOf(r *maintain.Run, k plan.Kind) string {
	for _, s := range r.Steps {
		if s.Kind == k {
			return s.ARN
		}
	}
	return ""
}

// deployments checks what the campaign was given, newest first.
func (h *house) deployments(want ...string) {
	h.Helper()
	list := ask[verb.ListDeploymentsOutput](h, "ListDeployments", verb.CampaignInput{Campaign: "home"}).Deployments
	if len(list) != len(want) {
		h.Fatalf("deployments: %+v, want %v", list, want)
	}
	for i, d := range list {
		if d.Version != want[i] {
			h.Errorf("deployment %d is %s, want %s", i, d.Version, want[i])
		}
	}
}
