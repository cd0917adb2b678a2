package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-io/attune/recipe/spec"
)

const (
	// maxJobName bounds the name of a job, in characters.
	maxJobName = 63
	// jobNamePattern is how batch jobs are called; only its length counts here.
	jobNamePattern = "batch_%s_2006_01_02_15_04_05"
)

// Updatable says whether a recipe, by its name, has the training mode UPDATE.
func Updatable(recipe string) bool {
	return recipe == "aws-user-personalization" || recipe == "aws-hrnn-coldstart"
}

// recipeName is the last part of a recipe's ARN.
func recipeName(arn string) string {
	_, name, _ := strings.Cut(arn, ":recipe/")
	return name
}

// automatic warns of a solution that both the service and a schedule of the file
// train. Where the file has no word on it, plan makes it without the service's.
func (b *builder) automatic(n *node, path string) {
	service := n.get("serviceConfig")
	if dropped := service.get("performAutoML"); dropped != nil {
		b.warn(dropped.place, path+".serviceConfig.performAutoML", "it is left out: choosing the recipe by itself is discouraged and keeps schedules from working", "name a recipeArn, and performHPO for a search of its parameters")
	}
	full, update := b.schedule(n, "", "workflowConfig", "schedules", "full"), b.schedule(n, "", "workflowConfig", "schedules", "update")
	if full.Text == "" && update.Text == "" {
		return
	}
	asked := service.get("performAutoTraining")
	plan := service.get("solutionConfig", "autoTrainingConfig")
	switch {
	case service.isTrue("performAutoTraining"):
		b.warn(asked.place, path+".serviceConfig.performAutoTraining", "the service trains by itself, and the schedules train as well", "keep one of the two")
	case asked == nil && plan != nil:
		b.warn(plan.place, path+".serviceConfig.solutionConfig.autoTrainingConfig", "the service trains by itself, and the schedules train as well", "keep one of the two")
	}
}

// trainings holds the modes that a solution asks for against its recipe.
func (b *builder) trainings(n *node, path string) {
	recipe := recipeName(n.string("serviceConfig", "recipeArn"))
	if recipe == "" || Updatable(recipe) {
		return
	}
	const only = "aws-user-personalization and aws-hrnn-coldstart can: "
	if update := n.get("workflowConfig", "schedules", "update"); update != nil && update.sort == text && update.text != drop {
		b.fail(update.place, path+".workflowConfig.schedules.update", shorten(recipe)+" cannot be trained on (UPDATE)", only+"write full instead of update")
	}
	if mode := n.get("serviceConfig", "solutionVersion", "trainingMode"); mode != nil && mode.text == "UPDATE" {
		b.fail(mode.place, path+".serviceConfig.solutionVersion.trainingMode", shorten(recipe)+" cannot be trained on (UPDATE)", only+"write FULL")
	}
}

// jobNames refuses a solution whose batch jobs would get names that are too long.
func (b *builder) jobNames(n *node, path string) {
	name := n.get("serviceConfig", "name")
	if name == nil || name.sort != text || len(n.list("batchInferenceJobs"))+len(n.list("batchSegmentJobs")) == 0 {
		return
	}
	characters, room := len([]rune(name.text)), maxJobName-(len(jobNamePattern)-len("%s"))
	if characters > room && characters <= maxJobName { // longer ones were told of already
		b.fail(name.place, path+".serviceConfig.name", fmt.Sprintf("has %d characters, and the names of its batch jobs (batch_<solution>_<time>) would have more than %d", characters, maxJobName),
			fmt.Sprintf("name the solution with at most %d", room))
	}
}

// names tells of two things of a kind with one name; across the whole file, since
// the service knows them by it.
func (b *builder) names() {
	kinds := []struct{ what, list, below string }{
		{"filter", "filters", ""}, {"recommender", "recommenders", ""}, {"solution", "solutions", ""}, {"campaign", "solutions", "campaigns"},
	}
	for _, k := range kinds {
		first := map[string]string{} // name → where it is taken
		look := func(n *node, path string) {
			name := n.get("serviceConfig", "name")
			if name == nil || name.sort != text || name.text == "" {
				return
			}
			where, taken := first[name.text]
			if !taken {
				first[name.text] = fmt.Sprintf("%s (line %d)", path, name.line)
				return
			}
			b.fail(name.place, path+".serviceConfig.name", fmt.Sprintf("%q is the name of %s already", shorten(name.text), where), "give every "+k.what+" a name of its own")
		}
		for i, n := range b.root.list(k.list) {
			path := at(k.list, i)
			if k.below == "" {
				look(n, path)
				continue
			}
			for j, below := range n.list(k.below) {
				look(below, at(path+"."+k.below, j))
			}
		}
	}
}

// promote reads which versions go live.
func (b *builder) promote(n *node, path string) Promote {
	recipe := recipeName(n.string("serviceConfig", "recipeArn"))
	p := Promote{Policy: Always, Metric: firstMetric(recipe), Level: defaultLevel}
	said := n.get("workflowConfig", "promote")
	if said == nil {
		return p
	}
	policy := said.string("policy")
	if said.sort == text {
		policy = said.text
	}
	if policy != "" {
		p.Policy = Policy(policy)
	}
	if metric := said.get("metric"); metric != nil && metric.sort == text {
		p.Metric = metric.text
		if !slices.Contains(metrics(), metric.text) {
			b.warn(metric.place, path+".workflowConfig.promote.metric", fmt.Sprintf("%q is no metric that is known here", shorten(metric.text)), "known are: "+strings.Join(metrics(), ", "))
		}
	}
	if x, ok := said.float("threshold"); ok {
		p.Threshold = x
	}
	if x, ok := said.float("level"); ok {
		p.Level = x
	}
	return p
}

// float is a number member.
func (n *node) float(path ...string) (float64, bool) {
	if n = n.get(path...); n == nil || n.sort != number {
		return 0, false
	}
	f, err := strconv.ParseFloat(n.text, 64)
	return f, err == nil
}

const (
	ranked   = "normalized_discounted_cumulative_gain_at_25"
	rising   = "trend_prediction_accuracy"
	segments = "hits_at_1_percent"
	actions  = "area_under_roc_curve"
)

// metrics are the metrics of versions that are known.
func metrics() []string {
	return append(spec.Metrics(), "average_rewards_at_k", rising, segments, "recall_at_1_percent", actions, "log_loss")
}

// firstMetric is the one that says most about a recipe.
func firstMetric(recipe string) string {
	for _, r := range spec.All() {
		if r.Name != recipe {
			continue
		}
		switch {
		case r.Algorithm == spec.Trending:
			return rising
		case r.Kind == spec.Segment:
			return segments
		case r.Kind == spec.Action:
			return actions
		}
	}
	return ranked
}
