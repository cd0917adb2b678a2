package job

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"

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
	c, err := resource.ReadRecommenderConfig(config)
	if err != nil {
		return serve.Release{}, err
	}
	release := serve.Release{
		Campaign: r.ARN, Group: group(r), Kind: serve.Kind(facts.Kind), Model: learned, Scorer: scorer,
		LeaveOut: facts.LeaveOut, Anybody: facts.Anybody,
		NoMetadata: m.Registry.Limits().Serve.MetadataEnabled && !c.EnableMetadataWithRecommendations, // as for campaigns
	}
	if facts.Exploration {
		release.Explore, err = m.exploration(c.ItemExplorationConfig)
	}
	return release, err
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

// settleModels removes what a piece of work left behind: the models of killed
// attempts, its own when the row no longer wanted it, else those that it
// replaced. made is nil when nothing was learned.
func (m *Manager) settleModels(ctx context.Context, ref Ref, made, before *resource.Learned, took bool) error {
	if made == nil {
		return nil
	}
	if !took {
		if err := m.Artifacts.DeletePrefix(ctx, workFolder(ref)); err != nil {
			return err
		}
		return m.serveAsTheRowSays(ctx, ref)
	}
	m.sweep(ctx, workFolder(ref), made.Model)
	if before == nil {
		return nil
	}
	for _, old := range []string{before.Model, before.Trained} { // mostly one
		if err := ignoreGone(m.Artifacts.Delete(ctx, old)); err != nil {
			return err
		}
	}
	if ref.again().IsZero() {
		return nil
	}
	return m.dropSnapshot(ctx, ref, before.Snapshot)
}

// serveAsTheRowSays undoes that serving began to answer from a model which the
// row then did not want.
func (m *Manager) serveAsTheRowSays(ctx context.Context, ref Ref) error {
	r, err := m.Registry.Get(ctx, ref.ARN)
	if err == nil && r.ID == ref.ID && r.Status == resource.Active {
		return m.serveRecommender(ctx, r)
	}
	if err != nil || r.ID == ref.ID {
		m.Serve.Drop(ref.ARN)
	}
	return ignoreGone(err)
}

// dropSnapshot removes the data of a model that was trained again by itself,
// which nobody asked for: else every week would leave a copy of it. What
// another model of the group was trained on, too, stays.
func (m *Manager) dropSnapshot(ctx context.Context, ref Ref, name string) error {
	r, err := m.Registry.Get(ctx, ref.ARN)
	if err != nil || name == "" {
		return ignoreGone(err)
	}
	recommenders, err := m.Registry.Children(ctx, r.Parent, resource.Recommender)
	if err != nil {
		return err
	}
	versions, err := m.Registry.All(ctx, resource.SolutionVersion)
	if err != nil {
		return err
	}
	for _, row := range append(recommenders, versions...) {
		if bytes.Contains(row.Body, []byte(strconv.Quote(name))) {
			return nil
		}
	}
	return m.Artifacts.DeletePrefix(ctx, name+"/")
}

// ignoreGone is nil for a row or a file that is gone.
func ignoreGone(err error) error {
	if err != nil && attune.KindOf(err) == attune.NotFound {
		return nil
	}
	return err
}
