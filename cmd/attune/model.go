package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/attune-io/attune/api/verb"
	"github.com/attune-io/attune/model"
)

// modelCmd groups what is told about models.
type modelCmd struct {
	Compare  modelCompareCmd  `cmd:"" help:"Tell whether a solution version is better or worse than another, on the same users where that can be done."`
	Describe modelDescribeCmd `cmd:"" help:"Show a solution version's manifest: data, parameters, digest, and its measurement beside baselines."`
}

// modelDescribeCmd asks a node for a manifest.
type modelDescribeCmd struct {
	clientFlags
	outputFlags
	ARN string `arg:"" help:"ARN of a solution version."`
}

// Run prints the manifest, or its measurement as a table.
func (c *modelDescribeCmd) Run(ctx context.Context, s streams) error {
	var out verb.DescribeModelOutput
	if err := c.call(ctx, "DescribeModel", verb.DescribeModelInput{SolutionVersionArn: c.ARN}, &out); err != nil {
		return err
	}
	m := out.Manifest
	if c.Output == "table" {
		fmt.Fprintf(s.out, "%s (%s), %d users × %d items × %d interactions, snapshot %s\nseen items %s; model %s\n\n",
			m.Recipe, m.Algorithm, m.Users, m.Items, m.Interactions, m.Snapshot, m.Seen, m.Digest)
		blended(s.out, m)
		searched(s.out, m.Search)
		findings(s.out, m.Evaluation)
	}
	return c.show(s.out, m, evaluationHead, func(add func(...any)) { evaluationRows(m.Evaluation, add) })
}

// modelCompareCmd asks a node which of two versions is the better.
type modelCompareCmd struct {
	clientFlags
	outputFlags
	New       string  `arg:"" help:"ARN of the solution version in question."`
	Live      string  `arg:"" help:"ARN of the one to compare it with."`
	Metric    string  `help:"Metric of GetSolutionMetrics; NDCG@25 unless given."`
	Level     float64 `default:"0.05" help:"Level of significance: how likely it may be to call the same worse, or better."`
	Threshold float64 `help:"Part of the live version's metric that does not count as worse, or better: 0.02 for two per cent."`
}

// Run prints the verdict.
func (c *modelCompareCmd) Run(ctx context.Context, s streams) error {
	var out verb.CompareVersionsOutput
	in := verb.CompareVersionsInput{SolutionVersionArn: c.New, AgainstArn: c.Live, Metric: c.Metric, Level: c.Level, Threshold: c.Threshold}
	if err := c.call(ctx, "CompareVersions", in, &out); err != nil {
		return err
	}
	if err := c.show(s.out, out, []string{"VERDICT", "METRIC", "NEW", "LIVE", "DIFFERENCE", "95 % INTERVAL", "P", "USERS", "PAIRED"}, func(add func(...any)) {
		add(out.Verdict, out.Metric, fmt.Sprintf("%.4f", out.New), fmt.Sprintf("%.4f", out.Live), fmt.Sprintf("%+.4f", out.Difference),
			fmt.Sprintf("[%+.4f, %+.4f]", out.Interval[0], out.Interval[1]), fmt.Sprintf("%.2g", out.P), out.Users, out.Paired)
	}); err != nil || c.Output == "json" {
		return err
	}
	_, err := fmt.Fprintf(s.out, "\n%s\n", out.Words)
	return err
}

// blended prints the voices of a blend, a line each, and how many trials found them.
func blended(out io.Writer, m model.Manifest) {
	members := m.Members()
	for _, v := range members {
		fmt.Fprintf(out, "%4.0f %%  %-12s %s\n", 100*v.Weight, v.Name, pairs(v.Parameters))
	}
	if m.Search != nil {
		fmt.Fprintf(out, "chosen from %d trials by %s\n", len(m.Search.Trials), m.Search.Metric)
	}
	if m.Search != nil || len(members) > 0 {
		fmt.Fprintln(out)
	}
}

// shownTrials are as many as a screen has room for; JSON has them all.
const shownTrials = 12

// searched prints what a search tried, the highest value first, then what it passed over.
func searched(out io.Writer, s *model.Search) {
	if s == nil || len(s.Trials) == 0 {
		return
	}
	trials := slices.Clone(s.Trials)
	slices.SortStableFunc(trials, func(a, b model.Trial) int {
		return cmp.Or(cmp.Compare(min(1, len(a.Words)), min(1, len(b.Words))), cmp.Compare(b.Value, a.Value))
	})
	fmt.Fprintf(out, "tried, the highest first:\n")
	for _, t := range trials[:min(shownTrials, len(trials))] {
		value := fmt.Sprintf("%.4f", t.Value)
		if t.Words != "" {
			value = "passed over: " + t.Words + ":"
		}
		fmt.Fprintf(out, "  %s  %-12s %s\n", value, t.Recipe, pairs(t.Parameters))
	}
	if more := len(trials) - shownTrials; more > 0 {
		fmt.Fprintf(out, "  and %d more: -o json lists all, in the order in which they were made\n", more)
	}
	fmt.Fprintln(out)
}

// pairs writes parameters in the order of their names.
func pairs(parameters map[string]string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		out = append(out, name+"="+parameters[name])
	}
	return strings.Join(out, " ")
}

// findings prints what was found in the data before training, one paragraph each.
func findings(out io.Writer, e *model.Evaluation) {
	if e == nil {
		return
	}
	for _, f := range e.Findings {
		fmt.Fprintf(out, "%s: %s\n\n", f.Kind, f.Words)
	}
}

var evaluationHead = []string{"METHOD", "NDCG@25", "95 % INTERVAL", "MRR@25", "COVERAGE", "MODEL MINUS METHOD"}

// evaluationRows lists a model and its baselines, each with its interval, then
// the same of slices: of items and of users that little is known of.
func evaluationRows(e *model.Evaluation, add func(...any)) {
	if e == nil {
		return
	}
	row := func(name string, at model.Interval, metrics map[string]float64, difference string) {
		add(name, fmt.Sprintf("%.4f", at.Mean), interval(at), fmt.Sprintf("%.4f", metrics["mean_reciprocal_rank_at_25"]),
			fmt.Sprintf("%.3f", metrics["coverage"]), difference)
	}
	row("model", e.NDCG25, e.Metrics, "")
	for _, b := range e.Baselines {
		row(b.Name, b.NDCG25, b.Metrics, fmt.Sprintf("%+.4f %s", b.Difference.Mean, interval(b.Difference)))
	}
	for _, name := range slices.Sorted(maps.Keys(e.Slices)) {
		s := e.Slices[name]
		add(fmt.Sprintf("model, %s (%d users)", name, s.Users), fmt.Sprintf("%.4f", s.NDCG25.Mean), interval(s.NDCG25),
			fmt.Sprintf("%.4f", s.Metrics["mean_reciprocal_rank_at_25"]), "", "")
		for _, of := range slices.Sorted(maps.Keys(s.Baselines)) {
			add(of+", "+name, fmt.Sprintf("%.4f", s.Baselines[of].Mean), interval(s.Baselines[of]), "", "", "")
		}
	}
}

func interval(i model.Interval) string { return fmt.Sprintf("[%.4f, %.4f]", i.Low, i.High) }
