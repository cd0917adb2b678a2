package cron

import "time"

// Range is the numbers Start, Start+Step, … up to and with End.
type Range struct{ Start, End, Step int }

// Calendar is a set of times: those whose every field is in one of the field's
// ranges. It is what Temporal calls a structured calendar. No field is empty but
// Year, which then admits every year.
type Calendar struct {
	Second     []Range
	Minute     []Range
	Hour       []Range
	DayOfMonth []Range
	Month      []Range
	Year       []Range
	DayOfWeek  []Range // 0 = Sunday
}

// Calendars are those whose union is the times of cron(…); nil for rate(…).
func (e Expression) Calendars() []Calendar {
	if e.times == nil {
		return nil
	}
	b := &builder{times: e.times}
	d := &e.times.day
	everyDay, anyDate := span(0, 6), span(1, 31)
	if d.byWeekday {
		if !d.weekdays.empty() {
			b.add(all, anyDate, d.weekdays)
		}
		for _, o := range d.ordinals {
			b.ordinal(o)
		}
		return b.list
	}
	if !d.dates.empty() {
		b.add(all, d.dates, everyDay)
	}
	for _, x := range d.special {
		b.date(x)
	}
	return b.list
}

// class is the months of one length.
type class struct {
	months set
	years  leap
	last   int // day of these months; 0 when they differ
}

// leap says which years are meant.
type leap int

const (
	anyYear leap = iota
	leapYears
	plainYears
)

// all is every month.
var all = class{months: span(1, 12)}

// classes are the four lengths that months have.
func classes() []class {
	feb := setOf(2)
	return []class{
		{setOf(1, 3, 5, 7, 8, 10, 12), anyYear, 31},
		{setOf(4, 6, 9, 11), anyYear, 30},
		{feb, plainYears, 28},
		{feb, leapYears, 29},
	}
}

// builder collects the calendars of one expression.
type builder struct {
	times *times
	list  []Calendar
}

// add is the calendar of some months, dates and weekdays; none when the
// expression has no such month or year.
func (b *builder) add(c class, dates, weekdays set) {
	t := b.times
	months, years := t.month.and(c.months), t.year
	if c.years != anyYear {
		for y := MinYear; y <= MaxYear; y++ {
			if (lastDay(y, time.February) == 29) != (c.years == leapYears) {
				years.drop(y - MinYear)
			}
		}
	}
	if months.empty() || years.empty() {
		return
	}
	cal := Calendar{Second: setOf(0).ranges(0), Minute: t.minute.ranges(0), Hour: t.hour.ranges(0),
		DayOfMonth: dates.ranges(0), Month: months.ranges(0), DayOfWeek: weekdays.ranges(0)}
	if years != span(0, MaxYear-MinYear) {
		cal.Year = years.ranges(MinYear)
	}
	b.list = append(b.list, cal)
}

// ordinal adds the nth of a weekday: it falls into the nth seven days.
func (b *builder) ordinal(o ordinal) {
	weekday := setOf(o.weekday)
	if o.nth > 0 {
		b.add(all, span(7*o.nth-6, min(7*o.nth, 31)), weekday)
		return
	}
	for _, c := range classes() {
		b.add(c, span(c.last-6, c.last), weekday)
	}
}

// date adds a day by its number or from the end, and for W the days it moves to.
func (b *builder) date(x date) {
	if !x.fromEnd && x.n < 28 { // neither missing in a month, nor its last
		b.near(all, x.n)
		return
	}
	for _, c := range classes() {
		n := x.n
		if x.fromEnd {
			n = c.last - x.n
		}
		switch {
		case n < 1 || n > c.last:
		case x.near:
			b.near(c, n)
		default:
			b.add(c, setOf(n), span(0, 6))
		}
	}
}

// near adds the weekday that is nearest to a day of these months.
func (b *builder) near(c class, n int) {
	friday, monday := setOf(int(time.Friday)), setOf(int(time.Monday))
	b.add(c, setOf(n), span(int(time.Monday), int(time.Friday)))
	if n == 1 { // a Saturday: the third
		b.add(c, setOf(3), monday)
	} else {
		b.add(c, setOf(n-1), friday)
	}
	if n == c.last { // a Sunday
		b.add(c, setOf(n-2), friday)
	} else {
		b.add(c, setOf(n+1), monday)
	}
}
