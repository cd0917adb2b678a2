package job

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/resource"
	"github.com/attune-io/attune/serve"
)

// recommenderRelease opens a model for a recommender.
func (m *Manager) recommenderRelease(ctx context.Context, r *resource.Resource, recipeArn string, config json.RawMessage, name string) (serve.Release, error) {
	facts, learner, err := m.learner(recipeArn)
	if err != nil {
		return serve.Release{}, err
	}
	learned, err := model.Open(ctx, m.Artifacts, name)
	if err != nil {
		return serve.Release{}, fmt.Errorf("open the model of %s: %w", r.ARN, err)
	}
	scorer, err := learner.Decode(learned)
	if err != nil {
		return serve.Release{}, fmt.Errorf("decode the model of %s: %w", r.ARN, err)
	}
	return serve.Release{
		Campaign: r.ARN, Group: group(r), Kind: serve.Kind(facts.Kind), Model: learned, Scorer: scorer,
		LeaveOut: facts.LeaveOut, Anybody: facts.Anybody,
	}, nil
}

// serveRecommender answers for a recommender from what it learned last.
func (m *Manager) serveRecommender(ctx context.Context, r *resource.Resource) error {
	b, err := resource.Body[resource.RecommenderBody](r)
	if err != nil {
		return err
	}
	if b.Learned == nil {
		return attune.Errorf(attune.Internal, "%s is %s and has learned nothing", r.ARN, r.Status)
	}
	release, err := m.recommenderRelease(ctx, r, b.RecipeArn, b.RecommenderConfig, b.Learned.Model)
	if err != nil {
		return err
	}
	return m.Serve.Load(release)
}

// resumeRecommenders serves every active recommender again after a start.
func (m *Manager) resumeRecommenders(ctx context.Context) error {
	rows, err := m.Registry.All(ctx, resource.Recommender)
	if err != nil {
		return err
	}
	for i := range rows {
		if rows[i].Status != resource.Active {
			continue
		}
		if err := m.serveRecommender(ctx, &rows[i]); err != nil {
			m.Logger.Error("recommender is not served", "recommender", rows[i].ARN, "error", err)
		}
	}
	return nil
}

// turn takes a recommender off, or on again, through the states in between.
// Each part may be done twice.
func (m *Manager) turn(ctx context.Context, r *resource.Resource) error {
	switch r.Status {
	case resource.StopPending, resource.StopInProgress:
		if err := m.move(ctx, r.ARN, resource.StopPending, resource.StopInProgress); err != nil {
			return err
		}
		m.Serve.Drop(r.ARN)
		return m.move(ctx, r.ARN, resource.StopInProgress, resource.Inactive)
	default:
		if err := m.move(ctx, r.ARN, resource.StartPending, resource.StartInProgress); err != nil {
			return err
		}
		if err := m.serveRecommender(ctx, r); err != nil {
			return err
		}
		return m.move(ctx, r.ARN, resource.StartInProgress, resource.Active)
	}
}

// settleModels removes the models that a piece of work left behind: those of
// killed attempts, its own when the row no longer wanted it, else the one that
// it replaced. A row that is gone could not remove what was not there yet.
func (m *Manager) settleModels(ctx context.Context, ref Ref, made string, before *resource.Learned, took bool) error {
	if made == "" {
		return nil
	}
	if !took {
		if err := m.Artifacts.DeletePrefix(ctx, workFolder(ref)); err != nil {
			return err
		}
		// Serving may have begun to answer from it: go back to what the row says.
		r, err := m.Registry.Get(ctx, ref.ARN)
		if err != nil || r.ID != ref.ID || r.Status != resource.Active {
			m.Serve.Drop(ref.ARN)
			return ignoreGone(err)
		}
		return m.serveRecommender(ctx, r)
	}
	m.sweep(ctx, workFolder(ref), made)
	if before != nil && before.Model != made {
		return m.Artifacts.Delete(ctx, before.Model)
	}
	return nil
}

// ignoreGone is nil for a row that is gone.
func ignoreGone(err error) error {
	if err != nil && attune.KindOf(err) == attune.NotFound {
		return nil
	}
	return err
}
