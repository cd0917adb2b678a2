package job

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/spec"
	"github.com/attune-io/attune/resource"
)

// RecommendWorkflow trains a recommender and puts what it learned behind it: on
// creation, on an update that asks for it, and again by itself every week. An
// update that changes nothing of what is learned only takes the last step.
func RecommendWorkflow(ctx workflow.Context, ref Ref) error {
	light, train := step(ctx, queueLight), step(ctx, queueTrain)
	var a *activities
	var snapshot string
	var trained Trained
	err := workflow.ExecuteActivity(light, a.RecommendFreeze, ref).Get(ctx, &snapshot)
	if err == nil && snapshot != "" {
		err = workflow.ExecuteActivity(train, a.RecommendFit, ref, snapshot).Get(ctx, &trained)
	}
	if err == nil {
		err = workflow.ExecuteActivity(light, a.RecommendCommit, ref, trained).Get(ctx, nil)
	}
	if temporal.IsCanceledError(err) {
		return err // by an operator of Temporal: the row still asks, and is taken up again
	}
	if err != nil {
		return workflow.ExecuteActivity(light, a.RecommendFail, ref, reason(ctx, err)).Get(ctx, nil)
	}
	return nil
}

// againMark stands in a Ref's Update, before the moment of the model in Unix
// milliseconds, when a recommender is trained again by itself.
const againMark = "again-"

// again is the moment of the model that ref wants to replace; zero when the row asks for the work.
func (ref Ref) again() time.Time {
	text, ok := strings.CutPrefix(ref.Update, againMark)
	n, err := strconv.ParseInt(text, 10, 64)
	if !ok || err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// task is what the row asks for, if it is still this work.
func (m *Manager) task(ctx context.Context, ref Ref) (*resource.Resource, *resource.RecommenderTask, error) {
	r, task, err := m.Registry.BeginRecommender(ctx, ref.ARN, ref.ID, ref.again())
	if err != nil || task == nil || ref.again().IsZero() && updateOf(r) != ref.Update {
		return r, nil, err
	}
	return r, task, nil
}

// RecommendFreeze makes the snapshot, or answers "" when there is nothing to train.
func (a *activities) RecommendFreeze(ctx context.Context, ref Ref) (string, error) {
	return beating(ctx, a.m, func(ctx context.Context, report func(Progress)) (string, error) {
		r, task, err := a.m.task(ctx, ref)
		if err != nil || task == nil || !task.Train {
			return "", err
		}
		if !ref.again().IsZero() { // nobody asked for it: it gives way to a deletion of users
			if erasing, err := a.m.Registry.Erasing(ctx, r); err != nil || erasing {
				return "", err
			}
		}
		report(Progress{Stage: "freeze"})
		what, err := a.m.freezeSpec(ctx, r, a.m.momentOf(r, ref))
		if err != nil {
			return "", err
		}
		info, err := dataset.Freeze(ctx, a.m.Log, a.m.Artifacts, what)
		if err != nil {
			return "", fmt.Errorf("freeze %s: %w", r.Group, err)
		}
		return info.Name, nil
	})
}

// momentOf is as of when a piece of work learns: when it was asked for, so that
// another attempt makes the same snapshot, and now for what nobody asked for.
func (m *Manager) momentOf(r *resource.Resource, ref Ref) time.Time {
	if !ref.again().IsZero() {
		return m.Clock()
	}
	if u, ok := r.LatestUpdate(); ok {
		return u.Created
	}
	return r.Created
}

// freezeSpec is everything that the log of a row's group holds now.
func (m *Manager) freezeSpec(ctx context.Context, r *resource.Resource, asOf time.Time) (what dataset.FreezeSpec, err error) {
	what = dataset.FreezeSpec{Group: group(r), AsOf: asOf}
	if what.UpTo, err = m.Log.End(ctx, group(r)); err != nil {
		return what, err
	}
	what.Schemas, err = m.schemasOf(ctx, r)
	return what, err
}

// RecommendFit learns a model from a snapshot, measures it, and saves it under
// a name of this work and this attempt.
func (a *activities) RecommendFit(ctx context.Context, ref Ref, snapshot string) (Trained, error) {
	return beating(ctx, a.m, func(ctx context.Context, report func(Progress)) (out Trained, err error) {
		r, task, err := a.m.task(ctx, ref)
		if err != nil || task == nil {
			return out, err
		}
		start := time.Now()
		defer func() { a.m.observe("recommend", start, err) }()
		report(Progress{Stage: "read"})
		fit, err := a.m.recommendSpec(ctx, r, task, snapshot)
		if err != nil {
			return out, err
		}
		fit.Progress = func(stage string, done, total int) {
			report(Progress{Stage: stage, Done: int64(done), Total: int64(total)})
		}
		fit.Checkpoint = a.m.checkpointIn(workFolder(ref))
		report(Progress{Stage: recipe.StageTune}) // which says nothing before its first candidate is learned
		m, err := recipe.Fit(ctx, fit)
		if err != nil {
			return out, err
		}
		m.Measured = nil // a recommender has no versions that could be compared
		report(Progress{Stage: "save"})
		name := workFolder(ref) + attempt(ctx)
		digest, err := model.Save(ctx, a.m.Artifacts, name, m)
		if err != nil {
			return out, fmt.Errorf("save %s: %w", name, err)
		}
		return Trained{Model: name, Snapshot: snapshot, Digest: digest, Hours: time.Since(start).Hours(), Metrics: m.Manifest.Evaluation.Metrics}, nil
	})
}

// workFolder is where the attempts of one piece of work on a recommender leave their models.
func workFolder(ref Ref) string {
	work := ref.Update
	if work == "" {
		work = "create"
	}
	return "model/" + ref.ID + "/" + work + "/"
}

// recommendSpec reads what a recommender learns from.
func (m *Manager) recommendSpec(ctx context.Context, r *resource.Resource, task *resource.RecommenderTask, snapshot string) (fit recipe.FitSpec, err error) {
	facts, learner, err := m.learner(task.RecipeArn)
	if err != nil {
		return fit, err
	}
	snap, err := dataset.Open(ctx, m.Artifacts, snapshot)
	if err != nil {
		return fit, err
	}
	if err := hasEvents(facts, snap); err != nil {
		return fit, err
	}
	config, err := resource.ReadRecommenderConfig(task.Config)
	if err != nil {
		return fit, err
	}
	m.Logger.Info("train", "recommender", r.ARN, "recipe", facts.Name, "data", snap.String())
	limits := m.Registry.Limits().Train
	return recipe.FitSpec{
		Snapshot: snap, Recipe: learner, Name: facts.Name, Baselines: m.baselines(),
		Params: facts.Fixed, Seed: trainSeed, Uses: config.TrainingDataConfig.Uses,
		Least: recipe.Least{Interactions: limits.Interactions, Users: limits.Users, UserShare: limits.UserShare},
		Rules: countedBy(facts), Clock: m.Clock, Memory: m.TrainMemory,
	}, nil
}

// learner finds a recipe's facts and its algorithm.
func (m *Manager) learner(recipeArn string) (spec.Recipe, recipe.Recipe, error) {
	facts, ok := spec.ByARN(recipeArn)
	learner := m.recipes[facts.Algorithm]
	if !ok || learner == nil {
		return facts, nil, attune.Errorf(attune.Invalid, "recipe %s is not known to this build; 'aws personalize list-recipes' names those that are", recipeArn)
	}
	return facts, learner, nil
}

// baselines are measured beside every recipe.
func (m *Manager) baselines() (all []recipe.Recipe) {
	for _, name := range []string{spec.Popularity, spec.ItemKNN} {
		all = append(all, m.recipes[name])
	}
	return all
}

// countedBy are the rules of a domain recipe: one event type, or all.
func countedBy(facts spec.Recipe) model.EventRules {
	if facts.Event == "" {
		return nil
	}
	return model.EventRules{{Type: facts.Event}}
}

// hasEvents refuses data without the event type that a domain recipe counts. How
// many there must be is a quota: see Least.
func hasEvents(facts spec.Recipe, snap *dataset.Snapshot) error {
	if facts.Event == "" || slices.ContainsFunc(snap.Events.Types, func(t string) bool { return strings.EqualFold(t, facts.Event) }) {
		return nil // types are only those that events have
	}
	types := strings.Join(snap.Events.Types, ", ")
	if types == "" {
		types = "none"
	}
	return attune.Errorf(attune.Invalid, "%s counts %s events, and the Interactions dataset has none of them (event types there: %s): import or put %s events first",
		facts.Name, facts.Event, types, facts.Event)
}

// RecommendCommit begins to serve what was learned, then shows it on the row.
// Until that last change a restart serves what the recommender had before.
func (a *activities) RecommendCommit(ctx context.Context, ref Ref, t Trained) error {
	_, err := beating(ctx, a.m, func(ctx context.Context, report func(Progress)) (none struct{}, err error) {
		r, task, err := a.m.task(ctx, ref)
		if err != nil || task == nil || t.Model == "" && !ref.again().IsZero() { // it gave way
			return none, err
		}
		learned := task.Learned
		if t.Model != "" {
			info, err := dataset.ReadInfo(ctx, a.m.Artifacts, t.Snapshot)
			if err != nil {
				return none, err
			}
			learned = &resource.Learned{Model: t.Model, Trained: t.Model, Snapshot: t.Snapshot, Digest: t.Digest, At: info.AsOf, Fresh: info.AsOf}
		}
		if learned == nil {
			return none, attune.Errorf(attune.Internal, "%s has nothing to serve", ref.ARN)
		}
		report(Progress{Stage: "load"})
		release, err := a.m.recommenderRelease(ctx, r, task.RecipeArn, task.Config, learned.Model)
		if err != nil {
			return none, err
		}
		report(Progress{Stage: "fold"})
		if err := a.m.waitForProfile(ctx, r); err != nil {
			return none, err
		}
		if err := a.m.Serve.Load(release); err != nil {
			return none, err
		}
		if t.Model == "" {
			learned = nil
		}
		took, err := a.m.Registry.FinishRecommender(ctx, ref.ARN, ref.ID, ref.again(), learned, t.Metrics)
		if err != nil {
			return none, err
		}
		return none, a.m.settleModels(ctx, ref, learned, task.Learned, took)
	})
	return err
}

// RecommendFail shows why; a recommender that was served goes on as it was.
func (a *activities) RecommendFail(ctx context.Context, ref Ref, why string) error {
	_, err := beating(ctx, a.m, func(ctx context.Context, _ func(Progress)) (none struct{}, err error) {
		_, task, err := a.m.task(ctx, ref)
		if err != nil || task == nil {
			return none, err
		}
		a.m.Logger.Warn("recommender failed", "resource", ref.ARN, "id", ref.ID, "work", ref.Update, "reason", why)
		a.m.sweep(ctx, checkpointFolder(workFolder(ref))) // nobody goes on from there
		return none, a.m.Registry.FailRecommender(ctx, ref.ARN, ref.ID, ref.again(), why)
	})
	return err
}
