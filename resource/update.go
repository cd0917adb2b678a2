package resource

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// UpdateState is how far the last update of a solution or dataset is. Until it
// is ACTIVE the resource is and shows what it was; the words are those of a creation.
type UpdateState struct {
	Status        Status    `json:"status"`
	FailureReason string    `json:"failureReason,omitempty"`
	Created       time.Time `json:"creationDateTime"`
	Updated       time.Time `json:"lastUpdatedDateTime"`
}

// SolutionUpdate is the last UpdateSolution: what was asked for, as given.
type SolutionUpdate struct {
	PerformAutoTraining      *bool           `json:"performAutoTraining,omitempty"`
	PerformIncrementalUpdate *bool           `json:"performIncrementalUpdate,omitempty"`
	SolutionUpdateConfig     json.RawMessage `json:"solutionUpdateConfig,omitempty"` // members of a solutionConfig, which take the place of its own
	UpdateState
}

// DatasetUpdate is the last UpdateDataset.
type DatasetUpdate struct {
	SchemaArn string `json:"schemaArn"`
	UpdateState
}

// UpdateSolution asks for automatic training or what is learned from to be
// changed. The solution must be ACTIVE and not be updated already. Versions
// that were made before keep the configuration that they were trained with.
func (g *Registry) UpdateSolution(ctx context.Context, arn string, u SolutionUpdate) error {
	return g.decide(ctx, func() (bool, error) {
		r, group, err := g.updatable(ctx, Solution, arn)
		if err != nil {
			return false, err
		}
		b, err := Body[SolutionBody](r)
		if err != nil {
			return false, err
		}
		next := b
		if err := next.apply(u); err != nil {
			return false, err
		}
		if err := checkSolution(next); err != nil {
			return false, err
		}
		u.UpdateState = g.updateBegun(r)
		b.LatestUpdate = &u
		return g.write(ctx, r, func(r *Resource) error { return r.SetBody(b) }, group)
	})
}

// apply puts what an update asks for in the place of what was.
func (b *SolutionBody) apply(u SolutionUpdate) error {
	if on := u.PerformAutoTraining; on != nil {
		if b.PerformAutoTraining != nil && *b.PerformAutoTraining != *on {
			b.Schedule = nil // turned on again, it begins anew
		}
		b.PerformAutoTraining = on
	}
	if u.PerformIncrementalUpdate != nil {
		b.PerformIncrementalUpdate = *u.PerformIncrementalUpdate
	}
	if len(u.SolutionUpdateConfig) == 0 {
		return nil
	}
	config := map[string]json.RawMessage{}
	for _, raw := range []json.RawMessage{b.SolutionConfig, u.SolutionUpdateConfig} {
		if len(raw) == 0 {
			continue
		}
		if err := json.Unmarshal(raw, &config); err != nil {
			return attune.Errorf(attune.Invalid, "solutionUpdateConfig cannot be read: %w", err)
		}
	}
	if len(config) == 0 {
		return nil
	}
	var err error
	b.SolutionConfig, err = json.Marshal(config)
	return err
}

// UpdateDataset asks for a dataset to have another schema, which must fit its
// type and domain and be true of the rows that are there: it keeps every field
// of the old one with its type, and what it adds may be null. The dataset must
// be ACTIVE and not be updated already.
func (g *Registry) UpdateDataset(ctx context.Context, arn, schemaARN string) error {
	return g.decide(ctx, func() (bool, error) {
		r, group, err := g.updatable(ctx, Dataset, arn)
		if err != nil {
			return false, err
		}
		sr, err := g.Find(ctx, Schema, attune.ARN(schemaARN))
		if err != nil {
			return false, err
		}
		b, err := Body[DatasetBody](r)
		if err != nil {
			return false, err
		}
		if err := fits(group, sr, schema.Type(b.DatasetType)); err != nil {
			return false, err
		}
		if err := g.columnRoom(sr, schema.Type(b.DatasetType)); err != nil {
			return false, err
		}
		old, err := g.Find(ctx, Schema, attune.ARN(b.SchemaArn))
		if err != nil {
			return false, err
		}
		if err := replaces(old, sr); err != nil {
			return false, err
		}
		b.LatestUpdate = &DatasetUpdate{SchemaArn: schemaARN, UpdateState: g.updateBegun(r)}
		return g.write(ctx, r, func(r *Resource) error { return r.SetBody(b) }, group, sr)
	})
}

// replaces says whether all that was true under one schema is true under another.
func replaces(old, by *Resource) error {
	was, err := parseRow(old)
	if err != nil {
		return err
	}
	is, err := parseRow(by)
	if err != nil {
		return err
	}
	for _, f := range was.Fields {
		now, ok := is.Field(f.Name)
		switch {
		case !ok:
			return attune.Errorf(attune.Invalid, "schema %s lacks the field %s that the dataset's schema has: rows and filters need it, keep it", by.ARN, f.Name)
		case now.Kind != f.Kind:
			return attune.Errorf(attune.Invalid, "schema %s makes the field %s a %s: rows that are there have a %s, keep that", by.ARN, f.Name, now.Kind, f.Kind)
		case f.Nullable && !now.Nullable:
			return attune.Errorf(attune.Invalid, "schema %s does not let the field %s be null: rows that are there may have none, keep null in its type", by.ARN, f.Name)
		}
	}
	for _, f := range is.Fields {
		if _, ok := was.Field(f.Name); !ok && !f.Nullable {
			return attune.Errorf(attune.Invalid, "schema %s adds the field %s, which rows that are there do not have: add null to its type", by.ARN, f.Name)
		}
	}
	return nil
}

// updatable finds a row that may be updated now, with its group.
func (g *Registry) updatable(ctx context.Context, k Kind, arn string) (r, group *Resource, err error) {
	if r, group, err = g.within(ctx, k, arn); err != nil {
		return nil, nil, err
	}
	if err := ready(r); err != nil {
		return nil, nil, err
	}
	if r.Busy() {
		return nil, nil, attune.Errorf(attune.InUse, "%s %s is being updated: wait until that update is ACTIVE", k.Words(), arn)
	}
	return r, group, nil
}

func (g *Registry) updateBegun(r *Resource) UpdateState {
	now := g.after(r.Updated)
	return UpdateState{Status: CreatePending, Created: now, Updated: now}
}

// step takes the state one on; done says that the update is ACTIVE now.
func (g *Registry) step(u *UpdateState) (done bool) {
	switch u.Status {
	case CreatePending:
		u.Status = CreateInProgress
	case CreateInProgress:
		u.Status = Active
	default:
		return false
	}
	u.Updated = g.after(u.Updated)
	return u.Status == Active
}

// StepUpdate takes the update of a solution or dataset, behind which there is
// no work, one state on; when it is ACTIVE the resource is what was asked for.
// A row that is gone, has another id, or is not being updated is left alone.
func (g *Registry) StepUpdate(ctx context.Context, arn attune.ARN, id string) error {
	_, err := g.Change(ctx, arn, func(r *Resource) error {
		if r.ID != id || r.Status != Active || !r.Busy() {
			return nil
		}
		before := bytes.Clone(r.Body)
		var err error
		switch r.Kind {
		case Solution:
			err = g.stepSolution(r)
		case Dataset:
			err = ChangeBody(r, func(b *DatasetBody) {
				if g.step(&b.LatestUpdate.UpdateState) {
					b.SchemaArn = b.LatestUpdate.SchemaArn
				}
			})
		}
		if !bytes.Equal(before, r.Body) && !r.Busy() {
			r.Updated = g.after(r.Updated)
		}
		return err
	})
	return ignoreMissing(err)
}

func (g *Registry) stepSolution(r *Resource) error {
	b, err := Body[SolutionBody](r)
	if err != nil {
		return err
	}
	if g.step(&b.LatestUpdate.UpdateState) {
		if err := b.apply(*b.LatestUpdate); err != nil {
			return err
		}
	}
	return r.SetBody(b)
}
