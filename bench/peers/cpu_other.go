//go:build !unix

package main

import "time"

var started = time.Now()

// cpuSeconds is wall time where nobody tells processor time.
func cpuSeconds() float64 { return time.Since(started).Seconds() }
