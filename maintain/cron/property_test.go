package cron_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/attune-io/attune/maintain/cron"
)

// wish is a field that was made together with its meaning: the text for the
// parser, and what it says of a moment for the enumerator.
type wish struct {
	text  string
	admit func(time.Time) bool
}

// anyOf joins wishes to a list.
func anyOf(list []wish) wish {
	texts := make([]string, len(list))
	for i, w := range list {
		texts[i] = w.text
	}
	return wish{strings.Join(texts, ","), func(t time.Time) bool {
		return slices.ContainsFunc(list, func(w wish) bool { return w.admit(t) })
	}}
}

// plain makes *, a, a-b or one of these with a step; of is the field of a moment.
func plain(r *rand.Rand, lo, hi int, wraps bool, name func(int) string, of func(time.Time) int) wish {
	a, b, step := lo+r.IntN(hi-lo+1), lo+r.IntN(hi-lo+1), 1+r.IntN(min(hi-lo+1, 12))
	n := hi - lo + 1
	switch r.IntN(7) {
	case 0:
		return wish{"*", func(time.Time) bool { return true }}
	case 1:
		return wish{fmt.Sprintf("*/%d", step), func(t time.Time) bool { return (of(t)-lo)%step == 0 }}
	case 2:
		return wish{fmt.Sprintf("%s/%d", name(a), step), func(t time.Time) bool { return of(t) >= a && (of(t)-a)%step == 0 }}
	case 3, 4:
		if b < a && !wraps {
			a, b = b, a
		}
		text := name(a) + "-" + name(b)
		if r.IntN(2) == 0 {
			step = 1
		} else {
			text += fmt.Sprintf("/%d", step)
		}
		return wish{text, func(t time.Time) bool { // how far is it from a, going round?
			far := ((of(t)-a)%n + n) % n
			return far <= ((b-a)%n+n)%n && far%step == 0
		}}
	}
	return wish{name(a), func(t time.Time) bool { return of(t) == a }}
}

func number(n int) string { return fmt.Sprint(n) }

// named writes some numbers by their names, in any case.
func named(r *rand.Rand, lo int, names string) func(int) string {
	list := strings.Fields(names)
	return func(n int) string {
		switch r.IntN(3) {
		case 0:
			return list[n-lo]
		case 1:
			return strings.ToLower(list[n-lo])
		}
		return fmt.Sprint(n)
	}
}

// monthEnd is the last day of a moment's month, from the day before the next one begins.
func monthEnd(t time.Time) int {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).AddDate(0, 1, 0).Add(-time.Hour).Day()
}

// nearest says whether t is the working day nearest to day n of its month.
func nearest(t time.Time, n int) bool {
	if n < 1 || n > monthEnd(t) {
		return false
	}
	for _, far := range []int{0, -1, 1, -2, 2} { // Friday is nearer to Saturday, Monday to Sunday
		d := time.Date(t.Year(), t.Month(), n, 0, 0, 0, 0, time.UTC).AddDate(0, 0, far)
		if d.Month() == t.Month() && d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
			return d.Day() == t.Day()
		}
	}
	return false
}

func dates(r *rand.Rand) wish {
	n := 1 + r.IntN(31)
	switch r.IntN(10) {
	case 0:
		return wish{"L", func(t time.Time) bool { return t.Day() == monthEnd(t) }}
	case 1:
		return wish{"lw", func(t time.Time) bool { return nearest(t, monthEnd(t)) }}
	case 2:
		n = 1 + r.IntN(30)
		return wish{fmt.Sprintf("L-%d", n), func(t time.Time) bool { return t.Day() == monthEnd(t)-n }}
	case 3:
		n = 1 + r.IntN(30)
		return wish{fmt.Sprintf("L-%dW", n), func(t time.Time) bool { return nearest(t, monthEnd(t)-n) }}
	case 4, 5:
		return wish{fmt.Sprintf("%dW", n), func(t time.Time) bool { return nearest(t, n) }}
	}
	return plain(r, 1, 31, true, number, time.Time.Day)
}

func weekdays(r *rand.Rand) wish {
	name := named(r, 1, "SUN MON TUE WED THU FRI SAT")
	day := 1 + r.IntN(7)
	of := func(t time.Time) int { return int(t.Weekday()) + 1 }
	switch r.IntN(8) {
	case 0:
		return wish{"L", func(t time.Time) bool { return t.Weekday() == time.Saturday }}
	case 1, 2:
		return wish{name(day) + "L", func(t time.Time) bool { return of(t) == day && t.AddDate(0, 0, 7).Month() != t.Month() }}
	case 3, 4:
		n := 1 + r.IntN(5)
		return wish{fmt.Sprintf("%s#%d", name(day), n), func(t time.Time) bool {
			return of(t) == day && t.AddDate(0, 0, -7*(n-1)).Month() == t.Month() && t.AddDate(0, 0, -7*n).Month() != t.Month()
		}}
	}
	return plain(r, 1, 7, true, name, of)
}

// several makes a list of one to three members.
func several(r *rand.Rand, one func() wish) wish {
	list := []wish{one()}
	for len(list) < 3 && r.IntN(3) == 0 {
		list = append(list, one())
	}
	return anyOf(list)
}

// expression makes a cron(…) of all kinds: its text, whether it means a day,
// and whether it means a time of any day.
func expression(r *rand.Rand) (text string, day, clock func(time.Time) bool) {
	minute := several(r, func() wish { return plain(r, 0, 59, true, number, time.Time.Minute) })
	hour := several(r, func() wish { return plain(r, 0, 23, true, number, time.Time.Hour) })
	month := several(r, func() wish {
		return plain(r, 1, 12, true, named(r, 1, "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"), func(t time.Time) int { return int(t.Month()) })
	})
	year := wish{"*", func(time.Time) bool { return true }}
	if r.IntN(2) == 0 {
		year = several(r, func() wish { return plain(r, 1970, 2199, false, number, time.Time.Year) })
	}
	date, weekday := several(r, func() wish { return dates(r) }), wish{"?", func(time.Time) bool { return true }}
	if r.IntN(2) == 0 {
		date, weekday = wish{"?", weekday.admit}, several(r, func() wish { return weekdays(r) })
	}
	text = fmt.Sprintf("cron(%s %s %s %s %s %s)", minute.text, hour.text, date.text, month.text, weekday.text, year.text)
	day = func(t time.Time) bool { return year.admit(t) && month.admit(t) && date.admit(t) && weekday.admit(t) }
	clock = func(t time.Time) bool { return hour.admit(t) && minute.admit(t) }
	return text, day, clock
}

// matches evaluates a union of calendars, as Temporal does.
func matches(list []cron.Calendar, t time.Time) bool {
	in := func(ranges []cron.Range, n int) bool {
		return slices.ContainsFunc(ranges, func(r cron.Range) bool {
			return n >= r.Start && n <= r.End && (n-r.Start)%r.Step == 0
		})
	}
	return slices.ContainsFunc(list, func(c cron.Calendar) bool {
		return (len(c.Year) == 0 || in(c.Year, t.Year())) && in(c.Month, int(t.Month())) && in(c.DayOfMonth, t.Day()) &&
			in(c.DayOfWeek, int(t.Weekday())) && in(c.Hour, t.Hour()) && in(c.Minute, t.Minute()) && in(c.Second, t.Second())
	})
}

var (
	firstDay = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	endDay   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// TestExpressionsMeanWhatAnEnumeratorFinds walks every day of 230 years for
// random expressions: the calendars admit the same days and times, and Next
// steps from each to the one after it.
func TestExpressionsMeanWhatAnEnumeratorFinds(t *testing.T) {
	const expressions, steps = 150, 200
	never := 0
	for seed := range uint64(expressions) {
		r := rand.New(rand.NewPCG(seed, 5))
		text, day, clock := expression(r)
		var days []time.Time
		for d := firstDay; d.Before(endDay); d = d.AddDate(0, 0, 1) {
			if day(d) {
				days = append(days, d)
			}
		}
		e, err := cron.Parse(text)
		if len(days) == 0 {
			never++
			wantNever(t, text, err)
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		times := clockTimes(clock)
		checkCalendars(t, text, e, days, times)
		checkNext(t, r, text, e, days, times, steps)
	}
	if never == 0 || never > expressions/4 {
		t.Errorf("%d of %d expressions never fire: the test means something else", never, expressions)
	}
}

// clockTimes are the times of a day, as distances from midnight.
func clockTimes(clock func(time.Time) bool) (list []time.Duration) {
	for m := range 24 * 60 {
		if d := time.Duration(m) * time.Minute; clock(firstDay.Add(d)) {
			list = append(list, d)
		}
	}
	return list
}

func checkCalendars(t *testing.T, text string, e cron.Expression, days []time.Time, times []time.Duration) {
	t.Helper()
	list := e.Calendars()
	for d, i := firstDay, 0; d.Before(endDay); d = d.AddDate(0, 0, 1) {
		want := i < len(days) && days[i].Equal(d)
		if want {
			i++
		}
		if got := matches(list, d.Add(times[0])); got != want {
			t.Fatalf("%s: the calendars say %v of %s: %+v", text, got, d.Format("Mon 2006-01-02"), list)
		}
	}
	for m := range 24 * 60 {
		d := time.Duration(m) * time.Minute
		if got := matches(list, days[0].Add(d)); got != slices.Contains(times, d) {
			t.Fatalf("%s: the calendars say %v of %s: %+v", text, got, d, list)
		}
		if matches(list, days[0].Add(d+30*time.Second)) {
			t.Fatalf("%s: the calendars admit half a minute", text)
		}
	}
}

func checkNext(t *testing.T, r *rand.Rand, text string, e cron.Expression, days []time.Time, times []time.Duration, steps int) {
	t.Helper()
	at := func(i int) time.Time { return days[i/len(times)].Add(times[i%len(times)]) }
	total := len(days) * len(times)
	i := 0
	for after := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC); i < min(steps, total); i++ { // from the first on
		next, ok := e.Next(after)
		if !ok || !next.Equal(at(i)) {
			t.Fatalf("%s: after %s comes %s (%v), want %s", text, after, next, ok, at(i))
		}
		after = next
	}
	for range steps { // from anywhere
		i := r.IntN(total)
		after := at(i).Add(-time.Duration(1 + r.Int64N(int64(time.Minute))))
		if next, ok := e.Next(after); !ok || !next.Equal(at(i)) {
			t.Fatalf("%s: after %s comes %s (%v), want %s", text, after, next, ok, at(i))
		}
		if i > 0 {
			if next, _ := e.Next(at(i - 1)); !next.Equal(at(i)) {
				t.Fatalf("%s: after %s comes %s, want %s", text, at(i-1), next, at(i))
			}
		}
	}
	if next, ok := e.Next(at(total - 1)); ok {
		t.Fatalf("%s: after its last time comes %s", text, next)
	}
}
