package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/double"
)

// faultCmd groups the verbs of a strict node's script of faults.
type faultCmd struct {
	Set   faultSetCmd   `cmd:"" help:"Begin a script: JSON from a file, or - for standard input."`
	List  faultListCmd  `cmd:"" help:"List the rules, with how often each was met and fired."`
	Clear faultClearCmd `cmd:"" help:"End the script."`
}

// Help is shown by 'attune fault --help'.
func (faultCmd) Help() string {
	return `A script has up to 100 rules; the first that fires for a request decides:

  {"seed": 7, "rules": [
    {"operation": "PutEvents", "probability": 0.1, "throttle": true},
    {"operation": "GetRecommendations", "resource": "*campaign/films", "every": 10,
     "latencyMs": 200, "jitterMs": 50, "error": {"name": "InternalFailure", "status": 500}},
    {"operation": "Describe*", "next": 3, "drop": true},
    {"operation": "CreateSolutionVersion", "times": 1, "failJob": "Out of luck."}]}

When: probability, every (n-th), next (n requests), or always; times and until (a
time by the node's clock) end a rule. What: throttle, error, drop (the connection
is cut), failJob (what is created ends CREATE FAILED), and latencyMs with jitterMs
alone or before. The same seed and requests give the same faults. A restart
forgets the script. Only nodes that were started with --mode=strict have it, for
the operations of Personalize.`
}

type faultSetCmd struct {
	clientFlags
	outputFlags
	File string `arg:"" help:"A file with the script; - reads standard input."`
}

// Run sends the script and lists it.
func (c *faultSetCmd) Run(ctx context.Context, s streams) error {
	in := io.Reader(os.Stdin)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	var script double.Script
	const most = 1 << 20 // bytes; the node takes less
	text, err := io.ReadAll(io.LimitReader(in, most))
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&script); err != nil {
		return fmt.Errorf("%s is not a script of faults: %w; 'attune fault --help' shows one", c.File, err)
	}
	return c.faults(ctx, s, &c.outputFlags, "SetFaults", script)
}

type faultListCmd struct {
	clientFlags
	outputFlags
}

// Run lists the rules.
func (c *faultListCmd) Run(ctx context.Context, s streams) error {
	return c.faults(ctx, s, &c.outputFlags, "DescribeFaults", verb.DescribeFaultsInput{})
}

type faultClearCmd struct{ clientFlags }

// Run ends the script.
func (c *faultClearCmd) Run(ctx context.Context, _ streams) error {
	return c.call(ctx, "SetFaults", double.Script{Rules: []double.Rule{}}, new(verb.FaultsOutput))
}

// faults sends a verb of the script and lists what it then is.
func (c *clientFlags) faults(ctx context.Context, s streams, o *outputFlags, name string, in any) error {
	var out verb.FaultsOutput
	if err := c.call(ctx, name, in, &out); err != nil {
		return err
	}
	return o.show(s.out, out, []string{"OPERATION", "RESOURCE", "WHEN", "WHAT", "MET", "FIRED"}, func(add func(...any)) {
		for _, r := range out.Rules {
			add(r.Operation, r.Resource, when(r), what(r), r.Met, r.Fired)
		}
	})
}

// when says when a rule fires.
func when(r double.Rule) string {
	text := "always"
	switch {
	case r.Probability > 0:
		text = fmt.Sprintf("probability %g", r.Probability)
	case r.Every > 0:
		text = fmt.Sprintf("every %d", r.Every)
	case r.Next > 0:
		text = fmt.Sprintf("next %d", r.Next)
	}
	if r.Times > 0 {
		text += fmt.Sprintf(", %d times", r.Times)
	}
	if !r.Until.IsZero() {
		text += ", until " + r.Until.Format(time.RFC3339)
	}
	return text
}

// what says what a rule does.
func what(r double.Rule) string {
	var parts []string
	if r.LatencyMS+r.JitterMS > 0 {
		parts = append(parts, fmt.Sprintf("wait %d to %d ms", r.LatencyMS, r.LatencyMS+r.JitterMS))
	}
	switch {
	case r.Throttle:
		parts = append(parts, "throttle")
	case r.Error != nil:
		parts = append(parts, fmt.Sprintf("%s %d", r.Error.Name, r.Error.Status))
	case r.Drop:
		parts = append(parts, "drop")
	case r.FailJob != "":
		parts = append(parts, "fail: "+r.FailJob)
	}
	return strings.Join(parts, ", ")
}
