package config

import (
	"encoding/json"
	"iter"
	"time"

	"github.com/attune-io/attune"
)

// Config is what is to be: one dataset group with everything in it. Its parts
// are in the order of the file.
type Config struct {
	Tags         []Tag // of everything that takes tags and names none of its own
	Group        Group
	Datasets     *Datasets // nil: the group's data is somebody else's business
	Tracker      *Resource // nil: none
	Filters      []Resource
	Recommenders []Resource
	Solutions    []Solution
	Warnings     []Problem // what is not wrong, but should be known
	file         string
}

// Tag is a key and a value that a resource is found by.
type Tag struct {
	Key   string `json:"tagKey"`
	Value string `json:"tagValue"`
}

// Resource is a thing with a name, and the members that its create call is to
// be given. What follows from the place in the file (ARNs of parents, roles) is
// not in Call; tags are, with the defaults.
type Resource struct {
	Path string          `json:"path"` // e.g. solutions[0].campaigns[1]
	Name string          `json:"name"` // "" of jobs, which are named when they are made
	Call json.RawMessage `json:"call"` // an object in the wire's words: the serviceConfig
}

// With is a call with more members, such as the ARNs of parents; they replace
// those of the same name. The error is attune.Invalid: call is no JSON object, or
// a value has no JSON.
func With(call json.RawMessage, more map[string]any) (json.RawMessage, error) {
	members := map[string]json.RawMessage{}
	if len(call) > 0 {
		if err := json.Unmarshal(call, &members); err != nil {
			return nil, attune.Errorf(attune.Invalid, "a call is no JSON object: %w", err)
		}
	}
	for name, value := range more {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, attune.Errorf(attune.Invalid, "member %s of a call has no JSON: %w", name, err)
		}
		members[name] = text
	}
	return json.Marshal(members)
}

// Group is the dataset group.
type Group struct {
	Resource
	MaxAge time.Duration // older imports are out of date when a newer file is there
	Import Schedule      // when to look for newer files
}

// Datasets are the group's, each with its schema; nil where the file has none.
type Datasets struct {
	Import             json.RawMessage // what every import job is given: importMode, publishAttributionMetricsToS3, tags
	Interactions       *Dataset
	Users              *Dataset
	Items              *Dataset
	Actions            *Dataset
	ActionInteractions *Dataset
}

// Dataset is one dataset and its schema.
type Dataset struct {
	Resource
	Schema Resource // Call has the schema as text, as the wire does
}

// All gives the datasets that the file has, in the order in which they are made,
// with their types in the wire's words: Interactions, Users, Items, Actions,
// Action_Interactions. Of a nil Datasets there are none.
func (d *Datasets) All() iter.Seq2[string, *Dataset] {
	return func(yield func(string, *Dataset) bool) {
		for _, k := range datasetKinds {
			if d == nil {
				return
			}
			if one := *d.slot(k.key); one != nil && !yield(k.wire, one) {
				return
			}
		}
	}
}

// Solution is one solution and what lives from its versions.
type Solution struct {
	Resource                  // Call without solutionVersion
	Version   json.RawMessage // trainingMode, tags
	Full      Schedule        // when to train from scratch
	Update    Schedule        // when to train on
	Promote   Promote         // which new versions go live
	Campaigns []Resource
	Inference []Batch
	Segments  []Batch
}

// Batch is a batch inference or batch segment job that is made again and again.
type Batch struct {
	Resource
	MaxAge   time.Duration // older jobs are out of date; 0: none was given
	Schedule Schedule
}

// Schedule is when something is done again.
type Schedule struct {
	Path string // where the file says so
	Text string // cron(…) or rate(…) as written; "" when the file says nothing, which leaves what is there
	Drop bool   // the file says delete: there shall be none
	at   place
}

// Promote says which new versions of a solution its campaigns follow.
type Promote struct {
	Policy    Policy  `json:"policy"`
	Metric    string  `json:"metric"`    // name of a solution metric
	Threshold float64 `json:"threshold"` // relative: how much worse is not worse yet, or how much better is better
	Level     float64 `json:"level"`     // of significance, e.g. 0.05
}

// Policy is the rule by which a new version goes live.
type Policy string

// The policies.
const (
	Always     Policy = "always"       // the default
	IfNotWorse Policy = "if-not-worse" // unless the metric is significantly lower than the live version's
	IfBetter   Policy = "if-better"    // only if the metric is significantly higher
)
