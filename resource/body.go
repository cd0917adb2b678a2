package resource

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"time"
)

// Tag is a label that its owner gave.
type Tag struct {
	Key   string `json:"tagKey"`
	Value string `json:"tagValue"`
}

// DatasetGroupBody is the body of a DatasetGroup.
type DatasetGroupBody struct {
	RoleArn       string `json:"roleArn,omitempty"`
	KmsKeyArn     string `json:"kmsKeyArn,omitempty"`
	Domain        string `json:"domain,omitempty"`
	FailureReason string `json:"failureReason,omitempty"`
	Tags          []Tag  `json:"tags,omitempty"`
}

// SchemaBody is the body of a Schema.
type SchemaBody struct {
	Schema string `json:"schema"` // Avro JSON, exactly as given
	Domain string `json:"domain,omitempty"`
}

// DatasetBody is the body of a Dataset.
type DatasetBody struct {
	DatasetGroupArn string         `json:"datasetGroupArn"`
	DatasetType     string         `json:"datasetType"` // upper case, e.g. INTERACTIONS
	SchemaArn       string         `json:"schemaArn"`
	TrackingID      string         `json:"trackingId,omitempty"` // a UUID, of ACTION_INTERACTIONS: what PutActionInteractions names
	FailureReason   string         `json:"failureReason,omitempty"`
	LatestUpdate    *DatasetUpdate `json:"latestDatasetUpdate,omitempty"`
	Tags            []Tag          `json:"tags,omitempty"`
}

// DataSource is where an import reads.
type DataSource struct {
	DataLocation string `json:"dataLocation"` // s3://bucket/key: one file, or a prefix
}

// ImportJobBody is the body of an ImportJob.
type ImportJobBody struct {
	DatasetArn                    string        `json:"datasetArn"`
	DataSource                    DataSource    `json:"dataSource"`
	RoleArn                       string        `json:"roleArn,omitempty"`
	ImportMode                    string        `json:"importMode"` // FULL or INCREMENTAL
	PublishAttributionMetricsToS3 bool          `json:"publishAttributionMetricsToS3"`
	FailureReason                 string        `json:"failureReason,omitempty"`
	Report                        *ImportReport `json:"report,omitempty"` // once it was read
	Tags                          []Tag         `json:"tags,omitempty"`
}

// ImportReport says what became of the rows of an import.
type ImportReport struct {
	Rows        int64    `json:"rows"` // that are in the table now
	Rejected    int64    `json:"rejected"`
	RejectsFile string   `json:"rejectsFile,omitempty"` // artifact name; line, column and reason of the first ones
	Reasons     []string `json:"reasons,omitempty"`     // of the very first rejected rows, each a sentence
}

// String says it in a sentence: "3 of 1000 rows were rejected (0.3 %)".
func (r ImportReport) String() string {
	total := r.Rows + r.Rejected
	if total == 0 {
		return "the data had no rows"
	}
	return fmt.Sprintf("%d of %d rows were rejected (%.3g %%)", r.Rejected, total, 100*float64(r.Rejected)/float64(total))
}

// Note is what Describe shows as failureReason: why the job failed, or, when
// it went well but for a few rows, how many were left out. The wire's shape of
// an import job has no other member for words.
func (b ImportJobBody) Note() string {
	if b.FailureReason == "" && b.Report != nil && b.Report.Rejected > 0 {
		return b.Report.String()
	}
	return b.FailureReason
}

// EventTrackerBody is the body of an EventTracker.
type EventTrackerBody struct {
	DatasetGroupArn string `json:"datasetGroupArn"`
	TrackingID      string `json:"trackingId"` // a UUID; what PutEvents names
	FailureReason   string `json:"failureReason,omitempty"`
	Tags            []Tag  `json:"tags,omitempty"`
}

// CampaignBody is the body of a Campaign. Its own members are what is served;
// LatestUpdate holds what was asked for last, and is copied up when it is ACTIVE.
type CampaignBody struct {
	SolutionVersionArn string          `json:"solutionVersionArn"`
	MinProvisionedTPS  int             `json:"minProvisionedTPS"`
	CampaignConfig     json.RawMessage `json:"campaignConfig,omitempty"` // as given
	FailureReason      string          `json:"failureReason,omitempty"`
	LatestUpdate       *CampaignUpdate `json:"latestCampaignUpdate,omitempty"`
	Tags               []Tag           `json:"tags,omitempty"`
}

// CampaignUpdate is the last UpdateCampaign and how far it is. Its status uses
// the words of a creation.
type CampaignUpdate struct {
	SolutionVersionArn string          `json:"solutionVersionArn"`
	MinProvisionedTPS  int             `json:"minProvisionedTPS"`
	CampaignConfig     json.RawMessage `json:"campaignConfig,omitempty"`
	Status             Status          `json:"status"`
	FailureReason      string          `json:"failureReason,omitempty"`
	Created            time.Time       `json:"creationDateTime"`
	Updated            time.Time       `json:"lastUpdatedDateTime"`
}

// CampaignConfig is what this server reads of a campaign's configuration.
type CampaignConfig struct {
	ItemExplorationConfig             map[string]string  `json:"itemExplorationConfig"`
	EnableMetadataWithRecommendations bool               `json:"enableMetadataWithRecommendations"`
	SyncWithLatestSolutionVersion     bool               `json:"syncWithLatestSolutionVersion"`
	RankingInfluence                  map[string]float64 `json:"rankingInfluence"`
}

// Config reads the campaign's configuration; the zero value when none was given.
func (b CampaignBody) Config() (c CampaignConfig, err error) {
	if len(b.CampaignConfig) > 0 {
		err = json.Unmarshal(b.CampaignConfig, &c)
	}
	return c, err
}

// FilterBody is the body of a Filter.
type FilterBody struct {
	DatasetGroupArn  string `json:"datasetGroupArn"`
	FilterExpression string `json:"filterExpression"` // exactly as given
	FailureReason    string `json:"failureReason,omitempty"`
	Tags             []Tag  `json:"tags,omitempty"`
}

// SolutionBody is the body of a Solution.
type SolutionBody struct {
	DatasetGroupArn          string          `json:"datasetGroupArn"`
	RecipeArn                string          `json:"recipeArn,omitempty"`
	EventType                string          `json:"eventType,omitempty"`
	PerformHPO               bool            `json:"performHPO"`
	PerformAutoML            bool            `json:"performAutoML"`
	PerformAutoTraining      *bool           `json:"performAutoTraining"` // true unless told otherwise
	PerformIncrementalUpdate bool            `json:"performIncrementalUpdate"`
	SolutionConfig           json.RawMessage `json:"solutionConfig,omitempty"` // as given, and as updated since
	FailureReason            string          `json:"failureReason,omitempty"`
	AutoMLResult             *AutoMLResult   `json:"autoMLResult,omitempty"` // of the newest ACTIVE version
	LatestUpdate             *SolutionUpdate `json:"latestSolutionUpdate,omitempty"`
	Schedule                 *Schedule       `json:"schedule,omitempty"` // of automatic training, while it is on
	Tags                     []Tag           `json:"tags,omitempty"`
}

// The ways a version is trained.
const (
	TrainingFull      = "FULL"
	TrainingUpdate    = "UPDATE"
	TrainingAutomatic = "AUTOTRAIN" // shown by the service's own trainings, never asked for

	TypeManual    = "MANUAL"    // trainingType of a version that somebody asked for
	TypeAutomatic = "AUTOMATIC" // of one that the schedule asked for
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
	TrainingHours            *float64           `json:"trainingHours,omitempty"`  // only after success
	TunedHPOParams           *TunedParameters   `json:"tunedHPOParams,omitempty"` // after a search
	Metrics                  map[string]float64 `json:"metrics,omitempty"`        // keys as in GetSolutionMetrics
	Model                    string             `json:"model,omitempty"`          // artifact name
	Measured                 string             `json:"measured,omitempty"`       // artifact name of what the training's model was measured by, user by user
	Snapshot                 string             `json:"snapshot,omitempty"`       // artifact name of the data
	Digest                   string             `json:"digest,omitempty"`         // of the model
	Fresh                    *time.Time         `json:"fresh,omitempty"`          // the moment of the data, once the model was made anew without a training
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
	TrainingDataConfig              TrainingData      `json:"trainingDataConfig"`
	AutoTrainingConfig              *AutoTraining     `json:"autoTrainingConfig"`
	HpoConfig                       *HPOConfig        `json:"hpoConfig"`
	AutoMLConfig                    *AutoMLConfig     `json:"autoMLConfig"`
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

// Events says which interactions to learn from: those of the listed types
// (all when ""), compared without case, with a value of at least the threshold
// (any, and none, when nil), and how much each counts (1 when nil). An empty
// list means all interactions alike.
func (b SolutionVersionBody) Events() []EventParameters {
	c, err := b.Config()
	if err != nil { // checked before the row was written
		return nil
	}
	if c.EventsConfig != nil && len(c.EventsConfig.EventParametersList) > 0 {
		return c.EventsConfig.EventParametersList
	}
	one := EventParameters{EventType: b.EventType}
	if x, err := strconv.ParseFloat(c.EventValueThreshold, 64); err == nil {
		one.EventValueThreshold = &x
	}
	if one == (EventParameters{}) {
		return nil
	}
	return []EventParameters{one}
}
