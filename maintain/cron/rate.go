package cron

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxRate bounds a period: a test clock can be put forward by no more, and
// durations stay far within what they can hold.
const maxRate = 100 * 365 * 24 * time.Hour

func parseRate(inner string) (Expression, error) {
	const want = "write it like rate(1 hour), rate(30 minutes) or rate(7 days)"
	parts := strings.Fields(inner)
	if len(parts) != 2 {
		return Expression{}, fmt.Errorf("rate takes a value and a unit: %s", want)
	}
	n, err := strconv.ParseInt(parts[0], 10, 32)
	if err != nil || n < 1 || !digits(parts[0]) {
		return Expression{}, fmt.Errorf("value: %s is not a whole number from 1; %s", parts[0], want)
	}
	unit, many := strings.CutSuffix(parts[1], "s")
	size, ok := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[unit]
	switch {
	case !ok:
		return Expression{}, fmt.Errorf("unit: %s is not one of minute, minutes, hour, hours, day, days; %s", parts[1], want)
	case many != (n != 1):
		right := unit + "s"
		if n == 1 {
			right = unit
		}
		return Expression{}, fmt.Errorf("unit: %d goes with %s, not with %s; write rate(%d %s)", n, right, parts[1], n, right)
	case n > int64(maxRate/size):
		return Expression{}, fmt.Errorf("value: %d %s are more than a hundred years; %s", n, parts[1], want)
	}
	return Expression{text: fmt.Sprintf("rate(%d %s)", n, parts[1]), every: time.Duration(n) * size}, nil
}
