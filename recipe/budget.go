package recipe

import "math"

// Budget says how much time a whole Fit of a Searcher may take: its search, the
// training that is measured, and the last one.
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
)

// Seconds is the budget for so many events, in the seconds of Coster. It is 0
// for a Budget that is neither, which "" is not: that is Standard.
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
	return 0
}
