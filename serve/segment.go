package serve

import (
	"context"
	"math"
	"runtime"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
)

const (
	// usersAtOnce is how many users are folded in before they are compared with
	// what is asked for: their vectors stay in a core's own cache.
	usersAtOnce = 4096
	// segmentScores bounds the scores held at once: 256 MiB. Of more segments
	// than fit, some are made first.
	segmentScores = 64 << 20
)

// SegmentRequest asks for the users that suit an item, or items with attributes.
type SegmentRequest struct {
	Item         string       // "" when Attributes are given
	Attributes   *filter.Expr // which items; about ItemID, without parameters
	N            int          // users at most
	Filter       *filter.Expr // about UserID; nil for none
	FilterValues map[string]string
}

// SegmentResult is the users of one segment, best first, or why there is none.
type SegmentResult struct {
	Users []string
	Err   error // attune.Invalid
}

// Segments finds the users that suit each request best. Users are those with an
// id and a history that the model knows something of; who they are is folded in
// from their profiles, so this goes over all of them. Where the model leaves out
// what a user has, it leaves out who has the item. Equal users come in the
// order of their ids. The error is of what keeps all from being answered:
// attune.Invalid for a model without vectors, attune.Unavailable, or the end of ctx.
func (o *Offline) Segments(ctx context.Context, requests []SegmentRequest) ([]SegmentResult, error) {
	folder, ok := o.r.Scorer.(model.Folder)
	if !ok {
		return nil, attune.Errorf(attune.Invalid, "the model of %s cannot be asked for users", o.r.Version)
	}
	v, err := o.view()
	if err != nil {
		return nil, err
	}
	out, c := make([]SegmentResult, len(requests)), census{o: o, v: v, folder: folder, ids: v.UserIDs()}
	var targets []*target
	for i := range requests {
		t, err := c.target(&requests[i])
		if err != nil {
			out[i].Err = err
			continue
		}
		t.result = &out[i]
		targets = append(targets, t)
	}
	atOnce := max(1, segmentScores/max(1, len(c.ids)))
	for from := 0; from < len(targets); from += atOnce {
		if err := c.fill(ctx, targets[from:min(from+atOnce, len(targets))]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// census is one going over of all users.
type census struct {
	o      *Offline
	v      view
	folder model.Folder
	ids    []string
}

// target is what users are compared with.
type target struct {
	vector []float32
	row    int32         // of the item; noRow for attributes
	filter *filter.Bound // nil for none
	scores []float32     // by place in ids; -Inf for who cannot be in the segment
	n      int
	result *SegmentResult
}

// target reads a request.
func (c *census) target(q *SegmentRequest) (*target, error) {
	t := &target{vector: make([]float32, c.folder.Dim()), row: noRow, n: q.N}
	var err error
	if q.Filter != nil {
		if t.filter, err = q.Filter.Bind(filter.UserID, q.FilterValues); err != nil {
			return nil, err
		}
	}
	if q.Attributes == nil {
		row, ok := c.o.r.rowOf[q.Item]
		if !ok {
			return nil, attune.Errorf(attune.Invalid, "item %s is not known to the model: nobody had it when it was trained", q.Item)
		}
		t.row = row
		copy(t.vector, c.folder.Item(row))
		return t, nil
	}
	return t, c.mean(q.Attributes, t.vector)
}

// mean writes the mean vector of the items that an expression lets through: the
// inner product with it is a user's mean score of them.
func (c *census) mean(e *filter.Expr, dst []float32) error {
	b, err := e.Bind(filter.ItemID, nil)
	if err != nil {
		return err
	}
	n := c.v.NumItems()
	mask := b.Mask(&filter.Scene{Rows: c.v.Items(), N: n, RowOf: c.v.ItemNumber, TypeName: c.v.TypeName}, nil)
	found := 0
	for number := range int32(n) {
		if row, ok := c.o.r.rowOf[c.v.Item(number)]; ok && mask.Has(number) {
			kernel.Axpy(1, c.folder.Item(row), dst)
			found++
		}
	}
	if found == 0 {
		return attune.Errorf(attune.Invalid, "no item that the model knows has these attributes")
	}
	kernel.Scale(1/float32(found), dst)
	return nil
}

// fill makes some segments in one pass over the users.
func (c *census) fill(ctx context.Context, targets []*target) error {
	for _, t := range targets {
		t.scores = make([]float32, len(c.ids))
	}
	vectors := make([]float32, usersAtOnce*c.folder.Dim())
	for from := 0; from < len(c.ids); from += usersAtOnce {
		to := min(from+usersAtOnce, len(c.ids))
		known, had, err := c.fold(ctx, c.ids[from:to], vectors, targets)
		if err != nil {
			return err
		}
		var stage *filter.Scene // of these users, once a filter asks
		for k, t := range targets {
			scores := t.scores[from:to]
			kernel.Gemv(scores, vectors[:(to-from)*c.folder.Dim()], t.vector)
			var allowed filter.Bitmap
			if t.filter != nil {
				if stage == nil {
					stage = c.stage(c.ids[from:to])
				}
				allowed = t.filter.Mask(stage, nil)
			}
			for i := range scores {
				if !known[i] || had[k].Has(int32(i)) || t.filter != nil && !allowed.Has(int32(i)) {
					scores[i] = float32(math.Inf(-1))
				}
			}
			runtime.Gosched() // a live request may be waiting for this processor
		}
	}
	for _, t := range targets {
		best := kernel.TopK(nil, t.scores, t.n, nil)
		t.result.Users = make([]string, len(best))
		for i, place := range best {
			t.result.Users[i] = c.ids[place]
		}
		t.scores = nil
	}
	return nil
}

// fold writes the vectors of some users, and says of whom something is known,
// and for every target who had its item already, if the model leaves such out.
func (c *census) fold(ctx context.Context, ids []string, vectors []float32, targets []*target) (known []bool, had []kernel.Bitmap, err error) {
	w := c.o.s.spaces.Get().(*space)
	defer c.o.s.free(w)
	known, had = make([]bool, len(ids)), make([]kernel.Bitmap, len(targets))
	for k := range had {
		had[k] = kernel.NewBitmap(len(ids))
	}
	d := c.folder.Dim()
	for i, id := range ids {
		w.begin(c.o.r, c.v)
		query := w.query(c.o.r, c.v, id, "", nil)
		if known[i], err = c.folder.Fold(ctx, query.History, vectors[i*d:(i+1)*d]); err != nil {
			return nil, nil, err
		}
		for k, t := range targets {
			if t.row != noRow && w.left.Has(t.row) {
				had[k].Set(int32(i))
			}
		}
		if i%requestsAtOnce == 0 {
			runtime.Gosched()
		}
	}
	return known, had, nil
}

// stage sets some users before a filter: their attributes, and what they did.
func (c *census) stage(ids []string) *filter.Scene {
	rows, numbers := filter.NewColumns(), make(map[string]int32, len(ids))
	s := &filter.Scene{Rows: rows, N: len(ids), TypeName: c.v.TypeName, RowOf: func(id string) (int32, bool) {
		n, ok := numbers[id]
		return n, ok
	}}
	for i, id := range ids {
		numbers[id] = int32(i)
		for name, value := range c.v.UserAttributes(id) {
			rows.Set(int32(i), name, value)
		}
		for _, t := range c.v.History(id) {
			s.History = append(s.History, filter.Seen{Row: int32(i), Type: t.Type})
		}
	}
	return s
}
