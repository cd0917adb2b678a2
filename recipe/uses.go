package recipe

import (
	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/dataset/schema"
)

// Uses says whether a column of a dataset may be learned from; nil for all.
type Uses func(of schema.Type, column string) bool

// learnable is a snapshot without the columns that may not be learned from. The
// other columns are shared with s.
func (may Uses) learnable(s *dataset.Snapshot) *dataset.Snapshot {
	if may == nil {
		return s
	}
	some := *s
	some.ItemAttributes = may.columns(schema.Items, s.ItemAttributes)
	some.UserAttributes = may.columns(schema.Users, s.UserAttributes)
	some.ActionAttributes = may.columns(schema.Actions, s.ActionAttributes)
	some.Events = s.Events.WithContext(func(column string) bool { return may(schema.Interactions, column) })
	some.ActionEvents = s.ActionEvents.WithContext(func(column string) bool { return may(schema.ActionInteractions, column) })
	return &some
}

// columns are the attributes of one dataset that may be learned from; nil of none.
func (may Uses) columns(of schema.Type, all *dataset.Attributes) *dataset.Attributes {
	if all == nil {
		return nil
	}
	some := new(dataset.Attributes)
	for _, c := range all.Columns {
		if may(of, c.Name) {
			some.Columns = append(some.Columns, c)
		}
	}
	return some
}
