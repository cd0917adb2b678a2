package api

import (
	"encoding/json"
	"fmt"

	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/wire"
)

// shapeWithout is shape but for one member of the body, which the caller shows
// by hand: an update has times of its own, and bodies write times as text where
// the wire has numbers.
func shapeWithout[T any](r *resource.Resource, member string) (*T, error) {
	bare := *r
	if err := resource.ChangeBody(&bare, func(b *map[string]json.RawMessage) { delete(*b, member) }); err != nil {
		return nil, err
	}
	return shape[T](&bare)
}

// solutionUpdate shows the last update of a solution; nil when there was none.
func solutionUpdate(r *resource.Resource) (*wire.SolutionUpdateSummary, error) {
	b, err := resource.Body[resource.SolutionBody](r)
	if err != nil || b.LatestUpdate == nil {
		return nil, err
	}
	u := b.LatestUpdate
	out := &wire.SolutionUpdateSummary{
		PerformAutoTraining: u.PerformAutoTraining, PerformIncrementalUpdate: u.PerformIncrementalUpdate,
		Status: (*string)(&u.Status), FailureReason: filled(u.FailureReason),
		CreationDateTime: wire.At(u.Created), LastUpdatedDateTime: wire.At(u.Updated),
	}
	if len(u.SolutionUpdateConfig) > 0 {
		out.SolutionUpdateConfig = new(wire.SolutionUpdateConfig)
		if err := json.Unmarshal(u.SolutionUpdateConfig, out.SolutionUpdateConfig); err != nil {
			return nil, fmt.Errorf("show the update of %s: %w", r.ARN, err)
		}
	}
	return out, nil
}

// datasetUpdate shows the last update of a dataset; nil when there was none.
func datasetUpdate(r *resource.Resource) (*wire.DatasetUpdateSummary, error) {
	b, err := resource.Body[resource.DatasetBody](r)
	if err != nil || b.LatestUpdate == nil {
		return nil, err
	}
	u := b.LatestUpdate
	return &wire.DatasetUpdateSummary{
		SchemaArn: &u.SchemaArn, Status: (*string)(&u.Status), FailureReason: filled(u.FailureReason),
		CreationDateTime: wire.At(u.Created), LastUpdatedDateTime: wire.At(u.Updated),
	}, nil
}
