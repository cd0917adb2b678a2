package api

import (
	"fmt"
	"testing"
	"time"
)

// TestBuckets holds a bucket to its rate over a simulated minute.
func TestBuckets(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b := newBuckets(func() time.Time { return now })
	for _, rate := range []float64{0.5, 1, 10, 1000} {
		c := charge{rateKey{"calls", fmt.Sprint(rate)}, rate}
		passed := 0
		for range 60_000 { // a request each millisecond
			if _, ok := b.take(c); ok {
				passed++
			}
			now = now.Add(time.Millisecond)
		}
		want := int(rate*60 + max(rate, 1))
		if passed < min(want, 60_000)-1 || passed > want+1 {
			t.Errorf("%g per second: %d passed in a minute, want %d", rate, passed, want)
		}
	}
	if _, ok := b.take(charge{rateKey{"calls", "none"}, 0}); !ok {
		t.Error("no limit refuses")
	}
}

// TestBucketsTogether: a request that one bucket refuses takes from none.
func TestBucketsTogether(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b := newBuckets(func() time.Time { return now })
	all, one, two := charge{rateKey{"all", ""}, 3}, charge{rateKey{"one", "a"}, 1}, charge{rateKey{"one", "b"}, 1}
	for i, c := range []struct {
		of charge
		ok bool
	}{{one, true}, {one, false}, {one, false}, {one, false}, {two, true}, {two, false}} {
		if empty, ok := b.take(all, c.of); ok != c.ok || !ok && empty.key != c.of.key {
			t.Errorf("request %d: %v by %v", i, ok, empty)
		}
	}
	if _, ok := b.take(all); !ok {
		t.Error("refused requests took from the bucket of all")
	}
	if empty, ok := b.take(all); ok || empty.key != all.key {
		t.Errorf("a fourth request passes: %v", empty)
	}
	now = now.Add(-time.Hour) // a clock that was set back gives nothing
	if _, ok := b.take(all); ok {
		t.Error("time that went back fills a bucket")
	}
}

// TestBucketsAreBounded: made-up keys cannot take memory without end, and do
// not free a bucket that is in use while others are full.
func TestBucketsAreBounded(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b := newBuckets(func() time.Time { return now })
	for i := range 3 * maxBuckets {
		b.take(charge{rateKey{"made up", fmt.Sprint(i)}, 1})
		if i == maxBuckets-2 {
			now = now.Add(time.Minute) // all are full again
			used := charge{rateKey{"used", ""}, 1}
			b.take(used)
			b.take(charge{rateKey{"made up", "x"}, 1})
			if _, ok := b.take(used); ok {
				t.Error("a bucket in use was let go before full ones")
			}
		}
	}
	if len(b.byKey) > maxBuckets {
		t.Errorf("%d buckets", len(b.byKey))
	}
}
