package job_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

// versions waits until a solution has n versions and all of them are ACTIVE.
func (h *house) versions(solution attune.ARN, n int) (all []resource.Resource) {
	h.Helper()
	h.eventually("so many versions", func() bool {
		all = must[[]resource.Resource](h)(h.registry.Children(h.Context(), solution, resource.SolutionVersion))
		for i := range all {
			if all[i].Status != resource.Active {
				return false
			}
		}
		if len(all) > n {
			h.Fatalf("%d versions, want %d", len(all), n)
		}
		return len(all) == n
	})
	return all
}

// TestStandingOrders lets time pass: the solution trains itself, and the
// campaign that follows it serves what was trained.
func TestStandingOrders(t *testing.T) {
	t.Parallel()
	h := newLine(t)
	solution := h.solution("stand")
	h.eventually("the schedule begins", func() bool {
		return must[resource.SolutionBody](t)(resource.Body[resource.SolutionBody](h.get(solution.ARN))).Schedule != nil
	})
	h.later(time.Hour)
	first := h.versions(solution.ARN, 1)[0]
	b := must[resource.SolutionVersionBody](t)(resource.Body[resource.SolutionVersionBody](&first))
	if b.TrainingMode != "AUTOTRAIN" || b.TrainingType != "AUTOMATIC" || b.Model == "" {
		t.Errorf("the first version %+v", b)
	}
	campaign := must[*resource.Resource](t)(h.registry.CreateCampaign(t.Context(), "follows", resource.CampaignBody{
		SolutionVersionArn: string(solution.ARN) + "/$LATEST", CampaignConfig: json.RawMessage(`{"syncWithLatestSolutionVersion":true}`)}))
	h.until(campaign.ARN, resource.Active)
	h.later(7 * 24 * time.Hour)
	second := h.versions(solution.ARN, 2)[1]
	h.eventually("the campaign follows", func() bool {
		r, ok := h.serve.Get(campaign.ARN)
		return ok && r.Version == second.ARN && !h.get(campaign.ARN).Busy()
	})

	// A month without the server is one training, when it is back.
	h.stop()
	h.ahead.Add(int64(30 * 24 * time.Hour))
	h.start()
	third := h.versions(solution.ARN, 3)[2]
	h.eventually("the campaign follows again", func() bool {
		r, ok := h.serve.Get(campaign.ARN)
		return ok && r.Version == third.ARN
	})
	h.settled(campaign.ARN)
	h.jobs.Load().Kick()
	h.versions(solution.ARN, 3)
}

// TestStopPath walks both ways of stopping a training.
func TestStopPath(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := newSlow()
	h.start(s.recipes()...)
	solution := h.solution("stops")
	running, waiting := h.version(solution), h.version(solution)
	<-s.begun
	h.until(running.ARN, resource.CreateInProgress)
	stop := func(r *resource.Resource, to ...resource.Status) {
		t.Helper()
		if err := h.registry.StopSolutionVersion(t.Context(), string(r.ARN)); err != nil {
			t.Fatalf("%v: %s", err, h.get(r.ARN).Body)
		}
		got := h.get(r.ARN).Status
		for _, want := range to {
			if got == want {
				return
			}
		}
		t.Errorf("stopped, it is %s, want one of %v", got, to)
	}
	// The second has frozen its data perhaps, and waits for the first to end.
	stop(waiting, resource.CreateStopped, resource.CreateStopping)
	stop(running, resource.CreateStopping, resource.CreateStopped)
	h.until(waiting.ARN, resource.CreateStopped)
	h.until(running.ARN, resource.CreateStopped)
	if err := h.registry.StopSolutionVersion(t.Context(), string(running.ARN)); err == nil || attune.KindOf(err) != attune.Invalid {
		t.Errorf("stopped again: %v", err)
	}
	close(s.let)
	h.until(h.version(solution).ARN, resource.Active) // the trainer is free
	h.stop()
	// Nobody has taken it up: it is stopped at once.
	pending := h.version(solution)
	stop(pending, resource.CreateStopped)
	h.start(s.recipes()...)
	h.until(h.version(solution).ARN, resource.Active)
	h.until(pending.ARN, resource.CreateStopped)
}
