package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/call"
	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/maintain"
	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/plan"
)

// targetFlags say where maintained resources live. They are computed against in
// this process, through the public API alone.
type targetFlags struct {
	clientFlags
	KMSKey  string `name:"kms-key" placeholder:"ARN" help:"Key of the dataset group, where it has one."`
	KMSRole string `name:"kms-role" placeholder:"ARN" help:"Role that may use the key."`
}

// target opens what the addressed node maintains; an endpoint that is no node is
// itself what is looked at.
func (c *targetFlags) target(ctx context.Context, o plan.Options) (*plan.Target, error) {
	cfg, err := c.aws(ctx)
	if err != nil {
		return nil, err
	}
	place, err := c.maintained(ctx)
	if err != nil {
		return nil, err
	}
	if place != nil {
		if cfg, err = place.Config(ctx); err != nil {
			return nil, err
		}
		o.Role = cmp.Or(o.Role, place.Role)
		c.KMSKey, c.KMSRole = cmp.Or(c.KMSKey, place.KMSKey), cmp.Or(c.KMSRole, place.KMSRole)
	}
	o.Version, o.KMSKey, o.KMSRole = version(), c.KMSKey, c.KMSRole
	return plan.Open(ctx, cfg, o)
}

// maintained is the other place that the addressed node maintains, with the
// keys of this process's environment; nil when there is none.
func (c *targetFlags) maintained(ctx context.Context) (*maintain.Place, error) {
	if c.Endpoint == realService {
		return nil, nil
	}
	var out verb.DescribeMaintainedOutput
	err := c.call(ctx, "DescribeMaintained", verb.DescribeMaintainedInput{}, &out)
	var refused *call.Refusal
	switch {
	case errors.As(err, &refused), err == nil && out.Itself:
		return nil, nil
	case err != nil:
		return nil, err
	}
	out.KeyID, out.Secret = maintainKeys()
	return &out.Place, nil
}

// source is where the data of a configuration lies: as said, or as the node
// knows of the version before, or where an apply would look for it.
func (c *planCmd) source(ctx context.Context, name string) string {
	if c.Source != "" || c.Endpoint == realService {
		return c.Source
	}
	var out verb.DescribeConfigurationOutput
	if err := c.call(ctx, "DescribeConfiguration", verb.DescribeConfigurationInput{Configuration: name}, &out); err == nil && out.Configuration.Source != "" {
		return out.Configuration.Source
	}
	return "s3://" + maintain.DefaultBucket + "/train/" + name
}

// readConfig reads a configuration from a file, or from standard input as -.
func readConfig(file string) (*config.Config, error) {
	text, err := readText(file)
	if err != nil {
		return nil, err
	}
	return config.Read(text, strings.TrimPrefix(file, "-"))
}

// readText reads the text of a configuration, and a byte more than it may have
// of one that is too long.
func readText(file string) ([]byte, error) {
	in := io.Reader(os.Stdin)
	if file != "-" {
		f, err := os.Open(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no file %s", file)
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, config.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return text, nil
}

// reportFlags say how a plan.Report is shown.
type reportFlags struct {
	outputFlags
	ExitCode bool `help:"End with 3 when something differs, as neither a failure (1) nor a misuse (2)."`
}

func (f *reportFlags) report(w io.Writer, r *plan.Report) error {
	var err error
	if f.Output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		err = enc.Encode(r)
	} else {
		err = r.Write(w, colourful(w))
	}
	if err == nil && f.ExitCode && r.Changes() > 0 {
		err = errDiffers
	}
	return err
}

// colourful says whether somebody at a terminal reads this, and wants colours.
func colourful(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""
}

// planCmd shows what apply would do.
type planCmd struct {
	targetFlags
	reportFlags
	File    string `arg:"" help:"The configuration, JSON or YAML; - reads standard input."`
	Source  string `placeholder:"s3://BUCKET/FOLDER" help:"Folder of the configuration's data; without it that of the version that was applied, else s3://attune/train/NAME of the dataset group."`
	Replace bool   `help:"Make what differs in what cannot be changed anew, under its name with a number after it."`
	Role    string `placeholder:"ARN" help:"Role of imports and batch jobs; the real service needs one."`
}

// Help is shown by 'attune plan --help'.
func (planCmd) Help() string {
	return `Every resource that the file declares is looked at, through the public API; nothing
is changed. A line for each: + to create, ~ to update, ± to replace, = as declared,
! that cannot be so (the note says why, and the way out), > on its way.`
}

// Run looks and prints.
func (c *planCmd) Run(ctx context.Context, s streams) error {
	declared, err := readConfig(c.File)
	if err != nil {
		return err
	}
	steps, err := plan.Steps(declared, plan.Order{Purpose: plan.ForApply, Now: time.Now(), Source: c.source(ctx, declared.Group.Name)})
	if err != nil {
		return err
	}
	t, err := c.target(ctx, plan.Options{Replace: c.Replace, Role: c.Role})
	if err != nil {
		return c.unanswered(err)
	}
	r, err := plan.Plan(ctx, t, declared.Group.Name, steps)
	if err != nil {
		return err
	}
	return c.report(s.out, r)
}

// unanswered says what to do when no node is there.
func (c *targetFlags) unanswered(err error) error {
	if attune.KindOf(err) == attune.Unavailable && c.Endpoint != realService {
		return c.plain(err)
	}
	return err
}

// driftCmd shows what differs.
type driftCmd struct {
	targetFlags
	reportFlags
	File string `arg:"" help:"The configuration, JSON or YAML; - reads standard input."`
}

// Help is shown by 'attune drift --help'.
func (driftCmd) Help() string {
	return `Shown is what the file declares and is not there (+), is there and differs (~, or !
where it cannot be changed), and what is in the dataset group and not in the file (?).
Data, trainings, batch jobs and which version a campaign serves are no drift.`
}

// Run looks and prints.
func (c *driftCmd) Run(ctx context.Context, s streams) error {
	declared, err := readConfig(c.File)
	if err != nil {
		return err
	}
	t, err := c.target(ctx, plan.Options{})
	if err != nil {
		return c.unanswered(err)
	}
	r, err := plan.Drift(ctx, t, declared)
	if err != nil {
		return err
	}
	return c.report(s.out, r)
}
