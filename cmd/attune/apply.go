package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/maintain/config"
)

// applyCmd makes a configuration so.
type applyCmd struct {
	clientFlags
	outputFlags
	File    string `arg:"" help:"The configuration, JSON or YAML; - reads standard input."`
	Source  string `placeholder:"s3://BUCKET/FOLDER" help:"Folder of its data; without it that of the version before, else s3://attune/train/NAME of the dataset group."`
	Replace bool   `help:"Make what differs in what cannot be changed anew, under its name with a number after it."`
	Yes     bool   `short:"y" help:"Do not ask."`
	NoWait  bool   `help:"Do not wait for the end: the node goes on by itself."`
}

// Help is shown by 'attune apply --help'.
func (applyCmd) Help() string {
	return `The node keeps the file as the next version of its dataset group's configuration,
and starts a run that makes what is missing and changes what differs, each as soon
as what it needs is there. The run goes on when this command ends; 'attune runs
watch RUN' looks at it again. Then the schedules of the file hold.

What would be done is shown first, and asked about at a terminal. The command ends
with 0 when the run succeeded and with 1 when it did not.`
}

// Run shows the plan, asks, starts the run and follows it.
func (c *applyCmd) Run(ctx context.Context, s streams) error {
	text, err := readText(c.File)
	if err != nil {
		return err
	}
	if _, err := config.Read(text, strings.TrimPrefix(c.File, "-")); err != nil {
		return err
	}
	in := verb.ApplyConfigurationInput{Text: string(text), File: strings.TrimPrefix(c.File, "-"), Source: c.Source, Replace: c.Replace}
	if c.Output != "json" || !c.Yes {
		changes, err := c.showPlan(ctx, s, in)
		if err != nil {
			return err
		}
		if changes > 0 {
			if err := agree(s, c.Yes, "Apply it?"); err != nil {
				return err
			}
		}
	}
	var out verb.RunOutput
	if err := c.call(ctx, "ApplyConfiguration", in, &out); err != nil {
		return err
	}
	return c.follow(ctx, s, &c.outputFlags, out.Run, c.NoWait)
}

// showPlan prints what would be done, and says how much would change.
func (c *applyCmd) showPlan(ctx context.Context, s streams, in verb.ApplyConfigurationInput) (changes int, err error) {
	var out verb.PlanConfigurationOutput
	if err := c.call(ctx, "PlanConfiguration", in, &out); err != nil {
		return 0, err
	}
	if c.Output == "json" { // which has the run alone
		return out.Report.Changes(), nil
	}
	return out.Report.Changes(), out.Report.Write(s.out, colourful(s.out))
}

// agree asks a person at a terminal. Where there is none, only --yes agrees.
func agree(s streams, yes bool, question string) error {
	if yes {
		return nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) || !terminal(s.err) {
		return errors.New("nobody can be asked here: say --yes")
	}
	fmt.Fprintf(s.err, "%s [y/N] ", question)
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was changed")
}

// terminal reports whether somebody looks at w.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// destroyCmd takes a configuration away.
type destroyCmd struct {
	clientFlags
	outputFlags
	What   string `arg:"" name:"file-or-name" help:"A configuration file, or the dataset group of one that was applied."`
	All    bool   `help:"Also what is in the dataset group but not in the configuration."`
	Yes    bool   `short:"y" help:"Do not ask."`
	NoWait bool   `help:"Do not wait for the end."`
}

// Help is shown by 'attune destroy --help'.
func (destroyCmd) Help() string {
	return `Schedules go first, then campaigns, recommenders, filters and trackers, solutions,
datasets with what was imported, the dataset group, and schemas that nobody else
uses. Files in buckets stay, and so do the history of runs and configurations.`
}

// Run asks, starts the run and follows it.
func (c *destroyCmd) Run(ctx context.Context, s streams) error {
	in := verb.DestroyConfigurationInput{Everything: c.All}
	name := c.What
	if info, err := os.Stat(c.What); err == nil && !info.IsDir() {
		text, err := readText(c.What)
		if err != nil {
			return err
		}
		cfg, err := config.Read(text, c.What)
		if err != nil {
			return err
		}
		in.Text, in.File, name = string(text), c.What, cfg.Group.Name
	} else {
		in.Configuration = c.What
	}
	if err := agree(s, c.Yes, "Delete everything of "+name+"?"); err != nil {
		return err
	}
	var out verb.RunOutput
	if err := c.call(ctx, "DestroyConfiguration", in, &out); err != nil {
		return err
	}
	return c.follow(ctx, s, &c.outputFlags, out.Run, c.NoWait)
}

// follow shows a run until it ends, unless nobody waits.
func (c *clientFlags) follow(ctx context.Context, s streams, o *outputFlags, r *maintain.Run, noWait bool) error {
	if noWait {
		return o.show(s.out, verb.RunOutput{Run: r}, runHead, func(add func(...any)) { addRun(add, r) })
	}
	if o.Output != "json" {
		fmt.Fprintf(s.err, "run %s\n", r.ID)
	}
	r, err := c.watch(ctx, s, o, r.ID)
	if err != nil {
		return err
	}
	if o.Output == "json" {
		if err := o.show(s.out, verb.RunOutput{Run: r}, nil, nil); err != nil {
			return err
		}
	}
	return verdict(r)
}

// verdict is an error unless a run succeeded.
func verdict(r *maintain.Run) error {
	switch r.Status {
	case maintain.Succeeded, maintain.Running:
		return nil
	case maintain.Cancelled:
		return fmt.Errorf("run %s was cancelled", r.ID)
	}
	reasons := strings.Split(r.Error, "\n")
	return fmt.Errorf("run %s failed: %s", r.ID, strings.Join(reasons, "; "))
}
