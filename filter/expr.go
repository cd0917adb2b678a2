package filter

import (
	"slices"
	"strings"

	"github.com/attune-io/attune/dataset/schema"
)

// Expr is a filter as it was written: clauses that each include or exclude
// rows. Parse makes it, String prints it, Check holds it against schemas, Bind
// gives it values. It does not change, and is safe for concurrent use.
type Expr struct {
	Clauses []Clause // joined by |

	plan *plan // made once by Parse, so that Bind has little to do
}

// Subject is what the filter chooses: that of its first clause. Check refuses
// expressions with several.
func (e *Expr) Subject() Subject { return e.Clauses[0].Subject }

// Clause is one INCLUDE or EXCLUDE with its conditions.
type Clause struct {
	Exclude bool
	Subject Subject
	Where   []Cond
	Or      []bool // Or[i] says whether Where[i+1] is joined by OR; otherwise by AND, which binds tighter
	If      []Cond // about CurrentUser, joined by AND; empty for none
}

// Subject is what a clause includes or excludes.
type Subject string

// The three subjects, as Personalize prints them.
const (
	ItemID   Subject = "ItemID"
	ActionID Subject = "ActionID"
	UserID   Subject = "UserID"
)

// ranged says whether the operator compares the size of numbers.
func (o Op) ranged() bool { return o == Less || o == LessEqual || o == Greater || o == GreaterEqual }

// negative says whether the operator matches exactly what another does not.
func (o Op) negative() bool { return o == NotIn || o == NotEqual }

// Op compares a field with a value.
type Op string

// The operators.
const (
	In           Op = "IN"
	NotIn        Op = "NOT IN"
	Equal        Op = "="
	NotEqual     Op = "!="
	Less         Op = "<"
	LessEqual    Op = "<="
	Greater      Op = ">"
	GreaterEqual Op = ">="
)

// Cond is one comparison: Items.GENRES IN ("a", $B).
type Cond struct {
	Dataset schema.Type // "" in the conditions of IF, which are about CurrentUser
	Field   string      // as written; schemas are searched without case
	Op      Op
	List    bool // the values stand in brackets
	Values  []Value
}

// Value is one operand.
type Value struct {
	Kind ValueKind
	Text string // of a literal without quotes; the digits of a number; the name of a parameter or of a field of CurrentItem
}

// ValueKind says what a Value is.
type ValueKind uint8

// The kinds of operands.
const (
	Literal     ValueKind = iota + 1 // "text"
	Number                           // 12.5
	Param                            // $NAME, given in the request
	Star                             // *, any event type
	CurrentItem                      // CurrentItem.FIELD, of the item in the request
)

// idOf is the column that names the rows of a dataset: "" for interactions, whose rows have no name.
func idOf(t schema.Type) string {
	switch t {
	case schema.Items:
		return schema.ItemID
	case schema.Users, currentUser:
		return schema.UserID
	case schema.Actions:
		return schema.ActionID
	}
	return ""
}

// currentUser is the Dataset of conditions behind IF.
const currentUser schema.Type = ""

// datasetNames are the dataset types as Personalize writes them in expressions.
var datasetNames = map[schema.Type]string{
	schema.Interactions: "Interactions", schema.Items: "Items", schema.Users: "Users",
	schema.Actions: "Actions", schema.ActionInteractions: "Action_Interactions",
}

// String is the canonical text: parsing it gives an equal expression.
func (e *Expr) String() string {
	var b strings.Builder
	for i := range e.Clauses {
		if i > 0 {
			b.WriteString(" | ")
		}
		e.Clauses[i].print(&b)
	}
	return b.String()
}

func (c *Clause) print(b *strings.Builder) {
	if c.Exclude {
		b.WriteString("EXCLUDE ")
	} else {
		b.WriteString("INCLUDE ")
	}
	b.WriteString(string(c.Subject))
	b.WriteString(" WHERE ")
	for i := range c.Where {
		if i > 0 && c.Or[i-1] {
			b.WriteString(" OR ")
		} else if i > 0 {
			b.WriteString(" AND ")
		}
		c.Where[i].print(b)
	}
	for i := range c.If {
		if i == 0 {
			b.WriteString(" IF ")
		} else {
			b.WriteString(" AND ")
		}
		c.If[i].print(b)
	}
}

// name is the field with its dataset, as in Items.GENRES.
func (c *Cond) name() string {
	if c.Dataset == currentUser {
		return "CurrentUser." + c.Field
	}
	return datasetNames[c.Dataset] + "." + c.Field
}

func (c *Cond) print(b *strings.Builder) {
	b.WriteString(c.name() + " " + string(c.Op) + " ")
	if c.List {
		b.WriteByte('(')
	}
	for i, v := range c.Values {
		if i > 0 {
			b.WriteString(", ")
		}
		switch v.Kind {
		case Literal:
			b.WriteString(quote(v.Text))
		case Number:
			b.WriteString(v.Text)
		case Param:
			b.WriteString("$" + v.Text)
		case Star:
			b.WriteByte('*')
		case CurrentItem:
			b.WriteString("CurrentItem." + v.Text)
		}
	}
	if c.List {
		b.WriteByte(')')
	}
}

// quote writes a literal: " and \ inside it get a \ before them.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// Params are the names of the parameters, in order of first appearance.
func (e *Expr) Params() []string {
	var names []string
	for i := range e.Clauses {
		for _, name := range e.Clauses[i].params() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// conds are the conditions of WHERE and of IF.
func (c *Clause) conds() []Cond { return slices.Concat(c.Where, c.If) }

func (c *Clause) params() []string {
	var names []string
	for _, cond := range c.conds() {
		for _, v := range cond.Values {
			if v.Kind == Param && !slices.Contains(names, v.Text) {
				names = append(names, v.Text)
			}
		}
	}
	return names
}
