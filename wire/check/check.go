package check

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/attune-io/attune/wire"
)

// Rule is one constraint of a shape.
type Rule uint8

// The rules.
const (
	TooLong   Rule = iota + 1 // a text with more characters than Max, or a list or map with more elements
	TooShort                  // a text with fewer than Min, or a list or map
	Unlike                    // a text that Pattern does not match
	Unlisted                  // a text that is not in Enum
	TooSmall                  // a number below Min
	TooLarge                  // a number above Max
	NotWhole                  // a number that is no whole one of 32 bits where the shape is Integer
	NotFinite                 // a number that does not fit in 64 bits where the shape is Double
	NotATime                  // a number that wire.ParseTime refuses where the shape is Timestamp
)

// Fits says whether a text keeps every constraint of a String, without allocating.
func Fits(s *wire.Shape, text string) bool {
	n := float64(utf8.RuneCountInString(text))
	return (!s.Max.Set || n <= s.Max.N) && (!s.Min.Set || n >= s.Min.N) &&
		(s.Pattern == nil || s.Pattern.Match(text)) && (s.Enum == nil || slices.Contains(s.Enum, text))
}

// Text lists the rules that a text breaks; lengths count characters, not
// bytes. Of a text that is too long nothing else is said: its pattern could
// take long, and one reason is enough.
func Text(s *wire.Shape, text string) []Rule {
	if Fits(s, text) {
		return nil
	}
	var broken []Rule
	n := float64(utf8.RuneCountInString(text))
	if s.Max.Set && n > s.Max.N {
		return []Rule{TooLong}
	}
	if s.Min.Set && n < s.Min.N {
		broken = append(broken, TooShort)
	}
	if s.Pattern != nil && !s.Pattern.Match(text) {
		broken = append(broken, Unlike)
	}
	if s.Enum != nil && !slices.Contains(s.Enum, text) {
		broken = append(broken, Unlisted)
	}
	return broken
}

// Size lists the rules that a List or Map of n elements breaks.
func Size(s *wire.Shape, n int) []Rule {
	var broken []Rule
	if s.Min.Set && float64(n) < s.Min.N {
		broken = append(broken, TooShort)
	}
	if s.Max.Set && float64(n) > s.Max.N {
		broken = append(broken, TooLong)
	}
	return broken
}

// Number lists the rules that a number breaks. NotWhole, NotFinite and NotATime
// come alone: the value is not of the shape's type at all.
func Number(s *wire.Shape, n json.Number) []Rule {
	var f float64
	switch s.Type {
	case wire.Timestamp:
		if _, err := wire.ParseTime(string(n)); err != nil {
			return []Rule{NotATime}
		}
		return nil
	case wire.Integer:
		i, ok := Integer(n)
		if !ok {
			return []Rule{NotWhole}
		}
		f = float64(i)
	default:
		var err error
		if f, err = n.Float64(); err != nil {
			return []Rule{NotFinite}
		}
	}
	var broken []Rule
	if s.Min.Set && f < s.Min.N {
		broken = append(broken, TooSmall)
	}
	if s.Max.Set && f > s.Max.N {
		broken = append(broken, TooLarge)
	}
	return broken
}

// Integer reads a 32-bit whole number; 5.0 and 1e2 are whole.
func Integer(n json.Number) (int, bool) {
	if i, err := strconv.ParseInt(string(n), 10, 32); err == nil {
		return int(i), true
	}
	f, err := n.Float64()
	if err != nil || f != math.Trunc(f) || f < math.MinInt32 || f > math.MaxInt32 {
		return 0, false
	}
	return int(f), true
}
