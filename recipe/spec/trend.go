package spec

import (
	"strings"
	"time"

	"github.com/attune-io/attune"
)

// ParamTrend is the feature transformation parameter of aws-trending-now: how
// long the windows are that it compares.
const ParamTrend = "trend_discovery_frequency"

// DefaultTrend is its value when nobody says.
const DefaultTrend = "3 hours"

// TrendWindow reads a trend discovery frequency; attune.Invalid for one that the
// service does not have. "" is DefaultTrend.
func TrendWindow(frequency string) (time.Duration, error) {
	switch strings.ToLower(strings.TrimSpace(frequency)) {
	case "30 minutes":
		return 30 * time.Minute, nil
	case "1 hour":
		return time.Hour, nil
	case "2 hours":
		return 2 * time.Hour, nil
	case "", DefaultTrend:
		return 3 * time.Hour, nil
	case "1 day":
		return 24 * time.Hour, nil
	}
	return 0, attune.Errorf(attune.Invalid, "hyper-parameter %s is %q: give 30 minutes, 1 hour, 2 hours, 3 hours or 1 day", ParamTrend, frequency)
}
