package dataset

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Snapshot is everything a trainer reads, as it was known at one moment: an
// immutable value in memory. Users and items are numbered by their
// vocabularies; Events and both Attributes speak in those numbers.
type Snapshot struct {
	Name           string // artifact name of the folder it rests in; "" for one made in memory
	AsOf           time.Time
	Users          *Vocabulary
	Items          *Vocabulary
	Events         Events
	ItemAttributes *Attributes
	UserAttributes *Attributes
}

// String introduces the snapshot: snapshot 943 users × 1 682 items × 100 000 events, as of 2026-03-01.
func (s *Snapshot) String() string {
	out := fmt.Sprintf("snapshot %s users × %s items × %s events",
		thousands(int64(s.Users.Len())), thousands(int64(s.Items.Len())), thousands(int64(s.Events.Len())))
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
