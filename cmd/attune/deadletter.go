package main

import (
	"context"
	"fmt"
	"time"

	"github.com/attune-io/attune/api/verb"
)

// deadletterCmd groups the verbs of what could not be delivered.
type deadletterCmd struct {
	List    deadletterListCmd    `cmd:"" help:"List the newest events that could not be delivered."`
	Redrive deadletterRedriveCmd `cmd:"" help:"Deliver dead letters again."`
	Drop    deadletterDropCmd    `cmd:"" help:"Forget dead letters."`
}

type deadletterListCmd struct {
	clientFlags
	outputFlags
	Rule string `arg:"" optional:"" help:"Name of a rule; else all."`
}

// Run lists the dead letters.
func (c *deadletterListCmd) Run(ctx context.Context, s streams) error {
	var out verb.ListDeadLettersOutput
	if err := c.call(ctx, "ListDeadLetters", verb.ListDeadLettersInput{Rule: c.Rule}, &out); err != nil {
		return err
	}
	return c.show(s.out, out.DeadLetters, []string{"RULE", "EVENT", "ATTEMPTS", "LAST", "WHY"}, func(add func(...any)) {
		for _, l := range out.DeadLetters {
			add(l.Rule, l.ID, l.Attempts, l.Last.Format(time.RFC3339), l.Why)
		}
	})
}

// letterFlags name dead letters.
type letterFlags struct {
	clientFlags
	Rule string `arg:"" help:"Name of the rule."`
	ID   string `arg:"" optional:"" help:"Id of one event; else all of the rule."`
}

func (c *letterFlags) send(ctx context.Context, s streams, name, done string) error {
	var out verb.DeadLettersOutput
	if err := c.call(ctx, name, verb.DeadLettersInput{Rule: c.Rule, ID: c.ID}, &out); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%d %s\n", out.Count, done)
	return nil
}

type deadletterRedriveCmd struct{ letterFlags }

// Run has them delivered again.
func (c *deadletterRedriveCmd) Run(ctx context.Context, s streams) error {
	return c.send(ctx, s, "RedriveDeadLetters", "are delivered again")
}

type deadletterDropCmd struct{ letterFlags }

// Run forgets them.
func (c *deadletterDropCmd) Run(ctx context.Context, s streams) error {
	return c.send(ctx, s, "DropDeadLetters", "are forgotten")
}
