package evaluate

import "math"

// student is the distribution function of Student's t with df > 0 degrees of
// freedom: 1 - I(df/(df+t²); df/2, 1/2)/2 for t ≥ 0 (Abramowitz and Stegun,
// Handbook of Mathematical Functions, 26.7.1).
func student(t, df float64) float64 {
	if !(df > 0) {
		return 1
	}
	tail := incompleteBeta(df/(df+t*t), df/2, 0.5) / 2
	if t < 0 {
		return tail
	}
	return 1 - tail
}

// studentQuantile is the t at which student is p, for p in [0.5, 1); by
// bisection, as it is asked once for an interval.
func studentQuantile(p, df float64) float64 {
	low, high := 0.0, 1.0
	for student(high, df) < p && high < 1e6 {
		high *= 2
	}
	for range 60 { // halves to the last bit
		if mid := (low + high) / 2; student(mid, df) < p {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// incompleteBeta is I(x; a, b), by the continued fraction of Abramowitz and
// Stegun 26.5.8, which converges quickly for x < (a+1)/(a+b+2); beyond that
// I(x; a, b) = 1 - I(1-x; b, a).
func incompleteBeta(x, a, b float64) float64 {
	if x <= 0 {
		return 0
	}
	if x >= 1 {
		return 1
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab - la - lb + a*math.Log(x) + b*math.Log1p(-x))
	if x < (a+1)/(a+b+2) {
		return front * betaFraction(x, a, b) / a
	}
	return 1 - front*betaFraction(1-x, b, a)/b
}

// betaFraction evaluates the continued fraction by Lentz's method (W. J. Lentz,
// Generating Bessel functions in Mie scattering calculations using continued
// fractions, Applied Optics 15, 1976).
func betaFraction(x, a, b float64) float64 {
	const (
		least = 1e-300 // in the place of 0 in a denominator
		steps = 1000   // far more than √max(a, b) of millions of users needs
		close = 1e-15
	)
	away := func(v float64) float64 {
		if math.Abs(v) < least {
			return least
		}
		return v
	}
	c, d := 1.0, 1/away(1-(a+b)*x/(a+1))
	f := d
	for m := 1.0; m <= steps; m++ {
		for _, term := range [...]float64{
			m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m)),
			-(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1)),
		} {
			d = 1 / away(1+term*d)
			c = away(1 + term/c)
			f *= d * c
		}
		if math.Abs(d*c-1) < close {
			break
		}
	}
	return f
}
