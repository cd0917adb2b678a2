package cron

import (
	"errors"
	"strings"
	"time"

	"github.com/attune-io/attune"
)

// The first and the last year that an expression can name, and that anything falls due in.
const (
	MinYear = 1970
	MaxYear = 2199
)

// maxText bounds an expression, in bytes: a list of all minutes, hours, days,
// months and weekdays is half as long.
const maxText = 1024

// ErrNeverFires is in the chain of errors about expressions that are well formed
// and yet never fall due: the 31st of February, or only years that are over.
var ErrNeverFires = errors.New("the schedule never fires")

// Expression is when something is done again and again. The zero value never
// falls due; Parse makes others. Expressions do not change and may be shared.
type Expression struct {
	text  string
	times *times        // of cron(…)
	every time.Duration // of rate(…)
	phase time.Duration // of rate(…): below every; due at epoch + n·every + phase
}

// times are the fields of cron(…), as sets of what they admit.
type times struct {
	minute, hour, month set
	year                set // bit y−MinYear
	day                 days
}

// Parse reads cron(minute hour day-of-month month day-of-week year) or
// rate(value unit). Errors are attune.Invalid and say which field is wrong and
// what to write; ErrNeverFires is in the chain when the only fault is that it
// never falls due in 1970–2199. Whether it does so from some moment on tells Check.
func Parse(text string) (Expression, error) {
	if len(text) > maxText {
		return Expression{}, attune.Errorf(attune.Invalid, "the schedule is %d bytes long, and at most %d are read: name ranges and steps instead of lists", len(text), maxText)
	}
	word, rest, open := strings.Cut(strings.TrimSpace(text), "(")
	inner, closed := strings.CutSuffix(rest, ")")
	var e Expression
	var err error
	switch {
	case open && closed && word == "cron":
		e, err = parseCron(inner)
	case open && closed && word == "rate":
		e, err = parseRate(inner)
	default:
		err = errors.New("it is neither cron(…) nor rate(…): write it like cron(0 3 ? * MON *) or rate(12 hours)")
	}
	if err != nil {
		return Expression{}, attune.Errorf(attune.Invalid, "schedule %q: %w", text, err)
	}
	return e, nil
}

// String writes the expression with single spaces and names in capitals. Parse
// reads it as the same expression.
func (e Expression) String() string { return e.text }

// Every is the period of rate(…); false for cron(…).
func (e Expression) Every() (time.Duration, bool) { return e.every, e.every > 0 }

// Phase is how long after the multiples of Every since the Unix epoch rate(…)
// falls due; 0 unless it was anchored.
func (e Expression) Phase() time.Duration { return e.phase }

// Anchored counts the periods of rate(…) from a moment instead of from the Unix
// epoch; whole seconds of it count. cron(…) stays as it is.
func (e Expression) Anchored(at time.Time) Expression {
	if e.every > 0 {
		seconds := int64(e.every / time.Second)
		e.phase = time.Duration((at.Unix()%seconds+seconds)%seconds) * time.Second
	}
	return e
}

// Next is the first time after a moment at which the expression falls due, in
// UTC; false when there is none up to the end of MaxYear.
func (e Expression) Next(after time.Time) (time.Time, bool) {
	switch {
	case after.Year() > MaxYear:
		return time.Time{}, false
	case e.every > 0:
		return e.nextPeriod(after)
	case e.times != nil:
		return e.times.next(after)
	}
	return time.Time{}, false
}

// Check fails with ErrNeverFires when nothing falls due after a moment.
func (e Expression) Check(now time.Time) error {
	if _, ok := e.Next(now); !ok {
		return attune.Errorf(attune.Invalid, "schedule %q: %w: its last time is over on %s; name a year to come, or * for every year", e.text, ErrNeverFires, now.UTC().Format(time.DateOnly))
	}
	return nil
}

func (e Expression) nextPeriod(after time.Time) (time.Time, bool) {
	first := time.Unix(0, 0).Add(e.phase).UTC()
	if after.Before(first) {
		return first, true
	}
	// In seconds: nanoseconds since the epoch end in 2262, and differences of times sooner.
	period := int64(e.every / time.Second)
	n := (after.Unix()-first.Unix())/period + 1
	next := time.Unix(first.Unix()+n*period, 0).UTC()
	return next, next.Year() <= MaxYear
}

// next looks through months, which are few, for a day, and in it for a time.
func (t *times) next(after time.Time) (time.Time, bool) {
	from := after.UTC().Truncate(time.Minute).Add(time.Minute)
	if from.Year() < MinYear {
		from = time.Date(MinYear, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	year, month := from.Year(), from.Month()
	for year <= MaxYear {
		if t.year.has(year-MinYear) && t.month.has(int(month)) {
			if at, ok := t.inMonth(year, month, from); ok {
				return at, true
			}
		}
		if month++; month > time.December {
			year, month = year+1, time.January
		}
	}
	return time.Time{}, false
}

// inMonth is the first time of a month that is not before from.
func (t *times) inMonth(year int, month time.Month, from time.Time) (time.Time, bool) {
	for d := range t.day.of(year, month).all() {
		start := time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
		if !start.AddDate(0, 0, 1).After(from) {
			continue
		}
		h, m := 0, 0
		if from.After(start) {
			h, m = from.Hour(), from.Minute()
		}
		for hour := range t.hour.all() {
			for minute := range t.minute.all() {
				if hour > h || hour == h && minute >= m {
					return start.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute), true
				}
			}
		}
	}
	return time.Time{}, false
}
