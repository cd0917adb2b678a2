package schema

import (
	"strings"

	"github.com/attune-io/attune"
)

// rule is what one dataset type asks of a schema, from the service's developer
// guide, "Creating schema JSON files", and its table of quotas.
type rule struct {
	required []string // always there and never null
	wanted   []string // required, but may be a union with null
	metadata bool     // at least one column of the customer's own
}

func ruleOf(t Type, domain string) rule {
	switch t {
	case Interactions:
		r := rule{required: []string{UserID, ItemID, Timestamp}}
		if domain != "" {
			r.required = append(r.required, EventType)
		}
		return r
	case Items:
		r := rule{required: []string{ItemID}, metadata: true}
		switch domain {
		case Ecommerce:
			r.wanted = []string{"PRICE", "CATEGORY_L1"}
		case VideoOnDemand:
			r.wanted = []string{CreationTimestamp, "GENRES"}
		}
		return r
	case Users:
		return rule{required: []string{UserID}, metadata: true}
	case Actions:
		return rule{required: []string{ActionID}, metadata: true}
	case ActionInteractions:
		return rule{required: []string{UserID, ActionID, EventType, Timestamp}}
	}
	return rule{}
}

// reservedKinds says which types a column with a reserved name may have in a
// dataset type; nil means that the name is free there. The first kind is the
// one to advise.
func reservedKinds(t Type, domain, name string) []Kind {
	switch name {
	case UserID, ItemID, ActionID, EventType, Impression, RecommendationID:
		return []Kind{String}
	case Timestamp, CreationTimestamp:
		return []Kind{Long}
	case EventValue:
		return []Kind{Float, Double}
	}
	switch {
	case t == Actions:
		switch name {
		case ActionValue:
			return []Kind{Long, Int, Float, Double}
		case ActionExpiration:
			return []Kind{Long}
		case RepeatFrequency:
			return []Kind{Long, Int}
		}
	case t == Items && domain == Ecommerce:
		switch name {
		case "PRICE":
			return []Kind{Float, Double}
		case "CATEGORY_L1", "CATEGORY_L2", "CATEGORY_L3", "PRODUCT_DESCRIPTION", "AGE_GROUP", "ADULT", "GENDER":
			return []Kind{String}
		}
	case t == Items && domain == VideoOnDemand:
		switch name {
		case "PRICE", "DURATION", "AVERAGE_RATING":
			return []Kind{Float, Double}
		case "GENRES", "GENRE_L2", "GENRE_L3", "CONTENT_OWNER", "CONTENT_CLASSIFICATION":
			return []Kind{String}
		}
	}
	return nil
}

// Check says whether the schema can belong to a dataset of type t in a group
// of the domain ("" for a custom group). The error, attune.Invalid, names the
// field and says what to write.
func (s *Schema) Check(t Type, domain string) error {
	r := ruleOf(t, domain)
	for _, name := range r.required {
		f, ok := s.Field(name)
		if !ok {
			return s.missing(t, domain, name)
		}
		if f.Nullable {
			return attune.Errorf(attune.Invalid, "schema field %s may not be null in %s: remove null from its type", name, t)
		}
	}
	for _, name := range r.wanted {
		if _, ok := s.Field(name); !ok {
			return s.missing(t, domain, name)
		}
	}
	for _, f := range s.Fields {
		kinds := reservedKinds(t, domain, f.Name)
		if kinds != nil && !contains(kinds, f.Kind) {
			return attune.Errorf(attune.Invalid, "schema field %s is of type %s: in %s it must be %s", f.Name, f.Kind, t, kinds[0])
		}
		if f.Textual {
			if t != Items {
				return attune.Errorf(attune.Invalid, "schema field %s is textual: only ITEMS can have textual fields", f.Name)
			}
		}
	}
	if r.metadata && len(s.Fields) <= len(r.required) {
		return attune.Errorf(attune.Invalid,
			"schema has only %s: %s needs at least one metadata field besides", strings.Join(r.required, ", "), t)
	}
	return nil
}

// Limits bound the columns of a schema that are the customer's own; a zero
// member bounds nothing.
type Limits struct {
	Interactions int // also of action interactions
	Users        int
	Items        int
	Actions      int
	Textual      int // of Items, in any case
}

// Own counts the columns that are the customer's own in a dataset of type t.
func (s *Schema) Own(t Type) (n int) {
	r := ruleOf(t, "")
	for _, f := range s.Fields {
		if isOwn(r, f.Name) {
			n++
		}
	}
	return n
}

// CheckColumns refuses a schema for a dataset of type t with more columns of
// the customer's own than l says. The error is attune.Invalid.
func (s *Schema) CheckColumns(t Type, l Limits) error {
	most := map[Type]int{Interactions: l.Interactions, ActionInteractions: l.Interactions, Users: l.Users, Items: l.Items, Actions: l.Actions}[t]
	own, textual := s.Own(t), 0
	for _, f := range s.Fields {
		if f.Textual {
			textual++
		}
	}
	if l.Textual > 0 && textual > l.Textual {
		return attune.Errorf(attune.Invalid, "schema has %d textual fields: %s can have %d", textual, t, l.Textual)
	}
	if most > 0 && own > most {
		return attune.Errorf(attune.Invalid, "schema has %d metadata fields: %s can have %d", own, t, most)
	}
	return nil
}

func (s *Schema) missing(t Type, domain, name string) error {
	kind := String
	if kinds := reservedKinds(t, domain, name); kinds != nil {
		kind = kinds[0]
	}
	where := string(t)
	if domain != "" {
		where += " of domain " + domain
	}
	for _, f := range s.Fields {
		if strings.EqualFold(f.Name, name) {
			return attune.Errorf(attune.Invalid, "schema for %s has %s where %s is required: write it in upper case", where, f.Name, name)
		}
	}
	return attune.Errorf(attune.Invalid, `schema for %s is missing the field %s: add {"name": "%s", "type": "%s"}`, where, name, name, kind)
}

// isOwn says whether a column is the customer's own, so that it counts against
// the number of metadata columns.
func isOwn(r rule, name string) bool {
	switch name {
	case EventType, EventValue, Impression, RecommendationID, CreationTimestamp:
		return false
	}
	for _, req := range r.required {
		if req == name {
			return false
		}
	}
	return true
}

func contains(kinds []Kind, k Kind) bool {
	for _, x := range kinds {
		if x == k {
			return true
		}
	}
	return false
}
