package maintain

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
	"github.com/attune-io/attune/notify"
)

// maxSteps bounds a run: an account holds fewer resources, and the history of a
// workflow is bounded too.
const maxSteps = 4000

// ApplyInput is a configuration that shall be so.
type ApplyInput struct {
	Text    string
	File    string // its name, for its form and for messages; may be ""
	Source  string // folder of its data, s3://bucket/folder; "" for that of the version before, else none
	Replace bool   // what differs in what cannot be changed is made anew under another name
	Cause   Cause
	Expect  int // version that the text was made from; 0 for any
}

// Apply keeps a configuration as the next version of its name and starts a run
// that makes it so. It returns as soon as the run is written.
func (m *Manager) Apply(ctx context.Context, in ApplyInput) (*Run, error) {
	if len(in.Text) > maxText {
		return nil, attune.Errorf(attune.Invalid, "the configuration has %d bytes; at most %d are taken", len(in.Text), maxText)
	}
	if err := checkSource(in.Source); err != nil {
		return nil, err
	}
	cfg, err := config.Read([]byte(in.Text), in.File)
	if err != nil {
		return nil, err
	}
	// What is refused, and what was told before, must not become the newest version.
	if is, err := m.Store.before(ctx, &Run{Configuration: cfg.Group.Name, Purpose: plan.ForApply, Cause: in.Cause}); err != nil || is != nil {
		return is, err
	}
	c, err := m.put(ctx, cfg, in)
	if err != nil {
		return nil, err
	}
	return m.start(ctx, c, cfg, StartInput{Configuration: c.Name, Purpose: plan.ForApply, Cause: in.Cause, Replace: in.Replace})
}

// Plan says what Apply would do, and changes nothing.
func (m *Manager) Plan(ctx context.Context, in ApplyInput) (*plan.Report, error) {
	if err := checkSource(in.Source); err != nil {
		return nil, err
	}
	cfg, err := config.Read([]byte(in.Text), in.File)
	if err != nil {
		return nil, err
	}
	source, err := m.sourceBefore(ctx, cfg.Group.Name, in.Source)
	if err != nil {
		return nil, err
	}
	if source, err = m.source(ctx, source, cfg.Group.Name); err != nil {
		return nil, err
	}
	steps, err := plan.Steps(cfg, plan.Order{Purpose: plan.ForApply, Now: m.Clock(), Source: source})
	if err != nil {
		return nil, err
	}
	target, err := m.target(ctx, in.Replace)
	if err != nil {
		return nil, err
	}
	return plan.Plan(ctx, target, cfg.Group.Name, steps)
}

// put keeps a configuration as the next version of its name.
func (m *Manager) put(ctx context.Context, cfg *config.Config, in ApplyInput) (*Configuration, error) {
	c := &Configuration{Name: cfg.Group.Name, File: in.File, Source: in.Source, Text: in.Text, At: m.Clock(),
		By: strings.TrimSpace(in.Cause.Kind + " " + in.Cause.ID)}
	var err error
	if c.Source, err = m.sourceBefore(ctx, c.Name, in.Source); err != nil {
		return nil, err
	}
	expect := in.Expect
	if expect == 0 {
		expect = -1
	}
	_, err = m.Store.PutConfiguration(ctx, c, expect)
	return c, err
}

// sourceBefore is the folder that was named, else that of the version before; ""
// when there is neither.
func (m *Manager) sourceBefore(ctx context.Context, name, named string) (string, error) {
	if named != "" {
		return named, nil
	}
	before, err := m.Store.Configuration(ctx, name, 0)
	switch {
	case err == nil:
		return before.Source, nil
	case attune.KindOf(err) == attune.NotFound:
		return "", nil
	}
	return "", err
}

// DestroyInput names a configuration, or gives one that was never applied.
type DestroyInput struct {
	Configuration string
	Text, File    string // instead of Configuration; kept as its newest version
	Everything    bool   // what is in the dataset group but not in the configuration too
	Cause         Cause
}

// Destroy starts a run that takes away all that a configuration declares, its
// schedules first.
func (m *Manager) Destroy(ctx context.Context, in DestroyInput) (*Run, error) {
	if (in.Configuration == "") == (in.Text == "") {
		return nil, attune.Errorf(attune.Invalid, "name a configuration, or give its text")
	}
	if in.Text != "" {
		cfg, err := config.Read([]byte(in.Text), in.File)
		if err != nil {
			return nil, err
		}
		if is, err := m.Store.before(ctx, &Run{Configuration: cfg.Group.Name, Purpose: plan.ForDestroy, Cause: in.Cause}); err != nil || is != nil {
			return is, err
		}
		if _, err := m.put(ctx, cfg, ApplyInput{Text: in.Text, File: in.File, Cause: in.Cause}); err != nil {
			return nil, err
		}
		in.Configuration = cfg.Group.Name
	}
	return m.Start(ctx, StartInput{Configuration: in.Configuration, Purpose: plan.ForDestroy, Everything: in.Everything, Cause: in.Cause})
}

var sourceForm = regexp.MustCompile(`^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/.*)?$`)

func checkSource(source string) error {
	if source != "" && !sourceForm.MatchString(source) {
		return attune.Errorf(attune.Invalid, "source %q is no folder of a bucket: write it like s3://bucket/train/shop", source)
	}
	return nil
}

// StartInput asks for a run of a configuration that was applied before.
type StartInput struct {
	Configuration string
	Purpose       plan.Purpose
	Solution      string // of runs for one solution; "" for all that the purpose takes
	Cause         Cause  // one with an ID starts one run, however often it is told
	BaseDate      string // yyyymmdd of the data: one run for each that did not fail; "" for none
	Replace       bool   // as ApplyInput's
	Everything    bool   // of destroy: what is in the dataset group but not in the configuration too

	Job string // path of the one batch job that shall be made; "" for all of the solution's

	workflow string    // the id of the workflow that asks and goes on to do it; "" for one of its own
	rollback *rollback // of the purpose Rollback
}

// purposes are those that a caller may start.
var purposes = []plan.Purpose{plan.ForApply, plan.ForImport, plan.ForFull, plan.ForUpdate, plan.ForInference, plan.ForSegment, plan.ForRefresh, plan.ForDestroy}

// Start begins a run of the newest version of a configuration and returns it,
// or the one that the same cause or base date has started before. attune.InUse
// names the run that is in the way; attune.NotFound, when there is no such configuration.
func (m *Manager) Start(ctx context.Context, in StartInput) (*Run, error) {
	if !slices.Contains(purposes, in.Purpose) {
		return nil, attune.Errorf(attune.Invalid, "purpose %q is none of %v", in.Purpose, purposes)
	}
	if in.BaseDate != "" {
		if _, err := time.Parse("20060102", in.BaseDate); err != nil {
			return nil, attune.Errorf(attune.Invalid, "base date %q is no date: write it like 20260301", in.BaseDate)
		}
	}
	c, cfg, err := m.configuration(ctx, in.Configuration)
	if err != nil {
		return nil, err
	}
	return m.start(ctx, c, cfg, in)
}

// configuration reads the newest version of a configuration.
func (m *Manager) configuration(ctx context.Context, name string) (*Configuration, *config.Config, error) {
	c, err := m.Store.Configuration(ctx, name, 0)
	if err != nil {
		return nil, nil, err
	}
	cfg, err := config.Read([]byte(c.Text), c.File)
	return c, cfg, err
}

// start plans a run, writes it, and starts its workflow.
func (m *Manager) start(ctx context.Context, c *Configuration, cfg *config.Config, in StartInput) (*Run, error) {
	if in.Solution != "" && !slices.ContainsFunc(cfg.Solutions, func(s config.Solution) bool { return s.Name == in.Solution }) {
		return nil, attune.Errorf(attune.NotFound, "the configuration of %s has no solution %q", c.Name, in.Solution)
	}
	r := &Run{ID: m.newID(), Configuration: c.Name, Version: c.Version, Purpose: in.Purpose, Solution: in.Solution, Job: in.Job, BaseDate: in.BaseDate,
		Cause: in.Cause, Replace: in.Replace, Status: Running, Started: m.Clock(), workflow: in.workflow}
	if r.workflow == "" {
		r.workflow = r.ID
	}
	// What an event or a date has started, and what is in the way, is looked for
	// first: planning asks the place.
	if is, err := m.Store.before(ctx, r); err != nil || is != nil {
		return is, err
	}
	r.chain = notify.Cause{Run: r.ID, Depth: 1, Configs: []string{c.Name}}.String() // what led to it is known to whoever started it
	steps, have, err := m.orders(ctx, r, cfg, in, c.Source)
	if err != nil {
		return nil, err
	}
	if err := checkSteps(steps); err != nil {
		return nil, err
	}
	is, fresh, err := m.Store.begin(ctx, r, steps, have)
	if err != nil {
		return nil, err
	}
	if fresh && in.workflow != "" {
		m.known.Store(is.ID, nil)
	}
	if fresh && in.workflow == "" {
		if err := m.launch(ctx, is); err != nil {
			m.Logger.Warn("a run waits for its workflow", "run", is.ID, "error", err) // the reconciler starts it
		}
	}
	return is, nil
}

// plan makes the steps of a run, and the results that are known from the start.
func (m *Manager) plan(ctx context.Context, r *Run, cfg *config.Config, in StartInput, source string) ([]plan.Step, map[string]plan.Result, error) {
	source, err := m.source(ctx, source, cfg.Group.Name)
	if err != nil {
		return nil, nil, err
	}
	order := plan.Order{Purpose: in.Purpose, Solution: in.Solution, Now: r.Started, Source: source, Run: r.ID}
	switch {
	case in.rollback != nil:
		return in.rollback.steps(cfg, order)
	case in.Purpose == plan.ForDestroy:
		target, err := m.target(ctx, false)
		if err != nil {
			return nil, nil, err
		}
		steps, err := target.DestroySteps(ctx, cfg, in.Everything)
		return steps, nil, err
	}
	steps, err := plan.Steps(cfg, order)
	if err != nil {
		return nil, nil, err
	}
	if in.Job != "" {
		if !slices.ContainsFunc(steps, func(s plan.Step) bool { return s.Path == in.Job }) {
			return nil, nil, attune.Errorf(attune.NotFound, "a run for %s takes no batch job %q: name the path of one that the configuration of %s has, like solutions[0].batchInferenceJobs[0]", in.Purpose, in.Job, cfg.Group.Name)
		}
		steps = slices.DeleteFunc(steps, func(s plan.Step) bool {
			return (s.Kind == plan.BatchInference || s.Kind == plan.BatchSegment) && s.Path != in.Job
		})
	}
	if in.BaseDate == "" {
		return steps, nil, nil
	}
	tries, err := m.Store.tries(ctx, r)
	for i := range steps {
		if s := &steps[i]; s.Kind == plan.Import {
			// The name says whose data it is, and finds the job again when the date is played again.
			s.Name = "dataset_import_" + s.Type + "_" + in.BaseDate
			if tries > 0 { // those before have failed
				s.Name += "_" + strconv.Itoa(tries+1)
			}
		}
	}
	return steps, nil, err
}

// checkSteps refuses what no order could do: a step that needs one that does
// not come before it would never begin.
func checkSteps(steps []plan.Step) error {
	if len(steps) > maxSteps {
		return attune.Errorf(attune.LimitExceeded, "the configuration makes %d steps; a run takes at most %d", len(steps), maxSteps)
	}
	before := map[string]bool{}
	for i := range steps {
		for _, need := range steps[i].Needs {
			if !before[need] {
				return fmt.Errorf("step %s needs %s, which does not come before it", steps[i].Path, need)
			}
		}
		if before[steps[i].Path] {
			return fmt.Errorf("there are two steps %s", steps[i].Path)
		}
		before[steps[i].Path] = true
	}
	return nil
}

// newID names a run: by its time, so that names are in order, and by chance.
func (m *Manager) newID() string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return m.Clock().UTC().Format("20060102-150405-") + hex.EncodeToString(b)
}

// Cancel ends a run early: steps under way end with their look, and what they
// began at the service goes on there. A run that has ended stays as it is.
func (m *Manager) Cancel(ctx context.Context, id string) error {
	r, err := m.Store.head(ctx, id)
	if err != nil {
		return err
	}
	if r.Status != Running {
		return attune.Errorf(attune.Invalid, "run %s has ended: it is %s", id, r.Status)
	}
	err = m.Temporal.CancelWorkflow(ctx, r.workflow, "")
	var none *serviceerror.NotFound
	if errors.As(err, &none) { // not begun yet
		if err := m.launch(ctx, r); err != nil {
			return err
		}
		err = m.Temporal.CancelWorkflow(ctx, r.workflow, "")
	}
	if err != nil {
		return attune.Errorf(attune.Unavailable, "cancel run %s: %w", id, err)
	}
	return nil
}
