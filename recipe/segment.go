package recipe

import (
	"cmp"
	"context"
	"slices"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
)

const (
	// segmentItems is how many items segments are made for when they are
	// measured, evenly from all that users went on to.
	segmentItems = 1000
	// segmentShare of all users are in a measured segment: one in so many.
	segmentShare = 100
)

// measureSegments asks a model, learned from the training part, for the users of
// the items that users went on to. Everybody who trained can be chosen; a
// segment has a hundredth of them, at least one, without those who had the item
// if answers leave out what a user has. The vectors are held at once:
// users × dimension floats.
func (f *fit) measureSegments(ctx context.Context, r Recipe, m *model.Model, split *dataset.Split) (map[string]float64, error) {
	s, err := r.Decode(m)
	if err != nil {
		return nil, err
	}
	folder, ok := s.(model.Folder)
	if !ok {
		return nil, attune.Errorf(attune.Invalid, "%s makes no segments of users", r.Name())
	}
	users, vectors, err := f.foldAll(ctx, folder, split.Train)
	if err != nil {
		return nil, err
	}
	items, truth := segmentTruth(split.Cases)
	had := places(users, split.Train)
	segments, scores := make([][]int32, len(items)), make([]float32, len(users))
	k := max(1, len(users)/segmentShare)
	for i, item := range items {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		kernel.Gemv(scores, vectors, folder.Item(item))
		if f.leaveOut {
			leaveOut(scores, had[item])
		}
		for _, place := range kernel.TopK(nil, scores, k, nil) {
			segments[i] = append(segments[i], users[place])
		}
	}
	hits, recall := evaluate.Segments(segments, truth)
	return map[string]float64{evaluate.Hits1Percent: hits, evaluate.Recall1Percent: recall}, nil
}

// foldAll gives everybody who has events, and their vectors one after the other.
func (f *fit) foldAll(ctx context.Context, folder model.Folder, e dataset.Events) (users []int32, vectors []float32, err error) {
	d, q := folder.Dim(), model.Query{}
	e.ByUser(func(user int32, from, to int) {
		if err != nil {
			return
		}
		f.query(&q, dataset.Case{User: e.User[from], Input: e.Slice(from, to)})
		at := len(vectors)
		vectors = append(vectors, make([]float32, d)...)
		var known bool
		if known, err = folder.Fold(ctx, q.History, vectors[at:]); known {
			users = append(users, user)
		} else {
			vectors = vectors[:at]
		}
	})
	return users, vectors, err
}

// places gives, for every item, the places in users of those who had it.
func places(users []int32, e dataset.Events) map[int32][]int32 {
	had, place := map[int32][]int32{}, 0
	e.ByUser(func(user int32, from, to int) {
		for place < len(users) && users[place] < user {
			place++
		}
		if place == len(users) || users[place] != user {
			return
		}
		for _, item := range e.Item[from:to] {
			had[item] = append(had[item], int32(place))
		}
	})
	return had
}

// segmentTruth is the items that users went on to, ascending, and who did.
func segmentTruth(cases []dataset.Case) (items []int32, users [][]int32) {
	type pair struct{ item, user int32 }
	var all []pair
	for _, c := range cases {
		for _, item := range c.Truth {
			all = append(all, pair{item, c.User})
		}
	}
	slices.SortFunc(all, func(a, b pair) int { return cmp.Or(cmp.Compare(a.item, b.item), cmp.Compare(a.user, b.user)) })
	for _, p := range slices.Compact(all) { // a user has several cases in some protocols
		if n := len(items); n == 0 || items[n-1] != p.item {
			items, users = append(items, p.item), append(users, nil)
		}
		users[len(users)-1] = append(users[len(users)-1], p.user)
	}
	if n := len(items); n > segmentItems {
		for i := range segmentItems {
			items[i], users[i] = items[i*n/segmentItems], users[i*n/segmentItems]
		}
		items, users = items[:segmentItems], users[:segmentItems]
	}
	return items, users
}
