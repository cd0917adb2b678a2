package resource

import (
	"context"
	"sync"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// intakeLife is how long what is known of trackers and datasets is used without
// asking the store. Changes through this Registry are seen at once; those of
// another process after this long.
const intakeLife = time.Second

// Intake is what event intake needs to know of a dataset group.
type Intake struct {
	Group   string // ID of the dataset group's row: the name of its log
	schemas map[schema.Type]*schema.Schema
}

// Schema is that of the group's ACTIVE dataset of a type; nil if there is none.
func (in *Intake) Schema(t schema.Type) *schema.Schema { return in.schemas[t] }

// intakeCache is a picture of all trackers and datasets, made again after changes.
type intakeCache struct {
	mu         sync.Mutex
	dropped    uint64 // counts changes
	picture    *intakePicture
	generation uint64 // of dropped, that picture was begun at
	until      time.Time
	building   sync.Mutex     // one reader makes the picture, the others wait
	last       *intakePicture // the newest one, good or not; under building
}

type intakePicture struct {
	trackers map[string]tracked // event trackers, by trackingId
	actions  map[string]tracked // datasets of action interactions, by trackingId
	datasets map[attune.ARN]tracked
	schemas  map[string]*schema.Schema // by id of the row: schemas never change, so the next picture has them too
}

type tracked struct {
	status Status
	typ    schema.Type // of datasets
	intake *Intake
}

func (c *intakeCache) drop() {
	c.mu.Lock()
	c.dropped++
	c.mu.Unlock()
}

// fresh gives the picture if it is still good, and the number of changes so far.
func (c *intakeCache) fresh() (*intakePicture, uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.picture != nil && c.generation == c.dropped && time.Now().Before(c.until) {
		return c.picture, c.dropped
	}
	return nil, c.dropped
}

func (c *intakeCache) keep(p *intakePicture, generation uint64) {
	c.mu.Lock()
	c.picture, c.generation, c.until = p, generation, time.Now().Add(intakeLife)
	c.mu.Unlock()
}

// ByTracker finds where the events of a tracking id go. It costs no query most
// of the time. attune.Invalid when no tracker has the id or its group has no
// ACTIVE Interactions dataset; attune.InUse while the tracker is not ACTIVE.
func (g *Registry) ByTracker(ctx context.Context, trackingID string) (*Intake, error) {
	p, err := g.intakePicture(ctx)
	if err != nil {
		return nil, err
	}
	t, ok := p.trackers[trackingID]
	if !ok {
		return nil, attune.Errorf(attune.Invalid, "trackingId %q is not that of an event tracker: CreateEventTracker answers it", trackingID)
	}
	if t.status != Active {
		return nil, attune.Errorf(attune.InUse, "the event tracker of trackingId %q is %s: wait until it is ACTIVE", trackingID, t.status)
	}
	if t.intake.Schema(schema.Interactions) == nil {
		return nil, attune.Errorf(attune.Invalid, "the dataset group of trackingId %q has no ACTIVE Interactions dataset: create one first", trackingID)
	}
	return t.intake, nil
}

// ByActionTracker finds where the action interactions of a tracking id go, which
// is that of a dataset. attune.NotFound when no dataset has the id,
// attune.InUse while the dataset is not ACTIVE.
func (g *Registry) ByActionTracker(ctx context.Context, trackingID string) (*Intake, error) {
	p, err := g.intakePicture(ctx)
	if err != nil {
		return nil, err
	}
	d, ok := p.actions[trackingID]
	if !ok {
		return nil, attune.Errorf(attune.NotFound, "trackingId %q is not that of an Action_Interactions dataset: DescribeDataset of one shows its trackingId", trackingID)
	}
	if d.status != Active {
		return nil, attune.Errorf(attune.InUse, "the dataset of trackingId %q is %s: wait until it is ACTIVE", trackingID, d.status)
	}
	return d.intake, nil
}

// ByDataset finds where the rows of a dataset go, which must be of type t.
// attune.NotFound when there is no such dataset, attune.InUse while it is not
// ACTIVE, attune.Invalid when it is of another type, or arn of another kind.
func (g *Registry) ByDataset(ctx context.Context, arn attune.ARN, t schema.Type) (*Intake, error) {
	p, err := g.intakePicture(ctx)
	if err != nil {
		return nil, err
	}
	d, ok := p.datasets[arn]
	if !ok {
		if err := CheckARN(Dataset, arn); err != nil {
			return nil, err
		}
		return nil, errMissing(arn)
	}
	if d.typ != t {
		return nil, attune.Errorf(attune.Invalid, "%s is a dataset of type %s: give one of type %s", arn, d.typ, t)
	}
	if d.status != Active {
		return nil, attune.Errorf(attune.InUse, "dataset %s is %s: wait until it is ACTIVE", arn, d.status)
	}
	return d.intake, nil
}

func (g *Registry) intakePicture(ctx context.Context) (*intakePicture, error) {
	if p, _ := g.intake.fresh(); p != nil {
		return p, nil
	}
	g.intake.building.Lock()
	defer g.intake.building.Unlock()
	p, generation := g.intake.fresh()
	if p != nil {
		return p, nil
	}
	p, err := g.takeIntake(ctx, g.intake.last)
	if err != nil {
		return nil, err
	}
	g.intake.last = p
	g.intake.keep(p, generation)
	return p, nil
}

// takeIntake reads all trackers, datasets and schemas; last may be nil.
func (g *Registry) takeIntake(ctx context.Context, last *intakePicture) (*intakePicture, error) {
	p := &intakePicture{trackers: map[string]tracked{}, actions: map[string]tracked{}, datasets: map[attune.ARN]tracked{}, schemas: map[string]*schema.Schema{}}
	groups := map[string]*Intake{}
	of := func(group string) *Intake {
		if groups[group] == nil {
			groups[group] = &Intake{Group: group, schemas: map[schema.Type]*schema.Schema{}}
		}
		return groups[group]
	}
	datasets, err := g.All(ctx, Dataset)
	if err != nil {
		return nil, err
	}
	schemas, err := g.schemaRows(ctx)
	if err != nil {
		return nil, err
	}
	for i := range datasets {
		r := &datasets[i]
		b, err := Body[DatasetBody](r)
		if err != nil {
			return nil, err
		}
		t := tracked{r.Status, schema.Type(b.DatasetType), of(r.Group)}
		p.datasets[r.ARN] = t
		if b.TrackingID != "" {
			p.actions[b.TrackingID] = t
		}
		sr := schemas[b.SchemaArn]
		if r.Status != Active || sr == nil { // nil: both were deleted while this was read
			continue
		}
		if last != nil {
			p.schemas[sr.ID] = last.schemas[sr.ID]
		}
		if p.schemas[sr.ID] == nil {
			if p.schemas[sr.ID], err = parseRow(sr); err != nil {
				return nil, err
			}
		}
		t.intake.schemas[t.typ] = p.schemas[sr.ID]
	}
	trackers, err := g.All(ctx, EventTracker)
	if err != nil {
		return nil, err
	}
	for i := range trackers {
		b, err := Body[EventTrackerBody](&trackers[i])
		if err != nil {
			return nil, err
		}
		p.trackers[b.TrackingID] = tracked{status: trackers[i].Status, intake: of(trackers[i].Group)}
	}
	return p, nil
}

// schemaRows gives all schemas by their ARN.
func (g *Registry) schemaRows(ctx context.Context) (map[string]*Resource, error) {
	rows, err := g.All(ctx, Schema)
	if err != nil {
		return nil, err
	}
	byARN := make(map[string]*Resource, len(rows))
	for i := range rows {
		byARN[string(rows[i].ARN)] = &rows[i]
	}
	return byARN, nil
}

func parseRow(r *Resource) (*schema.Schema, error) {
	b, err := Body[SchemaBody](r)
	if err != nil {
		return nil, err
	}
	return schema.Parse(b.Schema)
}
