package verb

import (
	"context"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/double"
)

// errNotStrict refuses the verbs of strict mode on another node.
func errNotStrict(what string) error {
	return attune.Errorf(attune.Invalid, "this node is not strict, and has no %s: start it with 'attune serve --mode=strict'", what)
}

// DescribeClockInput asks for the time.
type DescribeClockInput struct{}

// DescribeClockOutput is the time by which everything is due.
type DescribeClockOutput struct {
	Now          time.Time `json:"now"`
	AheadSeconds float64   `json:"aheadSeconds"` // of the machine's clock
}

func (d *Door) describeClock(context.Context, *DescribeClockInput) (any, error) {
	if d.Clock == nil {
		return nil, errNotStrict("test clock")
	}
	return d.clockOutput(), nil
}

func (d *Door) clockOutput() *DescribeClockOutput {
	return &DescribeClockOutput{Now: d.Clock.Now(), AheadSeconds: d.Clock.Ahead().Seconds()}
}

// AdvanceClockInput puts the clock forward: by a time in seconds, or to a time.
type AdvanceClockInput struct {
	Seconds float64    `json:"seconds,omitempty"`
	To      *time.Time `json:"to,omitempty"`
}

// advanceClock puts the clock forward, and has everything looked at that may be
// due now.
func (d *Door) advanceClock(_ context.Context, in *AdvanceClockInput) (any, error) {
	if d.Clock == nil {
		return nil, errNotStrict("test clock")
	}
	const most = 4e9 // seconds: more than the clock takes, and less than a Duration holds
	var err error
	switch {
	case in.To != nil && in.Seconds != 0:
		return nil, attune.Errorf(attune.Invalid, "seconds and to say the same thing twice: give one of them")
	case in.To != nil:
		_, err = d.Clock.Set(*in.To)
	case !(in.Seconds >= -most && in.Seconds <= most):
		return nil, attune.Errorf(attune.Invalid, "seconds is %g: give a number up to %g", in.Seconds, most)
	default:
		_, err = d.Clock.Advance(time.Duration(in.Seconds * float64(time.Second)))
	}
	if err != nil {
		return nil, err
	}
	d.Jobs.Kick()
	d.Schedules.Kick()
	return d.clockOutput(), nil
}

// DescribeFaultsInput asks for the script of faults.
type DescribeFaultsInput struct{}

// FaultsOutput is the script with what its rules have met and done so far.
type FaultsOutput struct{ double.Script }

func (d *Door) describeFaults(context.Context, *DescribeFaultsInput) (any, error) {
	if d.Faults == nil {
		return nil, errNotStrict("script of faults")
	}
	return &FaultsOutput{d.Faults.Script()}, nil
}

// setFaults replaces the script; one without rules clears it.
func (d *Door) setFaults(_ context.Context, in *double.Script) (any, error) {
	if d.Faults == nil {
		return nil, errNotStrict("script of faults")
	}
	if err := d.Faults.Set(*in); err != nil {
		return nil, err
	}
	return &FaultsOutput{d.Faults.Script()}, nil
}
