package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/attune-io/attune/maintain/config"
	"github.com/attune-io/attune/maintain/cron"
	"github.com/attune-io/attune/maintain/plan"
)

// whenFlags are the schedules that an exported configuration gets: what is
// there shows none.
type whenFlags struct {
	Import string   `name:"import-schedule" short:"i" placeholder:"CRON" help:"When newer files are imported, like 'cron(0 3 * * ? *)'."`
	Full   []string `name:"full-schedule" short:"f" sep:"none" placeholder:"SOLUTION@CRON" help:"When a solution is trained from scratch; may be given for each solution."`
	Update []string `name:"update-schedule" short:"u" sep:"none" placeholder:"SOLUTION@CRON" help:"When a solution is trained on; may be given for each solution."`
}

// schedules reads the flags; what cannot be read is a misuse.
func (f *whenFlags) schedules() (plan.Schedules, error) {
	s := plan.Schedules{Import: f.Import, Full: map[string]string{}, Update: map[string]string{}}
	if f.Import != "" {
		if _, err := cron.Parse(f.Import); err != nil {
			return s, misused{fmt.Errorf("--import-schedule: %w", err)}
		}
	}
	for _, x := range []struct {
		flag  string
		given []string
		into  map[string]string
	}{{"--full-schedule", f.Full, s.Full}, {"--update-schedule", f.Update, s.Update}} {
		for _, text := range x.given {
			name, expression, ok := strings.Cut(text, "@")
			if !ok || name == "" {
				return s, misused{fmt.Errorf("%s %q names no solution: write it like films@cron(0 3 * * ? *)", x.flag, text)}
			}
			if _, err := cron.Parse(expression); err != nil {
				return s, misused{fmt.Errorf("%s of %s: %w", x.flag, name, err)}
			}
			if x.into[name] != "" {
				return s, misused{fmt.Errorf("%s is given twice for %s", x.flag, name)}
			}
			x.into[name] = expression
		}
	}
	return s, nil
}

// exportCmd writes a configuration from what exists.
type exportCmd struct {
	targetFlags
	whenFlags
	Group  string `arg:"" help:"Name of the dataset group."`
	Output string `default:"json" enum:"json,yaml" short:"o" help:"Form of the configuration: ${enum}."`
}

// Run looks at everything in the group and prints.
func (c *exportCmd) Run(ctx context.Context, s streams) error {
	text, err := exported(ctx, &c.targetFlags, &c.whenFlags, c.Group)
	if err != nil {
		return err
	}
	if c.Output == "yaml" {
		if text, err = config.YAML(text); err != nil {
			return err
		}
	}
	_, err = s.out.Write(text)
	return err
}

func exported(ctx context.Context, to *targetFlags, flags *whenFlags, group string) ([]byte, error) {
	schedules, err := flags.schedules()
	if err != nil {
		return nil, err
	}
	t, err := to.target(ctx, plan.Options{})
	if err != nil {
		return nil, to.unanswered(err)
	}
	text, err := t.Export(ctx, group, schedules)
	if err != nil {
		return nil, fmt.Errorf("could not generate the configuration: %w", err)
	}
	return text, nil
}
