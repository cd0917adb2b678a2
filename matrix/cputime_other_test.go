//go:build !unix

package matrix

import "time"

// cpuSeconds is the time of day where processor time is not known.
func cpuSeconds() float64 { return float64(time.Now().UnixNano()) / 1e9 }
