package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/personalize"
	ptypes "github.com/aws/aws-sdk-go-v2/service/personalize/types"
	"golang.org/x/term"

	"github.com/attune-io/attune/api/call"
)

// solutionCmd groups what is told about solutions.
type solutionCmd struct {
	Metrics solutionMetricsCmd `cmd:"" help:"Show how good the versions of a solution are, over time."`
}

const (
	// usualMetric is shown when none is named.
	usualMetric = "normalized_discounted_cumulative_gain_at_25"
	// versionsShown bounds the versions that are asked for one by one: daily
	// retraining for half a year.
	versionsShown = 200
	// usualColumns is how wide a chart is where nobody says how wide the terminal is.
	usualColumns = 100
)

// solutionMetricsCmd draws a metric of a solution over time.
type solutionMetricsCmd struct {
	clientFlags
	Output string `default:"auto" enum:"auto,chart,table,json" short:"o" help:"Form of the answer: ${enum}; auto is a chart on a terminal and a table elsewhere."`
	Metric string `help:"Metric of GetSolutionMetrics; NDCG@25 unless given, and all of them in a table or JSON."`
	Name   string `arg:"" help:"Name of a solution, or its ARN."`
}

// metricPoint is one metric of one version.
type metricPoint struct {
	Solution string    `json:"solutionArn"`
	Recipe   string    `json:"recipeArn"`
	Version  string    `json:"solutionVersionArn"`
	Metric   string    `json:"metric"`
	At       time.Time `json:"at"`
	Value    float64   `json:"value"`
	Live     bool      `json:"live"` // behind a campaign now
}

// Run draws the chart, or lists what it would draw.
func (c *solutionMetricsCmd) Run(ctx context.Context, s streams) error {
	form, columns := c.Output, usualColumns
	f, isFile := s.out.(*os.File)
	watched := isFile && term.IsTerminal(int(f.Fd()))
	if form == "auto" {
		form = "table"
		if watched {
			form = "chart"
		}
	}
	if watched {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			columns = w
		}
	}
	metric := c.Metric
	if metric == "" && form == "chart" {
		metric = usualMetric
	}
	cfg, err := c.aws(ctx)
	if err != nil {
		return err
	}
	points, err := c.points(ctx, cfg)
	if err != nil {
		return err
	}
	shown := slices.DeleteFunc(slices.Clone(points), func(p metricPoint) bool { return metric != "" && p.Metric != metric })
	if len(shown) == 0 {
		return nothingMeasured(c.Name, metric, points)
	}
	if form == "chart" {
		fmt.Fprintf(s.out, "%s of the versions of %s\n\n", metric, c.Name)
		return drawChart(s.out, linesOf(shown), columns, watched && os.Getenv("NO_COLOR") == "")
	}
	out := outputFlags{Output: form}
	return out.show(s.out, shown, []string{"TIME", "RECIPE", "VERSION", "METRIC", "VALUE", "LIVE"}, func(add func(...any)) {
		for _, p := range shown {
			live := ""
			if p.Live {
				live = "live"
			}
			add(p.At.UTC().Format(time.DateTime), lastPart(p.Recipe), lastPart(p.Version), p.Metric, fmt.Sprintf("%.4f", p.Value), live)
		}
	})
}

func nothingMeasured(name, metric string, points []metricPoint) error {
	if len(points) == 0 {
		return fmt.Errorf("no version of solution %s has been measured: train one and wait until it is ACTIVE", name)
	}
	known := map[string]bool{}
	for _, p := range points {
		known[p.Metric] = true
	}
	return fmt.Errorf("no version of solution %s has a metric %q; there are %s", name, metric, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}

func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// points are what the node has kept of a solution's metrics, also of versions
// that are gone; where nothing is kept, or the endpoint is no node, what the
// versions that are there say themselves. Oldest first.
func (c *solutionMetricsCmd) points(ctx context.Context, cfg aws.Config) ([]metricPoint, error) {
	client := personalize.NewFromConfig(cfg)
	var out struct{ Metrics []metricPoint }
	in := map[string]string{"solution": c.Name}
	err := call.Send(ctx, cfg, "ListSolutionMetrics", in, &out)
	var refused *call.Refusal
	if err != nil && !errors.As(err, &refused) {
		return nil, err
	}
	solution, err := c.solution(ctx, client)
	if err != nil {
		return nil, c.plain(err)
	}
	points := out.Metrics
	if len(points) == 0 {
		if solution == "" {
			return nil, fmt.Errorf("there is no solution %s here", c.Name)
		}
		if points, err = versionMetrics(ctx, client, solution); err != nil {
			return nil, c.plain(err)
		}
	}
	if solution != "" {
		live, err := liveVersions(ctx, client, solution)
		if err != nil {
			return nil, c.plain(err)
		}
		for i := range points {
			points[i].Live = live[points[i].Version]
		}
	}
	slices.SortStableFunc(points, func(a, b metricPoint) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Metric, b.Metric))
	})
	return points, nil
}

// solution is the ARN of the solution that is meant; "" when there is none.
func (c *solutionMetricsCmd) solution(ctx context.Context, client *personalize.Client) (string, error) {
	pages := personalize.NewListSolutionsPaginator(client, &personalize.ListSolutionsInput{MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, s := range page.Solutions {
			if arn := aws.ToString(s.SolutionArn); arn == c.Name || aws.ToString(s.Name) == c.Name {
				return arn, nil
			}
		}
	}
	return "", nil
}

// versionMetrics asks the newest versions one by one.
func versionMetrics(ctx context.Context, client *personalize.Client, solution string) ([]metricPoint, error) {
	var versions []ptypes.SolutionVersionSummary
	pages := personalize.NewListSolutionVersionsPaginator(client, &personalize.ListSolutionVersionsInput{SolutionArn: &solution, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, v := range page.SolutionVersions {
			if aws.ToString(v.Status) == "ACTIVE" {
				versions = append(versions, v)
			}
		}
	}
	slices.SortFunc(versions, func(a, b ptypes.SolutionVersionSummary) int {
		return aws.ToTime(a.CreationDateTime).Compare(aws.ToTime(b.CreationDateTime))
	})
	if n := len(versions); n > versionsShown {
		versions = versions[n-versionsShown:]
	}
	var out []metricPoint
	for _, v := range versions {
		about, err := client.DescribeSolutionVersion(ctx, &personalize.DescribeSolutionVersionInput{SolutionVersionArn: v.SolutionVersionArn})
		if err != nil {
			return nil, err
		}
		measured, err := client.GetSolutionMetrics(ctx, &personalize.GetSolutionMetricsInput{SolutionVersionArn: v.SolutionVersionArn})
		if err != nil {
			return nil, err
		}
		for metric, value := range measured.Metrics {
			out = append(out, metricPoint{Solution: solution, Recipe: aws.ToString(about.SolutionVersion.RecipeArn), Version: aws.ToString(v.SolutionVersionArn),
				Metric: metric, At: aws.ToTime(v.CreationDateTime), Value: value})
		}
	}
	return out, nil
}

// liveVersions are the versions behind the campaigns of a solution.
func liveVersions(ctx context.Context, client *personalize.Client, solution string) (map[string]bool, error) {
	live := map[string]bool{}
	pages := personalize.NewListCampaignsPaginator(client, &personalize.ListCampaignsInput{SolutionArn: &solution, MaxResults: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, summary := range page.Campaigns {
			about, err := client.DescribeCampaign(ctx, &personalize.DescribeCampaignInput{CampaignArn: summary.CampaignArn})
			if err != nil {
				return nil, err
			}
			live[aws.ToString(about.Campaign.SolutionVersionArn)] = true
		}
	}
	return live, nil
}

// linesOf are the points of one metric, one line for each recipe, in the order in which the recipes came.
func linesOf(points []metricPoint) []line {
	var lines []line
	for _, p := range points {
		name := lastPart(p.Recipe)
		i := slices.IndexFunc(lines, func(l line) bool { return l.name == name })
		if i < 0 {
			i = len(lines)
			lines = append(lines, line{name: name})
		}
		l := &lines[i]
		l.at, l.value, l.live = append(l.at, p.At), append(l.value, p.Value), append(l.live, p.Live)
	}
	return lines
}
