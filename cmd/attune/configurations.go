package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/attune-io/attune/api/verb"
)

// configurationsCmd groups what is told of configurations that were applied.
type configurationsCmd struct {
	List    configurationsListCmd    `cmd:"" help:"List the configurations that were applied."`
	History configurationsHistoryCmd `cmd:"" help:"List the versions of one, newest first."`
	Show    configurationsShowCmd    `cmd:"" help:"Print the text of one."`
}

type configurationsListCmd struct {
	clientFlags
	outputFlags
	After string `placeholder:"NAME" help:"Only those behind this name: the next page."`
}

// Run prints a line for each.
func (c *configurationsListCmd) Run(ctx context.Context, s streams) error {
	return c.configurations(ctx, s, &c.outputFlags, verb.ListConfigurationsInput{After: c.After})
}

type configurationsHistoryCmd struct {
	clientFlags
	outputFlags
	Name   string `arg:"" help:"Name of the dataset group."`
	Before int    `placeholder:"VERSION" help:"Only versions before: the next page."`
}

// Run prints a line for each version.
func (c *configurationsHistoryCmd) Run(ctx context.Context, s streams) error {
	return c.configurations(ctx, s, &c.outputFlags, verb.ListConfigurationsInput{Configuration: c.Name, Before: c.Before})
}

func (c *clientFlags) configurations(ctx context.Context, s streams, o *outputFlags, in verb.ListConfigurationsInput) error {
	var out verb.ListConfigurationsOutput
	if err := c.call(ctx, "ListConfigurations", in, &out); err != nil {
		return err
	}
	return o.show(s.out, out, []string{"CONFIGURATION", "VERSION", "AT", "BY", "FILE", "SOURCE"}, func(add func(...any)) {
		for _, v := range out.Configurations {
			add(v.Name, v.Version, v.At.Format(time.RFC3339), v.By, dash(v.File), dash(v.Source))
		}
	})
}

type configurationsShowCmd struct {
	clientFlags
	Name    string `arg:"" help:"Name of the dataset group."`
	Version int    `help:"Which one; the newest without it."`
}

// Run prints the text as it was applied.
func (c *configurationsShowCmd) Run(ctx context.Context, s streams) error {
	var out verb.DescribeConfigurationOutput
	if err := c.call(ctx, "DescribeConfiguration", verb.DescribeConfigurationInput{Configuration: c.Name, Version: c.Version}, &out); err != nil {
		return err
	}
	text := out.Configuration.Text
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	_, err := fmt.Fprint(s.out, text)
	return err
}

// campaignCmd groups what is done with campaigns that a configuration declares.
type campaignCmd struct {
	Rollback    rollbackCmd    `cmd:"" help:"Give a campaign back the version that it had before."`
	Deployments deploymentsCmd `cmd:"" help:"List the versions that a campaign was given, newest first."`
}

type rollbackCmd struct {
	clientFlags
	outputFlags
	Campaign string `arg:"" help:"Name or ARN of the campaign."`
	To       string `placeholder:"ARN" help:"Another version than the one before."`
	NoWait   bool   `help:"Do not wait for the end."`
}

// Help is shown by 'attune campaign rollback --help'.
func (rollbackCmd) Help() string {
	return `The version that the campaign is taken from does not go live again by an apply or
a schedule; newer versions do. Once more goes back further; --to names any version.`
}

// Run starts the run and follows it.
func (c *rollbackCmd) Run(ctx context.Context, s streams) error {
	var out verb.RunOutput
	if err := c.call(ctx, "RollbackCampaign", verb.RollbackCampaignInput{Campaign: c.Campaign, Version: c.To}, &out); err != nil {
		return err
	}
	return c.follow(ctx, s, &c.outputFlags, out.Run, c.NoWait)
}

type deploymentsCmd struct {
	clientFlags
	outputFlags
	Campaign string `arg:"" help:"Name or ARN of the campaign."`
}

// Run prints a line for each.
func (c *deploymentsCmd) Run(ctx context.Context, s streams) error {
	var out verb.ListDeploymentsOutput
	if err := c.call(ctx, "ListDeployments", verb.CampaignInput{Campaign: c.Campaign}, &out); err != nil {
		return err
	}
	return c.show(s.out, out, []string{"AT", "SOLUTION VERSION", "RUN", "ROLLED BACK FROM"}, func(add func(...any)) {
		for _, d := range out.Deployments {
			add(d.At.Format(time.RFC3339), d.Version, dash(d.Run), dash(d.RolledFrom))
		}
	})
}
