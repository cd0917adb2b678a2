package plan

import (
	"encoding/json"
	"time"

	"github.com/attune-io/attune/maintain/config"
)

// Kind is the sort of thing that a step is about.
type Kind string

// The kinds, in the words of messages.
const (
	DatasetGroup   Kind = "dataset group"
	Schema         Kind = "schema"
	Dataset        Kind = "dataset"
	Import         Kind = "dataset import job"
	EventTracker   Kind = "event tracker"
	Filter         Kind = "filter"
	Solution       Kind = "solution"
	Version        Kind = "solution version"
	Campaign       Kind = "campaign"
	Recommender    Kind = "recommender"
	BatchInference Kind = "batch inference job"
	BatchSegment   Kind = "batch segment job"
	// Attribution is never declared; it is named where all of a group is deleted.
	Attribution Kind = "metric attribution"
)

// Step is one thing that must be so. It is data, and may be carried through a
// workflow; what it needs to know of others comes as Results when it is taken.
type Step struct {
	Path   string          `json:"path"` // in the configuration, unique in a list of steps: solutions[0].campaigns[1]
	Kind   Kind            `json:"kind"`
	Name   string          `json:"name"`             // of the resource; of a version or a job the one it is made under, so that it is found again
	Call   json.RawMessage `json:"call,omitempty"`   // members of the create call that the configuration gives
	Needs  []string        `json:"needs,omitempty"`  // paths of the steps that must be done before; the nearest parents
	MaxAge time.Duration   `json:"maxAge,omitempty"` // of imports, versions and jobs: an older one is out of date; 0: none ever is
	// Initial has members of the create call that are no declaration: they are given
	// to a new resource where Call is silent, and never compared.
	Initial json.RawMessage `json:"initial,omitempty"`
	// Use says which members are the ARN of what another step is about: member → path of
	// that step. Where the list has no such step, datasetGroupArn is Group's.
	Use      map[string]string `json:"use,omitempty"`
	Group    string            `json:"group,omitempty"`    // name of the dataset group that all of it is in
	Solution string            `json:"solution,omitempty"` // of versions, campaigns and batch jobs: the declared name of their solution
	Delete   bool              `json:"delete,omitempty"`   // it must not be so, rather
	Source   string            `json:"source,omitempty"`   // of imports: the folder of the configuration, s3://bucket/folder; of batch jobs: that of their input
	Type     string            `json:"type,omitempty"`     // of datasets and imports: interactions, users, …
	Promote  *config.Promote   `json:"promote,omitempty"`  // of campaigns: which new versions go live; nil: every one
}

// Result is what a step came to.
type Result struct {
	Path   string `json:"path"`
	Action Action `json:"action"` // the last that changed anything, or Keep or Skip
	ARN    string `json:"arn,omitempty"`
	Status string `json:"status,omitempty"` // in the wire's words, when last seen
	Done   bool   `json:"done"`             // false: what was begun is on its way; take the step again later
	Note   string `json:"note,omitempty"`   // why: one sentence for people
	Diffs  []Diff `json:"diffs,omitempty"`
	// Took is how long the service says that it took, from creation to the last change; 0 when unknown.
	Took time.Duration `json:"took,omitempty"`
}

// Diff is a member that is not as it was declared.
type Diff struct {
	Member string `json:"member"` // e.g. solutionConfig.eventValueThreshold
	Want   string `json:"want"`   // JSON; "" when absent
	Have   string `json:"have"`
}

// Action is what a step does, or would do.
type Action string

// The actions.
const (
	Create  Action = "create"
	Update  Action = "update"
	Replace Action = "replace" // under a new name, and only when asked to
	Keep    Action = "keep"    // as declared and up to date
	Wait    Action = "wait"    // on its way already
	Skip    Action = "skip"    // nothing to do it with: no file to import
	Refuse  Action = "refuse"  // a new version stays out of its campaign: it is worse
	Blocked Action = "blocked" // differs in what cannot be changed
	Delete  Action = "delete"
)
