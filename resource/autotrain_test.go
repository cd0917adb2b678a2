package resource_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/resource"
)

const hour, days = time.Hour, 24 * time.Hour

// look lets automatic training decide, and gives how many versions it made.
func (h *house) look() int {
	h.Helper()
	made, err := h.AutoTrain(h.Context())
	h.ok(err)
	for i := range made {
		b := body[resource.SolutionVersionBody](h, string(made[i].ARN))
		if b.TrainingMode != "AUTOTRAIN" || b.TrainingType != "AUTOMATIC" {
			h.Errorf("an automatic version shows %s and %s", b.TrainingMode, b.TrainingType)
		}
		h.active(string(made[i].ARN))
	}
	return len(made)
}

func every(h *house, group, name, rate string) string {
	b := withConfig(fmt.Sprintf(`{"autoTrainingConfig":{"schedulingExpression":%q}}`, rate))
	b.DatasetGroupArn, b.RecipeArn = group, userRecipe
	s := h.active(h.must(h.CreateSolution(h.Context(), name, b)))
	h.look() // the schedule begins when it is first looked at, moments after the solution is ACTIVE
	return s
}

func TestAutoTraining(t *testing.T) {
	h := newHouse(t)
	group, _ := h.stocked("films")
	every(h, group, "s", "rate(3 days)")
	for _, step := range []struct {
		wait time.Duration
		made int
	}{
		{30 * time.Minute, 0}, {30 * time.Minute, 1}, {0, 0}, {hour, 0}, // the first, within the hour
		{2 * days, 0}, {23 * hour, 1}, {0, 0}, {hour, 0}, // then every three days
		{30 * days, 1}, {0, 0}, {hour, 0}, // after downtime one, not ten
		{days, 0}, {2 * days, 1}, // and the schedule goes on
	} {
		h.clock.advance(step.wait)
		if made := h.look(); made != step.made {
			t.Errorf("%s, after %s: %d versions, want %d", h.clock.Now(), step.wait, made, step.made)
		}
	}
}

func TestAutoTrainingLeavesOut(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	off := resource.SolutionBody{RecipeArn: userRecipe, PerformAutoTraining: new(false)}
	group, _ := h.stocked("films")
	off.DatasetGroupArn = group
	h.active(h.must(h.CreateSolution(ctx, "off", off)))
	h.look()
	h.clock.advance(40 * days)
	if n := h.look(); n != 0 {
		t.Errorf("%d versions of a solution without automatic training", n)
	}

	// A version that somebody made in the hour is the first one.
	s := every(h, group, "manual", "rate(1 day)")
	h.clock.advance(20 * time.Minute)
	h.active(h.version(s))
	h.clock.advance(hour)
	if n := h.look(); n != 0 {
		t.Errorf("%d first versions beside a manual one", n)
	}
	h.clock.advance(days)
	if n := h.look(); n != 1 {
		t.Errorf("%d versions a day later, want 1", n)
	}

	// One that is still in training takes the place of a run.
	h.version(s)
	h.clock.advance(days)
	if n := h.look(); n != 0 {
		t.Errorf("%d versions beside one in training", n)
	}

	// Without data the hour begins when there is some.
	empty := h.active(h.group("empty"))
	every(h, empty, "later", "rate(1 day)")
	h.clock.advance(10 * days)
	h.look()
	set := h.active(h.dataset(empty, "Interactions", h.schema("i", interactionsAvro)))
	h.active(h.importJob("i", set))
	h.clock.advance(30 * time.Minute)
	before := h.look()
	h.clock.advance(30 * time.Minute)
	if after := h.look(); before != 0 || after != 1 {
		t.Errorf("%d versions half an hour after the first data, then %d; want 0, then 1", before, after)
	}
}

func TestAutoTrainingIsTurnedOnAndOff(t *testing.T) {
	h := newHouse(t)
	group, _ := h.stocked("films")
	s := every(h, group, "s", "rate(1 day)")
	h.clock.advance(hour)
	if n := h.look(); n != 1 {
		t.Fatalf("%d versions", n)
	}
	update := func(u resource.SolutionUpdate) {
		t.Helper()
		h.ok(h.UpdateSolution(t.Context(), s, u))
		for range 2 {
			r, err := h.Get(t.Context(), attune.ARN(s))
			h.ok(err)
			h.ok(h.StepUpdate(t.Context(), r.ARN, r.ID))
		}
		h.look()
	}
	update(resource.SolutionUpdate{PerformAutoTraining: new(false)})
	h.clock.advance(10 * days)
	if n := h.look(); n != 0 {
		t.Errorf("%d versions after it was turned off", n)
	}
	update(resource.SolutionUpdate{PerformAutoTraining: new(true), SolutionUpdateConfig: json.RawMessage(`{"autoTrainingConfig":{"schedulingExpression":"rate(2 days)"}}`)})
	for i, want := range []int{1, 0, 1} {
		h.clock.advance([]time.Duration{hour, days, days}[i])
		if n := h.look(); n != want {
			t.Errorf("step %d after it was turned on: %d versions, want %d", i, n, want)
		}
	}
}

// TestAutoTrainingTogether lets several processes look at once, at random
// times: every run that is due is made once.
func TestAutoTrainingTogether(t *testing.T) {
	h := newHouse(t)
	group, _ := h.stocked("films")
	s := every(h, group, "s", "rate(2 days)")
	rnd := rand.New(rand.NewPCG(5, 1))
	processes := make([]*resource.Registry, 4)
	for i := range processes {
		processes[i] = resource.New(h.store, names, h.clock.Now, nil)
	}
	start, runs := h.clock.Now(), 0
	for range 40 {
		h.clock.advance(time.Duration(rnd.Int64N(int64(3 * days))))
		var wg sync.WaitGroup
		var mu sync.Mutex
		made := 0
		for _, p := range processes {
			wg.Go(func() {
				vs, err := p.AutoTrain(t.Context())
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				made += len(vs)
				mu.Unlock()
			})
		}
		wg.Wait()
		want := 0
		if due := int((h.clock.Now().Sub(start)-55*time.Minute)/(2*days)) + 1; h.clock.Now().Sub(start) >= 55*time.Minute && due > runs {
			runs, want = due, 1
		}
		if made != want {
			t.Fatalf("%s: %d versions, want %d", h.clock.Now().Sub(start), made, want)
		}
		versions, err := h.Children(t.Context(), attune.ARN(s), resource.SolutionVersion)
		h.ok(err)
		for i := range versions {
			if versions[i].Status == resource.CreatePending {
				h.active(string(versions[i].ARN))
			}
		}
	}
}
