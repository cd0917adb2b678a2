package machine

import (
	"math"

	"golang.org/x/sys/unix"
)

// Memory is how many bytes the machine has; 0 where that cannot be told.
func Memory() int64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil || n > math.MaxInt64 {
		return 0
	}
	return int64(n)
}
