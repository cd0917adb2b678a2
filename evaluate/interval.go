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
			means[s][b] = weighted(times, values) / float64(n)
		}
	}
	for s, values := range series {
		slices.Sort(means[s])
		out[s] = Interval{Mean: mean(values), Low: percentile(means[s], 0.025), High: percentile(means[s], 0.975)}
	}
	return out
}

// Ratio is Σ Over / Σ Under over units that are drawn together: sums and counts of
// sessions, say, each with several questions. Under nil counts every unit as 1.
type Ratio struct{ Over, Under []float64 }

// BootstrapRatios is Bootstrap for ratios of sums: units are resampled, all
// series together, and both sums made anew. A ratio to nothing is 0.
//
// Sums of a few large values, as of weighted rewards, are skewed, and percentiles
// of resamples then lie too low. So the percentiles are those of the BCa method
// (B. Efron, Better Bootstrap Confidence Intervals, JASA 82, 1987):
//
//	Φ(z₀ + (z₀ + z)/(1 - a·(z₀ + z))),  z = ±1.96
//
// where Φ(z₀) is the part of resamples below the ratio itself and
// a = Σu³/(6·(Σu²)^1.5) over the influence u of each unit.
func BootstrapRatios(seed uint64, ratios ...Ratio) []Interval {
	out := make([]Interval, len(ratios))
	if len(ratios) == 0 || len(ratios[0].Over) == 0 {
		return out
	}
	n := len(ratios[0].Over)
	ones := make([]float64, n)
	for i := range ones {
		ones[i] = 1
	}
	of := func(r Ratio, times []float64) float64 {
		under := float64(n) // draws are as many as units
		if r.Under != nil {
			under = weighted(times, r.Under)
		}
		if under == 0 {
			return 0
		}
		return weighted(times, r.Over) / under
	}
	rounds := min(resamples, max(minResamples, maxDraws/n))
	values, times := make([][]float64, len(ratios)), make([]float64, n)
	random := rand.New(rand.NewPCG(seed, 0x5241_5449)) // the second word keeps this stream apart from others of the same seed
	for range rounds {
		clear(times)
		for range n {
			times[random.Uint32N(uint32(n))]++
		}
		for s, r := range ratios {
			values[s] = append(values[s], of(r, times))
		}
	}
	for s, r := range ratios {
		slices.Sort(values[s])
		at := of(r, ones)
		low, high := corrected(values[s], at, r.acceleration(at))
		out[s] = Interval{Mean: at, Low: percentile(values[s], low), High: percentile(values[s], high)}
	}
	return out
}

// acceleration is a of the BCa method: how much the spread changes with the ratio.
func (r Ratio) acceleration(ratio float64) float64 {
	var squares, cubes float64
	for i, v := range r.Over {
		u := v - ratio
		if r.Under != nil {
			u = v - ratio*r.Under[i]
		}
		squares += u * u
		cubes += u * u * u
	}
	if squares == 0 {
		return 0
	}
	return cubes / (6 * math.Pow(squares, 1.5))
}

// corrected are the places, as parts of the sorted resamples, between which the
// 95 % interval lies.
func corrected(sorted []float64, at, acceleration float64) (low, high float64) {
	below, equal := 0.0, 0.0
	for _, v := range sorted {
		switch {
		case v < at:
			below++
		case v == at:
			equal++
		}
	}
	n := float64(len(sorted))
	share := min(1-0.5/n, max(0.5/n, (below+equal/2)/n)) // sums of few values tie
	z0 := quantile(share)
	place := func(z float64) float64 {
		z += z0
		if acceleration*z >= 1 { // one value is nearly all: as far as resamples go
			return 1
		}
		return normal(z0 + z/(1-acceleration*z))
	}
	return place(-likely), place(likely)
}

// quantile is the inverse of normal.
func quantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

func weighted(times, values []float64) float64 {
	var sum float64
	for i, v := range values {
		sum += times[i] * v
	}
	return sum
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
