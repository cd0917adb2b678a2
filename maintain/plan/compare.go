package plan

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// later stands for an ARN that is known when the step of that path is done.
type later string

// knownAfter begins what is shown of it.
const knownAfter = "(known after "

func (l later) String() string { return knownAfter + string(l) + ")" }

// compare gives what is not as it was declared, by member. Only what is given
// counts, to any depth: the service fills in the rest. Nothing, false, 0, ""
// and empty lists and objects are one and the same.
func compare(want, have map[string]any) []Diff { return compareAt("", want, have) }

func compareAt(at string, want, have map[string]any) []Diff {
	var diffs []Diff
	for _, name := range slices.Sorted(maps.Keys(want)) {
		w, h := want[name], have[name]
		wo, object := w.(map[string]any)
		ho, alike := h.(map[string]any)
		switch {
		case empty(w) && empty(h):
		case object && (alike || h == nil):
			diffs = append(diffs, compareAt(at+name+".", wo, ho)...)
		case !equal(w, h):
			diffs = append(diffs, Diff{Member: at + name, Want: jsonText(w), Have: jsonText(h)})
		}
	}
	return diffs
}

// equal holds two values that are not both objects against each other. The
// objects in a list are compared as any others.
func equal(w, h any) bool {
	wl, ok := w.([]any)
	hl, also := h.([]any)
	if !ok || !also {
		return reflect.DeepEqual(w, h)
	}
	return len(wl) == len(hl) && !slices.ContainsFunc(seq(len(wl)), func(i int) bool {
		wo, object := wl[i].(map[string]any)
		ho, alike := hl[i].(map[string]any)
		if object && alike {
			return len(compareAt("", wo, ho)) > 0
		}
		return !equal(wl[i], hl[i])
	})
}

func seq(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// empty says whether a value is the same as none.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case float64:
		return v == 0
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		for _, x := range v {
			if !empty(x) {
				return false
			}
		}
		return true
	}
	return false
}

// jsonText writes a value for people and machines; "" for none.
func jsonText(v any) string {
	if v == nil {
		return ""
	}
	if l, ok := v.(later); ok {
		return l.String()
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}

// within says whether a member is root or below it.
func within(member, root string) bool {
	return member == root || strings.HasPrefix(member, root+".")
}

// sameJSON says whether two texts are the same JSON, whatever its spaces and order.
func sameJSON(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	return reflect.DeepEqual(x, y)
}

// took is how long something was under way; 0 when that is not known.
func took(from, to time.Time) time.Duration {
	if from.IsZero() || to.Before(from) {
		return 0
	}
	return to.Sub(from)
}
