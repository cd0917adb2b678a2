package recipe

import (
	"cmp"
	"slices"
	"time"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/model"
)

// OutcomesOf are the outcomes of event types by their number.
func OutcomesOf(types []string) []schema.ActionOutcome {
	out := make([]schema.ActionOutcome, len(types))
	for i, t := range types {
		out[i] = schema.ActionEvent(t)
	}
	return out
}

// Offer is one time that an action was put before a user, and how it ended: the
// unit that propensities are learned from and measured on.
type Offer struct {
	User, Action int32
	At           int64 // of its first event, Unix milliseconds
	Taken        bool
}

// Offers reads offers out of the events with actions, oldest first. An offer
// begins with the first event of a user and an action, and ends when the action
// is taken, when it is turned down, or after the period; what is then viewed or
// done begins another. It counts as taken only if it was taken before it ended.
// So an offer that was viewed just now counts as not taken: propensities lean
// to the low side where decisions take long beside the time covered by the data.
func Offers(e dataset.Events, period time.Duration) []Offer {
	outcomes := OutcomesOf(e.Types)
	var all []Offer
	e.ByUser(func(user int32, from, to int) {
		open := map[int32]int{} // action → place in all
		for i := from; i < to; i++ {
			outcome, action := outcomes[e.Type[i]], e.Item[i]
			if outcome == schema.NoOutcome {
				continue
			}
			n, ok := open[action]
			if !ok || e.At[i]-all[n].At > period.Milliseconds() {
				n = len(all)
				all = append(all, Offer{User: user, Action: action, At: e.At[i]})
				open[action] = n
			}
			if outcome == schema.Viewed {
				continue
			}
			all[n].Taken = outcome == schema.Taken
			delete(open, action)
		}
	})
	slices.SortStableFunc(all, func(a, b Offer) int { return cmp.Compare(a.At, b.At) })
	return all
}

// ActionTouches are a user's events with actions as a query has them: Weight is
// 1 when the action was taken and 0 when it was viewed or turned down. Only
// events before the moment count. dst is used again.
func ActionTouches(dst []model.Touch, e dataset.Events, outcomes []schema.ActionOutcome, before int64) []model.Touch {
	dst = dst[:0]
	for i := range e.Len() {
		if e.At[i] >= before {
			break
		}
		if t, ok := ActionTouch(e.Item[i], outcomes[e.Type[i]], e.At[i]); ok {
			dst = append(dst, t)
		}
	}
	return dst
}
