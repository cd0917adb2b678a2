package resource

import (
	"encoding/json"
	"maps"
	"strconv"
)

// SolutionBody is the body of a Solution.
type SolutionBody struct {
	DatasetGroupArn          string          `json:"datasetGroupArn"`
	RecipeArn                string          `json:"recipeArn,omitempty"`
	EventType                string          `json:"eventType,omitempty"`
	PerformHPO               bool            `json:"performHPO"`
	PerformAutoML            bool            `json:"performAutoML"`
	PerformAutoTraining      *bool           `json:"performAutoTraining"` // true unless told otherwise; kept and shown, and nothing trains by itself yet
	PerformIncrementalUpdate bool            `json:"performIncrementalUpdate"`
	SolutionConfig           json.RawMessage `json:"solutionConfig,omitempty"` // as given
	FailureReason            string          `json:"failureReason,omitempty"`
	Tags                     []Tag           `json:"tags,omitempty"`
}

// The ways a version is trained.
const (
	TrainingFull      = "FULL"
	TrainingUpdate    = "UPDATE"
	TrainingAutomatic = "AUTOTRAIN" // shown by the service's own trainings, never asked for

	TrainingManual = "MANUAL" // trainingType of a version that somebody asked for
)

// SolutionVersionBody is the body of a SolutionVersion: what its solution asked
// for at the time, and, once ACTIVE, what was learned.
type SolutionVersionBody struct {
	VersionName              string             `json:"name,omitempty"` // as given; seldom
	SolutionArn              string             `json:"solutionArn"`
	DatasetGroupArn          string             `json:"datasetGroupArn"`
	RecipeArn                string             `json:"recipeArn"`
	EventType                string             `json:"eventType,omitempty"`
	PerformHPO               bool               `json:"performHPO"`
	PerformAutoML            bool               `json:"performAutoML"`
	PerformIncrementalUpdate bool               `json:"performIncrementalUpdate"`
	SolutionConfig           json.RawMessage    `json:"solutionConfig,omitempty"`
	TrainingMode             string             `json:"trainingMode"`
	TrainingType             string             `json:"trainingType"`
	TrainingHours            *float64           `json:"trainingHours,omitempty"` // only after success
	Metrics                  map[string]float64 `json:"metrics,omitempty"`       // keys as in GetSolutionMetrics
	Model                    string             `json:"model,omitempty"`         // artifact name
	Snapshot                 string             `json:"snapshot,omitempty"`      // artifact name of the data
	Digest                   string             `json:"digest,omitempty"`        // of the model
	FailureReason            string             `json:"failureReason,omitempty"`
	Tags                     []Tag              `json:"tags,omitempty"`
}

// SolutionConfig is what this server reads of a solution's configuration.
type SolutionConfig struct {
	EventValueThreshold             string            `json:"eventValueThreshold"`
	AlgorithmHyperParameters        map[string]string `json:"algorithmHyperParameters"`
	FeatureTransformationParameters map[string]string `json:"featureTransformationParameters"`
	EventsConfig                    *EventsConfig     `json:"eventsConfig"`
	OptimizationObjective           *Objective        `json:"optimizationObjective"`
	AutoTrainingConfig              *AutoTraining     `json:"autoTrainingConfig"`
}

// EventsConfig says which events count.
type EventsConfig struct {
	EventParametersList []EventParameters `json:"eventParametersList"`
}

// EventParameters says how events of one type count.
type EventParameters struct {
	EventType           string   `json:"eventType"`
	EventValueThreshold *float64 `json:"eventValueThreshold"`
	Weight              *float64 `json:"weight"`
}

// Objective is something to optimise beside relevance.
type Objective struct {
	ItemAttribute        string `json:"itemAttribute"`
	ObjectiveSensitivity string `json:"objectiveSensitivity"`
}

// AutoTraining says how often to train again.
type AutoTraining struct {
	SchedulingExpression string `json:"schedulingExpression"` // rate(7 days)
}

// Config reads the version's configuration; the zero value when none was given.
func (b SolutionVersionBody) Config() (SolutionConfig, error) { return readConfig(b.SolutionConfig) }

// Config reads the solution's configuration; the zero value when none was given.
func (b SolutionBody) Config() (SolutionConfig, error) { return readConfig(b.SolutionConfig) }

func readConfig(raw json.RawMessage) (c SolutionConfig, err error) {
	if len(raw) > 0 {
		err = json.Unmarshal(raw, &c)
	}
	return c, err
}

// Parameters gives the hyper-parameters as the customer set them, those of the
// algorithm and those of the feature transformation together; what is not set
// is left to the recipe.
func (b SolutionVersionBody) Parameters() map[string]string {
	c, err := b.Config()
	if err != nil { // checked before the row was written
		return nil
	}
	all := maps.Clone(c.AlgorithmHyperParameters)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, c.FeatureTransformationParameters)
	return all
}

// EventRule says which interactions to learn from: those of eventType (all
// when ""), compared without case, with a value of at least threshold (any, and
// none, when nil).
func (b SolutionVersionBody) EventRule() (eventType string, threshold *float64) {
	c, err := b.Config()
	if err != nil { // checked before the row was written
		return b.EventType, nil
	}
	return c.eventRule(b.EventType)
}

func (c SolutionConfig) eventRule(eventType string) (string, *float64) {
	if c.EventsConfig != nil && len(c.EventsConfig.EventParametersList) == 1 {
		p := c.EventsConfig.EventParametersList[0]
		return p.EventType, p.EventValueThreshold
	}
	if x, err := strconv.ParseFloat(c.EventValueThreshold, 64); err == nil {
		return eventType, &x
	}
	return eventType, nil
}
