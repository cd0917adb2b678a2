package filter

import (
	"slices"
	"strings"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/dataset/schema"
)

// Limits are bounds that Amazon Personalize has on filters and this server by
// itself has not. The zero value is no bounds at all; a field that is zero is no bound.
type Limits struct {
	Fields        int           // distinct fields of one filter
	GroupFields   int           // distinct fields over all filters of a dataset group
	History       int           // of a user's interactions, only so many of each event type count, the newest
	ActionHistory int           // the same for interactions with actions
	Idle          time.Duration // what a user did does not count when the last of it is older
}

// Personalize gives the bounds that Amazon Personalize publishes: its developer
// guide, "Guidelines and requirements" and "Filter expressions". The English
// page of the first has 5 and 10 fields where the newer translations have 10
// and 20; the newer ones are meant here. The last three can be raised on request.
func Personalize() Limits {
	return Limits{Fields: 10, GroupFields: 20, History: 100, ActionHistory: 300, Idle: 90 * 24 * time.Hour}
}

// Check holds an expression against the schemas of its dataset group: one
// subject, one dataset in each clause, every field is there and may be filtered
// by, values fit the field, and no bound of l is exceeded. The error, attune.Invalid,
// is about the first thing that is wrong.
func (e *Expr) Check(schemas map[schema.Type]*schema.Schema, l Limits) error {
	for i := range e.Clauses {
		c := &e.Clauses[i]
		if c.Subject != e.Subject() {
			return attune.Errorf(attune.Invalid, "%s and %s stand in one filter: make a filter of each", e.Subject(), c.Subject)
		}
		if err := c.check(schemas); err != nil {
			return err
		}
	}
	if n := len(e.Fields()); l.Fields > 0 && n > l.Fields {
		return attune.Errorf(attune.Invalid, "the filter uses %d different fields; at most %d are allowed", n, l.Fields)
	}
	if n := len(e.Params()); n > maxParamCount {
		return attune.Errorf(attune.Invalid, "the filter has %d parameters; a request can give at most %d", n, maxParamCount)
	}
	return nil
}

// Fields are the distinct fields of datasets that the filter asks about, in
// upper case and order of appearance: ITEMS.GENRES. CurrentUser counts as
// Users, CurrentItem as Items.
func (e *Expr) Fields() []string {
	var fields []string
	add := func(t schema.Type, field string) {
		if name := strings.ToUpper(string(t) + "." + field); !slices.Contains(fields, name) {
			fields = append(fields, name)
		}
	}
	for i := range e.Clauses {
		for _, cond := range e.Clauses[i].conds() {
			if cond.Dataset == currentUser {
				add(schema.Users, cond.Field)
			} else {
				add(cond.Dataset, cond.Field)
			}
			for _, v := range cond.Values {
				if v.Kind == CurrentItem {
					add(schema.Items, v.Text)
				}
			}
		}
	}
	return fields
}

// mayUse are the datasets that stand behind each subject's WHERE; the second holds its events.
var mayUse = map[Subject][2]schema.Type{
	ItemID:   {schema.Items, schema.Interactions},
	ActionID: {schema.Actions, schema.ActionInteractions},
	UserID:   {schema.Users, schema.Interactions},
}

func (c *Clause) check(schemas map[schema.Type]*schema.Schema) error {
	for i := range c.Where {
		cond := &c.Where[i]
		if cond.Dataset != c.Where[0].Dataset {
			return attune.Errorf(attune.Invalid, "%s and %s stand in one expression: use one dataset in each, and join expressions with |",
				c.Where[0].name(), cond.name())
		}
		if may := mayUse[c.Subject]; cond.Dataset != may[0] && cond.Dataset != may[1] {
			return attune.Errorf(attune.Invalid, "%s cannot be used behind %s WHERE: use %s.EVENT_TYPE or a field of %s",
				cond.name(), c.Subject, datasetNames[may[1]], datasetNames[may[0]])
		}
	}
	if len(c.If) > 0 && c.Subject == UserID {
		return attune.Errorf(attune.Invalid, "IF cannot be used behind UserID: there is no current user while users are chosen")
	}
	for _, cond := range c.conds() {
		if err := cond.check(c.Subject, schemas); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cond) check(of Subject, schemas map[schema.Type]*schema.Schema) error {
	for _, v := range c.Values {
		switch {
		case v.Kind == Param && c.Op == NotIn: // the service's words
			return attune.Errorf(attune.Invalid, "Invalid input symbol: $%s. Placeholders are not allowed with NOT_IN operator: for %s use IN, and INCLUDE in place of EXCLUDE or the other way round",
				v.Text, c.name())
		case v.Kind == CurrentItem && of != ItemID:
			return attune.Errorf(attune.Invalid, "CurrentItem.%s cannot be used behind %s: only requests for related items have a current item", v.Text, of)
		}
	}
	if c.Dataset == schema.Interactions || c.Dataset == schema.ActionInteractions {
		return c.checkEventType()
	}
	t := c.Dataset
	if t == currentUser {
		t = schema.Users
	}
	f, err := c.fieldOf(schemas, t, c.Field, c.name())
	if err != nil {
		return err
	}
	if err := c.checkField(f); err != nil {
		return err
	}
	for _, v := range c.Values {
		if v.Kind != CurrentItem {
			continue
		}
		item, err := c.fieldOf(schemas, schema.Items, v.Text, "CurrentItem."+v.Text)
		if err != nil {
			return err
		}
		if item.Kind.Numeric() != f.Kind.Numeric() {
			return attune.Errorf(attune.Invalid, "%s is of type %s and CurrentItem.%s of type %s: compare numbers with numbers, strings with strings",
				c.name(), f.Kind, v.Text, item.Kind)
		}
	}
	return nil
}

// fieldOf finds a column that filters may use; name is what to call it.
func (c *Cond) fieldOf(schemas map[schema.Type]*schema.Schema, t schema.Type, column, name string) (schema.Field, error) {
	s := schemas[t]
	if s == nil {
		return schema.Field{}, attune.Errorf(attune.Invalid, "%s: the dataset group has no %s dataset yet", name, datasetNames[t])
	}
	f, ok := field(s, column)
	switch {
	case !ok:
		return f, attune.Errorf(attune.Invalid, "%s: schema %s has no such column; its columns are %s", name, s.Name, columnNames(s))
	case f.Textual:
		return f, attune.Errorf(attune.Invalid, "%s is a textual field; filters cannot use free text", name)
	case f.Kind == schema.Boolean:
		return f, attune.Errorf(attune.Invalid, `%s is a boolean field, which filters cannot use: declare it a string with the values "True" and "False", or an int with 0 and 1`, name)
	case t == schema.Actions && slices.ContainsFunc(actionsOwn, func(own string) bool { return strings.EqualFold(own, f.Name) }):
		return f, attune.Errorf(attune.Invalid, "%s cannot be used in filters: answers take it into account by themselves", name)
	}
	return f, nil
}

// actionsOwn are columns of Actions that recommendations obey without a filter.
var actionsOwn = []string{"ACTION_EXPIRATION_TIMESTAMP", "REPEAT_FREQUENCY"}

func (c *Cond) checkEventType() error {
	if !strings.EqualFold(c.Field, schema.EventType) {
		return attune.Errorf(attune.Invalid, "%s: interactions can be filtered by EVENT_TYPE only", c.name())
	}
	if c.Op.ranged() {
		return attune.Errorf(attune.Invalid, "%s %s: an event type is compared with IN, NOT IN, = or !=", c.name(), c.Op)
	}
	for _, v := range c.Values {
		switch v.Kind {
		case Number:
			return attune.Errorf(attune.Invalid, "%s: the event type %s must be in double quotes", c.name(), v.Text)
		case CurrentItem:
			return attune.Errorf(attune.Invalid, "%s: CurrentItem.%s is no event type", c.name(), v.Text)
		}
	}
	return nil
}

func (c *Cond) checkField(f schema.Field) error {
	if c.Op.ranged() && !f.Kind.Numeric() {
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
