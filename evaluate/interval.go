package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Interval is a mean with its 95 % bootstrap interval.
type Interval struct{ Mean, Low, High float64 }

const (
	// resamples is the usual number for a 95 % percentile interval; the ends
	// then stand on 25 resamples each.
	resamples = 1000
	// maxDraws bounds the work on very many users, whose intervals are narrow
	// anyway; at least minResamples are always taken.
	maxDraws     = 40_000_000
	minResamples = 200
)

// Bootstrap resamples users with replacement and takes percentiles of the
// means: one Interval per series. All series have one value per user, in the
// same order of users, and are resampled together. The same seed and length
// give the same resamples.
func Bootstrap(seed uint64, series ...[]float64) []Interval {
	out := make([]Interval, len(series))
	if len(series) == 0 || len(series[0]) == 0 {
		return out
	}
	n := len(series[0])
	rounds := min(resamples, max(minResamples, maxDraws/n))
	means := make([][]float64, len(series))
	for s := range series {
		means[s] = make([]float64, rounds)
	}
	times := make([]float64, n)
	r := rand.New(rand.NewPCG(seed, 0x424f_4f54)) // the second word keeps this stream apart from others of the same seed
	for b := range rounds {
		// How often each user is drawn is shared by all series.
		clear(times)
		for range n {
			times[r.Uint32N(uint32(n))]++
		}
		for s, values := range series {
			var sum float64
			for i, v := range values {
				sum += times[i] * v
			}
			means[s][b] = sum / float64(n)
		}
	}
	for s, values := range series {
		slices.Sort(means[s])
		out[s] = Interval{Mean: mean(values), Low: percentile(means[s], 0.025), High: percentile(means[s], 0.975)}
	}
	return out
}

// Difference is a minus b, user by user.
func Difference(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	return d
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// percentile interpolates in a sorted slice.
func percentile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(math.Floor(at))
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
