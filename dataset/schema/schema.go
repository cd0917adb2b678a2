package schema

import (
	"fmt"
	"strings"

	"github.com/attune-io/attune"
)

// Type is the kind of a dataset, in the upper case of its ARN.
type Type string

// The five dataset types of Personalize.
const (
	Interactions       Type = "INTERACTIONS"
	Items              Type = "ITEMS"
	Users              Type = "USERS"
	Actions            Type = "ACTIONS"
	ActionInteractions Type = "ACTION_INTERACTIONS"
)

// The two domains a dataset group may have; "" is a custom group.
const (
	Ecommerce     = "ECOMMERCE"
	VideoOnDemand = "VIDEO_ON_DEMAND"
)

// ParseType reads a dataset type in any case ("Interactions", "ITEMS").
func ParseType(s string) (Type, error) {
	switch t := Type(strings.ToUpper(s)); t {
	case Interactions, Items, Users, Actions, ActionInteractions:
		return t, nil
	}
	return "", attune.Errorf(attune.Invalid,
		"dataset type %s is unknown: use Interactions, Items, Users, Actions or Action_Interactions", quote(s))
}

// Kind is the type of a column's values.
type Kind uint8

// The kinds of Personalize's schemas. The zero value is none of them.
const (
	String Kind = iota + 1
	Int
	Long
	Float
	Double
	Boolean
)

var kindNames = [...]string{"", "string", "int", "long", "float", "double", "boolean"}

// String is the Avro name of the kind.
func (k Kind) String() string {
	if k == 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// ParseKind reads the Avro name of a kind; ok is false for any other type.
func ParseKind(s string) (k Kind, ok bool) {
	for i, name := range kindNames {
		if i > 0 && name == s {
			return Kind(i), true
		}
	}
	return 0, false
}

// Numeric says whether values of the kind are numbers.
func (k Kind) Numeric() bool { return k >= Int && k <= Double }

// Names of columns that mean something by themselves, in any dataset type.
const (
	UserID            = "USER_ID"
	ItemID            = "ITEM_ID"
	ActionID          = "ACTION_ID"
	Timestamp         = "TIMESTAMP" // Unix seconds
	EventType         = "EVENT_TYPE"
	EventValue        = "EVENT_VALUE"
	Impression        = "IMPRESSION" // item ids joined by |
	RecommendationID  = "RECOMMENDATION_ID"
	CreationTimestamp = "CREATION_TIMESTAMP" // Unix seconds

	ActionValue      = "VALUE"                       // of an action: what it is worth when taken, in any unit
	ActionExpiration = "ACTION_EXPIRATION_TIMESTAMP" // Unix seconds, from when an action is no longer recommended
	RepeatFrequency  = "REPEAT_FREQUENCY"            // days that an action is not recommended to who took it
)

// ActionOutcome is what an event of Action_Interactions says of an action.
type ActionOutcome uint8

// The outcomes. An event of another type says nothing.
const (
	NoOutcome ActionOutcome = iota
	Viewed
	Taken
	NotTaken
)

// ActionEvent reads an event type of Action_Interactions, which the service's
// own texts spell in several ways: NOT_TAKEN, Not Taken. Case does not matter.
func ActionEvent(eventType string) ActionOutcome {
	switch strings.ToLower(strings.ReplaceAll(eventType, "_", " ")) {
	case "viewed":
		return Viewed
	case "taken":
		return Taken
	case "not taken":
		return NotTaken
	}
	return NoOutcome
}

// Limits of a schema and of the values under it.
const (
	MaxSchema      = 20_000 // characters of Avro text (CreateSchema)
	MaxFields      = 150    // above any legal schema: 100 metadata columns and the reserved ones
	MaxName        = 150    // characters of a column name
	MaxID          = 256    // characters of a user, item or action id
	MaxCategorical = 1_000  // characters of a categorical, impression or plain string value
	MaxTextual     = 20_000 // characters of a textual value
	MaxProperties  = 32_000 // characters of a properties document (PutItems; the others allow less)
)

// Field is one column.
type Field struct {
	Name        string
	Kind        Kind
	Nullable    bool // a union with null: the value may be absent
	Categorical bool // values are names of categories, several joined by |
	Textual     bool // free text, only in ITEMS
}

// Schema is the columns of a dataset, in the order of the Avro text.
type Schema struct {
	Name   string // of the Avro record, e.g. "Interactions"
	Fields []Field
}

// Field finds a column by its exact name.
func (s *Schema) Field(name string) (Field, bool) {
	for _, f := range s.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// String introduces the schema: its name and its columns.
func (s *Schema) String() string {
	var b strings.Builder
	b.WriteString(s.Name + "(")
	for i, f := range s.Fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.Name + " " + f.Kind.String())
		if f.Nullable {
			b.WriteString("?")
		}
	}
	return b.String() + ")"
}

// Values splits a categorical value at its bars: "Horror|Action" has two.
// Empty parts vanish and each part loses the spaces around it.
func Values(s string) []string {
	if s == "" {
		return nil
	}
	parts := strings.Split(s, "|")
	n := 0
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			parts[n] = p
			n++
		}
	}
	return parts[:n]
}

// quote shows what a client sent inside a message, without letting it be long.
func quote(s string) string {
	const most = 60 // enough to recognise, short enough for a message
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return fmt.Sprintf("%q", s)
}
