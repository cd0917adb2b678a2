package attune

import "time"

// Clock tells the time. Everything that decides whether something is due asks
// a Clock, so that a test can say what time it is.
type Clock func() time.Time

// WallClock is the machine's own clock, in UTC.
func WallClock() time.Time { return time.Now().UTC() }
