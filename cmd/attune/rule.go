package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/notify"
)

// ruleCmd groups the verbs of rules.
type ruleCmd struct {
	Put      rulePutCmd      `cmd:"" help:"Make a rule, or replace the one of its name."`
	List     ruleListCmd     `cmd:"" help:"List the rules, and how they fare."`
	Describe ruleDescribeCmd `cmd:"" help:"Show one rule."`
	Delete   ruleDeleteCmd   `cmd:"" help:"Delete a rule with all that it has yet to deliver."`
	Test     ruleTestCmd     `cmd:"" help:"Whether an event matches a rule or a pattern."`
}

// Help is shown by 'attune rule --help'.
func (ruleCmd) Help() string {
	return `A rule tells who is told of which events. Its pattern is one of EventBridge:

  attune rule put ready --pattern '{"detail":{"Status":["ACTIVE","FAILED"]}}' \
    --webhook https://ops.example.com/attune --secret-file webhook.secret
  attune rule put mail --pattern '{"source":["attune.maintain"]}' --email ops@example.com
  attune rule put etl --pattern '{"source":["etl"],"detail":{"state":["SUCCEEDED"]}}' \
    --maintain films --purpose refresh

Webhooks are signed with the secret (Attune-Signature: t=…,v1=…) and tried again
for about seven hours; what is not delivered then is a dead letter. Mail needs a
node that was started with --smtp.`
}

type rulePutCmd struct {
	clientFlags
	outputFlags
	Name       string   `arg:"" help:"Name of the rule."`
	Pattern    string   `required:"" help:"JSON, or a file with it, or - for standard input."`
	Webhook    string   `help:"Post the events to this URL." placeholder:"URL"`
	SecretFile string   `help:"A file with the secret that signs the webhook's requests; else ATTUNE_SECRET; else the secret that the rule has." placeholder:"FILE"`
	Email      []string `help:"Mail the events to these addresses." placeholder:"ADDRESS"`
	Maintain   string   `help:"Start a run of this configuration." placeholder:"NAME"`
	Purpose    string   `help:"What the run is for." default:"apply"`
	Solution   string   `help:"The solution that the run is for. Default: all that the purpose takes." placeholder:"NAME"`
	BaseDate   string   `help:"Where the event has the date of its data, like detail.date: one run for each date." placeholder:"PATH"`
	Disabled   bool     `help:"Keep the rule, and tell nobody."`
}

// Run puts the rule and shows it.
func (c *rulePutCmd) Run(ctx context.Context, s streams) error {
	text, err := jsonArgument("--pattern", c.Pattern)
	if err != nil {
		return err
	}
	rule := notify.Rule{Name: c.Name, Pattern: text, Disabled: c.Disabled}
	if c.Webhook != "" {
		secret, err := readSecret(c.SecretFile)
		if err != nil {
			return err
		}
		rule.Target.Webhook = &notify.Webhook{URL: c.Webhook, Secret: secret}
	}
	if len(c.Email) > 0 {
		rule.Target.Email = &notify.Email{To: c.Email}
	}
	if c.Maintain != "" {
		rule.Target.Maintain = &notify.Maintain{Config: c.Maintain, Purpose: c.Purpose, Solution: c.Solution, BaseDate: c.BaseDate}
	}
	var out verb.RuleOutput
	if err := c.call(ctx, "PutRule", verb.PutRuleInput{Rule: rule}, &out); err != nil {
		return err
	}
	return showRule(s, &c.outputFlags, &out)
}

type ruleListCmd struct {
	clientFlags
	outputFlags
}

// Run lists the rules.
func (c *ruleListCmd) Run(ctx context.Context, s streams) error {
	var out verb.ListRulesOutput
	if err := c.call(ctx, "ListRules", verb.ListRulesInput{}, &out); err != nil {
		return err
	}
	return c.show(s.out, out.Rules, []string{"NAME", "TARGET", "DELIVERED", "WAITING", "DEAD", "NOTE"}, func(add func(...any)) {
		for _, r := range out.Rules {
			add(r.Name, targetOf(r), r.Delivered, r.Waiting, r.Dead, r.Note)
		}
	})
}

func targetOf(r notify.RuleState) string {
	if r.Disabled {
		return r.Target.String() + " (disabled)"
	}
	return r.Target.String()
}

type ruleDescribeCmd struct {
	clientFlags
	outputFlags
	Name string `arg:"" help:"Name of the rule."`
}

// Run shows one rule.
func (c *ruleDescribeCmd) Run(ctx context.Context, s streams) error {
	var out verb.RuleOutput
	if err := c.call(ctx, "DescribeRule", verb.RuleName{Name: c.Name}, &out); err != nil {
		return err
	}
	return showRule(s, &c.outputFlags, &out)
}

func showRule(s streams, o *outputFlags, r *verb.RuleOutput) error {
	return o.show(s.out, r, []string{"RULE", r.Name}, func(add func(...any)) {
		add("pattern", string(r.Pattern))
		add("target", targetOf(r.RuleState))
		if r.Target.Webhook != nil {
			add("signed", r.Target.Webhook.Signed)
		}
		add("delivered", r.Delivered)
		if !r.Last.IsZero() {
			add("last", r.Last.Format(time.RFC3339))
		}
		add("waiting", r.Waiting)
		add("dead letters", r.Dead)
		if r.Missed > 0 {
			add("missed", r.Missed)
		}
		if r.Note != "" {
			add("note", r.Note)
		}
	})
}

type ruleDeleteCmd struct {
	clientFlags
	Name string `arg:"" help:"Name of the rule."`
}

// Run deletes the rule.
func (c *ruleDeleteCmd) Run(ctx context.Context, _ streams) error {
	return c.call(ctx, "DeleteRule", verb.RuleName{Name: c.Name}, &struct{}{})
}

type ruleTestCmd struct {
	clientFlags
	Name    string `arg:"" optional:"" help:"Name of the rule; else --pattern."`
	Pattern string `help:"JSON, or a file with it, or - for standard input."`
	Event   string `required:"" help:"The event: JSON, or a file with it, or - for standard input."`
}

// errNoMatch makes 'rule test' end with 1.
var errNoMatch = errors.New("the event does not match")

// Run says whether the event matches, and fails when it does not.
func (c *ruleTestCmd) Run(ctx context.Context, s streams) error {
	in := verb.TestRuleInput{Name: c.Name}
	var err error
	if in.Event, err = jsonArgument("--event", c.Event); err != nil {
		return err
	}
	if c.Pattern != "" {
		if in.Pattern, err = jsonArgument("--pattern", c.Pattern); err != nil {
			return err
		}
	}
	var out verb.TestRuleOutput
	if err := c.call(ctx, "TestRule", in, &out); err != nil {
		return err
	}
	if !out.Matches {
		return errNoMatch
	}
	fmt.Fprintln(s.out, "the event matches")
	return nil
}

// maxArgument bounds a file that an argument names, in bytes; nodes take less.
const maxArgument = 1 << 20

// jsonArgument reads JSON that stands on the command line, in a file, or comes on
// standard input.
func jsonArgument(flag, text string) (json.RawMessage, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "{") {
		return checkJSON(flag, []byte(text))
	}
	in := io.Reader(os.Stdin)
	if text != "-" {
		f, err := os.Open(text)
		if err != nil {
			return nil, fmt.Errorf("%s is no JSON object and no file that can be read: %w", flag, err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxArgument))
	if err != nil {
		return nil, err
	}
	return checkJSON(flag, data)
}

func checkJSON(flag string, data []byte) (json.RawMessage, error) {
	if !json.Valid(data) {
		return nil, fmt.Errorf("%s is not JSON: %.60q", flag, data)
	}
	return json.RawMessage(data), nil
}

// readSecret reads a secret from a file, or the environment; secrets do not stand
// on command lines, where everybody on the machine reads them.
func readSecret(file string) (string, error) {
	if file == "" {
		return os.Getenv("ATTUNE_SECRET"), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxArgument))
	return strings.TrimSpace(string(data)), err
}
