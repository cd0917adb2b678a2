package serve

import (
	"maps"
	"math/bits"
	"slices"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/kernel"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/profile"
)

// space is the memory of one request, used again by later ones.
type space struct {
	opts    *Options
	scores  []float32
	touches []model.Touch
	refused model.Refusals // by model row
	seen    []filter.Seen
	left    kernel.Bitmap // model rows left out
	through kernel.Bitmap // scratch: model rows that the filter lets through
	allowed filter.Bitmap // item numbers that the filter lets through
	best    []int32
	table   *rowTable // the release's; not ours
	past    []profile.Touch

	norm       float64 // logarithm of the sum of exp(score) over the catalogue
	picks      []pick  // the answer in the making
	promoted   []pick
	mixed      []pick
	promotes   filter.Bitmap // item numbers that the promotion's filter lets through
	unpromoted kernel.Bitmap // model rows that cannot be promoted
	entrants   []entrant
	unknown    []int32
	counts     []profile.Count
	met        filter.Bitmap // item numbers, see meet
	knows      bool          // whether met is filled in
}

// begin sizes the memory for a release and takes its table of rows.
func (w *space) begin(r *release, v view) {
	n := len(r.Model.Items)
	if cap(w.scores) < n {
		w.scores = make([]float32, n)
		w.left, w.through = kernel.NewBitmap(n), kernel.NewBitmap(n)
	}
	w.scores = w.scores[:n]
	w.left = w.left[:(n+63)/64]
	clear(w.left)
	w.table, w.past = r.mapping(v, v.NumItems()), nil
	w.picks, w.promoted, w.knows = w.picks[:0], w.promoted[:0], false
}

// query translates who asks into the model's rows, and marks what is left out
// whatever the filter says: the item in focus, and what the user had, if the
// model was measured that way.
func (w *space) query(r *release, v view, user, item string, context map[string]string) model.Query {
	q := model.Query{Item: model.NoItem}
	if r.Kind == Related {
		if row, ok := r.rowOf[item]; ok {
			q.Item = row
			w.left.Set(row)
		}
		w.leaveOut(r, v, user)
		if len(r.Model.Manifest.Negative) > 0 && user != "" {
			w.remember(r, v, user) // for what they refused; it is the item that is asked about
		}
		return q
	}
	w.remember(r, v, user)
	if r.Model.Manifest.Seen == model.SeenLeftOut {
		for i := range w.touches {
			w.left.Set(w.touches[i].Item)
		}
	}
	q.History = w.touches
	if r.Model.Manifest.AsksUser && user != "" {
		q.User = v.UserAttributes(user)
	}
	if r.Model.Manifest.AsksContext {
		q.Context = circumstances(context)
	}
	w.leaveOut(r, v, user)
	return q
}

// remember fills w.touches with what counts of what the user did, in the model's
// rows, and leaves out what they refused, unless everybody gets the same answer.
func (w *space) remember(r *release, v view, user string) {
	w.past = v.History(user)
	types := 0
	for i := range w.past {
		types = max(types, int(w.past[i].Type)+1)
	}
	rules := r.rulesOf(v, types)
	clear(w.refused)
	for i := range w.past {
		if t := &w.past[i]; rules[t.Type].negative.Is(t.Value) {
			w.refuse(w.row(r, v, t.Item), t.At)
		}
	}
	w.touches = w.touches[:0]
	for i := range w.past {
		t := &w.past[i]
		row := w.row(r, v, t.Item)
		weight := rules[t.Type].weigh(t.Value)
		if row == noRow || !(weight > 0) || !w.refused.Allows(row, t.At) {
			continue
		}
		w.touches = append(w.touches, model.Touch{Item: row, Weight: weight, At: t.At})
	}
	if r.Anybody {
		return
	}
	for row := range w.refused {
		w.left.Set(row)
	}
}

// refuse notes a negative outcome. Items that the model does not know are not
// shown to who has met them anyway, see meet.
func (w *space) refuse(row int32, at int64) {
	if row == noRow {
		return
	}
	if w.refused == nil {
		w.refused = model.Refusals{}
	}
	w.refused.Add(row, at)
}

// circumstances are what a request tells of them, by column: DEVICE_TYPE, which
// may also be written as in properties of events, deviceType.
func circumstances(context map[string]string) map[string]any {
	if len(context) == 0 {
		return nil
	}
	out := make(map[string]any, len(context))
	for _, key := range slices.Sorted(maps.Keys(context)) { // of two spellings the last, the same every time
		if column := schema.FieldName(key); column != key {
			out[column] = context[key]
		}
	}
	for key, value := range context { // the exact name before another's other spelling
		out[key] = value
	}
	return out
}

// leaveOut marks what the asker has done something with that the release leaves out.
func (w *space) leaveOut(r *release, v view, user string) {
	if len(r.LeaveOut) == 0 {
		return
	}
	if w.past == nil {
		w.past = v.History(user)
	}
	types := 0
	for i := range w.past {
		types = max(types, int(w.past[i].Type)+1)
	}
	out := r.leavesOut(v, types)
	for i := range w.past {
		if !out[w.past[i].Type] {
			continue
		}
		if row := w.row(r, v, w.past[i].Item); row != noRow {
			w.left.Set(row)
		}
	}
}

// row is the model row of an item number. The history may be a moment younger
// than the table.
func (w *space) row(r *release, v view, number int32) int32 {
	if int(number) >= len(w.table.rows) {
		w.table = r.mapping(v, int(number)+1)
	}
	return w.table.rows[number]
}

// allow finds which item numbers a filter lets through, for who asks about an
// item; "" for nobody and none.
func (w *space) allow(r *release, v view, e *filter.Expr, values map[string]string, user, item string) error {
	b, err := e.Bind(filter.ItemID, values)
	if err != nil {
		return err
	}
	scene := filter.Scene{Rows: v.Items(), N: max(v.NumItems(), len(w.table.rows)), RowOf: v.ItemNumber, TypeName: v.TypeName}
	if user == "" && (b.History() || b.User()) {
		return attune.Errorf(attune.Invalid, "userId is required: the filter asks who the user is, or what they did")
	}
	if b.History() {
		scene.History = w.did(v, user)
	}
	if b.User() {
		scene.User = v.UserRow(user)
	}
	if b.Item() {
		if r.Kind != Related {
			return attune.Errorf(attune.Invalid, "the filter asks about CurrentItem, and campaign %s does not answer with items like another: use a filter without it", r.Campaign)
		}
		scene.Item = filter.Row{ID: item, Table: v.Items(), Number: -1}
		if number, ok := v.ItemNumber(item); ok {
			scene.Item.Number = number
		}
	}
	w.allowed = b.Mask(&scene, w.allowed)
	return nil
}

// did is what a filter may know of what the user did.
func (w *space) did(v view, user string) []filter.Seen {
	if w.past == nil {
		w.past = v.History(user)
	}
	w.seen = w.seen[:0]
	if n, idle := len(w.past), w.opts.Filters.Idle; idle > 0 && n > 0 && w.opts.Clock().Sub(time.UnixMilli(w.past[n-1].At)) > idle {
		return nil
	}
	for i := range w.past {
		w.seen = append(w.seen, filter.Seen{Row: w.past[i].Item, Type: w.past[i].Type})
	}
	return filter.Recent(w.seen, w.opts.Filters.History)
}

// filtered leaves out every row that the filter does not let through. Rows that
// no item number leads to stay out too: nothing is known of them that a filter could ask.
func (w *space) filtered(r *release, v view, e *filter.Expr, values map[string]string, user, item string) error {
	if err := w.allow(r, v, e, values, user, item); err != nil {
		return err
	}
	rows := w.table.rows
	if 2*w.allowed.Count() < len(rows) { // say who is in, or who is not, whichever are fewer
		w.through = w.through[:len(w.left)]
		clear(w.through)
		mark(w.through, w.allowed, 0, rows)
		for i := range w.left {
			w.left[i] |= ^w.through[i]
		}
		return nil
	}
	for i := range w.left {
		w.left[i] |= ^w.table.known[i]
	}
	mark(w.left, w.allowed, ^uint64(0), rows)
	return nil
}

// mark sets the rows of the numbers in a set, or with a mask of ones, of those that are not.
func mark(dst kernel.Bitmap, numbers filter.Bitmap, not uint64, rows []int32) {
	for i, word := range numbers {
		for word ^= not; word != 0; word &= word - 1 {
			number := i<<6 + bits.TrailingZeros64(word)
			if number >= len(rows) {
				return
			}
			if row := rows[number]; row != noRow {
				dst.Set(row)
			}
		}
	}
}
