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

// RefreshSpec is what Refresh does.
type RefreshSpec struct {
	Recipe   Recipe
	Old      model.Manifest // of the model that is made anew
	Snapshot *dataset.Snapshot
	Uses     Uses // FitSpec.Uses
	Clock    attune.Clock
	Memory   int64 // FitSpec.Memory
}

// Refresh learns again what an old model knows, from data as of now: with the
// old one's parameters, seed and rules of events. Nothing is chosen or measured
// again, so the evaluation is the old one's. What takes more memory than is
// allowed is attune.Invalid.
func Refresh(ctx context.Context, s RefreshSpec) (*model.Model, error) {
	started := s.Clock()
	r, old, now := s.Recipe, s.Old, s.Snapshot
	data := s.Uses.learnable(now)
	events, _ := occurred(data.Events, old.Events, old.Negative)
	in := Input{
		Events: events, Users: now.Users.Len(), Items: now.Items.IDs(),
		ItemAttributes: data.ItemAttributes, UserAttributes: data.UserAttributes, Params: old.Parameters, Seed: old.Seed, Now: now.AsOf.UnixMilli(),
	}
	if err := s.checkMemory(in); err != nil {
		return nil, err
	}
	m, err := r.Train(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("refresh %s: %w", r.Name(), err)
	}
	f := &m.Manifest
	f.Format, f.Recipe, f.Events, f.Negative, f.Snapshot = old.Format, old.Recipe, old.Events, old.Negative, now.Name
	f.Kernel = kernel.Using().String()
	f.Seen, f.RepeatShare, f.Evaluation = old.Seen, old.RepeatShare, old.Evaluation
	f.Newest, f.Against = newest(now.Events), old.Against
	if err := share(m, old, now, s.Clock); err != nil {
		return nil, err
	}
	f.Created, f.TrainingSeconds = started.UTC().Format(time.RFC3339), s.Clock().Sub(started).Seconds()
	f.Digest, err = model.Digest(m)
	return m, err
}

// checkMemory refuses what takes more than is allowed, as a training does.
func (s RefreshSpec) checkMemory(in Input) error {
	sizer, ok := s.Recipe.(Sizer)
	if !ok {
		return nil
	}
	if need, most := sizer.Bytes(in), allowed(s.Memory); need > most {
		return attune.Errorf(attune.Invalid, "refreshing %s on %d users, %d items and %d interactions takes about %s, more than the %s allowed: allow more with 'attune serve --train-memory'",
			s.Recipe.Name(), in.Users, len(in.Items), in.Events.Len(), above(need), below(most))
	}
	return nil
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
