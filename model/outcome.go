package model

import "strings"

// Outcome is a type of interactions that tell against their item: a dislike, a
// return, a low rating.
type Outcome struct {
	Type  string   `json:"type"`            // event type, matched without case
	Below *float64 `json:"below,omitempty"` // only events with a value < below; nil for all
}

// Is says whether an event of the type, with this value, is one. A value that is
// absent (NaN) is below nothing, and thresholds are rounded as values were. The
// zero Outcome is none.
func (o Outcome) Is(value float32) bool {
	return o.Type != "" && (o.Below == nil || value < float32(*o.Below))
}

// Outcomes are the negative outcomes of a solution, one for each event type.
type Outcomes []Outcome

// For is the one of an event type; the zero value where it is never negative.
func (os Outcomes) For(eventType string) Outcome {
	for _, o := range os {
		if strings.EqualFold(o.Type, eventType) {
			return o
		}
	}
	return Outcome{}
}

// Refusals are what negative outcomes say of one user's items: the time of the
// newest by item. The rule, in training and when serving, is that a negative
// outcome takes away what the user did with the item until then, that moment
// included. What they do with it later counts again, and ends the refusal.
type Refusals map[int32]int64

// Add notes a negative outcome, in any order.
func (r Refusals) Add(item int32, at int64) {
	if newest, ok := r[item]; ok {
		at = max(at, newest)
	}
	r[item] = at
}

// Allows says whether something that the user did counts, once all negative
// outcomes are noted. It is to be asked in the order of time: what counts ends
// the refusal, so that in the end r holds the items that stand refused.
func (r Refusals) Allows(item int32, at int64) bool {
	newest, refused := r[item]
	if refused && at <= newest {
		return false
	}
	delete(r, item)
	return true
}
