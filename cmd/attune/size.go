package main

import (
	"math"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/attune-io/attune"
)

// memorySize is a flag of bytes: 4GiB, 1.5GiB, 512MiB or a plain number; GB is 10⁹ bytes. 0 is not given.
type memorySize int64

// leastMemory is the least that anything can be done with, so that "4" is asked
// about and not taken for four bytes.
const leastMemory = 1 << 20

// UnmarshalText reads what was typed.
func (s *memorySize) UnmarshalText(text []byte) error {
	typed := strings.TrimSpace(string(text))
	n, err := humanize.ParseBytes(typed)
	switch {
	case err != nil || n > math.MaxInt64:
		return attune.Errorf(attune.Invalid, "%q is no size: give a number with KiB, MiB, GiB or TiB, such as 4GiB", typed)
	case n < leastMemory:
		return attune.Errorf(attune.Invalid, "%q is too little: give 1MiB or more, such as 4GiB", typed)
	}
	*s = memorySize(n)
	return nil
}
