package kernel

import (
	"testing"
	"time"
)

// share runs a benchmark and reports, of the processor time it took, its rate
// and that rate as a share of what registers alone can do in this tier. The
// peak is measured before and after, since clocks move.
func share(b *testing.B, flops float64, run func()) {
	before := peak()
	start := cpuTime()
	run()
	took := (cpuTime() - start).Seconds()
	top := (before + peak()) / 2
	if took <= 0 {
		return
	}
	b.ReportMetric(took*1e9/float64(b.N), "cpu-ns/op")
	rate := flops * float64(b.N) / took
	b.ReportMetric(rate/1e9, "GF/s")
	if top > 0 {
		b.ReportMetric(100*rate/top, "%peak")
	}
}

// peak is the tier's fused multiply-adds on registers, in operations a second; 0 when it has none.
func peak() float64 {
	const n = 200_000
	best := 0.0
	for range 8 {
		start := time.Now() // so short that the best of a few is undisturbed
		ops := peakFast(n)
		best = max(best, ops/time.Since(start).Seconds())
	}
	return best
}
