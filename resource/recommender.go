package resource

import (
	"context"
	"encoding/json"
	"reflect"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/recipe/spec"
)

// RecommenderBody is the body of a Recommender. Its own members are what is
// served; LatestUpdate holds what was asked for last, and is copied up when it is ACTIVE.
type RecommenderBody struct {
	DatasetGroupArn   string             `json:"datasetGroupArn"`
	RecipeArn         string             `json:"recipeArn"`
	RecommenderConfig json.RawMessage    `json:"recommenderConfig"` // as given, minRecommendationRequestsPerSecond filled in
	ModelMetrics      map[string]float64 `json:"modelMetrics,omitempty"`
	FailureReason     string             `json:"failureReason,omitempty"`
	LatestUpdate      *RecommenderUpdate `json:"latestRecommenderUpdate,omitempty"`
	Learned           *Learned           `json:"learned,omitempty"` // nil until it was trained
	Tried             time.Time          `json:"tried,omitzero"`    // when training again by itself failed last
	Tags              []Tag              `json:"tags,omitempty"`
}

// Learned is the model behind a recommender.
type Learned struct {
	Model    string    `json:"model"`    // artifact name, of what is served
	Trained  string    `json:"trained"`  // artifact name of the training's model, which a refreshment may have replaced
	Snapshot string    `json:"snapshot"` // artifact name of the data
	Digest   string    `json:"digest"`   // of the model
	At       time.Time `json:"at"`       // the moment of the data that it was trained on
	Fresh    time.Time `json:"fresh"`    // the moment of the data of its last refreshment; At before the first
}

// RecommenderUpdate is the last UpdateRecommender and how far it is. Its status
// uses the words of a creation.
type RecommenderUpdate struct {
	RecommenderConfig json.RawMessage `json:"recommenderConfig"`
	Train             bool            `json:"train"` // it changes what is learned from
	Status            Status          `json:"status"`
	FailureReason     string          `json:"failureReason,omitempty"`
	Created           time.Time       `json:"creationDateTime"`
	Updated           time.Time       `json:"lastUpdatedDateTime"`
}

// RecommenderConfig is what this server reads of a recommender's configuration.
type RecommenderConfig struct {
	MinRecommendationRequestsPerSecond int               `json:"minRecommendationRequestsPerSecond"`
	ItemExplorationConfig              map[string]string `json:"itemExplorationConfig"`
	EnableMetadataWithRecommendations  bool              `json:"enableMetadataWithRecommendations"`
	TrainingDataConfig                 TrainingData      `json:"trainingDataConfig"`
}

// ReadRecommenderConfig reads a recommender's configuration.
func ReadRecommenderConfig(raw json.RawMessage) (c RecommenderConfig, err error) {
	if len(raw) > 0 {
		err = json.Unmarshal(raw, &c)
	}
	return c, err
}

// mergeConfig is a configuration with the members of another in place of its
// own: what an update does not say stays as it is.
func mergeConfig(old, change json.RawMessage) (json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	for _, raw := range []json.RawMessage{old, change} {
		if len(raw) == 0 {
			continue
		}
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil, attune.Errorf(attune.Invalid, "recommenderConfig cannot be read: %w", err)
		}
	}
	return json.Marshal(all)
}

// initialConfig is what a configuration begins from: Describe always shows it.
var initialConfig = json.RawMessage(`{"minRecommendationRequestsPerSecond":1}`)

// CreateRecommender asks for a domain recipe to be trained on a domain dataset
// group's data and served.
func (g *Registry) CreateRecommender(ctx context.Context, name string, b RecommenderBody) (*Resource, error) {
	if err := checkTags(b.Tags); err != nil {
		return nil, err
	}
	recipe, ok := spec.ByARN(b.RecipeArn)
	if !ok || !recipe.Built {
		return nil, attune.Errorf(attune.Invalid, "recipe %s does not exist: ListRecipes with a domain names those of recommenders", b.RecipeArn)
	}
	if recipe.Domain == "" {
		return nil, attune.Errorf(attune.Invalid, "recipe %s is for solutions: use it with CreateSolution, or give a recipe of a domain, as ListRecipes with a domain names them", recipe.Name)
	}
	var err error
	if b.RecommenderConfig, err = g.checkRecommender(initialConfig, b.RecommenderConfig, recipe); err != nil {
		return nil, err
	}
	return g.created(ctx, func() (*Resource, error) {
		group, err := g.findReady(ctx, DatasetGroup, b.DatasetGroupArn)
		if err != nil {
			return nil, err
		}
		if err := inDomain(group, recipe); err != nil {
			return nil, err
		}
		if err := g.free(ctx, Recommender, name); err != nil {
			return nil, err
		}
		if err := g.hasData(ctx, group, b.RecipeArn); err != nil {
			return nil, err
		}
		return g.add(ctx, &Resource{Kind: Recommender, ARN: g.names.Make("recommender", name), Parent: group.ARN, Name: name}, b, group)
	})
}

// inDomain refuses a recipe of another domain than the group's.
func inDomain(group *Resource, recipe spec.Recipe) error {
	gb, err := Body[DatasetGroupBody](group)
	if err != nil || gb.Domain == recipe.Domain {
		return err
	}
	if gb.Domain == "" {
		return attune.Errorf(attune.Invalid, "dataset group %s is a custom one: recommenders are for dataset groups of domain ECOMMERCE or VIDEO_ON_DEMAND", group.ARN)
	}
	return attune.Errorf(attune.Invalid, "recipe %s is of domain %s and dataset group %s is of %s: use one of %s", recipe.Name, recipe.Domain, group.ARN, gb.Domain, spec.NamesOf(gb.Domain))
}

// checkRecommender gives the configuration that a change makes of an old one,
// and refuses what would have no effect.
func (g *Registry) checkRecommender(old, change json.RawMessage, recipe spec.Recipe) (json.RawMessage, error) {
	merged, err := mergeConfig(old, change)
	if err != nil {
		return nil, err
	}
	c, err := ReadRecommenderConfig(merged)
	if err != nil {
		return nil, attune.Errorf(attune.Invalid, "recommenderConfig cannot be read: %w", err)
	}
	if err := g.tpsRoom("minRecommendationRequestsPerSecond", c.MinRecommendationRequestsPerSecond); err != nil {
		return nil, err
	}
	if err := checkExploration(c.ItemExplorationConfig, recipe); err != nil {
		return nil, err
	}
	return merged, c.TrainingDataConfig.check()
}

// findRecommender finds a recommender in one of some states, with its group.
func (g *Registry) findRecommender(ctx context.Context, arn, verb string, states ...Status) (r, group *Resource, err error) {
	if r, group, err = g.within(ctx, Recommender, arn); err != nil {
		return nil, nil, err
	}
	for _, s := range states {
		if r.Status != s {
			continue
		}
		if u, ok := r.LatestUpdate(); ok && u.Status.moving() {
			return nil, nil, attune.Errorf(attune.InUse, "recommender %s is being updated: wait until latestRecommenderUpdate is ACTIVE", arn)
		}
		return r, group, nil
	}
	return nil, nil, attune.Errorf(attune.InUse, "recommender %s is %s: it can be %s when it is %s", arn, r.Status, verb, states[0])
}

// UpdateRecommender asks for another configuration. The recommender must be
// ACTIVE and not be updated already; until the update is ACTIVE it is and shows
// what it was. Other columns to learn from mean another training.
func (g *Registry) UpdateRecommender(ctx context.Context, arn string, change json.RawMessage) error {
	return g.decide(ctx, func() (bool, error) {
		r, group, err := g.findRecommender(ctx, arn, "updated", Active)
		if err != nil {
			return false, err
		}
		b, err := Body[RecommenderBody](r)
		if err != nil {
			return false, err
		}
		recipe, _ := spec.ByARN(b.RecipeArn)
		u := &RecommenderUpdate{Status: CreatePending, Created: g.after(r.Updated)}
		u.Updated = u.Created
		if u.RecommenderConfig, err = g.checkRecommender(b.RecommenderConfig, change, recipe); err != nil {
			return false, err
		}
		before, err := ReadRecommenderConfig(b.RecommenderConfig)
		if err != nil {
			return false, err
		}
		after, err := ReadRecommenderConfig(u.RecommenderConfig)
		if err != nil {
			return false, err
		}
		u.Train = !reflect.DeepEqual(before.TrainingDataConfig, after.TrainingDataConfig)
		return g.write(ctx, r, func(r *Resource) error {
			b.LatestUpdate = u
			return r.SetBody(b)
		}, group)
	})
}

// StopRecommender asks for an ACTIVE recommender to answer no more, and not to
// be trained again by itself; what it learned is kept.
func (g *Registry) StopRecommender(ctx context.Context, arn string) error {
	return g.turn(ctx, arn, "stopped", Active, StopPending)
}

// StartRecommender asks for an INACTIVE recommender to answer again, from what it learned.
func (g *Registry) StartRecommender(ctx context.Context, arn string) error {
	return g.turn(ctx, arn, "started", Inactive, StartPending)
}

func (g *Registry) turn(ctx context.Context, arn, verb string, from, to Status) error {
	return g.decide(ctx, func() (bool, error) {
		r, group, err := g.findRecommender(ctx, arn, verb, from)
		if err != nil {
			return false, err
		}
		return g.write(ctx, r, func(r *Resource) error { r.Status = to; return nil }, group)
	})
}

// DeleteRecommender asks for a recommender to be deleted. It must not be on its
// way into being, to another configuration, or on or off.
func (g *Registry) DeleteRecommender(ctx context.Context, arn string) error {
	return g.remove(ctx, Recommender, arn, func(r *Resource) error {
		if r.Busy() {
			return attune.Errorf(attune.InUse, "recommender %s is being updated: wait until latestRecommenderUpdate is ACTIVE", arn)
		}
		return nil
	})
}
