package filter

import (
	"fmt"
	"slices"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// Check holds an expression against the schemas of its dataset group: every
// field exists and may be filtered by, values fit the field, and all of it is
// what this version carries out. What parses but is not carried out yet is
// refused here with a message that says so, never ignored.
func (e *Expr) Check(schemas map[schema.Type]*schema.Schema) error {
	var fields []string
	for i := range e.Clauses {
		c := &e.Clauses[i]
		if err := c.check(schemas); err != nil {
			return err
		}
		for _, cond := range c.Where {
			if name := strings.ToUpper(cond.name()); !slices.Contains(fields, name) {
				fields = append(fields, name)
			}
		}
	}
	if len(fields) > maxFields {
		return attune.Errorf(attune.Invalid, "the filter uses %d different fields; at most %d are allowed", len(fields), maxFields)
	}
	if n := len(e.Params()); n > maxParamCount {
		return attune.Errorf(attune.Invalid, "the filter has %d parameters; a request can give at most %d", n, maxParamCount)
	}
	return nil
}

func (c *Clause) check(schemas map[schema.Type]*schema.Schema) error {
	if c.Subject != ItemID {
		return notBuilt("%s: only filters of ItemID work", c.Subject)
	}
	for i := range c.Where {
		cond := &c.Where[i]
		if cond.Dataset != c.Where[0].Dataset {
			return attune.Errorf(attune.Invalid, "%s and %s stand in one expression: use one dataset in each, and join expressions with |",
				c.Where[0].name(), cond.name())
		}
		if err := cond.check(schemas); err != nil {
			return err
		}
	}
	if slices.Contains(c.Or, true) && slices.Contains(c.Or, false) {
		return notBuilt("AND and OR mixed in one expression: split it with |")
	}
	if len(c.If) > 0 {
		return notBuilt("IF with CurrentUser")
	}
	return nil
}

// notBuilt refuses a part of the language that parses but is not carried out.
func notBuilt(format string, args ...any) error {
	return attune.Errorf(attune.Invalid, "filter expression: %s: this is not built yet", fmt.Sprintf(format, args...))
}

func (c *Cond) check(schemas map[schema.Type]*schema.Schema) error {
	if c.Dataset != schema.Interactions && c.Dataset != schema.Items {
		return attune.Errorf(attune.Invalid, "%s cannot be used behind ItemID WHERE: filter items by Interactions.EVENT_TYPE or by a field of Items", c.name())
	}
	for _, v := range c.Values {
		switch {
		case v.Kind == CurrentItem:
			return notBuilt("CurrentItem.%s", v.Text)
		case v.Kind == Param && c.Op == NotIn:
			return attune.Errorf(attune.Invalid, "%s NOT IN $%s: a parameter cannot be used with NOT IN; use IN and turn INCLUDE into EXCLUDE, or the other way round",
				c.name(), v.Text)
		}
	}
	if c.Dataset == schema.Interactions {
		return c.checkEventType()
	}
	s := schemas[c.Dataset]
	if s == nil {
		return attune.Errorf(attune.Invalid, "%s: the dataset group has no %s dataset yet", c.name(), datasetNames[c.Dataset])
	}
	if strings.EqualFold(c.Field, schema.ItemID) {
		return notBuilt("Items.ITEM_ID")
	}
	f, ok := field(s, c.Field)
	if !ok {
		return attune.Errorf(attune.Invalid, "%s: schema %s has no such column; its columns are %s", c.name(), s.Name, columnNames(s))
	}
	return c.checkField(f)
}

func (c *Cond) checkEventType() error {
	if !strings.EqualFold(c.Field, schema.EventType) {
		return attune.Errorf(attune.Invalid, "%s: interactions can be filtered by EVENT_TYPE only", c.name())
	}
	if c.Op != In && c.Op != NotIn && c.Op != Equal {
		return attune.Errorf(attune.Invalid, "%s %s: an event type is compared with IN, NOT IN or =", c.name(), c.Op)
	}
	for _, v := range c.Values {
		if v.Kind == Number {
			return attune.Errorf(attune.Invalid, "%s: the event type %s must be in double quotes", c.name(), v.Text)
		}
	}
	return nil
}

func (c *Cond) checkField(f schema.Field) error {
	switch {
	case f.Textual:
		return attune.Errorf(attune.Invalid, "%s is a textual field; filters cannot use free text", c.name())
	case f.Kind == schema.Boolean:
		return attune.Errorf(attune.Invalid, `%s is a boolean field, which filters cannot use: declare it a string with the values "True" and "False", or an int with 0 and 1`, c.name())
	}
	ranged := c.Op != In && c.Op != NotIn && c.Op != Equal
	if ranged && !f.Kind.Numeric() {
		return attune.Errorf(attune.Invalid, "%s %s: the field is a string; ranges need a numeric field", c.name(), c.Op)
	}
	for _, v := range c.Values {
		switch {
		case v.Kind == Star || v.Kind == Literal && v.Text == "*":
			return attune.Errorf(attune.Invalid, "%s: * can only stand for event types", c.name())
		case v.Kind == Literal && f.Kind.Numeric():
			if _, err := parseNumber(v.Text); err != nil {
				return attune.Errorf(attune.Invalid, "%s is of type %s; %s is not a number", c.name(), f.Kind, quote(clip(v.Text)))
			}
		}
	}
	return nil
}

// field finds a column by name, exactly or else without case.
func field(s *schema.Schema, name string) (schema.Field, bool) {
	if f, ok := s.Field(name); ok {
		return f, true
	}
	for _, f := range s.Fields {
		if strings.EqualFold(f.Name, name) {
			return f, true
		}
	}
	return schema.Field{}, false
}

func columnNames(s *schema.Schema) string {
	const most = 12 // enough to find one's typing error
	var names []string
	for _, f := range s.Fields {
		if len(names) == most {
			names = append(names, "…")
			break
		}
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}
