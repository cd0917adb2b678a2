package filter

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// Limits of an expression and of a request's values for it, as Personalize publishes them.
const (
	maxExpr       = 2500 // characters of an expression (CreateFilter)
	maxParamName  = 50   // characters of a parameter's name (FilterValues)
	maxValueText  = 1000 // characters of one parameter's text (FilterValues)
	maxParamCount = 25   // parameters in one request (FilterValues)
)

// Parse reads a filter expression. Keywords, dataset names and ItemID are read
// in any case; parameter names and literals are kept as they are. Every error
// is attune.Invalid and says at which character, counted from 1.
//
//	filter := clause { "|" clause }
//	clause := ("INCLUDE"|"EXCLUDE") ("ItemID"|"ActionID"|"UserID") "WHERE" cond { ("AND"|"OR") cond }
//	          [ "IF" cond { "AND" cond } ]              here with CurrentUser as the dataset
//	cond   := Dataset "." FIELD op value                Dataset: Interactions Items Users Actions Action_Interactions
//	op     := "IN" | "NOT IN" | "=" | "<" | "<=" | ">" | ">="
//	value  := "(" one { "," one } ")" | one
//	one    := "text" | number | "$"PARAM | "*" | "CurrentItem." FIELD
func Parse(expr string) (*Expr, error) {
	if n := utf8.RuneCountInString(expr); n == 0 || n > maxExpr || !utf8.ValidString(expr) {
		return nil, attune.Errorf(attune.Invalid, "filter expression has %d characters: it must be UTF-8 text of 1 to %d", n, maxExpr)
	}
	p := &parser{lexer: lexer{src: expr}}
	if err := p.advance(); err != nil {
		return nil, err
	}
	e := &Expr{}
	for {
		c, err := p.clause()
		if err != nil {
			return nil, err
		}
		e.Clauses = append(e.Clauses, c)
		if p.tok.kind == tokenEnd {
			e.plan = compile(e)
			return e, nil
		}
		if !p.sign("|") {
			want := "AND, OR, IF, | or the end"
			if len(c.If) > 0 {
				want = "AND, | or the end, because IF comes once, last"
			}
			return nil, p.expected(want)
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
}

// parser looks one token ahead.
type parser struct {
	lexer
	tok token
}

func (p *parser) advance() (err error) {
	p.tok, err = p.next()
	return err
}

func (p *parser) expected(what string) error {
	return p.fail(p.tok.at, "expected %s, found %s", what, p.tok.shown())
}

func (p *parser) sign(s string) bool { return p.tok.kind == tokenSign && p.tok.text == s }
func (p *parser) word(s string) bool {
	return p.tok.kind == tokenWord && strings.EqualFold(p.tok.text, s)
}

// take moves over a keyword, if it is there.
func (p *parser) take(keyword string) (bool, error) {
	if !p.word(keyword) {
		return false, nil
	}
	return true, p.advance()
}

func (p *parser) clause() (c Clause, err error) {
	switch {
	case p.word("EXCLUDE"):
		c.Exclude = true
	case p.word("INCLUDE"):
	default:
		return c, p.expected("INCLUDE or EXCLUDE")
	}
	if err := p.advance(); err != nil {
		return c, err
	}
	i := slices.IndexFunc([]Subject{ItemID, ActionID, UserID}, func(s Subject) bool { return p.word(string(s)) })
	if i < 0 {
		return c, p.expected("ItemID, ActionID or UserID")
	}
	c.Subject = []Subject{ItemID, ActionID, UserID}[i]
	if err := p.advance(); err != nil {
		return c, err
	}
	if ok, err := p.take("WHERE"); err != nil || !ok {
		if err == nil {
			err = p.expected("WHERE")
		}
		return c, err
	}
	if err := p.where(&c); err != nil {
		return c, err
	}
	return c, p.condition(&c)
}

// where reads the conditions behind WHERE.
func (p *parser) where(c *Clause) error {
	for {
		cond, err := p.cond(false)
		if err != nil {
			return err
		}
		c.Where = append(c.Where, cond)
		or := p.word("OR")
		if !or && !p.word("AND") {
			return nil
		}
		c.Or = append(c.Or, or)
		if err := p.advance(); err != nil {
			return err
		}
	}
}

// condition reads the part from IF on, if there is one.
func (p *parser) condition(c *Clause) error {
	more, err := p.take("IF")
	for more && err == nil {
		var cond Cond
		if cond, err = p.cond(true); err != nil {
			return err
		}
		c.If = append(c.If, cond)
		if p.word("OR") {
			return p.expected("AND, which alone joins conditions about CurrentUser")
		}
		more, err = p.take("AND")
	}
	return err
}

func (p *parser) cond(user bool) (c Cond, err error) {
	want := "a field such as Items.GENRES or Interactions.EVENT_TYPE"
	if user {
		want = "a field of CurrentUser, such as CurrentUser.AGE"
	}
	if p.tok.kind != tokenWord {
		return c, p.expected(want)
	}
	of, field, _ := strings.Cut(p.tok.text, ".")
	if user {
		if !strings.EqualFold(of, "CurrentUser") {
			return c, p.expected(want)
		}
	} else {
		if strings.EqualFold(of, "CurrentUser") {
			return c, p.fail(p.tok.at, "CurrentUser belongs behind IF, at the end")
		}
		t, err := schema.ParseType(of)
		if err != nil {
			return c, p.expected(want)
		}
		c.Dataset = t
	}
	if c.Field = field; !fieldName(field) {
		return c, p.fail(p.tok.at, "%s does not name a field: write %s and a column of the schema", p.tok.shown(), of+".")
	}
	if err := p.advance(); err != nil {
		return c, err
	}
	if c.Op, err = p.op(); err != nil {
		return c, err
	}
	return c, p.value(&c)
}

func fieldName(s string) bool {
	return s != "" && isLetter(s[0]) && !strings.Contains(s, ".")
}

func (p *parser) op() (Op, error) {
	switch {
	case p.tok.kind == tokenSign && slices.Contains([]string{"=", "!=", "<", "<=", ">", ">="}, p.tok.text):
		op := Op(p.tok.text)
		return op, p.advance()
	case p.word("IN"):
		return In, p.advance()
	case p.word("NOT"):
		if err := p.advance(); err != nil {
			return "", err
		}
		if !p.word("IN") {
			return "", p.expected("IN after NOT")
		}
		return NotIn, p.advance()
	}
	return "", p.expected("IN, NOT IN, =, !=, <, <=, > or >=")
}

// value reads the right side of a comparison.
func (p *parser) value(c *Cond) error {
	if at := p.tok.at; !p.sign("(") {
		if err := p.one(c); err != nil {
			return err
		}
		if k := c.Values[0].Kind; (c.Op == In || c.Op == NotIn) && k != Param && k != CurrentItem {
			return p.fail(at, "%s takes a list: put the values in brackets", c.Op)
		}
		return nil
	}
	c.List = true
	for {
		if err := p.advance(); err != nil {
			return err
		}
		if err := p.one(c); err != nil {
			return err
		}
		switch {
		case p.sign(")"):
			if len(c.Values) > 1 && c.Op != In && c.Op != NotIn {
				return p.fail(p.tok.at, "%s takes one value; use IN for a list", c.Op)
			}
			return p.advance()
		case !p.sign(","):
			return p.expected(", or )")
		}
	}
}

func (p *parser) one(c *Cond) error {
	v := Value{Text: p.tok.text}
	switch {
	case p.tok.kind == tokenText:
		v.Kind = Literal
	case p.tok.kind == tokenNumber:
		v.Kind = Number
	case p.tok.kind == tokenParam:
		v.Kind = Param
	case p.sign("*"):
		v.Kind, v.Text = Star, ""
	case p.tok.kind == tokenWord && strings.HasPrefix(strings.ToLower(p.tok.text), "currentitem."):
		v.Kind, v.Text = CurrentItem, p.tok.text[len("currentitem."):]
		if !fieldName(v.Text) {
			return p.expected("a field behind CurrentItem.")
		}
	default:
		return p.expected(`a value: "text" in double quotes, a number, $PARAMETER, * or CurrentItem.FIELD`)
	}
	c.Values = append(c.Values, v)
	return p.advance()
}

// parseNumber reads a finite decimal number.
func parseNumber(s string) (float64, error) {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(v, 0) || math.IsNaN(v) || strings.ContainsAny(s, "xXpP_") {
		return 0, strconv.ErrSyntax
	}
	return v, nil
}
