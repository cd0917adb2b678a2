//go:build unix

package main

import (
	"syscall"
	"time"
)

// cpuSeconds is the processor time of this process, of all its threads.
func cpuSeconds() float64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
}
