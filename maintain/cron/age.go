package cron

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune"
)

// maxAge bounds an age: more than a thing can be old, and far from what
// durations cannot hold.
const maxAge = 200 * 366 * 24 * time.Hour

// ParseAge reads how long something is, in words: 365 days, one week, 0.5 days,
// 90 minutes, 1 year and 6 months. Months and years are those of the calendar
// from the start of the year 1 on: a month is 31 days, 4 years are 1461. What
// cannot be read is attune.Invalid.
func ParseAge(text string) (time.Duration, error) {
	age, err := parseAge(text)
	if err != nil {
		return 0, attune.Errorf(attune.Invalid, "age %q: %w; write it like 7 days, 0.5 days, one week or 90 minutes", text, err)
	}
	return age, nil
}

func parseAge(text string) (time.Duration, error) {
	words := strings.Fields(strings.ReplaceAll(strings.ToLower(text), ",", " "))
	if len(words) == 0 {
		return 0, fmt.Errorf("it is empty")
	}
	var fixed float64 // nanoseconds
	var months, years int
	for i := 0; i < len(words); i += 2 {
		if words[i] == "and" && i > 0 && i+1 < len(words) {
			i++
		}
		n, ok := quantity(words[i])
		if !ok {
			return 0, fmt.Errorf("%s is not a number", words[i])
		}
		if i+1 == len(words) {
			return 0, fmt.Errorf("%s is without a unit", words[i])
		}
		unit := words[i+1]
		size, ok := ageUnit(unit)
		switch {
		case !ok:
			return 0, fmt.Errorf("%s is not a unit of time", unit)
		case n > float64(maxAge/time.Second):
			return 0, fmt.Errorf("it is more than 200 years")
		case size > 0:
			fixed += n * float64(size)
		case n != math.Trunc(n):
			return 0, fmt.Errorf("parts of a %s have no length, say days", strings.TrimSuffix(unit, "s"))
		case strings.HasPrefix(unit, "month"):
			months += int(n)
		default:
			years += int(n)
		}
	}
	if fixed > float64(maxAge) || months > 12*200 || years > 200 {
		return 0, fmt.Errorf("it is more than 200 years")
	}
	zero := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	return time.Duration(fixed) + zero.AddDate(years, months, 0).Sub(zero), nil
}

// quantity reads a number in digits or in words.
func quantity(word string) (float64, bool) {
	for i, name := range []string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"} {
		if word == name {
			return float64(i), true
		}
	}
	if word == "a" || word == "an" {
		return 1, true
	}
	for _, c := range word { // ParseFloat also reads 1e9, 0x1p4, inf and 1_000
		if (c < '0' || c > '9') && c != '.' {
			return 0, false
		}
	}
	n, err := strconv.ParseFloat(word, 64)
	return n, err == nil
}

// ageUnit is the length of a unit; 0 for months and years, which differ.
func ageUnit(word string) (time.Duration, bool) {
	switch strings.TrimSuffix(word, "s") {
	case "second", "sec":
		return time.Second, true
	case "minute", "min":
		return time.Minute, true
	case "hour", "hr":
		return time.Hour, true
	case "day":
		return 24 * time.Hour, true
	case "week":
		return 7 * 24 * time.Hour, true
	case "month", "year":
		return 0, true
	}
	return 0, false
}
