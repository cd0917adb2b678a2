//go:build !linux

package main

import "time"

// pause sleeps as exactly as Go's timers do.
func pause(d time.Duration) { time.Sleep(d) }
