package session

import (
	"context"

	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

const (
	// sessionAtMost is where long histories are cut: what stands further apart
	// has hardly a vote.
	sessionAtMost = 50
	// eventsAtMost is how many events are kept, of the newest sessions: 80 MB,
	// and again as much to look them up.
	eventsAtMost = 20_000_000
	// fetched is how many sessions ahead are brought near.
	fetched = 8
	// sessionsAtOnce is after how many sessions progress is told and the context asked.
	sessionsAtOnce = 1 << 16
	// secondsOfEvent is what Seconds reckons with.
	secondsOfEvent = 1e-7
)

// Train puts sessions in order of time. One of a single event is no help: it has
// nothing else to vote for.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	p, err := resolve(in)
	if err != nil {
		return nil, err
	}
	in.Report(0, 1+in.Events.Len())
	spans := recipe.Sessions(in.Events, int64(p.gap*60_000), sessionAtMost)
	first, n := len(spans), 0
	for ; first > 0 && n <= eventsAtMost-sessionAtMost; first-- {
		n += spans[first-1].To - spans[first-1].From
	}
	start, item := make([]int32, 1, len(spans)-first+1), make([]int32, 0, n)
	spans = spans[first:]
	for k, s := range spans {
		if ahead := k + fetched; ahead < len(spans) { // sessions lie far apart
			kernel.Prefetch(in.Events.Item[spans[ahead].From:spans[ahead].To])
		}
		if s.To-s.From > 1 {
			item = append(item, in.Events.Item[s.From:s.To]...)
			start = append(start, int32(len(item)))
		}
		if k%sessionsAtOnce == 0 {
			in.Report(len(item), 1+in.Events.Len())
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
	count := make([]int32, len(in.Items))
	for _, i := range in.Events.Item {
		count[i]++
	}
	in.Report(1+in.Events.Len(), 1+in.Events.Len())
	return &model.Model{
		Manifest: model.Manifest{Algorithm: Name, Parameters: p.strings(in.Params), Seed: in.Seed, Scores: "none",
			Users: in.Users, Items: len(in.Items), Interactions: int64(in.Events.Len())},
		Items: in.Items,
		Tensors: map[string]model.Tensor{
			tensorStart: {Shape: []int{len(start)}, I32: start},
			tensorItem:  {Shape: []int{len(item)}, I32: item},
			tensorCount: {Shape: []int{len(count)}, I32: count},
		},
	}, ctx.Err()
}
