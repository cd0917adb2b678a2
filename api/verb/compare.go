package verb

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/job"
)

// CompareVersionsInput names a solution version and the one that it is to be
// compared with, most often the live one.
type CompareVersionsInput struct {
	SolutionVersionArn string  `json:"solutionVersionArn"`
	AgainstArn         string  `json:"againstArn"`
	Metric             string  `json:"metric,omitempty"`    // of GetSolutionMetrics; NDCG@25 when absent
	Level              float64 `json:"level,omitempty"`     // of significance; 0.05 when absent
	Threshold          float64 `json:"threshold,omitempty"` // relative: how much worse is not worse yet, or how much better is better
}

// CompareVersionsOutput says which is the better, and how sure that is.
type CompareVersionsOutput struct {
	job.Compared
}

func (d *Door) compareVersions(ctx context.Context, in *CompareVersionsInput) (any, error) {
	out, err := d.Jobs.Compare(ctx, job.Comparing{New: attune.ARN(in.SolutionVersionArn), Live: attune.ARN(in.AgainstArn),
		Metric: in.Metric, Level: in.Level, Threshold: in.Threshold})
	if err != nil {
		return nil, err
	}
	return &CompareVersionsOutput{*out}, nil
}
