package resource

import (
	"context"
	"math"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
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
	if b.PerformAutoTraining == nil {
		yes := true
		b.PerformAutoTraining = &yes
	}
	return g.created(ctx, func() (*Resource, error) {
		group, err := g.findReady(ctx, DatasetGroup, b.DatasetGroupArn)
		if err != nil {
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
	recipe, err := checkRecipe(b)
	if err != nil {
		return err
	}
	c, err := b.Config()
	if err != nil {
		return attune.Errorf(attune.Invalid, "solutionConfig cannot be read: %w", err)
	}
	if err := recipe.CheckParameters(c.AlgorithmHyperParameters, c.FeatureTransformationParameters); err != nil {
		return err
	}
	if t := c.EventValueThreshold; t != "" {
		if x, err := strconv.ParseFloat(t, 64); err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return attune.Errorf(attune.Invalid, "eventValueThreshold is %q: give a number", t)
		}
	}
	if o := c.OptimizationObjective; o != nil && o.ObjectiveSensitivity != "" && o.ObjectiveSensitivity != "OFF" {
		return attune.Errorf(attune.Invalid, "optimizationObjective is not built yet: leave it out, or set objectiveSensitivity to OFF")
	}
	if a := c.AutoTrainingConfig; a != nil && a.SchedulingExpression != "" {
		if err := checkSchedule(a.SchedulingExpression); err != nil {
			return err
		}
	}
	return checkEvents(b, c)
}

// checkRecipe finds the recipe of a solution, which this build must have.
func checkRecipe(b SolutionBody) (spec.Recipe, error) {
	var none spec.Recipe
	switch {
	case b.PerformAutoML && b.RecipeArn != "":
		return none, attune.Errorf(attune.Invalid, "performAutoML chooses the recipe: give recipeArn or performAutoML, not both")
	case b.PerformAutoML:
		return none, attune.Errorf(attune.Invalid, "performAutoML is not built yet: give a recipeArn, one of %s", spec.Names())
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
	if b.PerformHPO {
		return none, attune.Errorf(attune.Invalid, "performHPO is not built yet: leave it out, and set algorithmHyperParameters")
	}
	if b.PerformIncrementalUpdate {
		return none, attune.Errorf(attune.Invalid, "performIncrementalUpdate is for aws-semantic-similarity: leave it out for %s", recipe.Name)
	}
	return recipe, nil
}

// checkSchedule refuses automatic training at other than 1 to 30 days.
func checkSchedule(expression string) error {
	text, _ := strings.CutPrefix(expression, "rate(")
	number, unit, _ := strings.Cut(text, " ")
	days, err := strconv.Atoi(number)
	if err != nil || days < 1 || days > 30 || unit != "day)" && unit != "days)" {
		return attune.Errorf(attune.Invalid, "schedulingExpression is %q: write rate(7 days), with 1 to 30 days", expression)
	}
	return nil
}

// checkEvents refuses weights between event types: the built recipes learn
// from all events alike, or from those of one type.
func checkEvents(b SolutionBody, c SolutionConfig) error {
	if c.EventsConfig == nil || len(c.EventsConfig.EventParametersList) == 0 {
		return nil
	}
	list := c.EventsConfig.EventParametersList
	if b.EventType != "" || c.EventValueThreshold != "" {
		return attune.Errorf(attune.Invalid, "eventsConfig and eventType or eventValueThreshold say the same thing twice: give one of them")
	}
	if w := list[0].Weight; len(list) > 1 || w != nil && *w != 1 {
		return attune.Errorf(attune.Invalid, "weights between event types are not built yet: give eventsConfig one event type, without a weight or with weight 1")
	}
	if list[0].EventType == "" {
		return attune.Errorf(attune.Invalid, "eventsConfig names no eventType")
	}
	return nil
}

// DeleteSolution asks for a solution and all its versions to be deleted. No
// campaign may use it and no version may be in training.
func (g *Registry) DeleteSolution(ctx context.Context, arn string) error {
	return g.remove(ctx, Solution, arn, func(r *Resource) error {
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
		return nil
	})
}

// LatestVersion is the newest version of a solution, whatever its status; nil
// when there is none.
func (g *Registry) LatestVersion(ctx context.Context, solution attune.ARN) (*Resource, error) {
	return g.any(ctx, Query{Kind: SolutionVersion, Parent: solution, Newest: true})
}
