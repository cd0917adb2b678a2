package spec

import (
	"math"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
)

// ParamNegative is our own hyper-parameter that names the event types which tell
// against their item: "Dislike, Return, Rate<3". Whoever trains reads it, and no
// algorithm.
const ParamNegative = "negative_outcomes"

// outcomesAtMost is as many as eventsConfig has event types.
const outcomesAtMost = 10

// Outcome is an event type that tells against its item, mostly below a value.
type Outcome struct {
	Type  string
	Below *float64 // nil for every value, and none
}

// ReadOutcomes reads a value of ParamNegative; none of "". The error is attune.Invalid.
func ReadOutcomes(text string) ([]Outcome, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var out []Outcome
	named := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		name, below, valued := strings.Cut(part, "<")
		o := Outcome{Type: strings.TrimSpace(name)}
		if valued {
			x, err := strconv.ParseFloat(strings.TrimSpace(below), 64)
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, attune.Errorf(attune.Invalid, "hyper-parameter %s has %q: give a number after <, as in Rate<3", ParamNegative, strings.TrimSpace(part))
			}
			o.Below = &x
		}
		switch key := strings.ToLower(o.Type); {
		case key == "":
			return nil, attune.Errorf(attune.Invalid, "hyper-parameter %s is %q: give event types with commas between, as in Dislike, Rate<3", ParamNegative, text)
		case named[key]:
			return nil, attune.Errorf(attune.Invalid, "hyper-parameter %s names the event type %s twice (case does not matter): give it once", ParamNegative, o.Type)
		default:
			named[key] = true
		}
		out = append(out, o)
	}
	if len(out) > outcomesAtMost {
		return nil, attune.Errorf(attune.Invalid, "hyper-parameter %s names %d event types: at most %d are allowed", ParamNegative, len(out), outcomesAtMost)
	}
	return out, nil
}
