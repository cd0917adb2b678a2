package model

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"
)

func TestEventRulesWeigh(t *testing.T) {
	none := float32(math.NaN())
	rules := EventRules{{Type: "Buy"}, {Type: "rate", Threshold: new(0.1), Weight: new(0.5)}, {Type: "RATE", Weight: new(0.9)}, {Type: "Skip", Weight: new(0.0)}}
	for _, c := range []struct {
		rules EventRules
		typ   string
		value float32
		want  float32
	}{
		{nil, "anything", none, 1},
		{rules, "buy", none, 1}, {rules, "Rate", 0.1, 0.5}, {rules, "Rate", 0.05, 0}, {rules, "Rate", none, 0},
		{rules, "Skip", 5, 0}, {rules, "View", 5, 0}, {rules, "", 5, 0},
		{EventRules{{Threshold: new(4.0)}}, "any", 4, 1}, {EventRules{{Threshold: new(4.0)}}, "any", 3.9, 0},
	} {
		if got := c.rules.For(c.typ).Weigh(c.value); got != c.want {
			t.Errorf("%v: %s of %g weighs %g, want %g", c.rules, c.typ, c.value, got, c.want)
		}
	}
	for _, c := range []struct {
		rules EventRules
		all   bool
	}{{nil, true}, {EventRules{{}}, true}, {rules, false}, {EventRules{{Threshold: new(1.0)}}, false}} {
		if c.rules.All() != c.all {
			t.Errorf("%v: all %v", c.rules, !c.all)
		}
	}
}

// Models of the time when a solution had one rule must keep reading, and their
// digests, which are taken over the manifest as it is written.
func TestEventRulesKeepOldBytes(t *testing.T) {
	for _, text := range []string{`{}`, `{"type":"watch"}`, `{"type":"watch","threshold":4}`, `{"threshold":0.5}`,
		`{"type":"watch","weight":0.5}`, `[{"type":"buy"},{"type":"watch","threshold":4,"weight":0.25}]`} {
		var rules EventRules
		if err := json.Unmarshal([]byte(text), &rules); err != nil {
			t.Fatal(err)
		}
		back, err := json.Marshal(rules)
		if err != nil || string(back) != text {
			t.Errorf("%s is written as %s, %v", text, back, err)
		}
		var again EventRules
		if err := json.Unmarshal(back, &again); err != nil || !reflect.DeepEqual(rules, again) {
			t.Errorf("%s: %v, then %v: %v", text, rules, again, err)
		}
	}
	if err := json.Unmarshal([]byte(`"all"`), new(EventRules)); err == nil {
		t.Error("a word was read as rules")
	}
}
