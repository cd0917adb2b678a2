package resource

import (
	"context"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/recipe/spec"
)

// VersionRequest is what CreateSolutionVersion asks for.
type VersionRequest struct {
	SolutionArn  string
	Name         string // "" for none; then unique among the solution's versions
	TrainingMode string // TrainingFull (when "") or TrainingUpdate
	Tags         []Tag
}

// CreateSolutionVersion asks for a training. The solution must be ACTIVE, and
// its group must have data: an ACTIVE import, or an ACTIVE event tracker.
func (g *Registry) CreateSolutionVersion(ctx context.Context, in VersionRequest) (*Resource, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	switch in.TrainingMode {
	case "":
		in.TrainingMode = TrainingFull
	case TrainingFull, TrainingUpdate:
	default:
		return nil, attune.Errorf(attune.Invalid, "trainingMode %s is what automatic trainings show: ask for FULL or UPDATE", in.TrainingMode)
	}
	return g.created(ctx, func() (*Resource, error) {
		solution, group, err := g.within(ctx, Solution, in.SolutionArn)
		if err != nil {
			return nil, err
		}
		if err := ready(solution); err != nil {
			return nil, err
		}
		sb, err := Body[SolutionBody](solution)
		if err != nil {
			return nil, err
		}
		if err := g.checkVersion(ctx, solution, sb, in); err != nil {
			return nil, err
		}
		if err := g.hasData(ctx, group); err != nil {
			return nil, err
		}
		if err := g.room(ctx, SolutionVersion, versionsInFlight); err != nil {
			return nil, err
		}
		id := randomHex(4)
		return again(g.add(ctx, &Resource{
			Kind: SolutionVersion, ARN: g.names.Make("solution", solution.Name, id), Parent: solution.ARN, Name: id,
		}, SolutionVersionBody{
			VersionName: in.Name, SolutionArn: string(solution.ARN), DatasetGroupArn: sb.DatasetGroupArn,
			RecipeArn: sb.RecipeArn, EventType: sb.EventType, SolutionConfig: sb.SolutionConfig,
			PerformHPO: sb.PerformHPO, PerformAutoML: sb.PerformAutoML, PerformIncrementalUpdate: sb.PerformIncrementalUpdate,
			TrainingMode: in.TrainingMode, TrainingType: TrainingManual, Tags: in.Tags,
		}, group))
	})
}

// checkVersion looks at the solution's other versions.
func (g *Registry) checkVersion(ctx context.Context, solution *Resource, sb SolutionBody, in VersionRequest) error {
	if in.Name == "" && in.TrainingMode == TrainingFull {
		return nil
	}
	if recipe, _ := spec.ByARN(sb.RecipeArn); in.TrainingMode == TrainingUpdate && !recipe.Update {
		return attune.Errorf(attune.Invalid, "trainingMode UPDATE is for aws-user-personalization: train %s with FULL", recipe.Name)
	}
	versions, err := g.Children(ctx, solution.ARN, SolutionVersion)
	if err != nil {
		return err
	}
	full := false
	for i := range versions {
		v, err := Body[SolutionVersionBody](&versions[i])
		if err != nil {
			return err
		}
		if in.Name != "" && v.VersionName == in.Name {
			return attune.Errorf(attune.Exists, "solution %s has a version named %s already (%s)", solution.ARN, in.Name, versions[i].ARN)
		}
		full = full || versions[i].Status == Active && v.TrainingMode == TrainingFull
	}
	if in.TrainingMode == TrainingUpdate && !full {
		return attune.Errorf(attune.Invalid, "trainingMode UPDATE starts from a version that was trained FULL and is ACTIVE: solution %s has none", solution.ARN)
	}
	return nil
}

// hasData refuses training before anything can have been learned from.
func (g *Registry) hasData(ctx context.Context, group *Resource) error {
	set, err := g.store.Get(ctx, g.names.Make("dataset", group.Name, string(schema.Interactions)))
	if missing(err) {
		return attune.Errorf(attune.Invalid, "dataset group %s has no Interactions dataset: create one and import into it before training", group.ARN)
	}
	if err != nil {
		return err
	}
	if err := ready(set); err != nil {
		return err
	}
	for _, q := range []Query{
		{Kind: ImportJob, Parent: set.ARN, Statuses: []Status{Active}},
		{Kind: ImportJob, Parent: set.ARN, Busy: true},
		{Kind: EventTracker, Group: group.ID, Statuses: []Status{Active}},
	} {
		r, err := g.any(ctx, q)
		if err != nil {
			return err
		}
		if r != nil {
			return ready(r)
		}
	}
	return attune.Errorf(attune.Invalid, "dataset %s has no data: import into it, and wait until the import job is ACTIVE, before training", set.ARN)
}

// StopSolutionVersion ends a training: a pending one at once, one in progress
// as soon as its worker notices. It cannot be resumed.
func (g *Registry) StopSolutionVersion(ctx context.Context, arn string) error {
	_, err := g.Find(ctx, SolutionVersion, attune.ARN(arn))
	if err != nil {
		return err
	}
	_, err = g.Change(ctx, attune.ARN(arn), func(r *Resource) error {
		switch r.Status {
		case CreatePending:
			r.Status = CreateStopped
		case CreateInProgress:
			r.Status = CreateStopping
		case CreateStopping: // asked for twice
		default:
			return attune.Errorf(attune.Invalid, "solution version %s is %s: only a version that is CREATE PENDING or CREATE IN_PROGRESS can be stopped", arn, r.Status)
		}
		return nil
	})
	return err
}

// Metrics gives the offline metrics of an ACTIVE version. attune.InUse while it
// is being trained.
func (g *Registry) Metrics(ctx context.Context, arn string) (map[string]float64, error) {
	r, err := g.Find(ctx, SolutionVersion, attune.ARN(arn))
	if err != nil {
		return nil, err
	}
	if r.Status != Active {
		return nil, attune.Errorf(attune.InUse, "solution version %s is %s: it has metrics when it is ACTIVE", arn, r.Status)
	}
	b, err := Body[SolutionVersionBody](r)
	return b.Metrics, err
}
