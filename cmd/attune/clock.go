package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune/api/verb"
)

// clockCmd groups the verbs of a strict node's clock.
type clockCmd struct {
	Show    clockShowCmd    `cmd:"" help:"Show the node's time, and how far it is ahead."`
	Advance clockAdvanceCmd `cmd:"" help:"Put the clock forward by a time: 36h, 90m, 7d."`
	Set     clockSetCmd     `cmd:"" help:"Put the clock forward to a time: 2026-12-24T18:00:00Z."`
}

// Help is shown by 'attune clock --help'.
func (clockCmd) Help() string {
	return `What is due by time (automatic training, trending windows, idle rules) becomes due
when the clock is put forward. It never goes back, and a restart keeps it. What
clients sign by stays the machine's time. Only nodes that were started with
--mode=strict have it.`
}

type clockShowCmd struct {
	clientFlags
	outputFlags
}

// Run prints one line.
func (c *clockShowCmd) Run(ctx context.Context, s streams) error {
	return c.clock(ctx, s, &c.outputFlags, "DescribeClock", verb.DescribeClockInput{})
}

type clockAdvanceCmd struct {
	clientFlags
	outputFlags
	By string `arg:"" help:"How far: a number with s, m, h or d, or several of them."`
}

// Run prints the new time.
func (c *clockAdvanceCmd) Run(ctx context.Context, s streams) error {
	by, err := days(c.By)
	if err != nil {
		return err
	}
	return c.clock(ctx, s, &c.outputFlags, "AdvanceClock", verb.AdvanceClockInput{Seconds: by.Seconds()})
}

// days reads a duration that may begin with a number of days.
func days(text string) (time.Duration, error) {
	var whole time.Duration
	if d, rest, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.Atoi(d)
		if err != nil || n < 0 || n > 36500 {
			return 0, fmt.Errorf("%q is not a time: write 7d, 36h or 90m", text)
		}
		if whole, text = time.Duration(n)*24*time.Hour, rest; rest == "" {
			return whole, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time: write 7d, 36h or 90m", text)
	}
	return whole + d, nil
}

type clockSetCmd struct {
	clientFlags
	outputFlags
	To string `arg:"" help:"A time in RFC 3339 that is not past."`
}

// Run prints the new time.
func (c *clockSetCmd) Run(ctx context.Context, s streams) error {
	to, err := time.Parse(time.RFC3339, c.To)
	if err != nil {
		return fmt.Errorf("%q is not a time: write it like 2026-12-24T18:00:00Z", c.To)
	}
	return c.clock(ctx, s, &c.outputFlags, "AdvanceClock", verb.AdvanceClockInput{To: &to})
}

// clock sends a verb of the clock and shows the time.
func (c *clientFlags) clock(ctx context.Context, s streams, o *outputFlags, name string, in any) error {
	var out verb.DescribeClockOutput
	if err := c.call(ctx, name, in, &out); err != nil {
		return err
	}
	return o.show(s.out, out, []string{"NOW", "AHEAD"}, func(add func(...any)) {
		add(out.Now.Format(time.RFC3339), time.Duration(out.AheadSeconds*float64(time.Second)).Round(time.Second))
	})
}
