package recipe

import (
	"context"
	"fmt"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe/spec"
)

// Refresh learns again what an old model knows, from data as of now: with the
// old one's parameters, seed and rules of events. Nothing is chosen or measured
// again, so the evaluation is the old one's. uses is FitSpec.Uses.
func Refresh(ctx context.Context, r Recipe, old model.Manifest, now *dataset.Snapshot, uses Uses, clock attune.Clock) (*model.Model, error) {
	started := clock()
	data := uses.learnable(now)
	events, _ := occurred(data.Events, old.Events, old.Negative)
	m, err := r.Train(ctx, Input{
		Events: events, Users: now.Users.Len(), Items: now.Items.IDs(),
		ItemAttributes: data.ItemAttributes, UserAttributes: data.UserAttributes, Params: old.Parameters, Seed: old.Seed, Now: now.AsOf.UnixMilli(),
	})
	if err != nil {
		return nil, fmt.Errorf("refresh %s: %w", r.Name(), err)
	}
	f := &m.Manifest
	f.Format, f.Recipe, f.Events, f.Negative, f.Snapshot = old.Format, old.Recipe, old.Events, old.Negative, now.Name
	f.Kernel = kernel.Using().String()
	f.Seen, f.RepeatShare, f.Evaluation = old.Seen, old.RepeatShare, old.Evaluation
	f.Newest, f.Against = newest(now.Events), old.Against
	if err := share(m, old, now, clock); err != nil {
		return nil, err
	}
	f.Created, f.TrainingSeconds = started.UTC().Format(time.RFC3339), clock().Sub(started).Seconds()
	f.Digest, err = model.Digest(m)
	return m, err
}

// share gives a refreshed model what its training gave it beside the algorithm's tensors.
func share(m *model.Model, old model.Manifest, now *dataset.Snapshot, clock attune.Clock) error {
	events, _ := occurred(now.Events, old.Events, old.Negative)
	s := &fit{FitSpec: FitSpec{Snapshot: now, Clock: clock}, events: events}
	if o := old.Objective; o != nil {
		s.Objective = &Objective{Attribute: o.Attribute, Sensitivity: o.Sensitivity}
	}
	if facts, ok := spec.ByARN(string(attune.Public("recipe", old.Recipe))); ok && facts.Text {
		s.influence(m)
	}
	return s.aim(m)
}
