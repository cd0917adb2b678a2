package filter

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/attune-io/attune"
)

// Bound is a filter with the values of one request. It does not change, and is
// safe for concurrent use.
type Bound struct {
	clauses []clause // those that are not switched off
	history bool     // some clause asks what the user did
	user    bool     // some clause asks about the current user's attributes
	item    bool     // some clause asks about the current item
	columns []string // fields of the rows that are asked about
}

// Bind gives every parameter its values, for a request that chooses among rows
// of the subject. In a request they come quoted inside a string:
// {"GENRES": "\"Comedy\",\"Drama\""}; text without quotes ends at the next comma.
// A filter of another subject, an unknown parameter, unreadable values, or a
// missing one in an INCLUDE is attune.Invalid; a missing one in an EXCLUDE
// switches that clause off.
func (e *Expr) Bind(subject Subject, values map[string]string) (*Bound, error) {
	if has := e.Subject(); has != subject {
		return nil, attune.Errorf(attune.Invalid, "the filter chooses by %s; this request needs one that chooses by %s", has, subject)
	}
	p := e.plan
	if p == nil { // not made by Parse
		p = compile(e)
	}
	if p.whole != nil && len(values) == 0 {
		return p.whole, nil
	}
	if len(values) > maxParamCount {
		return nil, attune.Errorf(attune.Invalid, "filterValues has %d parameters; at most %d are allowed", len(values), maxParamCount)
	}
	given, err := p.given(values)
	if err != nil {
		return nil, err
	}
	return p.bind(given)
}

// bind makes the clauses that are not switched off.
func (p *plan) bind(given map[string][]operand) (*Bound, error) {
	b := &Bound{clauses: make([]clause, 0, len(p.clauses))}
	for i := range p.clauses {
		c := p.clauses[i]
		missing := slices.DeleteFunc(slices.Clone(c.params), func(name string) bool { return given[name] != nil })
		switch {
		case len(missing) > 0 && c.exclude:
			continue
		case len(missing) > 0:
			return nil, attune.Errorf(attune.Invalid, "filterValues lacks %s: an INCLUDE needs a value for each of its parameters", strings.Join(missing, ", "))
		}
		c, err := c.bind(given)
		if err != nil {
			return nil, err
		}
		b.clauses = append(b.clauses, c)
		b.note(&c)
	}
	return b, nil
}

// given reads the text of every parameter.
func (p *plan) given(values map[string]string) (map[string][]operand, error) {
	if len(values) == 0 {
		return nil, nil
	}
	given := make(map[string][]operand, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(p.params, name) {
			have := "it has none"
			if len(p.params) > 0 {
				have = "it has " + strings.Join(p.params, ", ")
			}
			return nil, attune.Errorf(attune.Invalid, "filterValues has %s, which is not a parameter of the filter: %s", quote(clip(name)), have)
		}
		list, err := parseValues(name, values[name])
		if err != nil {
			return nil, err
		}
		given[name] = list
	}
	return given, nil
}

// note remembers what the clause asks about.
func (b *Bound) note(c *clause) {
	b.user = b.user || len(c.when) > 0
	for _, conds := range append(c.any, c.when) {
		for i := range conds {
			b.item = b.item || len(conds[i].item) > 0
		}
	}
	for _, conds := range c.any {
		for i := range conds {
			switch cond := &conds[i]; cond.of {
			case ofHistory:
				b.history = true
			case ofColumn:
				if !slices.Contains(b.columns, cond.field) {
					b.columns = append(b.columns, cond.field)
				}
			}
		}
	}
}

// bind is the clause with values for its parameters.
func (c clause) bind(given map[string][]operand) (clause, error) {
	var err error
	any := make([][]cond, len(c.any))
	for i := range c.any {
		if any[i], err = bindAll(c.any[i], given); err != nil {
			return c, err
		}
	}
	c.any = any
	c.when, err = bindAll(c.when, given)
	return c, err
}

func bindAll(conds []cond, given map[string][]operand) ([]cond, error) {
	bound := slices.Clone(conds)
	for i := range bound {
		c := &bound[i]
		for _, name := range c.params {
			c.values = append(slices.Clip(c.values), given[name]...)
		}
		c.star = c.star || c.anyEvent(c.values)
		if c.op == In || c.op == NotIn || c.star || len(c.item) > 0 {
			continue
		}
		if len(c.values) != 1 {
			return nil, attune.Errorf(attune.Invalid, "%s %s takes one value; it was given %d", c.name, c.op, len(c.values))
		}
		if c.op.ranged() && !c.values[0].number {
			return nil, attune.Errorf(attune.Invalid, "%s %s needs a number; it was given %s", c.name, c.op, quote(clip(c.values[0].text)))
		}
	}
	return bound, nil
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
