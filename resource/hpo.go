package resource

import (
	"slices"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/recipe/spec"
)

// HPOConfig is how hyper-parameters are to be searched for.
type HPOConfig struct {
	HpoObjective struct {
		Type       string `json:"type"` // Maximize, when "", or Minimize
		MetricName string `json:"metricName"`
	} `json:"hpoObjective"`
	HpoResourceConfig struct {
		MaxNumberOfTrainingJobs string `json:"maxNumberOfTrainingJobs"`
		MaxParallelTrainingJobs string `json:"maxParallelTrainingJobs"`
	} `json:"hpoResourceConfig"`
	AlgorithmHyperParameterRanges struct {
		Integer []struct {
			Name     string
			MinValue *float64
			MaxValue *float64
		} `json:"integerHyperParameterRanges"`
		Continuous []struct {
			Name     string
			MinValue *float64
			MaxValue *float64
		} `json:"continuousHyperParameterRanges"`
		Categorical []struct {
			Name   string
			Values []string
		} `json:"categoricalHyperParameterRanges"`
	} `json:"algorithmHyperParameterRanges"`
}

// AutoMLConfig is among which recipes to choose, by what.
type AutoMLConfig struct {
	MetricName string   `json:"metricName"`
	RecipeList []string `json:"recipeList"`
}

// Search is what performHPO asks for, checked and complete.
type Search struct {
	Ranges   []spec.Parameter // of tunable parameters, Min, Max and Values narrowed to what was asked for
	Jobs     int
	Metric   string // "" for the server's own choice
	Minimize bool
}

const (
	// maxJobs and maxParallel are published; the parameters of one version are
	// tried one after the other, since a training uses all processors.
	maxJobs, maxParallel = 40, 10
	// defaultJobs are made when nobody says how many.
	defaultJobs = 10
)

// search reads and checks what performHPO asks for. Without ranges, all tunable
// parameters of the recipe are searched in their whole ranges.
func (c SolutionConfig) search(recipe spec.Recipe) (*Search, error) {
	h := c.HpoConfig
	if h == nil {
		h = new(HPOConfig)
	}
	s := &Search{Jobs: defaultJobs, Metric: h.HpoObjective.MetricName}
	var err error
	if s.Jobs, err = count("maxNumberOfTrainingJobs", h.HpoResourceConfig.MaxNumberOfTrainingJobs, defaultJobs, maxJobs); err != nil {
		return nil, err
	}
	if _, err = count("maxParallelTrainingJobs", h.HpoResourceConfig.MaxParallelTrainingJobs, 1, maxParallel); err != nil {
		return nil, err
	}
	switch t := h.HpoObjective.Type; {
	case t == "" || strings.EqualFold(t, "Maximize"):
	case strings.EqualFold(t, "Minimize"):
		s.Minimize = true
	default:
		return nil, attune.Errorf(attune.Invalid, "hpoObjective has the type %q: give Maximize or Minimize", t)
	}
	if err := checkMetric("hpoObjective", s.Metric); err != nil {
		return nil, err
	}
	r := h.AlgorithmHyperParameterRanges
	for _, x := range r.Integer {
		if err := s.narrow(recipe, x.Name, spec.Integer, x.MinValue, x.MaxValue, nil); err != nil {
			return nil, err
		}
	}
	for _, x := range r.Continuous {
		if err := s.narrow(recipe, x.Name, spec.Continuous, x.MinValue, x.MaxValue, nil); err != nil {
			return nil, err
		}
	}
	for _, x := range r.Categorical {
		if err := s.narrow(recipe, x.Name, spec.Categorical, nil, nil, x.Values); err != nil {
			return nil, err
		}
	}
	if len(s.Ranges) > 0 {
		return s, nil
	}
	for _, p := range recipe.Parameters {
		if p.Tunable {
			s.Ranges = append(s.Ranges, p)
		}
	}
	if len(s.Ranges) == 0 {
		return nil, attune.Errorf(attune.Invalid, "performHPO has nothing to search for: %s has no tunable hyper-parameters", recipe.Name)
	}
	return s, nil
}

// narrow adds one range, which must be of a tunable parameter and lie in its range.
func (s *Search) narrow(recipe spec.Recipe, name string, t spec.ValueType, low, high *float64, values []string) error {
	i := slices.IndexFunc(recipe.Parameters, func(p spec.Parameter) bool { return p.Name == name })
	if i < 0 || !recipe.Parameters[i].Tunable {
		return attune.Errorf(attune.Invalid, "algorithmHyperParameterRanges has %q, which is not a tunable hyper-parameter of %s: DescribeAlgorithm lists those", name, recipe.Name)
	}
	p := recipe.Parameters[i]
	switch {
	case p.Type != t:
		return attune.Errorf(attune.Invalid, "algorithmHyperParameterRanges has %s among the %s ranges: it is %s", name, strings.ToLower(string(t)), strings.ToLower(string(p.Type)))
	case slices.ContainsFunc(s.Ranges, func(p spec.Parameter) bool { return p.Name == name }):
		return attune.Errorf(attune.Invalid, "algorithmHyperParameterRanges has %s twice: give one range", name)
	}
	if t == spec.Categorical {
		if len(values) > 0 {
			p.Values = values
		}
		for _, v := range p.Values {
			if err := recipe.Parameters[i].Check(v); err != nil {
				return err
			}
		}
		s.Ranges = append(s.Ranges, p)
		return nil
	}
	for _, end := range []struct{ of, given *float64 }{{&p.Min, low}, {&p.Max, high}} {
		if end.given == nil {
			continue
		}
		if err := recipe.Parameters[i].Check(strconv.FormatFloat(*end.given, 'f', -1, 64)); err != nil {
			return err
		}
		*end.of = *end.given
	}
	if p.Min > p.Max {
		return attune.Errorf(attune.Invalid, "algorithmHyperParameterRanges has %s from %g to %g: the first must not be greater", name, p.Min, p.Max)
	}
	s.Ranges = append(s.Ranges, p)
	return nil
}

// count reads a number that the wire has as text.
func count(member, text string, fallback, most int) (int, error) {
	if text == "" {
		return min(fallback, most), nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, attune.Errorf(attune.Invalid, "%s is %q: give a number from 1 to %d", member, text, most)
	}
	return n, nil
}

func checkMetric(member, name string) error {
	if name != "" && !slices.Contains(spec.Metrics(), name) {
		return attune.Errorf(attune.Invalid, "%s has the metricName %q: give one of %s", member, name, strings.Join(spec.Metrics(), ", "))
	}
	return nil
}

// Search is what the version is to search for; nil for nothing.
func (b SolutionVersionBody) Search(recipe spec.Recipe) *Search {
	c, err := b.Config()
	if err != nil || !b.PerformHPO {
		return nil
	}
	if b.PerformAutoML { // which looks at autoMLConfig alone
		c = SolutionConfig{AutoMLConfig: c.AutoMLConfig}
	}
	s, err := c.search(recipe)
	if err != nil { // checked before the row was written, or a contender without tunable parameters
		return nil
	}
	return s
}

// contenders are the recipes that AutoML chooses among: those listed, or every
// built recipe of the type USER_PERSONALIZATION for custom dataset groups.
func (c *AutoMLConfig) contenders() ([]spec.Recipe, error) {
	var all []spec.Recipe
	may := func(r spec.Recipe) bool {
		return r.Built && r.Type == "USER_PERSONALIZATION" && r.Domain == "" && !r.Legacy
	}
	for _, r := range spec.All() {
		if may(r) {
			all = append(all, r)
		}
	}
	if c == nil {
		return all, nil
	}
	if err := checkMetric("autoMLConfig", c.MetricName); err != nil {
		return nil, err
	}
	if len(c.RecipeList) == 0 {
		return all, nil
	}
	var listed []spec.Recipe
	for _, arn := range c.RecipeList {
		r, ok := spec.ByARN(arn)
		if !ok || !may(r) {
			return nil, attune.Errorf(attune.Invalid, "autoMLConfig lists %s: give recipes of type USER_PERSONALIZATION that this build has", arn)
		}
		listed = append(listed, r)
	}
	return listed, nil
}

// Contenders are the recipes that the version chooses among by AutoML, and by
// which metric; none when it has its recipe.
func (b SolutionVersionBody) Contenders() (recipes []spec.Recipe, metric string) {
	c, err := b.Config()
	if err != nil || !b.PerformAutoML {
		return nil, ""
	}
	if recipes, err = c.AutoMLConfig.contenders(); err != nil { // checked before the row was written
		return nil, ""
	}
	if c.AutoMLConfig != nil {
		metric = c.AutoMLConfig.MetricName
	}
	return recipes, metric
}

// checkObjective refuses an objective that the recipe cannot have, or that no
// numeric column of the group's Items dataset, of which s is the schema, has.
func checkObjective(o *Objective, recipe spec.Recipe, s *schema.Schema) error {
	if o.off() {
		return nil
	}
	if recipe.Scores != spec.ScoresSoftmax {
		return attune.Errorf(attune.Invalid, "optimizationObjective is for recipes that recommend or rank items for a user: leave it out for %s", recipe.Name)
	}
	if o.ItemAttribute == "" {
		return attune.Errorf(attune.Invalid, "optimizationObjective has no itemAttribute: name a numeric column of the Items dataset")
	}
	if s == nil {
		return attune.Errorf(attune.Invalid, "optimizationObjective is for the column %s, and the dataset group has no Items dataset: create one first", o.ItemAttribute)
	}
	f, ok := s.Field(o.ItemAttribute)
	if !ok || !f.Kind.Numeric() {
		return attune.Errorf(attune.Invalid, "optimizationObjective is for the column %s, which is not a numeric column of the Items dataset", o.ItemAttribute)
	}
	return nil
}

// off says whether there is nothing to optimise beside relevance.
func (o *Objective) off() bool {
	return o == nil || o.ObjectiveSensitivity == "" || o.ObjectiveSensitivity == "OFF"
}

// Objective is what the version optimises beside relevance; nil for nothing.
func (b SolutionVersionBody) Objective() *Objective {
	c, err := b.Config()
	if err != nil || b.PerformAutoML || c.OptimizationObjective.off() {
		return nil
	}
	return c.OptimizationObjective
}

// TunedParameters is what DescribeSolutionVersion shows of a search.
type TunedParameters struct {
	AlgorithmHyperParameters map[string]string `json:"algorithmHyperParameters"`
}

// AutoMLResult is what DescribeSolution shows of AutoML.
type AutoMLResult struct {
	BestRecipeArn string `json:"bestRecipeArn"`
}
