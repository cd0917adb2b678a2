package cron

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// field is one of the six: its name, what numbers it takes, and their names.
type field struct {
	name   string
	lo, hi int
	names  []string // of lo, lo+1, …
	shift  int      // is taken off numbers before they are put into a set
	wraps  bool     // whether a range may go on past hi
	want   string   // what to write
}

// The fields in the order of an expression.
const (
	minuteField = iota
	hourField
	domField
	monthField
	dowField
	yearField
	nFields
)

func fields() [nFields]field {
	return [nFields]field{
		{"minutes", 0, 59, nil, 0, true, "0 to 59, with * , - /"},
		{"hours", 0, 23, nil, 0, true, "0 to 23, with * , - /"},
		{"day-of-month", 1, 31, nil, 0, true, "1 to 31, L, LW or 15W, with * , - / or ?"},
		{"month", 1, 12, []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}, 0, true, "1 to 12 or JAN to DEC, with * , - /"},
		{"day-of-week", 1, 7, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}, 1, true, "1 (SUN) to 7 (SAT), FRIL or MON#1, with * , - / or ?"},
		{"year", MinYear, MaxYear, nil, MinYear, false, "1970 to 2199, with * , - /"},
	}
}

// wrong says what is wrong with a field and what to write.
func (f *field) wrong(format string, args ...any) error {
	return fmt.Errorf("%s: %s; write %s", f.name, fmt.Sprintf(format, args...), f.want)
}

func parseCron(inner string) (Expression, error) {
	parts := strings.Fields(strings.ToUpper(inner))
	if len(parts) != nFields {
		hint := "minutes hours day-of-month month day-of-week year, like cron(0 3 ? * MON *)"
		if len(parts) == nFields-1 {
			hint += "; the year is missing, or it is a schedule of Unix, whose weekdays begin with 0"
		}
		return Expression{}, fmt.Errorf("it has %d fields and needs %d: %s", len(parts), nFields, hint)
	}
	switch dom, dow := parts[domField] == "?", parts[dowField] == "?"; {
	case dom && dow:
		return Expression{}, fmt.Errorf("day-of-month and day-of-week are both ?: write * for one of them")
	case !dom && !dow:
		return Expression{}, fmt.Errorf("day-of-month %s and day-of-week %s are both given: write ? for the one that does not matter", parts[domField], parts[dowField])
	}
	fs, t := fields(), &times{}
	into := [nFields]*set{minuteField: &t.minute, hourField: &t.hour, monthField: &t.month, yearField: &t.year}
	for i, text := range parts {
		for _, term := range strings.Split(text, ",") {
			var err error
			switch {
			case text == "?" && (i == domField || i == dowField):
			case i == domField:
				err = t.day.addDate(&fs[i], term)
			case i == dowField:
				err = t.day.addWeekday(&fs[i], term)
			default:
				err = fs[i].addTerm(into[i], term)
			}
			if err != nil {
				return Expression{}, err
			}
		}
	}
	e := Expression{text: "cron(" + strings.Join(parts, " ") + ")", times: t}
	if _, ok := e.Next(time.Time{}); !ok {
		return Expression{}, fmt.Errorf("%w: no day of the months and years it names is the day it asks for; name a day that these months have", ErrNeverFires)
	}
	return e, nil
}

// addTerm reads one member of a list: *, a, a-b, each with or without a step.
func (f *field) addTerm(into *set, term string) error {
	body, stepText, stepped := strings.Cut(term, "/")
	lo, hi, step := f.lo, f.hi, 1
	first, last, ranged := strings.Cut(body, "-")
	var err error
	switch {
	case body == "*":
	case ranged:
		if lo, err = f.number(first); err == nil {
			hi, err = f.number(last)
		}
	default:
		lo, err = f.number(body)
		if hi = lo; stepped {
			hi = f.hi
		}
	}
	if err != nil {
		return err
	}
	if stepped {
		step, err = strconv.Atoi(stepText)
		if err != nil || step < 1 || step > f.hi-f.lo+1 || !digits(stepText) {
			return f.wrong("the step in %s is not a number from 1 to %d", term, f.hi-f.lo+1)
		}
	}
	n := f.hi - f.lo + 1
	if hi < lo {
		if !f.wraps {
			return f.wrong("the range %s ends before it begins", body)
		}
		hi += n
	}
	for v := lo; v <= hi; v += step {
		into.add((v-f.lo)%n + f.lo - f.shift)
	}
	return nil
}

// number reads a number of the field, or a name of one.
func (f *field) number(text string) (int, error) {
	for i, name := range f.names {
		if text == name {
			return f.lo + i, nil
		}
	}
	if text == "" {
		return 0, f.wrong("a number is missing")
	}
	n, err := strconv.Atoi(text)
	if err != nil || !digits(text) {
		return 0, f.wrong("%s is not understood", text)
	}
	if n < f.lo || n > f.hi {
		return 0, f.wrong("%s is not from %d to %d", text, f.lo, f.hi)
	}
	return n, nil
}

// digits tells a number from what Atoi takes besides: +5.
func digits(text string) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text != ""
}
