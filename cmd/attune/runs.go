package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/maintain/plan"
)

// runsCmd groups what is told of runs of configurations.
type runsCmd struct {
	List     runsListCmd     `cmd:"" help:"List runs, newest first."`
	Describe runsDescribeCmd `cmd:"" help:"Show a run with its steps: what each did, why, and how often it was looked at."`
	Watch    runsWatchCmd    `cmd:"" help:"Follow a run to its end."`
	Cancel   runsCancelCmd   `cmd:"" help:"End a run early; what it began at the service goes on there."`
	Start    runsStartCmd    `cmd:"" help:"Start a run of a configuration that was applied."`
	Status   runsStatusCmd   `cmd:"" help:"How far the data of each day is: imported, learned, live."`
}

var runHead = []string{"RUN", "CONFIGURATION", "PURPOSE", "STATUS", "STARTED", "TOOK", "BY"}

func addRun(add func(...any), r *maintain.Run) {
	purpose := string(r.Purpose)
	if r.Solution != "" {
		purpose += " " + r.Solution
	}
	took := "-"
	if !r.Ended.IsZero() {
		took = r.Ended.Sub(r.Started).Round(100 * time.Millisecond).String()
	}
	add(r.ID, fmt.Sprintf("%s v%d", r.Configuration, r.Version), purpose, r.Status, r.Started.Format(time.RFC3339), took, strings.TrimSpace(r.Cause.Kind+" "+r.Cause.ID))
}

type runsListCmd struct {
	clientFlags
	outputFlags
	Configuration string `short:"c" placeholder:"NAME" help:"Only those of this one."`
	Status        string `help:"Only those that are RUNNING, SUCCEEDED, FAILED or CANCELLED."`
	Before        string `placeholder:"RUN" help:"Only those before this run: the next page."`
	Limit         int    `help:"At most so many; 100 without it."`
}

// Run prints a line for each.
func (c *runsListCmd) Run(ctx context.Context, s streams) error {
	var out verb.ListRunsOutput
	err := c.call(ctx, "ListRuns", maintain.RunsQuery{Configuration: c.Configuration, Status: maintain.RunStatus(strings.ToUpper(c.Status)), Before: c.Before, Limit: c.Limit}, &out)
	if err != nil {
		return err
	}
	return c.show(s.out, out, runHead, func(add func(...any)) {
		for i := range out.Runs {
			addRun(add, &out.Runs[i])
		}
	})
}

// oneRun names a run.
type oneRun struct {
	clientFlags
	outputFlags
	ID string `arg:"" name:"run" help:"Id of a run, as 'attune runs list' shows it."`
}

type runsDescribeCmd struct{ oneRun }

// Run prints the run and a line for each step.
func (c *runsDescribeCmd) Run(ctx context.Context, s streams) error {
	var out verb.RunOutput
	if err := c.call(ctx, "DescribeRun", verb.RunInput{Run: c.ID}, &out); err != nil {
		return err
	}
	if c.Output == "json" {
		return c.show(s.out, out, nil, nil)
	}
	r := out.Run
	if err := table(s.out, runHead, func(add func(...any)) { addRun(add, r) }); err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	return table(s.out, []string{"STEP", "KIND", "NAME", "STATE", "ACTION", "LOOKS", "TOOK", "NOTE"}, func(add func(...any)) {
		for i := range r.Steps {
			t := &r.Steps[i]
			add(t.Path, t.Kind, t.Name, t.State, dash(string(t.Action)), t.Attempts, tookOf(t), noteOf(t))
		}
	})
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func tookOf(t *maintain.RunStep) string {
	if t.Ended.IsZero() || t.Began.IsZero() {
		return "-"
	}
	return t.Ended.Sub(t.Began).Round(10 * time.Millisecond).String()
}

// noteOf is what there is to say of a step, on one line.
func noteOf(t *maintain.RunStep) string {
	text := t.Note
	if t.Error != "" {
		text = t.Error
	}
	if t.State == maintain.StepRunning && !t.Next.IsZero() {
		text = strings.TrimSpace(t.Status + " " + text)
		text += "; looked at again " + t.Next.Format(time.RFC3339)
	}
	return strings.Join(strings.Fields(text), " ")
}

type runsWatchCmd struct{ oneRun }

// Run shows steps as they end.
func (c *runsWatchCmd) Run(ctx context.Context, s streams) error {
	r, err := c.watch(ctx, s, &c.outputFlags, c.ID)
	if err != nil {
		return err
	}
	if c.Output == "json" {
		if err := c.show(s.out, verb.RunOutput{Run: r}, nil, nil); err != nil {
			return err
		}
	}
	return verdict(r)
}

type runsCancelCmd struct{ oneRun }

// Run asks for the end; the run ends soon after.
func (c *runsCancelCmd) Run(ctx context.Context, s streams) error {
	var out verb.RunOutput
	if err := c.call(ctx, "CancelRun", verb.RunInput{Run: c.ID}, &out); err != nil {
		return err
	}
	return c.show(s.out, out, runHead, func(add func(...any)) { addRun(add, out.Run) })
}

type runsStartCmd struct {
	clientFlags
	outputFlags
	Configuration string `arg:"" help:"Name of the dataset group."`
	Purpose       string `arg:"" help:"What for: apply, import, full, update, batch-inference, batch-segment or refresh (import, then train)."`
	Solution      string `short:"s" help:"For this solution only."`
	Date          string `placeholder:"YYYYMMDD" help:"Base date of the data: one run for each that did not fail."`
	NoWait        bool   `help:"Do not wait for the end."`
}

// Run starts it and follows it.
func (c *runsStartCmd) Run(ctx context.Context, s streams) error {
	var out verb.RunOutput
	err := c.call(ctx, "StartRun", verb.StartRunInput{Configuration: c.Configuration, Purpose: plan.Purpose(c.Purpose), Solution: c.Solution, BaseDate: c.Date}, &out)
	if err != nil {
		return err
	}
	return c.follow(ctx, s, &c.outputFlags, out.Run, c.NoWait)
}

type runsStatusCmd struct {
	clientFlags
	outputFlags
	Campaign string `help:"Only of this campaign, or of this solution if it has none."`
	Date     int    `placeholder:"YYYYMMDD" help:"Only of this base date."`
	Before   int    `placeholder:"YYYYMMDD" help:"Only of dates before: the next page."`
}

// Run prints a line for each campaign and date.
func (c *runsStatusCmd) Run(ctx context.Context, s streams) error {
	var out verb.ListRefreshesOutput
	if err := c.call(ctx, "ListRefreshes", verb.ListRefreshesInput{Campaign: c.Campaign, BaseDate: c.Date, Before: c.Before}, &out); err != nil {
		return err
	}
	return c.show(s.out, out, []string{"CAMPAIGN", "DATE", "IMPORT", "AT", "SOLUTION VERSION", "STATUS", "AT", "CAMPAIGN", "AT", "RUN"}, func(add func(...any)) {
		for _, r := range out.Refreshes {
			add(r.Name, r.BaseDate, dash(r.ImportStatus), clock(r.ImportAt), dash(r.VersionArn[strings.LastIndex(r.VersionArn, ":")+1:]), dash(r.VersionStatus), clock(r.VersionAt),
				dash(r.CampaignStatus), clock(r.CampaignAt), r.Run)
		}
	})
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Format(time.RFC3339)
}

const (
	// watchFirst and watchMost pace how often a run is asked for: often while it
	// is young, seldom when it waits for a service that takes minutes.
	watchFirst = 200 * time.Millisecond
	watchMost  = 3 * time.Second
)

// watch shows how far a run is until it ends: a line for each step that does,
// and at a terminal a bar below them.
func (c *clientFlags) watch(ctx context.Context, s streams, o *outputFlags, run string) (*maintain.Run, error) {
	shown := map[string]bool{}
	bar := progressbar.DefaultSilent(1)
	pause := watchFirst
	for first := true; ; first = false {
		var out verb.RunOutput
		if err := c.call(ctx, "DescribeRun", verb.RunInput{Run: run}, &out); err != nil {
			_ = bar.Clear()
			return nil, fmt.Errorf("%w; the run goes on without this command: 'attune runs watch %s' follows it again", err, run)
		}
		r := out.Run
		if first && o.Output != "json" && terminal(s.err) {
			bar = progressbar.NewOptions(len(r.Steps), progressbar.OptionSetWriter(s.err), progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish())
		}
		if o.Output != "json" {
			showSteps(s, bar, r, shown)
		}
		if r.Status != maintain.Running {
			_ = bar.Clear()
			if o.Output != "json" {
				fmt.Fprintf(s.out, "run %s %s after %s\n", r.ID, strings.ToLower(string(r.Status)), r.Ended.Sub(r.Started).Round(10*time.Millisecond))
			}
			return r, nil
		}
		select {
		case <-ctx.Done():
			_ = bar.Clear()
			return nil, fmt.Errorf("the run goes on: 'attune runs watch %s' follows it again", run)
		case <-time.After(pause):
			pause = min(pause*11/10, watchMost)
		}
	}
}

// showSteps prints the steps that have ended since, and moves the bar.
func showSteps(s streams, bar *progressbar.ProgressBar, r *maintain.Run, shown map[string]bool) {
	var under []string
	done := 0
	for i := range r.Steps {
		t := &r.Steps[i]
		switch t.State {
		case maintain.StepRunning:
			under = append(under, fmt.Sprintf("%s %s %s", t.Kind, t.Name, strings.ToLower(t.Status)))
			continue
		case maintain.StepWaiting, maintain.StepLeft:
			continue
		}
		done++
		if shown[t.Path] {
			continue
		}
		shown[t.Path] = true
		_ = bar.Clear()
		line := fmt.Sprintf("%-9s %-8s %s %s", strings.ToLower(string(t.State)), dash(string(t.Action)), t.Kind, t.Name)
		if note := noteOf(t); note != "" {
			line += ": " + note
		}
		fmt.Fprintln(s.out, line)
	}
	if len(under) > 0 {
		text := under[0]
		if len(under) > 1 {
			text += fmt.Sprintf(" and %d more", len(under)-1)
		}
		bar.Describe(clipped(text))
	}
	_ = bar.Set(done)
}
