package model

import (
	"bytes"
	"encoding/json"
	"strings"
)

// EventRule says which interactions a solution learns from, and how much each counts.
type EventRule struct {
	Type      string   `json:"type,omitempty"`      // event type, matched without case; "" for all
	Threshold *float64 `json:"threshold,omitempty"` // keep events with value >= threshold; nil for all
	Weight    *float64 `json:"weight,omitempty"`    // how much such an event counts, from 0 (not at all) to 1; nil for 1
}

// Weigh is how much an event with this value counts, 0 for not at all. A value
// that is absent (NaN) fails every threshold, and thresholds are rounded as
// values were: 0.1 as a float32 is not 0.1.
func (r EventRule) Weigh(value float32) float32 {
	switch {
	case r.Threshold != nil && !(value >= float32(*r.Threshold)):
		return 0
	case r.Weight != nil:
		return float32(max(0, *r.Weight))
	}
	return 1
}

// EventRules are the rules of a solution, one for each event type that counts;
// without any, every event counts as 1.
type EventRules []EventRule

// For is the rule for events of a type: the first that names it, or all types.
func (rs EventRules) For(eventType string) EventRule {
	if len(rs) == 0 {
		return EventRule{}
	}
	for _, r := range rs {
		if r.Type == "" || strings.EqualFold(r.Type, eventType) {
			return r
		}
	}
	return EventRule{Weight: new(0.0)} // nobody named the type: it does not count
}

// All says whether every event counts, and all alike.
func (rs EventRules) All() bool {
	for _, r := range rs {
		if r != (EventRule{}) {
			return false
		}
	}
	return len(rs) <= 1
}

// MarshalJSON writes one rule, or none, as an object and several as a list:
// models of the time when there was one rule keep their bytes and digests.
func (rs EventRules) MarshalJSON() ([]byte, error) {
	switch len(rs) {
	case 0:
		return json.Marshal(EventRule{})
	case 1:
		return json.Marshal(rs[0])
	}
	return json.Marshal([]EventRule(rs))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (rs *EventRules) UnmarshalJSON(raw []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
		return json.Unmarshal(raw, (*[]EventRule)(rs))
	}
	var one EventRule
	if err := json.Unmarshal(raw, &one); err != nil {
		return err
	}
	*rs = nil
	if one != (EventRule{}) {
		*rs = EventRules{one}
	}
	return nil
}
