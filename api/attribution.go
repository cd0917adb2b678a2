package api

import (
	"context"
	"strconv"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/api/awsjson"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

// metricsPage is a page of metrics when nobody says: all there can be.
const metricsPage = 100

func (p *Personalize) registerAttributions(s *awsjson.Server) {
	awsjson.Handle(s, wire.Personalize, "CreateMetricAttribution", p.createMetricAttribution)
	awsjson.Handle(s, wire.Personalize, "DescribeMetricAttribution", p.describeMetricAttribution)
	awsjson.Handle(s, wire.Personalize, "ListMetricAttributions", p.listMetricAttributions)
	awsjson.Handle(s, wire.Personalize, "ListMetricAttributionMetrics", p.listMetrics)
	awsjson.Handle(s, wire.Personalize, "UpdateMetricAttribution", p.updateMetricAttribution)
	awsjson.Handle(s, wire.Personalize, "DeleteMetricAttribution", p.deleteMetricAttribution)
}

func (p *Personalize) createMetricAttribution(ctx context.Context, in *wire.CreateMetricAttributionRequest) (*wire.CreateMetricAttributionResponse, error) {
	r, err := p.rows.CreateMetricAttribution(ctx, in.Name, resource.AttributionBody{
		DatasetGroupArn: in.DatasetGroupArn, Metrics: metricsOf(in.Metrics), MetricsOutputConfig: outputOf(&in.MetricsOutputConfig),
	})
	if err != nil {
		return nil, err
	}
	return &wire.CreateMetricAttributionResponse{MetricAttributionArn: arnOf(r)}, nil
}

func metricsOf(in []wire.MetricAttribute) []resource.Metric {
	out := make([]resource.Metric, len(in))
	for i, m := range in {
		out[i] = resource.Metric{EventType: m.EventType, Name: m.MetricName, Expression: m.Expression}
	}
	return out
}

func outputOf(in *wire.MetricAttributionOutput) resource.MetricsOutput {
	out := resource.MetricsOutput{RoleArn: in.RoleArn}
	if in.S3DataDestination != nil {
		place := s3Data(*in.S3DataDestination)
		out.S3DataDestination = &place
	}
	return out
}

func (p *Personalize) describeMetricAttribution(ctx context.Context, in *wire.DescribeMetricAttributionRequest) (*wire.DescribeMetricAttributionResponse, error) {
	r, err := p.rows.Find(ctx, resource.MetricAttribution, attune.ARN(in.MetricAttributionArn))
	if err != nil {
		return nil, err
	}
	m, err := shape[wire.MetricAttribution](r)
	if err != nil {
		return nil, err
	}
	m.Name, m.MetricAttributionArn, m.Status, m.CreationDateTime, m.LastUpdatedDateTime = common(r)
	return &wire.DescribeMetricAttributionResponse{MetricAttribution: m}, nil
}

func (p *Personalize) listMetricAttributions(ctx context.Context, in *wire.ListMetricAttributionsRequest) (*wire.ListMetricAttributionsResponse, error) {
	l := listing{"ListMetricAttributions", resource.MetricAttribution, resource.DatasetGroup, in.DatasetGroupArn, in.MaxResults, in.NextToken}
	all, next, err := list(ctx, p, l, func(r *resource.Resource) (*wire.MetricAttributionSummary, error) {
		m, err := shape[wire.MetricAttributionSummary](r)
		if err == nil {
			m.Name, m.MetricAttributionArn, m.Status, m.CreationDateTime, m.LastUpdatedDateTime = common(r)
		}
		return m, err
	})
	return &wire.ListMetricAttributionsResponse{MetricAttributions: all, NextToken: next}, err
}

// listMetrics pages through the metrics of one attribution, by place.
func (p *Personalize) listMetrics(ctx context.Context, in *wire.ListMetricAttributionMetricsRequest) (*wire.ListMetricAttributionMetricsResponse, error) {
	scope := "ListMetricAttributionMetrics\x00" + value(in.MetricAttributionArn)
	position, err := p.tokens.DecodeToken(scope, value(in.NextToken))
	if err != nil {
		return nil, err
	}
	if in.MetricAttributionArn == nil {
		return nil, attune.Errorf(attune.Invalid, "metricAttributionArn is required: metrics are listed of one metric attribution")
	}
	r, err := p.rows.Find(ctx, resource.MetricAttribution, attune.ARN(*in.MetricAttributionArn))
	if err != nil {
		return nil, err
	}
	b, err := resource.Body[resource.AttributionBody](r)
	if err != nil {
		return nil, err
	}
	from := 0
	if position != "" {
		if from, err = strconv.Atoi(position); err != nil {
			return nil, attune.Errorf(attune.InvalidNextToken, "nextToken is not one of this list")
		}
	}
	size := metricsPage
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	from = min(from, len(b.Metrics))
	to := min(from+size, len(b.Metrics))
	out := &wire.ListMetricAttributionMetricsResponse{Metrics: []wire.MetricAttribute{}}
	for _, m := range b.Metrics[from:to] {
		out.Metrics = append(out.Metrics, wire.MetricAttribute{EventType: m.EventType, MetricName: m.Name, Expression: m.Expression})
	}
	if to < len(b.Metrics) {
		token, err := p.tokens.EncodeToken(scope, strconv.Itoa(to))
		out.NextToken = filled(token)
		return out, err
	}
	return out, nil
}

func (p *Personalize) updateMetricAttribution(ctx context.Context, in *wire.UpdateMetricAttributionRequest) (*wire.UpdateMetricAttributionResponse, error) {
	if in.MetricAttributionArn == nil {
		return nil, attune.Errorf(attune.Invalid, "metricAttributionArn is required: say which metric attribution to update")
	}
	change := resource.AttributionChange{Add: metricsOf(in.AddMetrics), Remove: in.RemoveMetrics}
	if in.MetricsOutputConfig != nil {
		output := outputOf(in.MetricsOutputConfig)
		change.Output = &output
	}
	r, err := p.rows.UpdateMetricAttribution(ctx, *in.MetricAttributionArn, change)
	if err != nil {
		return nil, err
	}
	return &wire.UpdateMetricAttributionResponse{MetricAttributionArn: arnOf(r)}, nil
}

func (p *Personalize) deleteMetricAttribution(ctx context.Context, in *wire.DeleteMetricAttributionRequest) (*wire.Empty, error) {
	return none(p.rows.DeleteMetricAttribution(ctx, in.MetricAttributionArn))
}
