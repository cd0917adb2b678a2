package double

import (
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/attune-io/attune"
)

const (
	// maxRules bounds a script: every request is held against each rule.
	maxRules = 100
	// maxWait bounds the latency of one rule: clients give up before.
	maxWait = 5 * time.Minute
	// maxText bounds the texts of a rule, in bytes.
	maxText = 1000
)

// Script is what shall go wrong.
type Script struct {
	Seed  uint64 `json:"seed,omitempty"` // of everything that is drawn: same seed and requests, same faults
	Rules []Rule `json:"rules"`
}

// Rule says which requests something befalls, and what. Of the rules that a
// request meets, the first that fires decides; the others do not count it.
type Rule struct {
	Operation string `json:"operation"`          // as published; * and ? stand for letters: Get*
	Resource  string `json:"resource,omitempty"` // an ARN or id in the request, * and ? likewise; "" for any

	// When, of the requests met. At most one of the first three; none means always.
	Probability float64   `json:"probability,omitempty"` // of each, 0 to 1
	Every       int       `json:"every,omitempty"`       // the n-th, the 2n-th …
	Next        int       `json:"next,omitempty"`        // the first n from now on
	Times       int       `json:"times,omitempty"`       // it fires so often and no more; 0 for no bound
	Until       time.Time `json:"until,omitzero"`        // by the node's clock; it does not fire from then on

	// What. LatencyMS may stand alone or before one of the others.
	LatencyMS int        `json:"latencyMs,omitempty"` // waits so long first
	JitterMS  int        `json:"jitterMs,omitempty"`  // and up to so much longer
	Throttle  bool       `json:"throttle,omitempty"`  // ThrottlingException
	Error     *Exception `json:"error,omitempty"`     // any exception
	Drop      bool       `json:"drop,omitempty"`      // the connection is cut, nothing is answered
	FailJob   string     `json:"failJob,omitempty"`   // of a Create…: what is made ends CREATE FAILED, for this reason

	Met   int `json:"met"`   // requests so far; not read
	Fired int `json:"fired"` // of those; not read
}

// Exception is an answer that an operation gives instead of its own.
type Exception struct {
	Name    string `json:"name"`    // e.g. InternalFailure
	Status  int    `json:"status"`  // HTTP, 400 to 599
	Message string `json:"message"` // "" for a sentence that names the script
}

// Fault is what befalls a request; the zero value is nothing.
type Fault struct {
	Wait     time.Duration
	Throttle bool
	Error    *Exception
	Drop     bool
	FailJob  string
}

// Faults holds one script at a time. A restart forgets it. It is safe for
// concurrent use.
type Faults struct {
	clock attune.Clock

	mu    sync.Mutex
	seed  uint64
	rules []Rule
	draws []*rand.Rand // one for each rule, so that rules do not shift each other's chance
}

// NewFaults makes a holder without a script.
func NewFaults(clock attune.Clock) *Faults { return &Faults{clock: clock} }

// Set replaces the script and begins to count anew. A script that cannot be
// meant is attune.Invalid, and the old one stays.
func (f *Faults) Set(s Script) error {
	if len(s.Rules) > maxRules {
		return attune.Errorf(attune.Invalid, "the script has %d rules: it can have %d", len(s.Rules), maxRules)
	}
	rules := slices.Clone(s.Rules)
	draws := make([]*rand.Rand, len(rules))
	for i := range rules {
		if err := rules[i].check(); err != nil {
			return attune.Errorf(attune.Invalid, "rule %d: %w", i+1, err)
		}
		rules[i].Met, rules[i].Fired = 0, 0
		draws[i] = rand.New(rand.NewPCG(s.Seed, uint64(i))) //nolint:gosec // chance that can be repeated is what is asked for
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seed, f.rules, f.draws = s.Seed, rules, draws
	return nil
}

// Script gives the script with what its rules have met and done so far.
func (f *Faults) Script() Script {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Script{Seed: f.seed, Rules: append([]Rule{}, f.rules...)}
}

// Clear takes the script away.
func (f *Faults) Clear() { _ = f.Set(Script{}) } // an empty script is good

// Next tells what befalls a request for an operation that names things.
func (f *Faults) Next(operation string, names []string) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.rules {
		r := &f.rules[i]
		if !r.meets(operation, names) || !r.Until.IsZero() && !f.clock().Before(r.Until) || r.Times > 0 && r.Fired >= r.Times {
			continue
		}
		r.Met++
		if !r.fires(f.draws[i]) {
			continue
		}
		r.Fired++
		fault := Fault{Wait: time.Duration(r.LatencyMS) * time.Millisecond, Throttle: r.Throttle, Error: r.Error, Drop: r.Drop, FailJob: r.FailJob}
		if r.JitterMS > 0 {
			fault.Wait += time.Duration(f.draws[i].Int64N(int64(r.JitterMS)*int64(time.Millisecond) + 1))
		}
		return fault
	}
	return Fault{}
}

// meets says whether a request is one of those the rule is about.
func (r *Rule) meets(operation string, names []string) bool {
	if ok, _ := path.Match(r.Operation, operation); !ok {
		return false
	}
	return r.Resource == "" || slices.ContainsFunc(names, func(n string) bool { return like(r.Resource, n) })
}

// like matches an ARN, whose slashes are letters as any other.
func like(pattern, name string) bool {
	flat := strings.NewReplacer("/", "\x00")
	ok, _ := path.Match(flat.Replace(pattern), flat.Replace(name))
	return ok
}

// fires says whether it is this request's turn; Met counts it already.
func (r *Rule) fires(draw *rand.Rand) bool {
	switch {
	case r.Probability > 0:
		return draw.Float64() < r.Probability
	case r.Every > 0:
		return r.Met%r.Every == 0
	case r.Next > 0:
		return r.Met <= r.Next
	}
	return true
}

// check refuses a rule that cannot be meant.
func (r *Rule) check() error {
	_, bad := path.Match(r.Operation, "")
	_, badResource := path.Match(r.Resource, "")
	switch {
	case r.Operation == "" || bad != nil || badResource != nil || len(r.Operation) > maxText || len(r.Resource) > maxText:
		return attune.Errorf(attune.Invalid, "operation %q, resource %q: name an operation, e.g. GetRecommendations or Get*, and an ARN or nothing", r.Operation, r.Resource)
	case count(r.Probability != 0, r.Every != 0, r.Next != 0) > 1:
		return attune.Errorf(attune.Invalid, "probability, every and next say when in three ways: give one of them, or none for always")
	case !(r.Probability >= 0 && r.Probability <= 1) || r.Every < 0 || r.Next < 0 || r.Times < 0:
		return attune.Errorf(attune.Invalid, "probability is a number from 0 to 1; every, next and times are not negative")
	case r.LatencyMS < 0 || r.JitterMS < 0 || time.Duration(r.LatencyMS)*time.Millisecond > maxWait || time.Duration(r.JitterMS)*time.Millisecond > maxWait:
		return attune.Errorf(attune.Invalid, "latencyMs and jitterMs are each from 0 to %d", maxWait.Milliseconds())
	}
	return r.checkAction()
}

func (r *Rule) checkAction() error {
	actions := count(r.Throttle, r.Error != nil, r.Drop, r.FailJob != "")
	switch e := r.Error; {
	case actions > 1:
		return attune.Errorf(attune.Invalid, "throttle, error, drop and failJob: one rule does one of them")
	case actions == 0 && r.LatencyMS == 0 && r.JitterMS == 0:
		return attune.Errorf(attune.Invalid, "it does nothing: give throttle, error, drop, failJob or latencyMs")
	case e != nil && (e.Name == "" || e.Status < 400 || e.Status > 599 || len(e.Name)+len(e.Message) > maxText):
		return attune.Errorf(attune.Invalid, "an error has a name and a status from 400 to 599, such as InternalFailure and 500")
	case r.FailJob != "" && (!strings.HasPrefix(r.Operation, "Create") || len(r.FailJob) > maxText):
		return attune.Errorf(attune.Invalid, "failJob is for operations that begin with Create, and is a short reason")
	}
	return nil
}

func count(yes ...bool) (n int) {
	for _, y := range yes {
		if y {
			n++
		}
	}
	return n
}
