package resource

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/recipe/spec"
)

// CreateSolution makes a solution: a recipe and how to use it.
func (g *Registry) CreateSolution(ctx context.Context, name string, b SolutionBody) (*Resource, error) {
	if err := checkTags(b.Tags); err != nil {
		return nil, err
	}
	if err := checkSolution(b); err != nil {
		return nil, err
	}
	if b.PerformAutoML {
		b.PerformHPO = true // implied, in the service's words
	}
	if b.PerformAutoTraining == nil {
		yes := true
		b.PerformAutoTraining = &yes
	}
	return g.created(ctx, func() (*Resource, error) {
		group, err := g.findReady(ctx, DatasetGroup, b.DatasetGroupArn)
		if err != nil {
			return nil, err
		}
		if err := g.checkColumns(ctx, group, b); err != nil {
			return nil, err
		}
		if err := g.free(ctx, Solution, name); err != nil {
			return nil, err
		}
		return g.add(ctx, &Resource{Kind: Solution, ARN: g.names.Make("solution", name), Parent: group.ARN, Name: name}, b, group)
	})
}

// checkSolution refuses what cannot be trained, here and not an hour later.
func checkSolution(b SolutionBody) error {
	c, err := b.Config()
	if err != nil {
		return attune.Errorf(attune.Invalid, "solutionConfig cannot be read: %w", err)
	}
	if _, err := c.AutoTrainingConfig.period(); err != nil {
		return err
	}
	if b.PerformAutoML && b.RecipeArn == "" {
		if b.PerformIncrementalUpdate {
			return attune.Errorf(attune.Invalid, "performIncrementalUpdate is for aws-semantic-similarity: leave it out with performAutoML")
		}
		if _, err := c.AutoMLConfig.contenders(); err != nil {
			return err
		}
		return checkEvents(b, c)
	}
	recipe, err := checkRecipe(b)
	if err != nil {
		return err
	}
	if b.PerformHPO {
		if _, err := c.search(recipe); err != nil {
			return err
		}
	}
	if err := recipe.CheckParameters(c.AlgorithmHyperParameters, c.FeatureTransformationParameters); err != nil {
		return err
	}
	if err := c.TrainingDataConfig.check(); err != nil {
		return err
	}
	if t := c.EventValueThreshold; t != "" {
		if x, err := strconv.ParseFloat(t, 64); err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return attune.Errorf(attune.Invalid, "eventValueThreshold is %q: give a number", t)
		}
	}
	if recipe.Kind == spec.Action && (b.EventType != "" || c.EventValueThreshold != "" || c.EventsConfig != nil) {
		return attune.Errorf(attune.Invalid, "%s learns from Viewed, Taken and Not Taken together: leave out eventType, eventValueThreshold and eventsConfig", recipe.Name)
	}
	return checkEvents(b, c)
}

// checkColumns refuses what the group's datasets do not have.
func (g *Registry) checkColumns(ctx context.Context, group *Resource, b SolutionBody) error {
	c, err := b.Config()
	if err != nil || b.PerformAutoML {
		return err
	}
	schemas, err := g.Schemas(ctx, group.ID)
	if err != nil {
		return err
	}
	recipe, _ := spec.ByARN(b.RecipeArn)
	if err := checkObjective(c.OptimizationObjective, recipe, schemas[schema.Items]); err != nil {
		return err
	}
	return c.TrainingDataConfig.found(schemas)
}

// checkRecipe finds the recipe of a solution, which this build must have.
func checkRecipe(b SolutionBody) (spec.Recipe, error) {
	var none spec.Recipe
	switch {
	case b.PerformAutoML && b.RecipeArn != "":
		return none, attune.Errorf(attune.Invalid, "performAutoML chooses the recipe: give recipeArn or performAutoML, not both")
	case b.RecipeArn == "":
		return none, attune.Errorf(attune.Invalid, "recipeArn is missing: give the ARN of one of %s", spec.Names())
	}
	recipe, ok := spec.ByARN(b.RecipeArn)
	if !ok {
		return none, attune.Errorf(attune.Invalid, "recipe %s does not exist: use one of %s", b.RecipeArn, spec.Names())
	}
	if !recipe.Built {
		return none, attune.Errorf(attune.Invalid, "recipe %s is not built yet: use one of %s", recipe.Name, spec.Names())
	}
	if recipe.Domain != "" {
		return none, attune.Errorf(attune.Invalid, "recipe %s is of domain %s: use it with CreateRecommender, or use one of %s", recipe.Name, recipe.Domain, spec.Names())
	}
	if b.PerformIncrementalUpdate && !recipe.Text {
		return none, attune.Errorf(attune.Invalid, "performIncrementalUpdate is for aws-semantic-similarity: leave it out for %s", recipe.Name)
	}
	return recipe, nil
}

// checkEvents refuses event types that are named twice, that all weigh nothing, or
// that are meant to speak for an item and against it.
func checkEvents(b SolutionBody, c SolutionConfig) error {
	if err := checkNegative(b, c); err != nil {
		return err
	}
	if c.EventsConfig == nil || len(c.EventsConfig.EventParametersList) == 0 {
		return nil
	}
	if b.EventType != "" || c.EventValueThreshold != "" {
		return attune.Errorf(attune.Invalid, "eventsConfig and eventType or eventValueThreshold say the same thing twice: give one of them")
	}
	named, counts := map[string]bool{}, false
	for _, p := range c.EventsConfig.EventParametersList {
		name := strings.ToLower(p.EventType)
		switch w := p.Weight; {
		case name == "":
			return attune.Errorf(attune.Invalid, "eventsConfig has an entry without an eventType: name it")
		case named[name]:
			return attune.Errorf(attune.Invalid, "eventsConfig names the event type %s twice (case does not matter): give it once", p.EventType)
		case w != nil && !(*w >= 0 && *w <= 1):
			return attune.Errorf(attune.Invalid, "eventsConfig gives %s the weight %g: give one from 0 to 1", p.EventType, *w)
		}
		named[name] = true
		counts = counts || p.Weight == nil || *p.Weight > 0
	}
	if !counts {
		return attune.Errorf(attune.Invalid, "eventsConfig gives every event type the weight 0: nothing would be learned from")
	}
	return nil
}

// DeleteSolution asks for a solution and all its versions to be deleted. No
// campaign may use it, no version may be in training, and no batch job under way.
func (g *Registry) DeleteSolution(ctx context.Context, arn string) error {
	return g.remove(ctx, Solution, arn, func(r *Resource) error {
		if r.Busy() {
			return attune.Errorf(attune.InUse, "solution %s is being updated: wait until latestSolutionUpdate is ACTIVE", arn)
		}
		campaign, err := g.any(ctx, Query{Kind: Campaign, Parent: r.ARN})
		if err != nil {
			return err
		}
		if campaign != nil {
			return attune.Errorf(attune.InUse, "solution %s is used by the campaign %s: delete that first, and wait until it is gone", arn, campaign.ARN)
		}
		version, err := g.any(ctx, Query{Kind: SolutionVersion, Parent: r.ARN, Busy: true})
		if err != nil {
			return err
		}
		if version != nil {
			return attune.Errorf(attune.InUse, "solution version %s is %s: wait, or stop it, before deleting its solution", version.ARN, version.Status)
		}
		job, err := g.batchUses(ctx, r.Group, func(b BatchBody) bool {
			return strings.HasPrefix(b.SolutionVersionArn, arn+"/")
		})
		if err != nil {
			return err
		}
		return inUse(r, job)
	})
}

// LatestVersion is the newest version of a solution, whatever its status; nil
// when there is none.
func (g *Registry) LatestVersion(ctx context.Context, solution attune.ARN) (*Resource, error) {
	return g.any(ctx, Query{Kind: SolutionVersion, Parent: solution, Newest: true})
}

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
		if err := g.hasData(ctx, group, sb.RecipeArn); err != nil {
			return nil, err
		}
		if err := g.hasText(ctx, group, sb.RecipeArn); err != nil {
			return nil, err
		}
		return g.addVersion(ctx, solution, group, sb, SolutionVersionBody{
			VersionName: in.Name, TrainingMode: in.TrainingMode, TrainingType: TypeManual, Tags: in.Tags,
		})
	})
}

// addVersion makes a version of what its solution asks for now; v says the rest.
func (g *Registry) addVersion(ctx context.Context, solution, group *Resource, b SolutionBody, v SolutionVersionBody) (*Resource, error) {
	v.SolutionArn, v.DatasetGroupArn, v.RecipeArn, v.EventType = string(solution.ARN), b.DatasetGroupArn, b.RecipeArn, b.EventType
	v.SolutionConfig = b.SolutionConfig
	v.PerformHPO, v.PerformAutoML, v.PerformIncrementalUpdate = b.PerformHPO, b.PerformAutoML, b.PerformIncrementalUpdate
	id := randomHex(4)
	return again(g.add(ctx, &Resource{
		Kind: SolutionVersion, ARN: g.names.Make("solution", solution.Name, id), Parent: solution.ARN, Name: id,
	}, v, group, solution))
}

// checkVersion looks at the solution's other versions.
func (g *Registry) checkVersion(ctx context.Context, solution *Resource, sb SolutionBody, in VersionRequest) error {
	if in.Name == "" && in.TrainingMode == TrainingFull {
		return nil
	}
	if recipe, _ := spec.ByARN(sb.RecipeArn); in.TrainingMode == TrainingUpdate && !recipe.Update {
		return attune.Errorf(attune.Invalid, "trainingMode UPDATE is for aws-user-personalization: train %s with FULL", solution.ARN)
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
func (g *Registry) hasData(ctx context.Context, group *Resource, recipeArn string) error {
	if recipe, _ := spec.ByARN(recipeArn); recipe.Kind == spec.Action {
		return g.hasActions(ctx, group)
	}
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

// hasActions refuses training while there is nothing to recommend, or while it
// is being imported. Actions may also have come by PutActions, which leaves no row here.
func (g *Registry) hasActions(ctx context.Context, group *Resource) error {
	set, err := g.store.Get(ctx, g.names.Make("dataset", group.Name, string(schema.Actions)))
	if missing(err) {
		return attune.Errorf(attune.Invalid, "dataset group %s has no Actions dataset: create one and fill it before training", group.ARN)
	}
	if err != nil {
		return err
	}
	if err := ready(set); err != nil {
		return err
	}
	job, err := g.any(ctx, Query{Kind: ImportJob, Parent: set.ARN, Busy: true})
	if err != nil || job == nil {
		return err
	}
	return ready(job)
}

// hasText refuses a recipe that compares what is said of items where nothing can be.
func (g *Registry) hasText(ctx context.Context, group *Resource, recipeArn string) error {
	if recipe, _ := spec.ByARN(recipeArn); !recipe.Text {
		return nil
	}
	schemas, err := g.Schemas(ctx, group.ID)
	if err != nil {
		return err
	}
	if items := schemas[schema.Items]; items != nil {
		for _, f := range items.Fields {
			if f.Kind == schema.String && f.Name != schema.ItemID {
				return nil
			}
		}
	}
	return attune.Errorf(attune.Invalid, "%s compares the texts of items, and dataset group %s has none: create an Items dataset whose schema has a string field with textual true, and import into it", recipeArn, group.ARN)
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
