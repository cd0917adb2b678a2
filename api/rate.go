package api

import (
	"sync"
	"time"

	"github.com/attune-io/attune"
)

// maxBuckets bounds the buckets kept. Beyond this those that are full again go,
// which nobody can tell from new ones, and then any.
const maxBuckets = 10_000

// buckets count requests against rates: a token bucket for each key, which
// fills at its rate and holds one second's worth (at least one request).
type buckets struct {
	clock attune.Clock
	mu    sync.Mutex
	byKey map[rateKey]bucket
}

type rateKey struct{ what, of string }

type bucket struct {
	tokens float64
	rate   float64 // per second; also what the bucket holds
	at     time.Time
}

// charge is one bucket that a request takes from. A rate of 0 is no limit.
type charge struct {
	key  rateKey
	rate float64
}

func newBuckets(clock attune.Clock) *buckets {
	return &buckets{clock: clock, byKey: map[rateKey]bucket{}}
}

// take takes one token from every bucket, or none from any when one is empty;
// it then names that bucket.
func (b *buckets) take(charges ...charge) (empty charge, ok bool) {
	now := b.clock()
	b.mu.Lock()
	defer b.mu.Unlock()
	after := make([]bucket, len(charges))
	for i, c := range charges {
		if c.rate <= 0 {
			continue
		}
		after[i] = b.at(c, now)
		if after[i].tokens < 1 {
			return c, false
		}
		after[i].tokens--
	}
	for i, c := range charges {
		if c.rate > 0 {
			b.put(c.key, after[i], now)
		}
	}
	return charge{}, true
}

// at is a bucket as it is now.
func (b *buckets) at(c charge, now time.Time) bucket {
	full := max(c.rate, 1)
	k, ok := b.byKey[c.key]
	if !ok {
		return bucket{full, c.rate, now}
	}
	gained := max(0, now.Sub(k.at).Seconds()) * c.rate
	return bucket{min(full, k.tokens+gained), c.rate, now}
}

func (b *buckets) put(key rateKey, k bucket, now time.Time) {
	if _, ok := b.byKey[key]; !ok && len(b.byKey) >= maxBuckets {
		for old, x := range b.byKey {
			if x.tokens+now.Sub(x.at).Seconds()*x.rate >= max(x.rate, 1) {
				delete(b.byKey, old)
			}
		}
		for old := range b.byKey {
			if len(b.byKey) < maxBuckets*7/8 { // so that the next ones need no look at all of them
				break
			}
			delete(b.byKey, old)
		}
	}
	b.byKey[key] = k
}
