package recipe

import (
	"fmt"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
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

// splitBytes is what the two splits hold of events: columns of both training
// parts, and of what counts, their context.
func splitBytes(e dataset.Events) int64 {
	const each, context = 22, 4
	return 2 * int64(each+context*len(e.Context)) * int64(e.Len())
}

func (f *fit) checkMemory() error {
	need := int64(0)
	for _, r := range append([]Recipe{f.Recipe}, f.Baselines...) {
		in := f.input(f.events)
		if r.Name() == f.Recipe.Name() {
			in.Params = f.Params
		}
		if s, ok := r.(Sizer); ok {
			need = max(need, s.Bytes(in))
		}
	}
	need += splitBytes(f.events)
	if need > f.Memory {
		return attune.Errorf(attune.Invalid, "training %s on %d users, %d items and %d interactions takes about %d MiB, more than the %d MiB allowed: lower hidden_dimension, filter events, or allow more",
			f.Recipe.Name(), f.Snapshot.Users.Len(), f.Snapshot.Items.Len(), f.events.Len(), need>>20, f.Memory>>20)
	}
	return nil
}
