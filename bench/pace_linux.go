package main

import (
	"syscall"
	"time"
)

// pause sleeps in the kernel, about fifty microseconds exact; a signal ends it early.
func pause(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil)
}
