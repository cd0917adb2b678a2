package maintain

import (
	"math"
	"time"

	"github.com/attune-io/attune/maintain/plan"
)

// patience is how long a kind of step may be on its way: attempts pauses, the
// n-th of interval·rateⁿ. Together they are all that a step is waited for.
type patience struct {
	interval time.Duration
	rate     float64
	attempts int
}

// patienceOf are the pauses of the original's table.
func patienceOf(k plan.Kind) patience {
	switch k {
	case plan.DatasetGroup:
		return patience{5 * time.Second, 1.02, 30}
	case plan.Dataset, plan.Import, plan.Version, plan.Campaign, plan.Recommender, plan.BatchInference, plan.BatchSegment:
		return patience{time.Minute, 1.02, 100}
	case plan.EventTracker, plan.Filter:
		return patience{8 * time.Second, 1.25, 15}
	default: // schemas, solutions
		return patience{5 * time.Second, 1.05, 5}
	}
}

// total is all that a step is waited for.
func (p patience) total() time.Duration {
	var sum float64
	for n := range p.attempts {
		sum += float64(p.interval) * math.Pow(p.rate, float64(n))
	}
	return time.Duration(sum)
}

const (
	// firstPause and growth let a run keep step with a service that takes moments
	// where the table's takes minutes: pauses grow up to the table's.
	firstPause = 100 * time.Millisecond
	growth     = 1.3

	// shortPause is the shortest that Temporal is given: its timers fire up to a
	// second late.
	shortPause = time.Second

	// troublePause doubles up to troubleMost while a service cannot be asked, and
	// troubleTotal is how long: an outage of an hour fails no run.
	troublePause = 200 * time.Millisecond
	troubleMost  = 30 * time.Second
	troubleTotal = 2 * time.Hour
)

// pause is the n-th pause (from 0): it grows from firstPause to the table's
// interval, and from there as the table's do.
func (p patience) pause(n int) time.Duration {
	quick := math.Ceil(math.Log(float64(p.interval)/float64(firstPause)) / math.Log(growth)) // pauses below the interval
	if k := float64(n); k < quick {
		return time.Duration(float64(firstPause) * math.Pow(growth, k))
	}
	return time.Duration(float64(p.interval) * math.Pow(p.rate, float64(n)-quick))
}

// pending gives the pause before the next look at what is on its way; 0 when
// the patience of its kind is used up.
func (t *RunStep) pending() time.Duration {
	p := patienceOf(t.Kind)
	if t.step.Delete { // the table has none: what goes takes what hangs on it along
		p = patienceOf(plan.Dataset)
	}
	left := p.total() - t.Patience.Pending
	if left <= 0 {
		return 0
	}
	d := min(p.pause(t.Patience.Pendings), left)
	t.Patience.Pendings++
	t.Patience.Pending += d
	return d
}

// trouble gives the pause before a service that could not be asked is asked
// again; 0 when it could not for troubleTotal.
func (t *RunStep) trouble() time.Duration {
	if t.Patience.Trouble >= troubleTotal {
		return 0
	}
	d := troubleMost
	if t.Patience.Troubles < 10 {
		d = min(troublePause<<t.Patience.Troubles, troubleMost)
	}
	t.Patience.Troubles++
	t.Patience.Trouble += d
	return d
}
