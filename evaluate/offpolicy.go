package evaluate

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Logged are impressions of one policy, the logging one, by which another, the
// target, is judged: slices of equal length n, one element an impression.
type Logged struct {
	Reward  []float64 // what it brought: 1 for a click
	Weight  []float64 // probability of the action under the target policy, divided by that under the logging policy
	Modeled []float64 // reward that a model expects of the action shown; nil without a model
	Direct  []float64 // mean of that over the actions of the target policy, in the same context; nil without a model
}

// The estimators of OffPolicy. w is Weight, r Reward, q Modeled, d Direct.
const (
	IPS      = "IPS"       // mean of w·r: without bias, with the variance of its weights
	SNIPS    = "SNIPS"     // Σ w·r / Σ w
	DM       = "DM"        // mean of d: without the weights' variance, with the model's bias
	DR       = "DR"        // mean of d + w·(r - q): no bias where either is right
	SwitchDR = "Switch-DR" // DR with w = 0 where it is above a threshold
	DRos     = "DRos"      // DR with λ·w/(w² + λ) for w
)

// Estimate is what the target policy brings per impression, by one estimator.
type Estimate struct {
	Name   string
	Value  Interval // with its 95 % bootstrap interval over impressions
	Tuning float64  // the threshold of Switch-DR, the λ of DRos; 0 for others
	Error  float64  // estimated root mean squared error: √(variance + bias²), the bias as large as it may well be; of SNIPS and DM the spread alone
}

// OffPolicyReport is what a log tells of a target policy.
type OffPolicyReport struct {
	Estimates   []Estimate // by estimator; without a model IPS and SNIPS only
	Best        Estimate   // DRos, or without a model SNIPS: those that bear large weights best. The same for every log, not chosen by its numbers
	Impressions int
	Effective   float64 // (Σ w)²/Σ w²: how many impressions of the target policy itself would tell as much
	Rewarded    int     // impressions with a reward
	Warning     string  // why not to lean on it; "" when there is no reason
}

const (
	// leastEffective is the effective sample size under which percentile
	// intervals of weighted means are known to be too narrow: 1000 is where
	// rates of a per cent begin to rest on ten events.
	leastEffective = 1000
	// leastShare of the impressions is likewise: below it a few of them decide.
	leastShare = 0.1
	// leastRewarded impressions are what a rate needs, by the rule of thumb of
	// ten for a normal approximation.
	leastRewarded = 10
	// tunings is how many thresholds, and λs, are tried.
	tunings = 25
)

// OffPolicy estimates what a policy would have brought from the log of another.
//
// IPS is from D. G. Horvitz and D. J. Thompson (JASA 1952), SNIPS from
// A. Swaminathan and T. Joachims, The Self-Normalized Estimator for
// Counterfactual Learning (NIPS 2015), DR from M. Dudík, J. Langford and L. Li,
// Doubly Robust Policy Evaluation and Learning (ICML 2011), Switch-DR from
// Y.-X. Wang, A. Agarwal and M. Dudík, Optimal and Adaptive Off-policy Evaluation
// in Contextual Bandits (ICML 2017), DRos and the choice of its λ from Y. Su,
// M. Dimakopoulou, A. Krishnamurthy and M. Dudík, Doubly Robust Off-Policy
// Evaluation with Shrinkage (ICML 2020): the one with the least
//
//	Var(d + ŵ·(r - q))/n + (|mean x| + 1.96·√(Var(x)/n))², x = (w - ŵ)·(r - q)
//
// where ŵ are the weights as changed: the bias counts as large as it may well be,
// since a log that tells little of it would otherwise choose the model alone. The same seed and log give the same report.
func OffPolicy(seed uint64, log Logged) OffPolicyReport {
	n := len(log.Reward)
	rep := OffPolicyReport{Impressions: n}
	if n == 0 {
		rep.Warning = "no impressions were logged"
		return rep
	}
	var sum, squares float64
	for i, w := range log.Weight {
		sum += w
		squares += w * w
		if log.Reward[i] != 0 {
			rep.Rewarded++
		}
	}
	if squares > 0 {
		rep.Effective = sum * sum / squares
	}
	same := func(w float64) float64 { return w }
	plain := Logged{Reward: log.Reward, Weight: log.Weight, Modeled: make([]float64, n), Direct: make([]float64, n)}
	tried := []Estimate{{Name: IPS}, {Name: SNIPS}}
	ratios := []Ratio{{Over: plain.terms(same)}, {Over: plain.terms(same), Under: log.Weight}}
	tried[0].Error = plain.rootError(same)
	if log.Modeled != nil {
		cut, lambda := log.tune(log.thresholds(), cutAbove), log.tune(log.lambdas(), shrink)
		tried = append(tried, Estimate{Name: DM}, Estimate{Name: DR, Error: log.rootError(same)},
			Estimate{Name: SwitchDR, Tuning: cut, Error: log.rootError(cutAbove(cut))},
			Estimate{Name: DRos, Tuning: lambda, Error: log.rootError(shrink(lambda))})
		ratios = append(ratios, Ratio{Over: log.Direct}, Ratio{Over: log.terms(same)},
			Ratio{Over: log.terms(cutAbove(cut))}, Ratio{Over: log.terms(shrink(lambda))})
	}
	for i, v := range BootstrapRatios(seed, ratios...) {
		tried[i].Value = v
		if tried[i].Error == 0 { // SNIPS and DM: the spread alone, as nothing tells their bias
			tried[i].Error = (v.High - v.Low) / (2 * 1.96)
		}
	}
	rep.Estimates, rep.Best = tried, tried[len(tried)-1]
	rep.Warning = rep.warn()
	return rep
}

// terms are d + ŵ·(r - q), whose mean is the estimate with weights as changed.
func (l Logged) terms(changed func(w float64) float64) []float64 {
	out := make([]float64, len(l.Reward))
	for i, r := range l.Reward {
		out[i] = l.Direct[i] + changed(l.Weight[i])*(r-l.Modeled[i])
	}
	return out
}

// likely is the quantile of the normal distribution that 95 % lie within.
const likely = 1.96

// rootError is √(variance + bias²) of the estimate with weights as changed.
func (l Logged) rootError(changed func(w float64) float64) float64 {
	n := float64(len(l.Reward))
	if n < 2 {
		return math.Inf(1)
	}
	lost := make([]float64, len(l.Reward))
	for i, r := range l.Reward {
		lost[i] = (l.Weight[i] - changed(l.Weight[i])) * (r - l.Modeled[i])
	}
	bias := math.Abs(mean(lost)) + likely*math.Sqrt(variance(lost)/n)
	return math.Sqrt(variance(l.terms(changed))/n + bias*bias)
}

// tune is the tuning with the least error, the first of equals.
func (l Logged) tune(tunings []float64, change func(tuning float64) func(w float64) float64) float64 {
	best, least := 0.0, math.Inf(1)
	for _, t := range tunings {
		if e := l.rootError(change(t)); e < least {
			best, least = t, e
		}
	}
	return best
}

// cutAbove switches weights above a threshold off.
func cutAbove(threshold float64) func(w float64) float64 {
	return func(w float64) float64 {
		if w > threshold {
			return 0
		}
		return w
	}
}

// shrink is the shrinkage of DRos: about w where that is small beside √λ, and
// about λ/w where it is large.
func shrink(lambda float64) func(w float64) float64 {
	return func(w float64) float64 {
		if w == 0 {
			return 0
		}
		return lambda * w / (w*w + lambda)
	}
}

// thresholds are the quantiles of the weights, the largest first: all of them on.
func (l Logged) thresholds() []float64 {
	sorted := slices.Sorted(slices.Values(l.Weight))
	out := make([]float64, tunings)
	for i := range out {
		out[i] = percentile(sorted, 1-float64(i)/tunings)
	}
	return out
}

// lambdas go from far above the largest weight squared, which changes nothing, to
// far below the mean one, which leaves the model alone.
func (l Logged) lambdas() []float64 {
	most := 1e3 * max(1, slices.Max(l.Weight)*slices.Max(l.Weight))
	out := make([]float64, tunings)
	for i := range out {
		out[i] = most * math.Pow(1e-3/most, float64(i)/(tunings-1))
	}
	return out
}

// warn says why not to lean on the report.
func (rep OffPolicyReport) warn() string {
	var out []string
	if rep.Effective < leastEffective || rep.Effective < leastShare*float64(rep.Impressions) {
		out = append(out, fmt.Sprintf("low effective sample size: the weighted estimates rest on as much as %.0f of %d impressions would tell; a few impressions decide, and their intervals are too narrow rather than too wide",
			rep.Effective, rep.Impressions))
	}
	if rep.Rewarded < leastRewarded {
		out = append(out, fmt.Sprintf("only %d impressions have a reward, at least %d are needed", rep.Rewarded, leastRewarded))
	}
	return strings.Join(out, "; ")
}
