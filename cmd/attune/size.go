package main

import (
	"math"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
)

// memorySize is a flag of bytes: 4GiB, 1.5G, 512MiB or a plain number. 0 is not given.
type memorySize int64

// leastMemory is the least that anything can be done with, so that "4" is asked
// about and not taken for four bytes.
const leastMemory = 1 << 20

// UnmarshalText reads what was typed. Units are powers of 1024, but for those
// that say otherwise: GB is 10⁹ bytes and GiB is 2³⁰.
func (s *memorySize) UnmarshalText(text []byte) error {
	typed := strings.TrimSpace(string(text))
	digits := strings.TrimRight(typed, "KMGTiBkmgtb ")
	unit, known := map[string]float64{"": 1, "b": 1, "k": 1 << 10, "kib": 1 << 10, "kb": 1e3, "m": 1 << 20, "mib": 1 << 20, "mb": 1e6,
		"g": 1 << 30, "gib": 1 << 30, "gb": 1e9, "t": 1 << 40, "tib": 1 << 40, "tb": 1e12}[strings.ToLower(strings.TrimSpace(typed[len(digits):]))]
	n, err := strconv.ParseFloat(digits, 64)
	switch bytes := n * unit; {
	case err != nil || !known || !(n >= 0) || !(bytes < math.MaxInt64) || strings.ContainsAny(digits, "xX_"): // written so that NaN is refused
		return attune.Errorf(attune.Invalid, "%q is no size: give a number with KiB, MiB, GiB or TiB, such as 4GiB", typed)
	case bytes < leastMemory:
		return attune.Errorf(attune.Invalid, "%q is too little: give 1MiB or more, such as 4GiB", typed)
	default:
		*s = memorySize(bytes)
	}
	return nil
}
