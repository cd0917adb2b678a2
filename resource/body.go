package resource

import (
	"encoding/json"
	"fmt"
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
	DatasetGroupArn string `json:"datasetGroupArn"`
	DatasetType     string `json:"datasetType"` // upper case, e.g. INTERACTIONS
	SchemaArn       string `json:"schemaArn"`
	FailureReason   string `json:"failureReason,omitempty"`
	Tags            []Tag  `json:"tags,omitempty"`
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
	Report                        *ImportReport `json:"report,omitempty"` // once ACTIVE
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
