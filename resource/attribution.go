package resource

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// maxMetrics bounds the metrics of one metric attribution, as published.
const maxMetrics = 10

// Metric is one number that a metric attribution reports.
type Metric struct {
	EventType  string `json:"eventType"` // compared without case
	Name       string `json:"metricName"`
	Expression string `json:"expression"` // SUM(Interactions.COLUMN), SUM(Items.COLUMN) or SAMPLECOUNT()
}

// MetricsOutput is where reports go, as given.
type MetricsOutput struct {
	S3DataDestination *S3Data `json:"s3DataDestination,omitempty"` // a folder; nil for no files
	RoleArn           string  `json:"roleArn"`
}

// AttributionBody is the body of a MetricAttribution.
type AttributionBody struct {
	DatasetGroupArn     string        `json:"datasetGroupArn"`
	Metrics             []Metric      `json:"metrics"`
	MetricsOutputConfig MetricsOutput `json:"metricsOutputConfig"`
	FailureReason       string        `json:"failureReason,omitempty"`
}

// Function is a metric's expression, read: what is summed over events, or that
// they are counted.
type Function struct {
	Of     schema.Type // Interactions or Items; "" to count
	Column string      // "" to count
}

// String is the function's name in reports.
func (f Function) String() string {
	if f.Of == "" {
		return "samplecount"
	}
	return "sum"
}

var (
	sumPattern   = regexp.MustCompile(`(?i)^\s*SUM\s*\(\s*([A-Za-z_]+)\s*\.\s*([A-Za-z_][A-Za-z0-9_]*)\s*\)\s*$`)
	countPattern = regexp.MustCompile(`(?i)^\s*SAMPLECOUNT\s*\(\s*\)\s*$`)
)

// ParseFunction reads an expression; the error is attune.Invalid.
func ParseFunction(expression string) (Function, error) {
	if countPattern.MatchString(expression) {
		return Function{}, nil
	}
	if m := sumPattern.FindStringSubmatch(expression); m != nil {
		for _, t := range []schema.Type{schema.Interactions, schema.Items} {
			if strings.EqualFold(m[1], string(t)) {
				return Function{t, m[2]}, nil
			}
		}
	}
	return Function{}, attune.Errorf(attune.Invalid, "expression %q cannot be read: write SUM(Interactions.COLUMN), SUM(Items.COLUMN) or SAMPLECOUNT()", expression)
}

// CreateMetricAttribution begins to report on the events of a group that come
// from now on. A group has one.
func (g *Registry) CreateMetricAttribution(ctx context.Context, name string, b AttributionBody) (*Resource, error) {
	if err := b.MetricsOutputConfig.check(); err != nil {
		return nil, err
	}
	return g.created(ctx, func() (*Resource, error) {
		group, err := g.findReady(ctx, DatasetGroup, b.DatasetGroupArn)
		if err != nil {
			return nil, err
		}
		if err := g.checkMetrics(ctx, group.ID, b.Metrics); err != nil {
			return nil, err
		}
		if err := g.free(ctx, MetricAttribution, name); err != nil {
			return nil, err
		}
		other, err := g.any(ctx, Query{Kind: MetricAttribution, Parent: group.ARN})
		if err != nil {
			return nil, err
		}
		if other != nil {
			return nil, attune.Errorf(attune.LimitExceeded, "a dataset group has one metric attribution, and %s is that of %s: change it with UpdateMetricAttribution, or delete it first", other.ARN, group.ARN)
		}
		return g.add(ctx, &Resource{Kind: MetricAttribution, ARN: g.names.Make("metric-attribution", name), Parent: group.ARN, Name: name}, b, group)
	})
}

func (o MetricsOutput) check() error {
	if o.S3DataDestination == nil {
		return nil
	}
	path, ok := strings.CutPrefix(o.S3DataDestination.Path, "s3://")
	if bucket, _, _ := strings.Cut(path, "/"); !ok || bucket == "" {
		return attune.Errorf(attune.Invalid, "Invalid S3 output path. %q does not name a folder: write s3://bucket/folder/", o.S3DataDestination.Path)
	}
	return nil
}

// checkMetrics holds metrics against the schemas of a group.
func (g *Registry) checkMetrics(ctx context.Context, group string, metrics []Metric) error {
	if len(metrics) > maxMetrics {
		return attune.Errorf(attune.Invalid, "%d metrics: a metric attribution has at most %d", len(metrics), maxMetrics)
	}
	schemas, err := g.Schemas(ctx, group)
	if err != nil {
		return err
	}
	for i, m := range metrics {
		if m.Name == "" || m.EventType == "" {
			return attune.Errorf(attune.Invalid, "metric %d has no metricName or no eventType: give both", i+1)
		}
		if slices.ContainsFunc(metrics[:i], func(o Metric) bool { return o.Name == m.Name }) {
			return attune.Errorf(attune.Invalid, "metric %q is given twice: names are unique in a metric attribution", m.Name)
		}
		f, err := ParseFunction(m.Expression)
		if err != nil {
			return attune.Errorf(attune.Invalid, "metric %q: %w", m.Name, err)
		}
		if f.Of == "" {
			continue
		}
		s := schemas[f.Of]
		if s == nil {
			return attune.Errorf(attune.Invalid, "metric %q sums a column of %s, and the group has no such dataset: create it first", m.Name, f.Of)
		}
		if column, ok := s.Field(f.Column); !ok || !column.Kind.Numeric() {
			return attune.Errorf(attune.Invalid, "metric %q sums %s, which is no column of numbers of %s", m.Name, f.Column, f.Of)
		}
	}
	return nil
}

// AttributionChange is what UpdateMetricAttribution asks for; zero members stay as they are.
type AttributionChange struct {
	Add    []Metric
	Remove []string // names
	Output *MetricsOutput
}

// UpdateMetricAttribution changes metrics, beginning with the reports that are
// not written yet. A name that is removed may be added anew at once.
func (g *Registry) UpdateMetricAttribution(ctx context.Context, arn string, in AttributionChange) (*Resource, error) {
	if in.Output != nil {
		if err := in.Output.check(); err != nil {
			return nil, err
		}
	}
	var out *Resource
	err := g.decide(ctx, func() (bool, error) {
		r, group, err := g.within(ctx, MetricAttribution, arn)
		if err != nil {
			return false, err
		}
		if err := ready(r); err != nil {
			return false, err
		}
		b, err := Body[AttributionBody](r)
		if err != nil {
			return false, err
		}
		if b.Metrics, err = in.metrics(b.Metrics, arn); err != nil {
			return false, err
		}
		if err := g.checkMetrics(ctx, group.ID, b.Metrics); err != nil {
			return false, err
		}
		if in.Output != nil {
			b.MetricsOutputConfig = *in.Output
		}
		out = r
		return g.write(ctx, r, func(r *Resource) error {
			r.Updated = g.after(r.Updated)
			return r.SetBody(b)
		}, group)
	})
	return out, err
}

// metrics are those that a change leaves.
func (in AttributionChange) metrics(have []Metric, arn string) ([]Metric, error) {
	named := func(list []Metric, name string) bool {
		return slices.ContainsFunc(list, func(m Metric) bool { return m.Name == name })
	}
	for _, name := range in.Remove {
		if !named(have, name) {
			return nil, attune.Errorf(attune.NotFound, "%s has no metric %q to remove", arn, name)
		}
	}
	have = slices.DeleteFunc(slices.Clone(have), func(m Metric) bool { return slices.Contains(in.Remove, m.Name) })
	for _, m := range in.Add {
		if named(have, m.Name) {
			return nil, attune.Errorf(attune.Exists, "%s has a metric %q already: remove it, or choose another name", arn, m.Name)
		}
		have = append(have, m)
	}
	return have, nil
}

// DeleteMetricAttribution asks for a metric attribution to end. What has not
// been reported until then is not.
func (g *Registry) DeleteMetricAttribution(ctx context.Context, arn string) error {
	return g.remove(ctx, MetricAttribution, arn, nil)
}

// publisher refuses to report on an import into a dataset, unless it is one of
// interactions, of a group with an ACTIVE metric attribution that has a place for files.
func (g *Registry) publisher(ctx context.Context, set, group *Resource) error {
	d, err := Body[DatasetBody](set)
	if err != nil {
		return err
	}
	if !strings.EqualFold(d.DatasetType, string(schema.Interactions)) {
		return attune.Errorf(attune.Invalid, "publishAttributionMetricsToS3 is for imports of interactions: leave it out for %s", set.ARN)
	}
	r, err := g.any(ctx, Query{Kind: MetricAttribution, Parent: group.ARN})
	if err != nil {
		return err
	}
	if r == nil || r.Status != Active {
		return attune.Errorf(attune.Invalid, "publishAttributionMetricsToS3 needs an ACTIVE metric attribution of %s: create one, or leave it out", group.ARN)
	}
	b, err := Body[AttributionBody](r)
	if err == nil && b.MetricsOutputConfig.S3DataDestination == nil {
		err = attune.Errorf(attune.Invalid, "publishAttributionMetricsToS3 needs a place for files, and %s has no s3DataDestination: update it, or leave publishAttributionMetricsToS3 out", r.ARN)
	}
	return err
}
