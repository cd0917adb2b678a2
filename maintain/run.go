package maintain

import (
	"time"

	"github.com/attune-io/attune/maintain/plan"
)

// RunStatus is where a run stands.
type RunStatus string

// The statuses of a run. Only Running can change.
const (
	Running   RunStatus = "RUNNING"
	Succeeded RunStatus = "SUCCEEDED"
	Failed    RunStatus = "FAILED"
	Cancelled RunStatus = "CANCELLED"
)

// StepStatus is where a step of a run stands.
type StepStatus string

// The statuses of a step.
const (
	StepWaiting   StepStatus = "WAITING" // for the steps that it needs
	StepRunning   StepStatus = "RUNNING" // it was looked at, and is looked at again
	StepDone      StepStatus = "DONE"
	StepFailed    StepStatus = "FAILED"
	StepCancelled StepStatus = "CANCELLED" // while it ran; what it began goes on
	StepLeft      StepStatus = "LEFT"      // never begun: the run ended before
)

// Cause says what started a run. A cause with an ID starts one run only,
// however often it is told.
type Cause struct {
	Kind string `json:"kind"`         // one of the causes below
	ID   string `json:"id,omitempty"` // e.g. of the event; "" for a person, who may ask again
}

// The causes.
const (
	ByHand     = "command"
	BySchedule = "schedule" // ID: the task and the time that it was due at
	ByEvent    = "event"    // ID: of the event
	ByObject   = "object"   // ID: bucket, key and etag of a configuration that was dropped
	ByWebhook  = "webhook"
)

// Run is one piece of work on a configuration, from its start to its end.
type Run struct {
	ID            string       `json:"id"`
	Configuration string       `json:"configuration"` // name of the dataset group
	Version       int          `json:"version"`       // of the configuration
	Purpose       plan.Purpose `json:"purpose"`
	Solution      string       `json:"solution,omitempty"` // of runs for one solution
	Job           string       `json:"job,omitempty"`      // path of the one batch job that it is for
	BaseDate      string       `json:"baseDate,omitempty"` // yyyymmdd; of runs that follow a load of data
	Cause         Cause        `json:"cause"`
	Replace       bool         `json:"replace,omitempty"` // what cannot be changed is made anew under another name
	Status        RunStatus    `json:"status"`
	Started       time.Time    `json:"started"`
	Ended         time.Time    `json:"ended,omitzero"`
	Error         string       `json:"error,omitempty"` // the reasons, one a line
	Steps         []RunStep    `json:"steps,omitempty"` // in order; only DescribeRun has them

	chain    string // the runs that led to it and it, as notify.Cause is written
	workflow string // id of the Temporal workflow that works on it
	told     bool   // its end was announced
}

// RunStep is a step of a run and how far it is.
type RunStep struct {
	plan.Result
	Kind     plan.Kind  `json:"kind"`
	Name     string     `json:"name"`
	State    StepStatus `json:"state"`
	Attempts int        `json:"attempts"`          // looks so far
	Error    string     `json:"error,omitempty"`   // of a failed step; else of the last look, when it failed in passing
	Began    time.Time  `json:"began,omitzero"`    // first look
	Ended    time.Time  `json:"ended,omitzero"`    // done or failed
	Next     time.Time  `json:"next,omitzero"`     // when it is looked at again
	Patience Patience   `json:"patience,omitzero"` // what was waited so far

	step plan.Step
}

// have are what the steps of a run came to so far, by path.
func (r *Run) have() map[string]plan.Result {
	have := make(map[string]plan.Result, len(r.Steps))
	for i := range r.Steps {
		if t := &r.Steps[i]; t.State == StepDone || t.Action != "" {
			have[t.Path] = t.Result
		}
	}
	return have
}

// at finds a step; nil when there is none.
func (r *Run) at(path string) *RunStep {
	for i := range r.Steps {
		if r.Steps[i].Path == path {
			return &r.Steps[i]
		}
	}
	return nil
}

// Patience is how long a step has waited, in the pauses between looks: not by
// the clock, so that a process that was down uses up none.
type Patience struct {
	Pending  time.Duration `json:"pending,omitempty"`  // for what the service is doing
	Pendings int           `json:"pendings,omitempty"` // pauses of it
	Trouble  time.Duration `json:"trouble,omitempty"`  // for a service that could not be asked, since it last could
	Troubles int           `json:"troubles,omitempty"`
}

// Configuration is one version of what is to be.
type Configuration struct {
	Name    string    `json:"name"`    // of the dataset group
	Version int       `json:"version"` // from 1
	File    string    `json:"file,omitempty"`
	Source  string    `json:"source,omitempty"` // folder of its data, s3://bucket/folder; "" when none was given
	By      string    `json:"by"`               // what put it, as a Cause's kind, with the id behind a space
	At      time.Time `json:"at"`
	Text    string    `json:"text,omitempty"` // lists leave it out
}

const (
	// maxRunsPage bounds a page of runs, of configurations or of what is measured.
	maxRunsPage = 100
	// runsKept is how many ended runs of one configuration stay: years of daily
	// ones. What was deployed, measured and refreshed by date stays for ever.
	runsKept = 2000
	// versionsKept is how many versions of one configuration stay.
	versionsKept = 500
	// maxText bounds the text of a configuration, in bytes.
	maxText = 1 << 20
	// maxReason bounds the error of a step, in bytes: services quote much.
	maxReason = 4 << 10
	// maxReasons bounds the error of a run and what its notice lists, in bytes: an
	// event has 256 KiB at most, and JSON may write a byte as six.
	maxReasons = 16 << 10
)
