package wire

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// maxSeconds is the last second of the year 9999. Later times cannot be
// written in most of the formats that a time ends up in, and nearly always mean
// that somebody sent milliseconds.
const maxSeconds = 253402300799

// Time is a timestamp as the services write it: a JSON number of seconds since
// 1970-01-01 UTC. It is read to the microsecond (more than a float64 carries is
// noise) and written to the millisecond. The zero Time means absent.
type Time struct{ time.Time }

// At wraps t for the wire.
func At(t time.Time) Time { return Time{t} }

// ParseTime reads a JSON number of seconds. It refuses anything that is not a
// finite number between the years 1583 and 9999 (before that, calendars differ).
func ParseTime(number string) (Time, error) {
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return Time{}, errors.New("a timestamp must be a number of seconds since 1970-01-01")
	}
	const firstSecond = -12212553600 // 1583-01-01
	if f > maxSeconds {
		return Time{}, fmt.Errorf("timestamp %s lies after the year 9999: send seconds, not milliseconds", number)
	}
	if f < firstSecond {
		return Time{}, fmt.Errorf("timestamp %s lies before the year 1583", number)
	}
	whole := math.Floor(f)
	micros := int64(math.Round((f - whole) * 1e6))
	return Time{time.Unix(int64(whole), micros*1000).UTC()}, nil
}

// MarshalJSON writes seconds, with three decimals where they are not zero.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.AppendNumber(nil), nil
}

// AppendNumber appends the JSON number to b.
func (t Time) AppendNumber(b []byte) []byte {
	millis := t.UnixMilli()
	if millis < 0 {
		b = append(b, '-')
		millis = -millis
	}
	b = strconv.AppendInt(b, millis/1000, 10)
	if rest := millis % 1000; rest != 0 {
		b = append(b, '.', byte('0'+rest/100), byte('0'+rest/10%10), byte('0'+rest%10))
	}
	return b
}

// UnmarshalJSON reads a number of seconds; null leaves the time absent.
func (t *Time) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*t = Time{}
		return nil
	}
	parsed, err := ParseTime(string(b))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}
