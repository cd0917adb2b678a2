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
// sample of the peak that takes as long, since clocks move and other work takes
// turns, which a shorter one would miss. Beside it the best sample as a share of
// the best peak: what there is where nothing else takes turns.
func share(b *testing.B, flops float64, run func()) {
	shareOf(b, flops, func() float64 { return peakFast(100_000) }, run)
}

// shareOf is share of another peak: busy keeps registers busy for much less than
// a millisecond, and says with how many operations; 0 where there is no peak.
func shareOf(b *testing.B, flops float64, busy func() float64, run func()) {
	for b.Loop() {
		run()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	calls := 1
	for sample(calls, run) < 2*time.Millisecond && calls < 1<<20 {
		calls *= 2
	}
	var rates, tops, shares []float64
	for range 15 {
		took := sample(calls, run)
		rate := flops * float64(calls) / took.Seconds()
		rates = append(rates, rate)
		if top := peak(busy, took); top > 0 {
			tops, shares = append(tops, top), append(shares, 100*rate/top)
		}
	}
	b.ReportMetric(median(rates)/1e9, "GF/s")
	b.ReportMetric(1e9*flops/median(rates), "cpu-ns/op")
	if len(shares) > 0 {
		b.ReportMetric(median(shares), "%peak")
		b.ReportMetric(100*slices.Max(rates)/slices.Max(tops), "%best")
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

// peak is the operations a second of what keeps registers busy, over at least so long.
func peak(busy func() float64, long time.Duration) float64 {
	var ops float64
	for start := cpuTime(); ; {
		ops += busy()
		if took := cpuTime() - start; took >= long || ops == 0 {
			return ops / max(1, took).Seconds()
		}
	}
}
