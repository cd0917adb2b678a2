package filter

import (
	"slices"
	"strconv"
	"strings"
)

// Scene is what a filter is matched against: the rows to choose from, and who
// asks. Each subject has its own:
//
//	ItemID    rows are items, History is what the user did with items (Interactions)
//	ActionID  rows are actions, History is what the user did with actions (Action_Interactions)
//	UserID    rows are users, History is what each of them did with items; nobody asks
//
// Nothing of it is kept or changed.
type Scene struct {
	Rows     *Columns                      // attributes by row
	N        int                           // rows 0 … N-1 are there to choose from
	RowOf    func(id string) (int32, bool) // the row of an id
	History  []Seen                        // in any order; repeats count once; needed if Bound.History
	TypeName func(uint16) string           // names the types of History
	User     Row                           // who asks; needed if Bound.User
	Item     Row                           // the item that others shall be like; needed if Bound.Item
}

// Seen is one thing that happened between a user and a row.
type Seen struct {
	Row  int32  // of the item or action; of the user, when users are chosen
	Type uint16 // event type, named by Scene.TypeName
}

// Recent drops from a history, oldest first, all but the newest so many of each
// type; 0 drops nothing. It moves what it keeps to the end of the given slice.
func Recent(history []Seen, most int) []Seen {
	if most <= 0 || len(history) <= most {
		return history
	}
	kept, have := len(history), map[uint16]int{}
	for _, seen := range slices.Backward(history) {
		if have[seen.Type]++; have[seen.Type] <= most {
			kept--
			history[kept] = seen
		}
	}
	return history[kept:]
}

// Row is one user or item with its attributes.
type Row struct {
	ID     string
	Table  *Columns // nil for none
	Number int32    // in Table; negative when it has no attributes
}

// get is an attribute of the row, as Columns.Get has it; by an id column's name, its id.
func (r Row) get(name string, isID bool) any {
	switch {
	case isID && r.ID != "":
		return r.ID
	case isID || r.Table == nil:
		return nil
	}
	return r.Table.Get(r.Number, name)
}

// History says whether the filter asks what the user did; if not, Scene needs no history.
func (b *Bound) History() bool { return b.history }

// User says whether the filter asks about the attributes of the current user.
func (b *Bound) User() bool { return b.user }

// Item says whether the filter asks about the current item.
func (b *Bound) Item() bool { return b.item }

// Mask writes into dst (resized; its memory is used again) which of the rows
// 0 … N-1 may be shown: the union of what the INCLUDE clauses match, or every
// row when there are none, without what any EXCLUDE clause matches. A clause
// whose IF does not hold for the current user is as if it were not there.
//
// NOT IN and != match exactly the rows that IN and = do not match, so a row
// without a value in the field is matched, and so is an item that the user
// never touched. The other comparisons do not match a row without a value, nor
// any row when the current item has no value.
func (b *Bound) Mask(s *Scene, dst Bitmap) Bitmap {
	w := words(s.N)
	all := dst.Resize(4 * w * 64) // the answer and three scratch bitmaps in one piece
	m := matcher{Scene: s, dst: all[:w:w], clause: all[w : 2*w : 2*w], all: all[2*w : 3*w : 3*w], one: all[3*w:]}
	clauses := b.about(s) // reads rows of tables, so it comes before the lock
	s.Rows.rlockIndexed(b.columns)
	defer s.Rows.mu.RUnlock()
	if !slices.ContainsFunc(clauses, func(c clause) bool { return !c.exclude }) {
		m.dst.fill(s.N)
	}
	for _, exclude := range []bool{false, true} {
		for i := range clauses {
			if clauses[i].exclude != exclude {
				continue
			}
			m.match(clauses[i].any)
			if exclude {
				m.dst.andNot(m.clause)
			} else {
				m.dst.or(m.clause)
			}
		}
	}
	return all[:w] // with room for the next time
}

// about are the clauses that count for the current user, with the values of the current item.
func (b *Bound) about(s *Scene) []clause {
	if !b.user && !b.item {
		return b.clauses
	}
	var out []clause
	for _, c := range b.clauses {
		if !slices.ContainsFunc(withItem(c.when, s.Item), func(c cond) bool { return !c.holds(s.User) }) {
			any := make([][]cond, len(c.any))
			for i := range c.any {
				any[i] = withItem(c.any[i], s.Item)
			}
			out = append(out, clause{exclude: c.exclude, any: any})
		}
	}
	return out
}

// withItem are the conditions with the current item's values among theirs.
func withItem(conds []cond, item Row) []cond {
	if !slices.ContainsFunc(conds, func(c cond) bool { return len(c.item) > 0 }) {
		return conds
	}
	conds = slices.Clone(conds)
	for i := range conds {
		c := &conds[i]
		c.values = slices.Clip(c.values)
		for _, name := range c.item {
			c.values = append(c.values, operandsOf(item.get(name, name == itsID))...)
		}
	}
	return conds
}

// operandsOf makes an attribute's values comparable.
func operandsOf(x any) []operand {
	switch x := x.(type) {
	case string:
		return []operand{newOperand(x)}
	case []string:
		list := make([]operand, len(x))
		for i, text := range x {
			list[i] = newOperand(text)
		}
		return list
	case float64:
		return []operand{{strconv.FormatFloat(x, 'f', -1, 64), x, true}}
	}
	return nil
}

// holds says whether one row fulfils the condition.
func (c *cond) holds(r Row) bool {
	found := false
	switch x := r.get(c.field, c.of == ofID).(type) {
	case string:
		found = c.has(x)
	case []string:
		found = slices.ContainsFunc(x, c.has)
	case float64:
		found = slices.ContainsFunc(c.values, func(o operand) bool {
			low, high := c.op.bounds(o.num)
			return o.number && keyOf(x) >= low && keyOf(x) <= high
		})
	}
	return found != c.op.negative()
}

// has says whether text is one of the values. Text is in no range.
func (c *cond) has(text string) bool {
	return !c.op.ranged() && slices.ContainsFunc(c.values, func(o operand) bool { return o.text == text })
}

// matcher is one Mask at work. The read lock of Rows is held.
type matcher struct {
	*Scene
	dst, clause, all, one Bitmap // the answer; what a clause matches; all of an alternative; one condition
}

// match puts the rows that fulfil any of the alternatives into clause.
func (m *matcher) match(any [][]cond) {
	clear(m.clause)
	for _, conds := range any {
		for i := range conds {
			into := m.one
			if i == 0 {
				into = m.all
			}
			clear(into)
			m.cond(&conds[i], into)
			if i > 0 {
				m.all.and(m.one)
			}
		}
		m.clause.or(m.all)
	}
}

// cond adds the rows that fulfil c to the empty dst.
func (m *matcher) cond(c *cond, dst Bitmap) {
	switch c.of {
	case ofHistory:
		m.events(c, dst)
	case ofID:
		for _, v := range c.values {
			if row, ok := m.RowOf(v.text); ok {
				dst.Add(row)
			}
		}
	default:
		if col := m.Rows.find(c.field); col != nil {
			col.match(c, dst)
		}
	}
	if c.op.negative() {
		dst.complement(m.N)
	}
	dst.trim(m.N)
}

// events adds the rows that something of one of the event types happened to.
func (m *matcher) events(c *cond, dst Bitmap) {
	const unknown, no, yes = 0, 1, 2
	var known [64]uint8 // verdicts of the first event types; real groups have few
	for _, seen := range m.History {
		verdict := uint8(unknown)
		if int(seen.Type) < len(known) {
			verdict = known[seen.Type]
		}
		if verdict == unknown {
			verdict = no
			if c.star || slices.ContainsFunc(c.values, func(o operand) bool { return strings.EqualFold(o.text, m.TypeName(seen.Type)) }) {
				verdict = yes
			}
			if int(seen.Type) < len(known) {
				known[seen.Type] = verdict
			}
		}
		if verdict == yes {
			dst.Add(seen.Row)
		}
	}
}

// match adds the rows whose values stand in the relation to one of c's, before
// a negative operator turns it round.
func (c *column) match(q *cond, dst Bitmap) {
	for _, v := range q.values {
		if code, ok := c.dict[v.text]; ok && !q.op.ranged() {
			c.rowsOf[code].into(dst)
		}
	}
	var equal []numberKey
	for _, v := range q.values {
		switch {
		case !v.number || len(c.num) == 0:
		case q.op.ranged():
			low, high := q.op.bounds(v.num)
			c.between(low, high, dst)
		default:
			equal = append(equal, keyOf(v.num))
		}
	}
	c.oneOf(equal, dst)
}
