package recipe

import (
	"math"
	"time"

	"github.com/attune-io/attune"
)

// Budget says how much time a whole Fit of a Searcher may take: its search, the
// training that is measured, and the last one. It is Standard, Thorough, or a
// duration such as "90s" (time.ParseDuration), of the seconds that Coster has:
// those of two cores with AVX2, which no clock measures.
type Budget string

// The budgets.
const (
	// Standard is what a plain training takes: the time that people wait for
	// while they watch.
	Standard Budget = "standard"
	// Thorough is what a search that somebody asked for takes.
	Thorough Budget = "thorough"
)

const (
	// standardUnit seconds are the standard budget of standardEvents events. Time
	// rises faster than larger data does, since that bears larger models, and
	// falls more slowly than smaller data does.
	standardUnit   = 3.5
	standardEvents = 100_000
	powerAbove     = 1.5
	powerBelow     = 0.7
	leastStandard  = 0.25
	mostStandard   = 30 * 60
	// thoroughFactor standard budgets are a thorough one.
	thoroughFactor = 30
	mostThorough   = 25 * 60 // of 30 minutes: reading, asking and writing are not counted in Coster
	// longest is the most that may be asked for: above it somebody has mistyped.
	longest = 24 * time.Hour
)

// Seconds is the budget for so many events, in the seconds of Coster. It is 0
// for a Budget that Check refuses; "" is Standard.
func (b Budget) Seconds(events int) float64 {
	power := powerAbove
	if events < standardEvents {
		power = powerBelow
	}
	standard := max(leastStandard, standardUnit*math.Pow(float64(events)/standardEvents, power))
	switch b {
	case "", Standard:
		return min(standard, mostStandard)
	case Thorough:
		return min(thoroughFactor*standard, mostThorough)
	}
	asked, _ := b.asked()
	return asked.Seconds()
}

// Check says whether a budget can be kept; the error is attune.Invalid.
func (b Budget) Check() error {
	if b.named() {
		return nil
	}
	_, err := b.asked()
	return err
}

// named says that the size of the data decides, and not a duration.
func (b Budget) named() bool { return b == "" || b == Standard || b == Thorough }

// asked is the duration that a budget says; 0 with an error.
func (b Budget) asked() (time.Duration, error) {
	d, err := time.ParseDuration(string(b))
	switch {
	case err != nil:
		return 0, attune.Errorf(attune.Invalid, "budget %q is unknown: use %s, %s, or a duration such as 90s or 10m", b, Standard, Thorough)
	case d <= 0 || d > longest:
		return 0, attune.Errorf(attune.Invalid, "budget %q is not above 0 and up to %g hours", b, longest.Hours())
	}
	return d, nil
}
