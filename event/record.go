package event

import (
	"fmt"
	"time"
)

// Group names one dataset group's log. It is the unique id of the group's
// resource row (lower-case hex), never its name, so that a group made again
// under an old name starts with an empty log.
type Group string

// Seq is a place in a group's log: the stream sequence of the message that
// holds the record, and the record's index inside that message. The zero Seq
// is before everything.
type Seq struct {
	Message uint64 `json:"message"`
	Index   uint32 `json:"index"`
}

// Less reports whether s comes before o.
func (s Seq) Less(o Seq) bool {
	return s.Message < o.Message || s.Message == o.Message && s.Index < o.Index
}

// String prints message.index.
func (s Seq) String() string { return fmt.Sprintf("%d.%d", s.Message, s.Index) }

// Record is one thing that happened, at its place in the order of things.
type Record struct {
	Seq      Seq
	Received time.Time // when the log took it, UTC, millisecond precision
	Body     Body
}

// Body is one of *Interaction, *Item, *User, *Imported, *Impression, *Action, *ActionInteraction, *Erased.
type Body interface{ body() }

// Interaction is a user (or an anonymous session) doing something with an item: one event of PutEvents.
type Interaction struct {
	EventID          string    // the client's id; a repeated one counts once; "" if none
	User             string    // "" while the user is anonymous
	Session          string    // always given by PutEvents
	Item             string    // "" for events about no item
	Type             string    // event type as sent, e.g. "Watch"
	At               time.Time // when it happened, UTC, millisecond precision
	Value            float64   // event value; NaN when absent
	Properties       string    // JSON object as sent; "" when absent
	RecommendationID string
	Impression       []string // items shown, in order
	Source           string   // metricAttribution.eventAttributionSource
}

// Item is what PutItems said of one item. Properties is the JSON object as sent (camelCase keys).
type Item struct{ ID, Properties string }

// User is what PutUsers said of one user. Properties is the JSON object as sent (camelCase keys).
type User struct{ ID, Properties string }

// Action is what PutActions said of one action. Properties is the JSON object as sent (camelCase keys).
type Action struct{ ID, Properties string }

// ActionInteraction is a user (or an anonymous session) meeting an action: one event of PutActionInteractions.
type ActionInteraction struct {
	EventID          string    // the client's id; a repeated one counts once; "" if none
	User             string    // "" while the user is anonymous
	Session          string    // always given by PutActionInteractions
	Action           string    // never ""
	Type             string    // as sent: Viewed, Taken or Not Taken
	At               time.Time // when it happened, UTC, millisecond precision
	Properties       string    // JSON object as sent; "" when absent
	RecommendationID string
	Impression       []string // actions shown, in order
}

// Mode says how an import meets what is already there.
type Mode string

// The modes of an import.
const (
	Full        Mode = "FULL"        // replaces the rows of earlier imports, never what came by Put*
	Incremental Mode = "INCREMENTAL" // adds interactions; replaces items, users and actions by id
	Cleared     Mode = "CLEARED"     // the dataset was deleted: its rows so far, imported or Put, are no longer true; Table is ""
)

// Imported is the commit point of an import: from its Seq on, the rows of Table are true.
type Imported struct {
	Dataset string `json:"dataset"` // INTERACTIONS, ITEMS, USERS, ACTIONS, ACTION_INTERACTIONS
	Table   string `json:"table"`   // artifact name of the table's folder: table/<dataset id>/<import id>/<attempt>
	Mode    Mode   `json:"mode"`
	Rows    int64  `json:"rows"`
	Job     string `json:"job"` // id of the import job's row; a repeated Job counts once
}

// Impression is one answer that was given: what was shown to whom by which
// model, and how likely it was to be that.
type Impression struct {
	RecommendationID string
	Campaign         string // ARN of the campaign or recommender
	Version          string // solution version ARN
	User             string
	Items            []string // in the order shown; actions, of a campaign that recommends those
	Filter           string   // ARN of the request's filter; "" for none
	Promotion        string   // name of the promotion; "" for none, and for one without a name
	Exploration      float32  // explorationWeight of the answer; 0 for none

	// Reasons says of each item why it is where it is; nil when all are ByScore.
	Reasons []Reason
	// Propensities has for each item the probability that it stood at its
	// place, given the items before it; nil when nothing was left to chance.
	Propensities []float32
}

// Erased stands where a record was until a deletion of users took it away, so
// that all others keep their Seq; its Job is "". With a Job it is the mark that
// a deletion appends when it is through: whoever folded the log before must fold
// it again.
type Erased struct {
	Job string // id of the deletion job's row; a repeated Job counts once
}

func (*Interaction) body() {}
func (*Item) body()        {}
func (*User) body()        {}
func (*Imported) body()    {}
func (*Impression) body()  {}
func (*Erased) body()      {}

func (*Action) body()            {}
func (*ActionInteraction) body() {}
