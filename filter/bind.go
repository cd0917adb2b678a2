package filter

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// Bound is a filter with the values of one request. It does not change, and is
// safe for concurrent use.
type Bound struct {
	clauses []boundClause
	include bool     // some clause includes, so that what none includes is out
	history bool     // some clause asks what the user did
	columns []string // fields of Items that are asked about
}

type boundClause struct {
	exclude bool
	or      bool
	conds   []boundCond
}

type boundCond struct {
	events bool // about Interactions.EVENT_TYPE; otherwise about a field of Items
	field  string
	op     Op
	any    bool // every event type
	values []operand
}

// operand is a value as text and, if it can be read as one, as a number.
type operand struct {
	text   string
	num    float64
	number bool
}

// Bind gives every parameter its values. In a request they come quoted inside
// a string: {"GENRES": "\"Comedy\",\"Drama\""}; text without quotes ends at the
// next comma. An unknown parameter, unreadable values, or a missing one in an
// INCLUDE is attune.Invalid; a missing one in an EXCLUDE switches that clause off.
func (e *Expr) Bind(values map[string]string) (*Bound, error) {
	if len(values) > maxParamCount {
		return nil, attune.Errorf(attune.Invalid, "filterValues has %d parameters; at most %d are allowed", len(values), maxParamCount)
	}
	known := e.Params()
	given := make(map[string][]operand, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, name) {
			have := "it has none"
			if len(known) > 0 {
				have = "it has " + strings.Join(known, ", ")
			}
			return nil, attune.Errorf(attune.Invalid, "filterValues has %s, which is not a parameter of the filter: %s", quote(clip(name)), have)
		}
		list, err := parseValues(name, values[name])
		if err != nil {
			return nil, err
		}
		given[name] = list
	}
	b := &Bound{}
	for i := range e.Clauses {
		c := &e.Clauses[i]
		var missing []string
		for _, name := range c.params() {
			if given[name] == nil && !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 && c.Exclude {
			continue
		}
		if len(missing) > 0 {
			return nil, attune.Errorf(attune.Invalid, "filterValues lacks %s: an INCLUDE needs a value for each of its parameters", strings.Join(missing, ", "))
		}
		if err := b.add(c, given); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *Bound) add(c *Clause, given map[string][]operand) error {
	if c.Subject != ItemID || len(c.If) > 0 || slices.Contains(c.Or, true) && slices.Contains(c.Or, false) {
		return notBuilt("a clause that Check refuses")
	}
	bound := boundClause{exclude: c.Exclude, or: slices.Contains(c.Or, true)}
	for i := range c.Where {
		cond, err := c.Where[i].bind(given)
		if err != nil {
			return err
		}
		bound.conds = append(bound.conds, cond)
		if cond.events {
			b.history = true
		} else if !slices.Contains(b.columns, cond.field) {
			b.columns = append(b.columns, cond.field)
		}
	}
	b.include = b.include || !c.Exclude
	b.clauses = append(b.clauses, bound)
	return nil
}

func (c *Cond) bind(given map[string][]operand) (boundCond, error) {
	bound := boundCond{events: c.Dataset == schema.Interactions, field: c.Field, op: c.Op}
	for _, v := range c.Values {
		switch v.Kind {
		case Star:
			bound.any = true
		case Param:
			bound.values = append(bound.values, given[v.Text]...)
		case CurrentItem:
			return bound, notBuilt("CurrentItem.%s", v.Text)
		default:
			bound.values = append(bound.values, newOperand(v.Text))
		}
	}
	if bound.events {
		bound.any = bound.any || slices.ContainsFunc(bound.values, func(o operand) bool { return o.text == "*" })
	}
	if c.Op == In || c.Op == NotIn || bound.any {
		return bound, nil
	}
	if len(bound.values) != 1 {
		return bound, attune.Errorf(attune.Invalid, "%s %s takes one value; it was given %d", c.name(), c.Op, len(bound.values))
	}
	if c.Op != Equal && !bound.values[0].number {
		return bound, attune.Errorf(attune.Invalid, "%s %s needs a number; it was given %s", c.name(), c.Op, quote(clip(bound.values[0].text)))
	}
	return bound, nil
}

func newOperand(text string) operand {
	num, err := parseNumber(text)
	return operand{text, num, err == nil}
}

// parseValues reads the text of one parameter: "a","b" or 12.5.
func parseValues(name, text string) ([]operand, error) {
	fail := func(what string) error {
		return attune.Errorf(attune.Invalid, `the value of filter parameter %s %s: write it as "one" or "one","two", with the quotes inside the string`, name, what)
	}
	if n := utf8.RuneCountInString(text); n > maxValueText {
		return nil, attune.Errorf(attune.Invalid, "the value of filter parameter %s has %d characters; at most %d are allowed", name, n, maxValueText)
	}
	var list []operand
	l := &lexer{src: strings.TrimSpace(text)}
	for {
		rest := strings.TrimLeft(l.src[l.pos:], " \t\r\n")
		l.pos = len(l.src) - len(rest)
		var one string
		if strings.HasPrefix(rest, `"`) {
			var err error
			if one, err = l.literal(); err != nil {
				return nil, fail(`has no closing "`)
			}
		} else {
			one = strings.TrimSpace(l.run(func(c byte) bool { return c != ',' }))
			if one == "" {
				return nil, fail("has an empty place")
			}
			if strings.Contains(one, `"`) {
				return nil, fail(`has a " in the middle of a value`)
			}
		}
		list = append(list, newOperand(one))
		l.run(func(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' })
		if l.pos == len(l.src) {
			return list, nil
		}
		if l.src[l.pos] != ',' {
			return nil, fail("has something between a value and the next comma")
		}
		l.pos++
	}
}
