package filter

import (
	"math"
	"slices"
	"strings"
)

// Seen is one interaction of the user who asks, for Mask.
type Seen struct {
	Item int32  // row in the item columns
	Type uint16 // event type, named by Mask's typeName
}

// History says whether the filter asks what the user did; if not, Mask needs no history.
func (b *Bound) History() bool { return b.history }

// Mask writes into dst (resized; its memory is used again) which of the rows
// 0 … n-1 may be shown: the union of what the INCLUDE clauses match, or every
// row when there are none, without what any EXCLUDE clause matches.
//
// NOT IN matches exactly the rows that IN does not match, so a row without a
// value in the field is matched by NOT IN, and so is an item that the user
// never touched. typeName names an event type; nil is allowed without history.
func (b *Bound) Mask(items *Columns, n int, history []Seen, typeName func(uint16) string, dst Bitmap) Bitmap {
	w := words(n)
	all := dst.Resize(3 * w * 64) // the answer and two scratch bitmaps in one piece
	dst, clause, cond := all[:w:w], all[w:2*w], all[2*w:]
	items.rlockIndexed(b.columns)
	defer items.mu.RUnlock()
	m := matcher{items: items, n: n, history: history, typeName: typeName}
	if !b.include {
		dst.fill(n)
	}
	for _, exclude := range []bool{false, true} {
		for i := range b.clauses {
			c := &b.clauses[i]
			if c.exclude != exclude {
				continue
			}
			m.clause(c, clause, cond)
			if exclude {
				dst.andNot(clause)
			} else {
				dst.or(clause)
			}
		}
	}
	return all[:w]
}

// matcher is what one Mask matches against. The read lock of items is held.
type matcher struct {
	items    *Columns
	n        int
	history  []Seen
	typeName func(uint16) string
}

// clause puts the rows that c matches into dst; scratch has the same size.
func (m *matcher) clause(c *boundClause, dst, scratch Bitmap) {
	clear(dst)
	for i := range c.conds {
		clear(scratch)
		m.cond(&c.conds[i], scratch)
		if i == 0 || c.or {
			dst.or(scratch)
		} else {
			dst.and(scratch)
		}
	}
}

// cond adds the rows that c matches to the empty dst.
func (m *matcher) cond(c *boundCond, dst Bitmap) {
	switch {
	case c.events:
		m.events(c, dst)
	case c.op == In || c.op == NotIn || c.op == Equal:
		if col := m.items.find(c.field); col != nil {
			col.anyOf(c.values, dst)
		}
	default:
		if col := m.items.find(c.field); col != nil {
			col.compare(c.op, c.values[0].num, dst)
		}
	}
	if c.op == NotIn {
		dst.complement(m.n)
	}
	dst.trim(m.n)
}

// events adds the items that the user touched with one of the event types.
func (m *matcher) events(c *boundCond, dst Bitmap) {
	const unknown, no, yes = 0, 1, 2
	var known [64]uint8 // verdicts of the first event types; real groups have few
	for _, seen := range m.history {
		verdict := uint8(unknown)
		if int(seen.Type) < len(known) {
			verdict = known[seen.Type]
		}
		if verdict == unknown {
			verdict = no
			if c.any || slices.ContainsFunc(c.values, func(o operand) bool { return strings.EqualFold(o.text, m.typeName(seen.Type)) }) {
				verdict = yes
			}
			if int(seen.Type) < len(known) {
				known[seen.Type] = verdict
			}
		}
		if verdict == yes {
			dst.Add(seen.Item)
		}
	}
}

// anyOf adds the rows that have one of the values.
func (c *column) anyOf(values []operand, dst Bitmap) {
	var nums []float64
	for _, v := range values {
		if code, ok := c.dict[v.text]; ok {
			c.rowsOf[code].into(dst)
		}
		if v.number && len(c.num) > 0 {
			nums = append(nums, v.num)
		}
	}
	if len(nums) == 0 {
		return
	}
	for row, v := range c.num {
		if slices.Contains(nums, v) {
			dst.Add(int32(row))
		}
	}
}

// compare adds the rows whose number stands in the relation to v. None stands in any.
func (c *column) compare(op Op, v float64, dst Bitmap) {
	low, high := math.Inf(-1), math.Inf(1)
	switch op {
	case Less:
		high = math.Nextafter(v, low)
	case LessEqual:
		high = v
	case Greater:
		low = math.Nextafter(v, high)
	case GreaterEqual:
		low = v
	}
	for row, x := range c.num {
		if x >= low && x <= high { // false for NaN
			dst.Add(int32(row))
		}
	}
}
