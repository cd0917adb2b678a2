package maintain

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/plan"
)

// chain is a small tree: a group, two datasets under it, and a solution behind both.
func chain() []plan.Step {
	return []plan.Step{
		{Path: "datasetGroup", Kind: plan.DatasetGroup, Name: "shop"},
		{Path: "datasets.users", Kind: plan.Dataset, Name: "users", Needs: []string{"datasetGroup"}},
		{Path: "datasets.items", Kind: plan.Dataset, Name: "items", Needs: []string{"datasetGroup"}},
		{Path: "solutions[0]", Kind: plan.Solution, Name: "taste", Needs: []string{"datasets.users", "datasets.items"}},
	}
}

// TestRun takes steps in the order of their needs, two side by side, and says
// how it ended.
func TestRun(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	gate := make(chan struct{}) // both datasets are looked at before either goes on
	h.target.answer = func(ctx context.Context, step plan.Step, look int, _ map[string]plan.Result) (plan.Result, error) {
		if step.Kind == plan.Dataset && look == 0 {
			select {
			case gate <- struct{}{}:
			case <-gate:
			case <-time.After(20 * time.Second):
				return plan.Result{}, errors.New("the other dataset was not begun")
			}
		}
		return made(step, look, 2), nil
	}
	began := time.Now()
	r := h.ended(h.apply(chain()...).ID)
	if r.Status != Succeeded || r.Error != "" || r.Ended.Before(r.Started) {
		t.Fatalf("%+v", r)
	}
	t.Logf("took %s", time.Since(began))
	for _, s := range r.Steps {
		if s.State != StepDone || s.Action != plan.Create || s.Status != "ACTIVE" || s.Attempts != 3 || s.ARN != "arn:"+s.Name || s.Patience.Pendings != 2 {
			t.Errorf("%+v", s)
		}
	}
	if len(h.notices) != 1 || h.notices[0].DetailType != RunStateChange {
		t.Fatalf("notices: %+v", h.notices)
	}
	if d := h.detail(0); d.Status != Succeeded || d.Run != r.ID || !strings.Contains(d.Summary, "completed successfully") || !strings.Contains(d.Description, "create solution: arn:taste") {
		t.Errorf("detail: %+v", d)
	}
}

// TestFailure: a step fails, the one beside it goes on to its end, the one
// behind both is left, and the run says why.
func TestFailure(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	failed := make(chan struct{})
	h.target.answer = func(_ context.Context, step plan.Step, look int, _ map[string]plan.Result) (plan.Result, error) {
		switch {
		case step.Name == "users":
			close(failed)
			return plan.Result{Path: step.Path, Action: plan.Blocked, Note: "its schema cannot be changed", Diffs: []plan.Diff{{Member: "schemaArn", Want: `"a"`, Have: `"b"`}}}, nil
		case step.Name == "items" && look == 0:
			<-failed
		}
		return made(step, look, 2), nil
	}
	r := h.ended(h.apply(chain()...).ID)
	if r.Status != Failed || r.Error != `datasets.users: its schema cannot be changed; schemaArn is "b" and shall be "a"` {
		t.Fatalf("%s: %s", r.Status, r.Error)
	}
	want := []StepStatus{StepDone, StepFailed, StepDone, StepLeft}
	for i, s := range r.Steps {
		if s.State != want[i] {
			t.Errorf("%s is %s, want %s", s.Path, s.State, want[i])
		}
	}
	if d := h.detail(0); !strings.Contains(d.Summary, "with errors") || !strings.Contains(d.Description, "its schema cannot be changed") {
		t.Errorf("detail: %+v", d)
	}
}

// TestTrouble: a service that throttles, fails and cannot be reached uses up no
// patience of what is on its way.
func TestTrouble(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.target.answer = func(_ context.Context, step plan.Step, look int, _ map[string]plan.Result) (plan.Result, error) {
		switch look {
		case 0:
			return plan.Result{}, attune.Errorf(attune.Throttled, "slower")
		case 1:
			return plan.Result{}, attune.Errorf(attune.Unavailable, "gone")
		}
		return made(step, look-2, 1), nil
	}
	r := h.ended(h.apply(chain()[0]).ID)
	s := r.Steps[0]
	if r.Status != Succeeded || s.Attempts != 4 || s.Patience.Pendings != 1 || s.Patience.Troubles != 0 || s.Error != "" {
		t.Errorf("%s: %+v", r.Status, s)
	}
}

// TestResume: a process that stops in the middle leaves a run that the next one
// ends, and a row without a workflow is found.
func TestResume(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.target.answer = func(_ context.Context, step plan.Step, look int, _ map[string]plan.Result) (plan.Result, error) {
		return made(step, look, 8), nil
	}
	r := h.apply(chain()...)
	h.eventually("a dataset is begun", func() bool { return h.target.taken("datasets.users") > 2 })
	h.stop()
	lost := &Run{ID: "lost", Configuration: "other", Purpose: plan.ForApply, Status: Running, Started: time.Now(), workflow: "lost"}
	if _, _, err := h.store.begin(t.Context(), lost, chain()[:1], nil); err != nil {
		t.Fatal(err)
	}
	h.start()
	if r := h.ended(r.ID); r.Status != Succeeded {
		t.Errorf("%s: %s", r.Status, r.Error)
	}
	if r := h.ended("lost"); r.Status != Succeeded {
		t.Errorf("%s: %s", r.Status, r.Error)
	}
}

// TestCancel: what is on its way is left there, and what has not begun too.
func TestCancel(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.target.answer = func(_ context.Context, step plan.Step, look int, _ map[string]plan.Result) (plan.Result, error) {
		return made(step, look, 1000), nil
	}
	r := h.apply(chain()...)
	h.eventually("the group is begun", func() bool { return h.target.taken("datasetGroup") > 1 })
	if err := h.m.Cancel(t.Context(), r.ID); err != nil {
		t.Fatal(err)
	}
	r = h.ended(r.ID)
	if r.Status != Cancelled || r.Steps[0].State != StepCancelled || r.Steps[1].State != StepLeft {
		t.Errorf("%s: %+v", r.Status, r.Steps)
	}
	if err := h.m.Cancel(t.Context(), r.ID); attune.KindOf(err) != attune.Invalid {
		t.Errorf("once more: %v", err)
	}
}

// TestAlone: one run at a time of a purpose and solution, a cause starts one
// run, and nothing runs beside what destroys.
func TestAlone(t *testing.T) {
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
	first := h.apply(chain()[0])
	ctx := t.Context()
	start := func(in StartInput) (*Run, error) { in.Configuration = "shop"; return h.m.Start(ctx, in) }
	if _, err := start(StartInput{Purpose: plan.ForApply}); attune.KindOf(err) != attune.InUse || !strings.Contains(err.Error(), first.ID) {
		t.Errorf("a second apply: %v", err)
	}
	if _, err := start(StartInput{Purpose: plan.ForDestroy}); attune.KindOf(err) != attune.InUse || !strings.Contains(err.Error(), first.ID) {
		t.Errorf("destroy beside apply: %v", err)
	}
	event := Cause{Kind: ByEvent, ID: "e-1"}
	full := must[*Run](t)(start(StartInput{Purpose: plan.ForFull, Solution: "taste", Cause: event}))
	if again := must[*Run](t)(start(StartInput{Purpose: plan.ForFull, Solution: "taste", Cause: event})); again.ID != full.ID {
		t.Errorf("an event started %s and %s", full.ID, again.ID)
	}
	dated := must[*Run](t)(start(StartInput{Purpose: plan.ForRefresh, BaseDate: "20260301"}))
	if again := must[*Run](t)(start(StartInput{Purpose: plan.ForRefresh, BaseDate: "20260301"})); again.ID != dated.ID {
		t.Errorf("a date started %s and %s", dated.ID, again.ID)
	}
	if _, err := start(StartInput{Purpose: plan.ForRefresh, BaseDate: "20260302"}); attune.KindOf(err) != attune.InUse {
		t.Errorf("another date beside it: %v", err)
	}
	close(release)
	for _, r := range []*Run{first, full, dated} {
		h.ended(r.ID)
	}
	if again := must[*Run](t)(start(StartInput{Purpose: plan.ForRefresh, BaseDate: "20260301"})); again.ID != dated.ID {
		t.Errorf("a date started %s and, after its end, %s", dated.ID, again.ID)
	}
	if again := must[*Run](t)(start(StartInput{Purpose: plan.ForFull, Solution: "taste", Cause: event})); again.ID != full.ID {
		t.Errorf("an event started %s and, after its end, %s", full.ID, again.ID)
	}
	destroy := must[*Run](t)(start(StartInput{Purpose: plan.ForDestroy}))
	h.ended(destroy.ID)
	for what, in := range map[string]StartInput{
		"a solution that is not there": {Purpose: plan.ForFull, Solution: "nose"},
		"a date that is none":          {Purpose: plan.ForRefresh, BaseDate: "2026-03-01"},
	} {
		if _, err := start(in); err == nil || attune.KindOf(err) == attune.Internal {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestPatience: the pauses begin quickly and add up to the original's table.
func TestPatience(t *testing.T) {
	for kind, want := range map[plan.Kind]time.Duration{plan.DatasetGroup: 203 * time.Second, plan.Schema: 28 * time.Second,
		plan.Version: 18734 * time.Second, plan.Filter: 877 * time.Second} {
		step := RunStep{Kind: kind}
		var sum, last time.Duration
		for n := 0; ; n++ {
			d := step.pending()
			if d == 0 {
				break
			}
			if n == 0 && d != firstPause {
				t.Errorf("%s: the first pause is %s", kind, d)
			}
			sum, last = sum+d, d
			if n > 1000 {
				t.Fatalf("%s: patience never ends", kind)
			}
		}
		if (sum-want).Abs() > time.Second || last > want/2 {
			t.Errorf("%s: waits %s, want %s; the last pause %s", kind, sum, want, last)
		}
	}
	var step RunStep
	for step.trouble() > 0 {
	}
	if step.Patience.Trouble < troubleTotal || step.Patience.Trouble > troubleTotal+troubleMost {
		t.Errorf("trouble is waited out for %s", step.Patience.Trouble)
	}
}

// TestElsewhere tells of the states of resources as the original does, where
// what is maintained does not do so itself.
func TestElsewhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.m.Place.Itself = false
	h.target.answer = func(_ context.Context, step plan.Step, look int, _ map[string]plan.Result) (plan.Result, error) {
		if step.Name == "users" { // it is there
			return plan.Result{Path: step.Path, ARN: "arn:users", Action: plan.Keep, Status: "ACTIVE", Done: true}, nil
		}
		r := made(step, look, 2)
		r.Took = 90 * time.Second
		return r, nil
	}
	h.ended(h.apply(chain()...).ID)
	var told []string
	for _, n := range h.notices {
		if n.DetailType == RunStateChange {
			continue
		}
		if n.Source != "solutions.aws.personalize" {
			t.Errorf("source %s", n.Source)
		}
		told = append(told, n.DetailType+" "+string(n.Detail[:strings.Index(string(n.Detail), `,"Cause"`)]))
	}
	slices.Sort(told)
	want := []string{
		`Personalize Dataset Group State Change {"Arn":"arn:shop","Status":"ACTIVE","Duration":90`,
		`Personalize Dataset Group State Change {"Arn":"arn:shop","Status":"CREATING"`,
		`Personalize Dataset State Change {"Arn":"arn:items","Status":"ACTIVE","Duration":90`,
		`Personalize Dataset State Change {"Arn":"arn:items","Status":"CREATING"`,
		`Personalize Solution State Change {"Arn":"arn:taste","Status":"ACTIVE","Duration":90`,
		`Personalize Solution State Change {"Arn":"arn:taste","Status":"CREATING"`,
	}
	if !slices.Equal(told, want) {
		t.Errorf("told:\n%s", strings.Join(told, "\n"))
	}
}
