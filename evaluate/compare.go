package evaluate

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

const (
	// LeastUsers is the fewest users that two models are compared on: the tests
	// below rest on means of many, and fewer could only tell what is plain to see.
	LeastUsers = 30
	// flips is how many sign flips are drawn: p-values down to 1e-4 can be told,
	// and that of 0.05 lies within 0.005.
	flips = 9999
	// flipped is up to how many differences are flipped one by one. The sum of
	// more is as good as normal, and the time would grow with them.
	flipped = 2000
)

// Comparison is how the mean of a series differs from that of another.
type Comparison struct {
	Users      int      // pairs, or in two series without pairs the fewer values
	A, B       float64  // the means
	Difference Interval // A minus B, with its 95 % interval
	P          float64  // two-sided: how likely so large a difference is where there is none
	Less       float64  // one-sided: small when A is less than (1 - threshold)·B
	Greater    float64  // one-sided: small when A is greater than (1 + threshold)·B
}

// Paired compares two series with one value per user each, in the same order of
// users. A user with a NaN in either does not count. threshold is the part of B
// by which A may be off before that counts; it is not negative.
//
// The p-values are those of a sign-flip permutation test of the mean of
// differences (R. A. Fisher, The Design of Experiments, 1935, section 21;
// E. S. Edgington, Randomization Tests, 1980): where a user's difference is as
// likely to be d as -d, the sums Σ sᵢ·dᵢ over all signs s are as likely as the
// one that was seen,
//
//	p = (1 + #{flips with Σ sᵢ·dᵢ ≤ Σ dᵢ}) / (1 + flips)
//
// and for more than 2000 differences Φ(Σ dᵢ / √Σ dᵢ²), which that tends to. The
// interval is the bootstrap's. Seed and series give the same numbers always;
// with the series swapped, Less and Greater are swapped at threshold 0.
func Paired(seed uint64, a, b []float64, threshold float64) Comparison {
	a, b = bothTold(a, b)
	c := Comparison{Users: len(a), P: 1, Less: 1, Greater: 1}
	if len(a) == 0 {
		return c
	}
	d := Difference(a, b)
	c.A, c.B, c.Difference = mean(a), mean(b), Bootstrap(seed, d)[0]
	less, greater := signFlip(seed, d)
	c.P = min(1, 2*min(less, greater))
	c.Less, c.Greater = less, greater
	if threshold > 0 {
		c.Less, _ = signFlip(seed, Difference(a, scaled(b, 1-threshold)))
		_, c.Greater = signFlip(seed, Difference(a, scaled(b, 1+threshold)))
	}
	return c
}

// bothTold are the pairs without NaN.
func bothTold(a, b []float64) (x, y []float64) {
	for i := range a {
		if !math.IsNaN(a[i]) && !math.IsNaN(b[i]) {
			x, y = append(x, a[i]), append(y, b[i])
		}
	}
	return x, y
}

func scaled(x []float64, by float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = by * v
	}
	return out
}

// signFlip is how likely so small, and so large, a sum of differences is when
// each may as well have the other sign.
func signFlip(seed uint64, d []float64) (less, greater float64) {
	var some []float64 // a difference of 0 has no sign to flip
	var sum, size, squares float64
	for _, v := range d {
		if v != 0 {
			some = append(some, v)
			sum += v
			size += math.Abs(v)
			squares += v * v
		}
	}
	if len(some) == 0 {
		return 1, 1
	}
	if len(some) > flipped {
		z := sum / math.Sqrt(squares)
		return normal(z), normal(-z)
	}
	slack := 1e-12 * size // sums that are equal but for the order of adding are
	r := rand.New(rand.NewPCG(seed, 0x464c_4950))
	below, above := 1, 1
	for range flips {
		s := flippedSum(r, some)
		if s <= sum+slack {
			below++
		}
		if s >= sum-slack {
			above++
		}
	}
	return float64(below) / (flips + 1), float64(above) / (flips + 1)
}

// flippedSum adds up with random signs, one bit each.
func flippedSum(r *rand.Rand, d []float64) float64 {
	var s float64
	for from := 0; from < len(d); from += bits.UintSize {
		signs := r.Uint64()
		for _, v := range d[from:min(len(d), from+bits.UintSize)] {
			s += math.Float64frombits(math.Float64bits(v) ^ signs<<63)
			signs >>= 1
		}
	}
	return s
}

// normal is Φ, the distribution function of the standard normal distribution.
func normal(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// Unpaired compares two series of values of other users each, as Paired does.
// NaN values do not count. The test is Welch's (B. L. Welch, The generalization
// of 'Student's' problem when several different population variances are
// involved, Biometrika 34, 1947):
//
//	t = (mean a - mean b) / √(s²a/na + s²b/nb)
//
// against Student's distribution with the degrees of freedom
// (s²a/na + s²b/nb)² / ((s²a/na)²/(na-1) + (s²b/nb)²/(nb-1)). Series without
// spread, or with fewer than two values, tell nothing: their p-values are 1.
func Unpaired(a, b []float64, threshold float64) Comparison {
	a, b = told(a), told(b)
	c := Comparison{Users: min(len(a), len(b)), P: 1, Less: 1, Greater: 1}
	if c.Users == 0 {
		return c
	}
	c.A, c.B = mean(a), mean(b)
	c.Difference = Interval{Mean: c.A - c.B, Low: c.A - c.B, High: c.A - c.B}
	se, df := welch(a, b)
	if se == 0 {
		return c
	}
	half := se * studentQuantile(0.975, df)
	c.Difference.Low, c.Difference.High = c.Difference.Mean-half, c.Difference.Mean+half
	c.Less = student(c.Difference.Mean/se, df)
	c.Greater = student(-c.Difference.Mean/se, df)
	c.P = min(1, 2*min(c.Less, c.Greater))
	if threshold > 0 {
		low, high := scaled(b, 1-threshold), scaled(b, 1+threshold)
		se, df = welch(a, low)
		c.Less = student((c.A-mean(low))/se, df)
		se, df = welch(a, high)
		c.Greater = student((mean(high)-c.A)/se, df)
	}
	return c
}

func told(x []float64) []float64 {
	var out []float64
	for _, v := range x {
		if !math.IsNaN(v) {
			out = append(out, v)
		}
	}
	return out
}

// welch is the standard error of the difference of two means, and its degrees
// of freedom; 0 when there is no spread to tell it from.
func welch(a, b []float64) (se, df float64) {
	if len(a) < 2 || len(b) < 2 {
		return 0, 0
	}
	na, nb := float64(len(a)), float64(len(b))
	va, vb := variance(a)/na, variance(b)/nb
	if va+vb == 0 {
		return 0, 0
	}
	return math.Sqrt(va + vb), (va + vb) * (va + vb) / (va*va/(na-1) + vb*vb/(nb-1))
}

func variance(x []float64) float64 {
	m := mean(x)
	var sum float64
	for _, v := range x {
		sum += (v - m) * (v - m)
	}
	return sum / float64(len(x)-1)
}
