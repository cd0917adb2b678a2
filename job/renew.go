package job

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/spec"
	"github.com/attune-io/attune/resource"
)

const (
	// trainAgainAfter is the age at which a recommender's model is trained again
	// by itself, as the service does.
	trainAgainAfter = 7 * 24 * time.Hour
	// tryAgainAfter is the pause after such a training failed.
	tryAgainAfter = 24 * time.Hour
	// refreshAtMost is after how long trends are looked at again however long
	// their windows are, as the service does.
	refreshAtMost = 2 * time.Hour
	// refreshTexts is after how long new items get into a model of texts, for
	// solutions that perform incremental updates.
	refreshTexts = 30 * time.Minute
)

// renew starts what is due by the clock: the weekly training of recommenders,
// and looking again at trends. One row's trouble does not hold up the others.
func (m *Manager) renew(ctx context.Context) error {
	now := m.Clock()
	// What no row asks for at this look is forgotten: it is gone, or not due any more.
	m.failedBefore, m.failed = m.failed, map[string]failedRun{}
	recommenders, err := m.Registry.All(ctx, resource.Recommender)
	if err != nil {
		return err
	}
	for i := range recommenders {
		if err := m.renewRecommender(ctx, &recommenders[i], now); err != nil && ctx.Err() == nil {
			m.Logger.Error("renew", "resource", recommenders[i].ARN, "error", err)
		}
	}
	campaigns, err := m.Registry.All(ctx, resource.Campaign)
	if err != nil {
		return err
	}
	looked := map[string]bool{} // versions may stand behind several campaigns
	for i := range campaigns {
		b, err := resource.Body[resource.CampaignBody](&campaigns[i])
		if err == nil && campaigns[i].Status == resource.Active && !looked[b.SolutionVersionArn] {
			looked[b.SolutionVersionArn] = true
			err = m.renewVersion(ctx, attune.ARN(b.SolutionVersionArn), now)
		}
		if err != nil && ctx.Err() == nil {
			m.Logger.Error("renew", "resource", campaigns[i].ARN, "error", err)
		}
	}
	return nil
}

func (m *Manager) renewRecommender(ctx context.Context, r *resource.Resource, now time.Time) error {
	b, err := resource.Body[resource.RecommenderBody](r)
	if err != nil || r.Status != resource.Active || r.Busy() || b.Learned == nil {
		return err
	}
	at := strconv.FormatInt(b.Learned.At.UnixMilli(), 10)
	if now.Sub(b.Learned.At) >= trainAgainAfter && now.Sub(b.Tried) >= tryAgainAfter {
		return m.begin(ctx, againID(r, b.Learned), RecommendWorkflow, r, againMark+at)
	}
	facts, _ := spec.ByARN(b.RecipeArn)
	if every := refreshEvery(facts, facts.Fixed, false); every > 0 && now.Sub(b.Learned.Fresh) >= every {
		return m.begin(ctx, refreshID(r), RefreshWorkflow, r, "")
	}
	return nil
}

// againID is the workflow that trains a recommender again by itself.
func againID(r *resource.Resource, l *resource.Learned) string {
	return string(r.Kind) + "/" + r.ID + "/" + againMark + strconv.FormatInt(l.At.UnixMilli(), 10)
}

func (m *Manager) renewVersion(ctx context.Context, arn attune.ARN, now time.Time) error {
	r, err := m.Registry.Get(ctx, arn)
	if err != nil {
		return ignoreGone(err)
	}
	v, err := resource.Body[resource.SolutionVersionBody](r)
	if err != nil {
		return err
	}
	facts, _ := spec.ByARN(v.RecipeArn)
	fresh := r.Created // the moment of its data
	if v.Fresh != nil {
		fresh = *v.Fresh
	}
	if every := refreshEvery(facts, v.Parameters(), v.PerformIncrementalUpdate); every > 0 && now.Sub(fresh) >= every {
		return m.begin(ctx, refreshID(r), RefreshWorkflow, r, "")
	}
	return nil
}

// refreshEvery is how often a model is made anew without a training; 0 for never.
func refreshEvery(facts spec.Recipe, params map[string]string, incremental bool) time.Duration {
	switch {
	case facts.Algorithm == spec.Trending:
		window, err := spec.TrendWindow(params[spec.ParamTrend])
		if err != nil { // checked before the row was written
			return refreshAtMost
		}
		return min(window, refreshAtMost)
	case facts.Algorithm == spec.Semantic && incremental:
		return refreshTexts
	}
	return 0
}

// begin starts a workflow that no row asks for by its state, or finds it
// running. What failed waits a while, and everything does for a deletion of
// users: it would read those who are being deleted.
func (m *Manager) begin(ctx context.Context, id string, wf any, r *resource.Resource, update string) error {
	if f, ok := m.failedBefore[id]; ok {
		m.failed[id] = f
	}
	if m.started[id] {
		return nil
	}
	if erasing, err := m.Registry.Erasing(ctx, r); err != nil || erasing {
		return err
	}
	if pausing, err := m.pausing(ctx, id); err != nil || pausing {
		return err
	}
	m.starts.Inc()
	_, err := m.Temporal.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: queueLight,
		WorkflowIDConflictPolicy: enums.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		WorkflowIDReusePolicy:    enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowTaskTimeout:      heartbeatTimeout,
	}, wf, Ref{r.ARN, r.ID, update})
	if err != nil {
		return fmt.Errorf("start %s: %w", id, err)
	}
	m.started[id] = true
	return nil
}

// RefreshWorkflow makes the model of a solution version or a recommender anew
// from what the log holds now, without a training. When it fails what was
// served goes on being served, and it is due again after failedPause.
func RefreshWorkflow(ctx workflow.Context, ref Ref) error {
	var a *activities
	return workflow.ExecuteActivity(step(ctx, queueLight), a.Refresh, ref).Get(ctx, nil)
}

// Refresh learns again from the log, serves that, and shows it on the row.
func (a *activities) Refresh(ctx context.Context, ref Ref) error {
	_, err := beating(ctx, a.m, func(ctx context.Context, report func(Progress)) (none struct{}, err error) {
		start := time.Now()
		defer func() { a.m.observe("refresh", start, err) }()
		r, err := a.m.Registry.Get(ctx, ref.ARN)
		if err != nil || r.ID != ref.ID || r.Status != resource.Active {
			return none, ignoreGone(err)
		}
		// Again, because another process may have taken up a deletion meanwhile: one
		// that is asked for from here on waits for this.
		if erasing, err := a.m.Registry.Erasing(ctx, r); err != nil || erasing {
			return none, err
		}
		f, err := a.m.refreshable(r)
		if err != nil {
			return none, err
		}
		what, err := a.m.freezeSpec(ctx, r, a.m.Clock())
		if err != nil {
			return none, err
		}
		report(Progress{Stage: "refresh"})
		snap, err := dataset.Look(ctx, a.m.Log, a.m.Artifacts, what)
		if err != nil {
			return none, err
		}
		old, err := model.OpenManifest(ctx, a.m.Artifacts, f.model)
		if err != nil {
			return none, err
		}
		fresh, err := recipe.Refresh(ctx, recipe.RefreshSpec{Recipe: f.learner, Old: *old, Snapshot: snap, Uses: f.uses, Clock: a.m.Clock, Memory: a.m.TrainMemory})
		if err != nil {
			return none, err
		}
		folder := "model/" + r.ID + "/refresh/"
		name := folder + attempt(ctx)
		digest, err := model.Save(ctx, a.m.Artifacts, name, fresh)
		if err != nil {
			return none, fmt.Errorf("save %s: %w", name, err)
		}
		if err := f.show(ctx, resource.Learned{Model: name, Digest: digest, Fresh: what.AsOf}); err != nil {
			return none, err
		}
		// The one before stays: somebody may be about to open it.
		a.m.sweep(ctx, folder, name, f.model)
		return none, nil
	})
	return err
}

// refreshable is what may be made anew.
type refreshable struct {
	learner recipe.Recipe
	model   string      // artifact name, of what is served now
	uses    recipe.Uses // columns that may be learned from
	// show puts the new model on the row, and behind what is served.
	show func(context.Context, resource.Learned) error
}

func (m *Manager) refreshable(r *resource.Resource) (f refreshable, err error) {
	if r.Kind == resource.Recommender {
		return m.refreshableRecommender(r)
	}
	v, err := resource.Body[resource.SolutionVersionBody](r)
	if err != nil {
		return f, err
	}
	config, err := v.Config()
	if err != nil {
		return f, err
	}
	f.model = v.Model
	f.uses = config.TrainingDataConfig.Uses
	if _, f.learner, err = m.learner(v.RecipeArn); err != nil {
		return f, err
	}
	f.show = func(ctx context.Context, l resource.Learned) error {
		_, err := m.Registry.Change(ctx, r.ARN, func(r *resource.Resource) error {
			return resource.ChangeBody(r, func(b *resource.SolutionVersionBody) { b.Model, b.Digest, b.Fresh = l.Model, l.Digest, &l.Fresh })
		})
		if err != nil {
			return err
		}
		return m.serveVersion(ctx, r)
	}
	return f, nil
}

func (m *Manager) refreshableRecommender(r *resource.Resource) (f refreshable, err error) {
	b, err := resource.Body[resource.RecommenderBody](r)
	if err != nil {
		return f, err
	}
	if b.Learned == nil {
		return f, attune.Errorf(attune.Internal, "%s has learned nothing", r.ARN)
	}
	f.model = b.Learned.Model
	if _, f.learner, err = m.learner(b.RecipeArn); err != nil {
		return f, err
	}
	config, err := resource.ReadRecommenderConfig(b.RecommenderConfig)
	if err != nil {
		return f, err
	}
	f.uses = config.TrainingDataConfig.Uses
	f.show = func(ctx context.Context, l resource.Learned) error {
		l.Trained, l.Snapshot, l.At = b.Learned.Trained, b.Learned.Snapshot, b.Learned.At
		took, err := m.Registry.RefreshRecommender(ctx, r.ARN, r.ID, b.Learned.Model, l)
		if err != nil || !took {
			return err
		}
		again, err := m.Registry.Get(ctx, r.ARN)
		if err != nil {
			return ignoreGone(err)
		}
		return m.serveRecommender(ctx, again)
	}
	return f, nil
}

// serveVersion lets every campaign that serves a version answer from the
// version's model as it is now.
func (m *Manager) serveVersion(ctx context.Context, version *resource.Resource) error {
	campaigns, err := m.Registry.Children(ctx, version.Parent, resource.Campaign)
	if err != nil {
		return err
	}
	for i := range campaigns {
		b, err := resource.Body[resource.CampaignBody](&campaigns[i])
		if err != nil {
			return err
		}
		if campaigns[i].Status != resource.Active || b.SolutionVersionArn != string(version.ARN) {
			continue
		}
		release, err := m.release(ctx, &campaigns[i], version.ARN)
		if err == nil {
			err = m.Serve.Load(release)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
