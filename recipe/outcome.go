package recipe

import (
	"math"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/model"
)

// occurred is the events that count under a solution's rules, with their
// weights, and the negative outcomes among all, in the same order. No negative
// outcome counts, whatever the rules say of its type, nor does what its user had
// done with the item until then: see model.Refusals.
//
// That is done before anything is held out: what was returned after all is no
// right answer. It also means that a training part has forgotten what was taken
// back while the rest was held out.
func occurred(e dataset.Events, rules model.EventRules, negative model.Outcomes) (counts, against dataset.Events) {
	if len(negative) == 0 {
		return counting(e, rules), dataset.Events{}
	}
	of := make([]model.Outcome, len(e.Types))
	for i, t := range e.Types {
		of[i] = negative.For(t)
	}
	is := func(i int) bool { return of[e.Type[i]].Is(e.Value[i]) }
	keep, refused := make([]bool, e.Len()), model.Refusals{}
	e.ByUser(func(_ int32, from, to int) {
		clear(refused)
		for i := from; i < to; i++ {
			if is(i) {
				refused.Add(e.Item[i], e.At[i])
			}
		}
		for i := from; i < to; i++ {
			keep[i] = !is(i) && refused.Allows(e.Item[i], e.At[i])
		}
	})
	return counting(e.Where(func(i int) bool { return keep[i] }), rules), e.Where(is)
}

// leaveRefused makes what a case's user had refused before the held-out part
// unrecommendable, as serving does.
func leaveRefused(scores []float32, against dataset.Events, c dataset.Case) {
	if against.Len() == 0 || c.Held.Len() == 0 {
		return
	}
	mine, refused := against.Of(c.User), model.Refusals{}
	for i, item := range mine.Item {
		if mine.At[i] < c.Held.At[0] {
			refused.Add(item, mine.At[i])
		}
	}
	if len(refused) == 0 {
		return
	}
	for i, item := range c.Input.Item {
		refused.Allows(item, c.Input.At[i])
	}
	for item := range refused {
		scores[item] = float32(math.Inf(-1))
	}
}

// refusedIn is the negative outcomes in the rows of another model, without those
// of items that it does not know.
func (f *fit) refusedIn(rows map[string]int32) dataset.Events {
	known := f.negative.Where(func(i int) bool {
		_, ok := rows[f.Snapshot.Items.ID(f.negative.Item[i])]
		return ok
	})
	for i, item := range known.Item { // its own: Where has copied
		known.Item[i] = rows[f.Snapshot.Items.ID(item)]
	}
	return known
}
