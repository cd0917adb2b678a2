package plan

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/attune-io/attune/maintain/config"
)

// defaultMetric is what versions are compared by when the file names nothing.
const defaultMetric = "normalized_discounted_cumulative_gain_at_25"

// Means is the Judge that works wherever GetSolutionMetrics does. It holds the
// two means of a metric against each other, by the threshold alone: the service
// shows no single users, so it cannot say what is chance. Two versions were
// measured on what was held out of their own data.
type Means struct{ t *Target }

// Judge asks for the metrics of both versions, unless every version is let in.
func (j Means) Judge(ctx context.Context, q Question) (Answer, error) {
	p := q.Promote
	if p.Policy == "" || p.Policy == config.Always {
		return Answer{OK: true}, nil
	}
	if p.Metric == "" {
		p.Metric = defaultMetric
	}
	live, err := j.t.metrics(ctx, q.Live)
	if missing(err) {
		return Answer{OK: true, Why: "the live version is gone"}, nil
	}
	if err != nil {
		return Answer{}, err
	}
	next, err := j.t.metrics(ctx, q.Candidate)
	if err != nil {
		return Answer{}, err
	}
	was, known := live[p.Metric]
	is, measured := next[p.Metric]
	switch {
	case !measured:
		return Answer{Why: fmt.Sprintf("%s has no metric %s to be compared by; it has %s", q.Candidate, p.Metric, strings.Join(slices.Sorted(maps.Keys(next)), ", "))}, nil
	case !known:
		return Answer{OK: true, Why: "the live version has no metric " + p.Metric}, nil
	case p.Policy == config.IfBetter && !(is > was*(1+p.Threshold)):
		return Answer{Why: fmt.Sprintf("%s is %.4g, not better than the live version's %.4g by more than %.3g %% (means, without a test of significance)", p.Metric, is, was, 100*p.Threshold)}, nil
	case p.Policy == config.IfNotWorse && is < was*(1-p.Threshold):
		return Answer{Why: fmt.Sprintf("%s is %.4g, worse than the live version's %.4g by more than %.3g %% (means, without a test of significance)", p.Metric, is, was, 100*p.Threshold)}, nil
	}
	return Answer{OK: true}, nil
}

// metrics are the offline metrics of a version.
func (t *Target) metrics(ctx context.Context, version string) (map[string]float64, error) {
	out, err := do(ctx, t, "read the metrics of "+version, (*client).GetSolutionMetrics, members{"solutionVersionArn": version})
	if err != nil {
		return nil, err
	}
	m := map[string]float64{}
	for name, x := range out.object("metrics") {
		if value, ok := x.(float64); ok {
			m[name] = value
		}
	}
	return m, nil
}

// handMetrics gives the metrics of an ACTIVE version to whoever keeps them. A
// version of which the service has none stands all the same.
func (t *Target) handMetrics(ctx context.Context, s Step, d decision) error {
	m, err := t.metrics(ctx, d.ARN)
	if Retryable(err) || ctx.Err() != nil {
		return err
	}
	if err != nil || len(m) == 0 {
		return nil
	}
	return t.o.Metrics(ctx, VersionMetrics{Group: s.Group, Solution: solutionOf(d.ARN), Version: d.ARN, Made: d.made, Metrics: m})
}
