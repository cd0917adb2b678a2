package recipe

import (
	"fmt"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
)

// checkSize refuses what is too small to learn from, in the service's words.
func (f *fit) checkSize() error {
	if f.events.Len() < f.Least.Interactions {
		return attune.Errorf(attune.Invalid, "Dataset has fewer than %d interactions%s", f.Least.Interactions, filtered(f.Rules))
	}
	all, users := 0, 0
	f.events.ByUser(func(_ int32, from, to int) {
		all++
		if to-from >= 2 {
			users++
		}
	})
	if users < f.Least.Users {
		return attune.Errorf(attune.Invalid, "Dataset has fewer than %d users with at least 2 interactions each.", f.Least.Users)
	}
	if float64(users) < f.Least.UserShare*float64(all) {
		return attune.Errorf(attune.Invalid, "Dataset has fewer than %g %% of users with at least 2 interactions each.", 100*f.Least.UserShare)
	}
	return nil
}

// filtered tells which events count: " after filtering by event type: Buy".
func filtered(rules model.EventRules) string {
	out := ""
	for i, r := range rules {
		switch {
		case i > 0:
			out += ", " + r.Type
		case r.Type != "":
			out = " after filtering by event type: " + r.Type
		case r.Threshold != nil:
			out = " after filtering"
		}
		if r.Threshold != nil {
			out += fmt.Sprintf(" by event value threshold: %g", *r.Threshold)
		}
	}
	return out
}
