package cron

import (
	"strconv"
	"strings"
	"time"
)

// days says which days of a month are meant: by dates, or by weekdays. Only
// one of the two is given.
type days struct {
	byWeekday bool
	dates     set // 1–31
	special   []date
	weekdays  set // 0–6, 0 = Sunday
	ordinals  []ordinal
}

// date is a day that depends on how long the month is, or on its weekdays.
type date struct {
	fromEnd bool // n counts back from the last day: L is 0, L-3 is 3
	n       int
	near    bool // W: the weekday (MON–FRI) of the month that is nearest
}

// ordinal is the nth of a weekday in a month.
type ordinal struct {
	weekday int // 0 = Sunday
	nth     int // 1–5; 0: the last
}

// addDate reads a member of the day-of-month list.
func (d *days) addDate(f *field, term string) error {
	if term == "?" {
		return f.wrong("? stands alone, not in a list")
	}
	body, near := strings.CutSuffix(term, "W")
	back, fromEnd := strings.CutPrefix(body, "L")
	if !near && !fromEnd {
		return f.addTerm(&d.dates, term)
	}
	day := date{fromEnd: fromEnd, near: near}
	var err error
	switch {
	case fromEnd && back == "":
	case fromEnd:
		n, dash := strings.CutPrefix(back, "-")
		if day.n, err = strconv.Atoi(n); err != nil || !dash || !digits(n) || day.n < 1 || day.n > 30 {
			return f.wrong("%s is not understood: L counts back from the last day, L-1 to L-30", term)
		}
	default:
		if day.n, err = f.number(body); err != nil {
			return f.wrong("%s is not understood: W follows one day, 1W to 31W, or L", term)
		}
	}
	d.special = append(d.special, day)
	return nil
}

// addWeekday reads a member of the day-of-week list.
func (d *days) addWeekday(f *field, term string) error {
	d.byWeekday = true
	if term == "?" {
		return f.wrong("? stands alone, not in a list")
	}
	if term == "L" { // the last day of the week
		d.weekdays.add(int(time.Saturday))
		return nil
	}
	if name, nth, ok := strings.Cut(term, "#"); ok {
		day, err := f.number(name)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(nth)
		if err != nil || n < 1 || n > 5 || !digits(nth) {
			return f.wrong("%s is not understood: # is followed by 1 to 5", term)
		}
		d.ordinals = append(d.ordinals, ordinal{day - f.shift, n})
		return nil
	}
	if name, ok := strings.CutSuffix(term, "L"); ok {
		day, err := f.number(name)
		if err != nil {
			return err
		}
		d.ordinals = append(d.ordinals, ordinal{weekday: day - f.shift})
		return nil
	}
	return f.addTerm(&d.weekdays, term)
}

// of are the days of one month.
func (d *days) of(year int, month time.Month) (s set) {
	last := lastDay(year, month)
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).Weekday()
	if d.byWeekday {
		for n := 1; n <= last; n++ {
			if d.weekdays.has((int(first) + n - 1) % 7) {
				s.add(n)
			}
		}
		for _, o := range d.ordinals {
			n := 1 + (o.weekday-int(first)+7)%7 // the first of them
			for k := 1; n+7 <= last && (o.nth == 0 || k < o.nth); k++ {
				n += 7
			}
			if o.nth == 0 || (n-1)/7+1 == o.nth {
				s.add(n)
			}
		}
		return s
	}
	s = d.dates.and(span(1, last))
	for _, x := range d.special {
		if n := x.in(last, first); n > 0 {
			s.add(n)
		}
	}
	return s
}

// in is the day of a month of last days whose first is such a weekday; 0 when
// the month has none. W does not leave the month.
func (x date) in(last int, first time.Weekday) int {
	n := x.n
	if x.fromEnd {
		n = last - x.n
	}
	if n < 1 || n > last {
		return 0
	}
	if !x.near {
		return n
	}
	switch time.Weekday((int(first) + n - 1) % 7) {
	case time.Saturday:
		if n == 1 {
			return 3
		}
		return n - 1
	case time.Sunday:
		if n == last {
			return n - 2
		}
		return n + 1
	}
	return n
}

func lastDay(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
