package resource

import (
	"context"
	"encoding/json"
	"time"

	"github.com/attune-io/attune"
)

// RecommenderTask is one piece of work on a recommender.
type RecommenderTask struct {
	RecipeArn string
	Config    json.RawMessage // to train with, and to serve under
	Train     bool            // else what it learned is kept
	Learned   *Learned        // what it has learned so far; nil for nothing
}

// BeginRecommender shows that the work on a new recommender, or on an update of
// one, has begun, and tells what it is; nil when the row is gone, has another
// id, or asks for nothing of the kind. again is the moment of the model that is
// to be trained again by itself, zero when the row asked for the work.
func (g *Registry) BeginRecommender(ctx context.Context, arn attune.ARN, id string, again time.Time) (r *Resource, task *RecommenderTask, err error) {
	r, err = g.changeRecommender(ctx, arn, id, func(r *Resource, b *RecommenderBody) {
		task = nil
		switch {
		case !again.IsZero():
			if b.trainsAgain(r, again) {
				task = &RecommenderTask{b.RecipeArn, b.RecommenderConfig, true, b.Learned}
			}
		case r.Status.Creating():
			r.Status = CreateInProgress
			task = &RecommenderTask{b.RecipeArn, b.RecommenderConfig, true, nil}
		case b.updating():
			if b.LatestUpdate.Status == CreatePending {
				b.LatestUpdate.Status = CreateInProgress
				b.LatestUpdate.Updated = g.after(b.LatestUpdate.Updated)
			}
			task = &RecommenderTask{b.RecipeArn, b.LatestUpdate.RecommenderConfig, b.LatestUpdate.Train, b.Learned}
		}
	})
	return r, task, err
}

// trainsAgain says whether the model of a moment may be replaced by a newer one.
func (b *RecommenderBody) trainsAgain(r *Resource, moment time.Time) bool {
	return r.Status == Active && !b.updating() && b.Learned != nil && b.Learned.At.Equal(moment)
}

// FinishRecommender shows that the work which BeginRecommender told is done, and
// what was learned by it (nil for nothing). took is false when the row is gone
// or asks for something else by now: what was learned is then of no use.
func (g *Registry) FinishRecommender(ctx context.Context, arn attune.ARN, id string, again time.Time, learned *Learned, metrics map[string]float64) (took bool, err error) {
	_, err = g.changeRecommender(ctx, arn, id, func(r *Resource, b *RecommenderBody) {
		took = true
		switch {
		case !again.IsZero() && b.trainsAgain(r, again):
		case again.IsZero() && r.Status == CreateInProgress:
			r.Status = Active
		case again.IsZero() && b.updating() && b.LatestUpdate.Status == CreateInProgress:
			u := b.LatestUpdate
			u.Status, u.Updated = Active, g.after(u.Updated)
			b.RecommenderConfig = u.RecommenderConfig
		default:
			took = false
			return
		}
		if learned != nil {
			b.Learned, b.ModelMetrics, b.Tried, b.FailureReason = learned, metrics, time.Time{}, ""
		}
		r.Updated = g.after(r.Updated)
	})
	return took, err
}

// FailRecommender says why the work could not be done. After a failed update
// the recommender is what it was; one that could not be trained again by
// itself goes on with what it learned, and tries again later.
func (g *Registry) FailRecommender(ctx context.Context, arn attune.ARN, id string, again time.Time, why string) error {
	_, err := g.changeRecommender(ctx, arn, id, func(r *Resource, b *RecommenderBody) {
		switch {
		case !again.IsZero():
			if b.trainsAgain(r, again) {
				b.Tried, b.FailureReason = g.after(b.Tried), cut("training again by itself: "+why)
			}
		case r.Status.Creating():
			r.Status, b.FailureReason = CreateFailed, cut(why)
		case b.updating():
			b.LatestUpdate.Status, b.LatestUpdate.FailureReason = CreateFailed, cut(why)
			b.LatestUpdate.Updated = g.after(b.LatestUpdate.Updated)
		}
	})
	return err
}

// RefreshRecommender replaces the model of a recommender by one that learned
// the same from newer data; took is false when the row has another model by now.
func (g *Registry) RefreshRecommender(ctx context.Context, arn attune.ARN, id, old string, learned Learned) (took bool, err error) {
	_, err = g.changeRecommender(ctx, arn, id, func(r *Resource, b *RecommenderBody) {
		if took = r.Status == Active && b.Learned != nil && b.Learned.Model == old; took {
			b.Learned = &learned
		}
	})
	return took, err
}

func (b *RecommenderBody) updating() bool {
	return b.LatestUpdate != nil && b.LatestUpdate.Status.Creating()
}

func (g *Registry) changeRecommender(ctx context.Context, arn attune.ARN, id string, f func(*Resource, *RecommenderBody)) (*Resource, error) {
	r, err := g.Change(ctx, arn, func(r *Resource) error {
		if r.ID != id || r.Kind != Recommender || r.Status.deleting() {
			return nil
		}
		return ChangeBody(r, func(b *RecommenderBody) { f(r, b) })
	})
	return r, ignoreMissing(err)
}
