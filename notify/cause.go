package notify

import (
	"encoding/json"
	"slices"

	"github.com/attune-io/attune"
)

const (
	// CauseHeader is the header in which a run says, in each request, what it is:
	// the JSON of a Cause.
	CauseHeader = "X-Attune-Cause"
	// MaxDepth is how many runs may follow from one another.
	MaxDepth = 8
	// maxCauseName bounds the names in a cause, in bytes.
	maxCauseName = 128
)

// Cause is what something was done for: a run, and the runs that led to it as far
// as they are known. It travels with the run's requests into the rows that they
// change, and from there into the events that tell of those, so that a circle of
// triggers is seen.
type Cause struct {
	Run     string   // id of the run
	Depth   int      // 1 for a run that nothing of ours led to
	Configs []string // the configurations of the chain, the run's own last
}

// ParseCause reads the text of a header or a row; ok is false when it is none.
func ParseCause(text string) (c Cause, ok bool) {
	if text == "" || json.Unmarshal([]byte(text), &c) != nil {
		return Cause{}, false
	}
	ok = c.Run != "" && len(c.Run) <= maxCauseName && c.Depth >= 1 && len(c.Configs) >= 1 && len(c.Configs) <= MaxDepth+1
	for _, name := range c.Configs {
		ok = ok && len(name) <= maxCauseName
	}
	return c, ok
}

// String is the JSON that ParseCause reads.
func (c Cause) String() string {
	text, _ := json.Marshal(c) // texts and a number are always written
	return string(text)
}

// CauseOf reads which run an event comes from: Cause in its detail.
func CauseOf(e Event) (Cause, bool) {
	var d struct{ Cause json.RawMessage }
	if json.Unmarshal(e.Detail, &d) != nil {
		return Cause{}, false
	}
	return ParseCause(string(d.Cause))
}

// next is the cause of a run of a configuration that an event of the chain c leads
// to; c is zero when no run does. The error is attune.InUse when that would be a
// circle, or the chain is too long; it says which.
func (c Cause) next(event, config string) (Cause, error) {
	if slices.Contains(c.Configs, config) {
		return Cause{}, attune.Errorf(attune.InUse, "a circle: event %s comes from run %s of %v, and would start %s again; let the rule's pattern leave out what that run does",
			event, c.Run, c.Configs, config)
	}
	if c.Depth >= MaxDepth {
		return Cause{}, attune.Errorf(attune.InUse, "%d runs led to event %s one after another (%v): no more follow, in case they never end", c.Depth, event, c.Configs)
	}
	return Cause{Depth: c.Depth + 1, Configs: append(slices.Clone(c.Configs), config)}, nil
}
