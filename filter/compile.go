package filter

import (
	"slices"
	"strings"

	"github.com/attune-io/attune/dataset/schema"
)

// plan is an expression made ready: everything that no request changes is
// decided. Bind fills in the parameters.
type plan struct {
	params  []string
	clauses []clause
	whole   *Bound // of an expression without parameters, which is bound once for all; else nil
}

// clause is one INCLUDE or EXCLUDE. AND binds tighter than OR, so that what
// stands behind WHERE is a list of alternatives, each a list of conditions.
type clause struct {
	exclude bool
	any     [][]cond // a row must fulfil all of one of them
	when    []cond   // about the current user; all must hold, or the clause is not there
	params  []string
}

// subject is what a condition compares with its values.
type subject uint8

const (
	ofColumn  subject = iota // the field of a row
	ofID                     // the id of a row
	ofHistory                // the types of what happened between the current user and a row
)

// cond is one comparison. Its operands are those written in the expression;
// Bind adds those of params, and a request those of the current item.
type cond struct {
	of     subject
	name   string // with its dataset, for messages
	field  string
	op     Op
	star   bool // every event type
	values []operand
	params []string
	item   []string // fields of the current item; itsID for its id
}

// itsID stands for the id of the current item among its fields. No column has this name.
const itsID = "."

// operand is a value as text and, if it can be read as one, as a number.
type operand struct {
	text   string
	num    float64
	number bool
}

func newOperand(text string) operand {
	num, err := parseNumber(text)
	return operand{text, num, err == nil}
}

func compile(e *Expr) *plan {
	p := &plan{params: e.Params()}
	for i := range e.Clauses {
		c := &e.Clauses[i]
		made := clause{exclude: c.Exclude, params: c.params(), any: [][]cond{nil}}
		for j := range c.Where {
			if j > 0 && c.Or[j-1] {
				made.any = append(made.any, nil)
			}
			last := &made.any[len(made.any)-1]
			*last = append(*last, c.Where[j].compile())
		}
		for j := range c.If {
			made.when = append(made.when, c.If[j].compile())
		}
		p.clauses = append(p.clauses, made)
	}
	if len(p.params) == 0 {
		p.whole, _ = p.bind(nil) // what is wrong is said whenever it is bound
	}
	return p
}

func (c *Cond) compile() cond {
	made := cond{name: c.name(), field: c.Field, op: c.Op}
	switch {
	case c.Dataset == schema.Interactions || c.Dataset == schema.ActionInteractions:
		made.of = ofHistory
	case strings.EqualFold(c.Field, idOf(c.Dataset)):
		made.of = ofID
	}
	for _, v := range c.Values {
		switch v.Kind {
		case Star:
			made.star = true
		case Param:
			made.params = append(made.params, v.Text)
		case CurrentItem:
			name := v.Text
			if strings.EqualFold(name, schema.ItemID) {
				name = itsID
			}
			made.item = append(made.item, name)
		default:
			made.values = append(made.values, newOperand(v.Text))
		}
	}
	made.star = made.star || made.anyEvent(made.values)
	return made
}

// anyEvent says whether a * among the values stands for every event type.
func (c *cond) anyEvent(values []operand) bool {
	return c.of == ofHistory && slices.ContainsFunc(values, func(o operand) bool { return o.text == "*" })
}
