package kernel

import (
	"runtime"
	"slices"
	"testing"
	"time"
)

// share runs a benchmark of so many operations a call and reports its rate, and
// that rate as a share of what registers alone can do in this tier. Both are of
// the processor time of this thread: the median of short samples, each beside a
// sample of the peak, since clocks move and other work takes turns.
func share(b *testing.B, flops float64, run func()) { shareOf(b, flops, peak, run) }

// shareOf is share of another peak.
func shareOf(b *testing.B, flops float64, peak func() float64, run func()) {
	for b.Loop() {
		run()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	calls := 1
	for sample(calls, run) < 2*time.Millisecond && calls < 1<<20 {
		calls *= 2
	}
	var rates, shares []float64
	for range 15 {
		rate := flops * float64(calls) / sample(calls, run).Seconds()
		rates = append(rates, rate)
		if top := peak(); top > 0 {
			shares = append(shares, 100*rate/top)
		}
	}
	b.ReportMetric(median(rates)/1e9, "GF/s")
	b.ReportMetric(1e9*flops/median(rates), "cpu-ns/op")
	if len(shares) > 0 {
		b.ReportMetric(median(shares), "%peak")
	}
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}

// sample is the processor time of some calls, never 0.
func sample(calls int, run func()) time.Duration {
	start := cpuTime()
	for range calls {
		run()
	}
	return max(1, cpuTime()-start)
}

// peak is the tier's fused multiply-adds on registers, in operations a second; 0 when it has none.
func peak() float64 {
	const n = 20_000
	var ops float64
	took := sample(1, func() { ops = peakFast(n) })
	return ops / took.Seconds()
}
