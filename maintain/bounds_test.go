package maintain

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
	"github.com/attune-io/attune/notify"
)

// TestNotNewest: an apply that is refused, or that a cause began before, leaves
// the newest version of the configuration as it is.
func TestNotNewest(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	release := make(chan struct{})
	h.target.answer = func(_ context.Context, step plan.Step, look int, _ map[string]plan.Result) (plan.Result, error) {
		select {
		case <-release:
			return made(step, look, 0), nil
		default:
			return made(step, 1, 1000), nil
		}
	}
	h.target.set(chain()[:1])
	apply := func(text string, cause Cause) (*Run, error) {
		return h.m.Apply(t.Context(), ApplyInput{Text: text, Cause: cause})
	}
	newest := func(want string) {
		t.Helper()
		if c := must[*Configuration](t)(h.store.Configuration(t.Context(), "shop", 0)); c.Text != want {
			t.Errorf("the newest is version %d, %s", c.Version, c.Text)
		}
	}
	dropped, other := Cause{Kind: ByObject, ID: "s3://attune/train/shop.json 1"}, shop+"\n"
	first := must[*Run](t)(apply(shop, dropped))
	if _, err := apply(other, Cause{Kind: ByHand}); attune.KindOf(err) != attune.InUse {
		t.Errorf("beside a run: %v", err)
	}
	if _, err := h.m.Destroy(t.Context(), DestroyInput{Text: other}); attune.KindOf(err) != attune.InUse {
		t.Errorf("destroy beside a run: %v", err)
	}
	newest(shop)
	close(release)
	h.ended(first.ID)
	h.ended(must[*Run](t)(apply(other, Cause{Kind: ByHand})).ID)
	if again := must[*Run](t)(apply(shop, dropped)); again.ID != first.ID {
		t.Errorf("told again, it started %s after %s", again.ID, first.ID)
	}
	newest(other)
}

// TestCancelDuringLook: what a look begins while its run is cancelled is in the
// row, and the run is cancelled and has not failed.
func TestCancelDuringLook(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	asked, answer := make(chan struct{}), make(chan struct{})
	h.target.answer = func(_ context.Context, step plan.Step, look int, _ map[string]plan.Result) (plan.Result, error) {
		if look == 12 { // by now each look is an activity of its own
			close(asked)
			<-answer
			return plan.Result{Path: step.Path, Action: plan.Create, ARN: "arn:late"}, nil
		}
		return plan.Result{Path: step.Path, Action: plan.Wait}, nil
	}
	r := h.apply(chain()[0])
	<-asked
	if err := h.m.Cancel(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	time.Sleep(400 * time.Millisecond) // Temporal knows it, and the look does not: it has not sent a beat since
	close(answer)
	if r = h.ended(r.ID); r.Status != Cancelled || r.Steps[0].ARN != "arn:late" {
		t.Errorf("%s, %s: %+v", r.Status, r.Error, r.Steps[0])
	}
}

// TestCancelBreaksLook: a look that the end breaks off says nothing of the step.
func TestCancelBreaksLook(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	asked := make(chan struct{})
	h.target.answer = func(ctx context.Context, step plan.Step, _ int, _ map[string]plan.Result) (plan.Result, error) {
		close(asked)
		<-ctx.Done()
		return plan.Result{Path: step.Path}, ctx.Err()
	}
	r := h.apply(chain()[0])
	<-asked
	if err := h.m.Cancel(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	if r = h.ended(r.ID); r.Status != Cancelled || r.Steps[0].Error != "" {
		t.Errorf("%s, %s: %+v", r.Status, r.Error, r.Steps[0])
	}
}

// TestMany: of a run of more steps than are taken at once the rest waits, and its
// end is told however much there is to say.
func TestMany(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	long := strings.Repeat("long ", 900)
	h.target.answer = func(_ context.Context, step plan.Step, _ int, _ map[string]plan.Result) (plan.Result, error) {
		return plan.Result{Path: step.Path, Action: plan.Blocked, Note: long}, nil
	}
	var steps []plan.Step
	for i := range stepsAtOnce + 44 {
		steps = append(steps, plan.Step{Path: fmt.Sprintf("filters[%d]", i), Kind: plan.Filter, Name: fmt.Sprintf("f%d", i)})
	}
	r := h.ended(h.apply(steps...).ID)
	left := 0
	for i := range r.Steps {
		if r.Steps[i].State == StepLeft {
			left++
		}
	}
	if left != 44 || r.Status != Failed { // after the first failure no step begins
		t.Errorf("%d steps were left: %s", left, r.Status)
	}
	if len(r.Error) > maxReasons+maxReason || !strings.Contains(r.Error, "more") {
		t.Errorf("its error has %d bytes", len(r.Error))
	}
	if len(h.notices) != 1 || len(h.notices[0].Detail) > notify.MaxEvent/2 {
		t.Errorf("%d notices", len(h.notices))
	}
}

// TestDestroyDropsTasks: also those of what older versions declared; not those
// of others.
func TestDestroyDropsTasks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	s := must[*Schedules](t)(NewSchedules(t.Context(), ScheduleDeps{DB: h.store.db.DB, Dialect: h.store.db.Dialect, Temporal: h.temporal,
		Clock: attune.WallClock, Logger: h.log, Queue: Queue, Workflow: TaskWorkflowName}))
	h.stop()
	h.schedules = s
	h.start()
	for name, of := range map[string]string{FullTask("older"): "shop", ImportTask("shop"): "shop", ImportTask("other"): "other"} {
		input := must[[]byte](t)(json.Marshal(Standing{Configuration: of, Purpose: plan.ForFull}))
		if _, err := s.Put(t.Context(), Task{Name: name, Text: "rate(1 day)", Input: input}); err != nil {
			t.Fatal(err)
		}
	}
	h.target.answer = func(_ context.Context, step plan.Step, look int, _ map[string]plan.Result) (plan.Result, error) {
		return made(step, look, 0), nil
	}
	h.ended(h.apply(chain()[0]).ID)
	h.ended(must[*Run](t)(h.m.Destroy(t.Context(), DestroyInput{Configuration: "shop"})).ID)
	if list := must[[]string](t)(s.List(t.Context())); len(list) != 1 || list[0] != ImportTask("other") {
		t.Errorf("left are %v", list)
	}
}

// TestNotStarted: a task that is due and can make no run is told of.
func TestNotStarted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	a := &activities{h.m}
	env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
	env.RegisterActivity(a.Due)
	input := must[[]byte](t)(json.Marshal(Standing{Configuration: "nowhere", Purpose: plan.ForFull, Solution: "taste"}))
	due := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	if _, err := env.ExecuteActivity(a.Due, TaskInput{Task: FullTask("taste"), Input: input}, due); err == nil {
		t.Fatal("a run of a configuration that is not there")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.notices) != 1 {
		t.Fatalf("notices: %+v", h.notices)
	}
	if n := h.notices[0]; n.ID != "solution-maintenance-full-taste at 2026-03-01T03:00:00Z/FAILED" || n.DetailType != RunStateChange || !strings.Contains(string(n.Detail), "nowhere") {
		t.Errorf("%s %s %s", n.ID, n.DetailType, n.Detail)
	}
}

// TestJob: a run for one batch job takes that one, and refuses one that is not there.
func TestJob(t *testing.T) {
	text := strings.Replace(shop, `user-personalization"}},`, `user-personalization"}, "batchInferenceJobs": [{}, {}]},`, 1)
	cfg := must[*config.Config](t)(config.Read([]byte(text), ""))
	m := New(Deps{Clock: attune.WallClock})
	in := StartInput{Purpose: plan.ForInference, Solution: "taste", Job: "solutions[0].batchInferenceJobs[1]"}
	steps, _, err := m.plan(t.Context(), &Run{}, cfg, in, "s3://attune/train/shop")
	if err != nil || len(steps) != 3 || steps[2].Path != in.Job {
		t.Errorf("%v, %+v", err, steps)
	}
	in.Job = "solutions[0].batchInferenceJobs[2]"
	if _, _, err := m.plan(t.Context(), &Run{}, cfg, in, "s3://attune/train/shop"); attune.KindOf(err) != attune.NotFound || !strings.Contains(err.Error(), in.Job) {
		t.Errorf("a job that is not there: %v", err)
	}
}
