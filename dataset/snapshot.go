package dataset

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune/dataset/schema"
)

// Snapshot is everything a trainer reads, as it was known at one moment: an
// immutable value in memory. Users, items and actions are numbered by their
// vocabularies; Events and Attributes speak in those numbers.
type Snapshot struct {
	Name           string // artifact name of the folder it rests in; "" for one made in memory
	AsOf           time.Time
	Users          *Vocabulary
	Items          *Vocabulary
	Events         Events
	ItemAttributes *Attributes
	UserAttributes *Attributes

	// Of groups with actions; else there are none. Item in ActionEvents is a row of Actions.
	Actions          *Vocabulary
	ActionEvents     Events
	ActionAttributes *Attributes
}

// String introduces the snapshot: snapshot 943 users × 1 682 items × 100 000 events, as of 2026-03-01.
func (s *Snapshot) String() string {
	out := fmt.Sprintf("snapshot %s users × %s items × %s events",
		thousands(int64(s.Users.Len())), thousands(int64(s.Items.Len())), thousands(int64(s.Events.Len())))
	if s.Actions != nil && s.Actions.Len() > 0 {
		out += fmt.Sprintf(", %s actions × %s events", thousands(int64(s.Actions.Len())), thousands(int64(s.ActionEvents.Len())))
	}
	if s.AsOf.IsZero() {
		return out
	}
	layout := time.DateOnly
	if !s.AsOf.Equal(s.AsOf.Truncate(24 * time.Hour)) {
		layout = "2006-01-02T15:04:05Z"
	}
	return out + ", as of " + s.AsOf.UTC().Format(layout)
}

// thousands writes 1682 as 1 682, which reads the same in every country.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, r := range s {
		if i > 0 && (len(s)-i)%3 == 0 && s[i-1] != '-' {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Vocabulary is the two-way street between ids and row numbers. Rows are the
// ids in byte order, so the same set of ids always has the same numbers. It is
// immutable and safe for concurrent use.
type Vocabulary struct {
	ids []string
	row map[string]int32
}

// NewVocabulary numbers the distinct ids among those given. The slice is not kept.
func NewVocabulary(ids []string) *Vocabulary {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	return sortedVocabulary(slices.Compact(sorted))
}

// sortedVocabulary owns ids, which are in byte order and distinct.
func sortedVocabulary(ids []string) *Vocabulary {
	v := &Vocabulary{ids: ids, row: make(map[string]int32, len(ids))}
	for i, id := range ids {
		v.row[id] = int32(i)
	}
	return v
}

// Row is the number of an id, in [0, Len).
func (v *Vocabulary) Row(id string) (int32, bool) {
	r, ok := v.row[id]
	return r, ok
}

// ID is the id of a row; row must be in [0, Len).
func (v *Vocabulary) ID(row int32) string { return v.ids[row] }

// Len is the number of ids.
func (v *Vocabulary) Len() int { return len(v.ids) }

// IDs are all ids by row. The slice is the vocabulary's own: do not change it.
func (v *Vocabulary) IDs() []string { return v.ids }

// String says how many ids there are and shows the first.
func (v *Vocabulary) String() string {
	if len(v.ids) == 0 {
		return "vocabulary of no ids"
	}
	return fmt.Sprintf("vocabulary of %d ids from %q", len(v.ids), v.ids[0])
}

// Attributes is what is known of users or items besides their ids: named
// columns, each with one value or none for every row of the vocabulary.
type Attributes struct {
	Columns []Column // sorted by name
}

// Column is one attribute of every row. Exactly one of Text and Number is set,
// and it has one entry per row of the vocabulary.
type Column struct {
	Name        string
	Kind        schema.Kind
	Categorical bool      // values are categories joined by |: see schema.Values
	Textual     bool      // free text
	Text        []string  // for strings; "" where the value is absent
	Number      []float64 // for numbers, and 0 or 1 for booleans; NaN where the value is absent. Longs beyond 2^53 lose digits.
}

// Column finds an attribute by its exact name.
func (a *Attributes) Column(name string) (*Column, bool) {
	if a == nil {
		return nil, false
	}
	for i := range a.Columns {
		if a.Columns[i].Name == name {
			return &a.Columns[i], true
		}
	}
	return nil, false
}

// Row is the attributes of one row that are present: string, float64 or bool.
func (a *Attributes) Row(row int32) map[string]any {
	out := map[string]any{}
	if a == nil {
		return out
	}
	for i := range a.Columns {
		if v := a.Columns[i].Value(row); v != nil {
			out[a.Columns[i].Name] = v
		}
	}
	return out
}

// Value is the value of one row: string, float64, bool, or nil where it is absent.
func (c *Column) Value(row int32) any {
	if c.Text != nil {
		if c.Text[row] == "" {
			return nil
		}
		return c.Text[row]
	}
	x := c.Number[row]
	if math.IsNaN(x) {
		return nil
	}
	if c.Kind == schema.Boolean {
		return x != 0
	}
	return x
}

// String says how many attributes there are and names them.
func (a *Attributes) String() string {
	if a == nil || len(a.Columns) == 0 {
		return "no attributes"
	}
	names := make([]string, len(a.Columns))
	for i, c := range a.Columns {
		names[i] = c.Name
	}
	return fmt.Sprintf("%d attributes %v", len(names), names)
}
