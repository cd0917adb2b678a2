package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
	"github.com/attune-io/attune/recipe/spec"
	"github.com/attune-io/attune/resource"
)

// TrainWorkflow freezes the data of a solution version, learns from it, and
// shows what was learned.
func TrainWorkflow(ctx workflow.Context, ref Ref) error {
	light, train := step(ctx, queueLight), step(ctx, queueTrain)
	var a *activities
	var snapshot string
	var trained Trained
	err := workflow.ExecuteActivity(light, a.TrainFreeze, ref).Get(ctx, &snapshot)
	if err == nil {
		err = workflow.ExecuteActivity(train, a.TrainFit, ref, snapshot).Get(ctx, &trained)
	}
	if err == nil {
		err = workflow.ExecuteActivity(light, a.TrainCommit, ref, trained).Get(ctx, nil)
	}
	if temporal.IsCanceledError(err) {
		return err // stopTraining moves the row
	}
	if err != nil {
		return workflow.ExecuteActivity(light, a.Fail, ref, reason(ctx, err)).Get(ctx, nil)
	}
	return nil
}

// Trained is what TrainFit leaves for TrainCommit.
type Trained struct {
	Model    string             `json:"model"`              // artifact name; "" when the row no longer asks for work
	Measured string             `json:"measured,omitempty"` // artifact name of what it was measured by
	Snapshot string             `json:"snapshot"`
	Digest   string             `json:"digest"`
	Hours    float64            `json:"hours"`
	Metrics  map[string]float64 `json:"metrics"`
	Recipe   string             `json:"recipe,omitempty"` // name of the one learned, after a search
	Tuned    map[string]string  `json:"tuned,omitempty"`  // its hyper-parameters, after a search
}

// TrainFreeze makes the snapshot: everything the log holds at this moment.
func (a *activities) TrainFreeze(ctx context.Context, ref Ref) (string, error) {
	return beating(ctx, a.m, func(ctx context.Context, report func(Progress)) (string, error) {
		r, live, err := a.m.claim(ctx, ref)
		if err != nil || !live {
			return "", err
		}
		report(Progress{Stage: "freeze"})
		end, err := a.m.Log.End(ctx, group(r))
		if err != nil {
			return "", err
		}
		schemas, err := a.m.schemasOf(ctx, r)
		if err != nil {
			return "", err
		}
		// The moment is the version's own, so that another attempt makes the same snapshot.
		info, err := dataset.Freeze(ctx, a.m.Log, a.m.Artifacts, dataset.FreezeSpec{Group: group(r), UpTo: end, AsOf: r.Created, Schemas: schemas})
		if err != nil {
			return "", fmt.Errorf("freeze %s: %w", r.Group, err)
		}
		return info.Name, nil
	})
}

// TrainFit learns a model from a snapshot, measures it, and saves it under a
// name of this attempt.
func (a *activities) TrainFit(ctx context.Context, ref Ref, snapshot string) (Trained, error) {
	return beating(ctx, a.m, func(ctx context.Context, report func(Progress)) (out Trained, err error) {
		r, live, err := a.m.claim(ctx, ref)
		if err != nil || !live {
			return out, err
		}
		start := time.Now()
		defer func() { a.m.observe("train", start, err) }()

		report(Progress{Stage: "read"})
		fit, err := a.m.fitSpec(ctx, r, snapshot)
		if err != nil {
			return out, err
		}
		fit.Progress = func(stage string, done, total int) {
			report(Progress{Stage: stage, Done: int64(done), Total: int64(total)})
		}
		if fit.Live, err = a.m.liveModels(ctx, r); err != nil {
			return out, err
		}
		fit.Checkpoint = a.m.checkpointIn("model/" + r.ID + "/")
		report(Progress{Stage: recipe.StageTune}) // which says nothing before its first candidate is learned
		m, err := a.m.fit(ctx, r, fit)
		if err != nil {
			return out, err
		}
		report(Progress{Stage: "save"})
		name := fmt.Sprintf("model/%s/%s", r.ID, attempt(ctx))
		digest, err := model.Save(ctx, a.m.Artifacts, name, m)
		if err != nil {
			return out, fmt.Errorf("save %s: %w", name, err)
		}
		out = Trained{Model: name, Snapshot: snapshot, Digest: digest, Hours: time.Since(start).Hours()}
		if m.Measured != nil {
			out.Measured = model.MeasuredName(name)
		}
		if v, err := resource.Body[resource.SolutionVersionBody](r); err != nil {
			return out, err
		} else if v.PerformHPO || v.PerformAutoML {
			out.Recipe, out.Tuned = m.Manifest.Recipe, tuned(m.Manifest)
		}
		if m.Manifest.Evaluation != nil {
			out.Metrics = m.Manifest.Evaluation.Metrics
		}
		return out, nil
	})
}

// fitSpec reads what a solution version asks for.
func (m *Manager) fitSpec(ctx context.Context, r *resource.Resource, snapshot string) (recipe.FitSpec, error) {
	v, err := resource.Body[resource.SolutionVersionBody](r)
	if err != nil {
		return recipe.FitSpec{}, err
	}
	facts, ok := spec.ByARN(v.RecipeArn)
	if contenders, _ := v.Contenders(); len(contenders) > 0 {
		facts, ok = contenders[0], true // fit chooses
	}
	if !ok {
		return recipe.FitSpec{}, attune.Errorf(attune.Invalid, "recipe %s is not known to this build; 'aws personalize list-recipes' names those that are", v.RecipeArn)
	}
	learner, ok := m.recipes[facts.Algorithm]
	if !ok {
		return recipe.FitSpec{}, attune.Errorf(attune.Invalid, "recipe %s needs algorithm %q, which this build does not have", v.RecipeArn, facts.Algorithm)
	}
	snap, err := dataset.Open(ctx, m.Artifacts, snapshot)
	if err != nil {
		return recipe.FitSpec{}, err
	}
	m.Logger.Info("train", "version", r.ARN, "recipe", facts.Name, "data", snap.String())
	baselines := make([]recipe.Recipe, 0, 2)
	for _, name := range []string{"popularity", "itemknn"} {
		baselines = append(baselines, m.recipes[name])
	}
	if err := m.checkTypes(ctx, r, snap); err != nil {
		return recipe.FitSpec{}, err
	}
	config, err := v.Config()
	if err != nil {
		return recipe.FitSpec{}, err
	}
	limits := m.Registry.Limits().Train
	return recipe.FitSpec{
		Snapshot: snap, Recipe: learner, Name: facts.Name, Baselines: baselines,
		Params: v.Parameters(), Seed: trainSeed,
		Uses: func(of schema.Type, column string) bool {
			return v.PerformAutoML || config.TrainingDataConfig.Uses(of, column)
		},
		Least: recipe.Least{Interactions: limits.Interactions, Users: limits.Users, UserShare: limits.UserShare},
		Rules: eventRules(v), Negative: negative(v), Clock: m.Clock,
		Objective: objective(v), Search: search(v, facts), Memory: m.TrainMemory,
	}, nil
}

// fit learns the recipe of a version, or the best of those that AutoML chooses among.
func (m *Manager) fit(ctx context.Context, r *resource.Resource, s recipe.FitSpec) (*model.Model, error) {
	v, err := resource.Body[resource.SolutionVersionBody](r)
	if err != nil {
		return nil, err
	}
	recipes, metric := v.Contenders()
	if len(recipes) == 0 {
		return recipe.Fit(ctx, s)
	}
	var contenders []recipe.Contender
	for _, facts := range recipes {
		if slices.ContainsFunc(contenders, func(c recipe.Contender) bool {
			return c.Recipe.Name() == facts.Algorithm && maps.Equal(c.Params, facts.Fixed)
		}) {
			continue // the same algorithm under another name: it would find the same again
		}
		found := search(v, facts)
		if found == nil {
			found = new(recipe.Search)
		}
		found.Metric, found.Jobs = metric, min(found.Jobs, autoMLJobs)
		contenders = append(contenders, recipe.Contender{Recipe: m.recipes[facts.Algorithm], Name: facts.Name, Params: facts.Fixed, Search: found})
	}
	s.Search = &recipe.Search{Metric: metric}
	return recipe.FitBest(ctx, s, contenders)
}

// autoMLJobs bounds the search for the parameters of one recipe that AutoML tries.
const autoMLJobs = 4

// search is what a version searches for, in the words of recipes; nil for nothing.
func search(v resource.SolutionVersionBody, facts spec.Recipe) *recipe.Search {
	asked := v.Search(facts)
	if asked == nil {
		return nil
	}
	s := &recipe.Search{Jobs: asked.Jobs, Metric: asked.Metric, Least: asked.Minimize}
	for _, p := range asked.Ranges {
		s.Ranges = append(s.Ranges, recipe.Range{Name: p.Name, Values: p.Values, Min: p.Min, Max: p.Max, Whole: p.Type == spec.Integer, Default: p.Default})
	}
	return s
}

// objective is what a version optimises beside relevance; nil for nothing.
func objective(v resource.SolutionVersionBody) *recipe.Objective {
	o := v.Objective()
	if o == nil {
		return nil
	}
	return &recipe.Objective{Attribute: o.ItemAttribute, Sensitivity: o.ObjectiveSensitivity}
}

// maxTuned is how many hyper-parameters the service shows at most.
const maxTuned = 100

// tuned are the hyper-parameters of a model that its recipe takes on the wire, so
// that they can be given to another solution. Of a blend there are the members,
// their weights and all that they were trained with besides; a parameter that
// several members have is shown as the weightiest has it.
func tuned(m model.Manifest) map[string]string {
	facts, _ := spec.ByARN(string(attune.Public("recipe", m.Recipe)))
	out := map[string]string{}
	show := func(name, value string) {
		if len(out) < maxTuned && facts.CheckParameters(map[string]string{name: value}, nil) == nil {
			out[name] = value
		}
	}
	members, all := m.Members(), slices.Sorted(maps.Keys(m.Parameters))
	for _, name := range all { // the blend's own first: without the rest it is still a blend of these
		if of, _, inner := strings.Cut(name, "."); !inner || of+"." == model.ParamWeight || of == "opening" {
			show(name, m.Parameters[name])
		}
	}
	for _, p := range facts.Parameters {
		for _, member := range members {
			if value, ok := member.Parameters[p.Name]; ok && out[p.Name] == "" {
				show(p.Name, value)
			}
		}
	}
	for _, member := range members {
		for _, name := range slices.Sorted(maps.Keys(member.Parameters)) {
			show(member.Name+"."+name, member.Parameters[name])
		}
	}
	for _, name := range all {
		show(name, m.Parameters[name])
	}
	return out
}

// checkTypes refuses more event types and optional columns of Interactions than
// there is a quota for.
func (m *Manager) checkTypes(ctx context.Context, r *resource.Resource, snap *dataset.Snapshot) error {
	most := m.Registry.Limits().Train.TypesColumns
	if most == 0 {
		return nil
	}
	schemas, err := m.schemasOf(ctx, r)
	if err != nil {
		return err
	}
	columns := 0
	if s := schemas[schema.Interactions]; s != nil {
		columns = s.Own(schema.Interactions)
	}
	if types := len(snap.Events.Types); types+columns > most {
		return attune.Errorf(attune.Invalid, "Dataset has %d event types and %d optional columns of Interactions: together there can be %d", types, columns, most)
	}
	return nil
}

// eventRules is what a version's configuration says about events, in the words of a model.
func eventRules(v resource.SolutionVersionBody) model.EventRules {
	var rules model.EventRules
	for _, p := range v.Events() {
		rules = append(rules, model.EventRule{Type: p.EventType, Threshold: p.EventValueThreshold, Weight: p.Weight})
	}
	return rules
}

// negative is what a version's configuration says of outcomes, in the words of a model.
func negative(v resource.SolutionVersionBody) model.Outcomes {
	var out model.Outcomes
	for _, o := range v.Negative() {
		out = append(out, model.Outcome(o))
	}
	return out
}

// trainSeed is the seed of every training: same data and parameters, same model.
const trainSeed = 1

// TrainCommit shows the model on the row.
func (a *activities) TrainCommit(ctx context.Context, ref Ref, t Trained) error {
	_, err := beating(ctx, a.m, func(ctx context.Context, _ func(Progress)) (struct{}, error) {
		if t.Model == "" {
			return struct{}{}, nil
		}
		gone, err := a.m.finish(ctx, ref, func(r *resource.Resource) error {
			return resource.ChangeBody(r, func(b *resource.SolutionVersionBody) {
				b.Model, b.Measured, b.Snapshot, b.Digest = t.Model, t.Measured, t.Snapshot, t.Digest
				b.TrainingHours, b.Metrics = &t.Hours, t.Metrics
				if t.Recipe != "" {
					b.RecipeArn = string(attune.Public("recipe", t.Recipe))
					b.TunedHPOParams = &resource.TunedParameters{AlgorithmHyperParameters: t.Tuned}
				}
			})
		})
		if gone { // whoever deleted the row could not delete what was not there yet
			return struct{}{}, errors.Join(err, a.m.Artifacts.DeletePrefix(ctx, "model/"+ref.ID+"/"))
		}
		a.m.sweep(ctx, "model/"+ref.ID+"/", t.Model, model.MeasuredName(t.Model))
		if err == nil && t.Recipe != "" {
			err = a.m.Registry.TellAutoML(ctx, ref.ARN)
		}
		return struct{}{}, err
	})
	return err
}

// stopTraining ends the training of a version that its owner stopped.
func (m *Manager) stopTraining(ctx context.Context, r *resource.Resource) error {
	id, err := workflowID(r)
	if err != nil {
		return err
	}
	err = m.Temporal.CancelWorkflow(ctx, id, "")
	var missing *serviceerror.NotFound
	if err != nil && !errors.As(err, &missing) {
		return err
	}
	return m.move(ctx, r.ARN, resource.CreateStopping, resource.CreateStopped)
}
