package serve

import (
	"github.com/attune-io/attune/filter"
	"github.com/attune-io/attune/profile"
)

// view is what serving asks of a *profile.View. Numbers of items and event
// types mean the same in every view of a group, and are only ever added.
type view interface {
	past
	goods
	tallies
	crowd
	deeds
}

type past interface {
	History(user string) []profile.Touch
	TypeName(uint16) string
	UserRow(user string) filter.Row
	UserAttributes(user string) map[string]any
}

// deeds are actions, and what users did with them.
type deeds interface {
	ActionHistory(user string) []profile.Touch
	Action(number int32) string
	ActionNumber(id string) (int32, bool)
	NumActions() int
	Actions() *filter.Columns
}

type tallies interface {
	Counts(dst []profile.Count) (counts []profile.Count, latest int64)
}

type goods interface {
	Item(number int32) string
	ItemNumber(id string) (int32, bool)
	NumItems() int
	Items() *filter.Columns
}

// crowd is everybody, for segments.
type crowd interface {
	UserIDs() []string
	UserAttributes(user string) map[string]any
}
