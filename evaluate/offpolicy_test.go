package evaluate

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// logging makes a log of n impressions over ten actions whose true rates are
// known. The logging policy likes action 0 best, by skew; the target is uniform.
// The model's rates are the true ones plus off.
func logging(r *rand.Rand, n int, skew, off float64) (log Logged, truth float64) {
	const actions = 10
	rates, propensity := [actions]float64{}, [actions]float64{}
	sum := 0.0
	for a := range rates {
		rates[a] = 0.02 + 0.02*float64(a)
		truth += rates[a] / actions
		propensity[a] = math.Exp(-skew * float64(a))
		sum += propensity[a]
	}
	for range n {
		u, a := r.Float64()*sum, 0
		for a < actions-1 && u >= propensity[a] {
			u -= propensity[a]
			a++
		}
		reward := 0.0
		if r.Float64() < rates[a] {
			reward = 1
		}
		log.Reward, log.Weight = append(log.Reward, reward), append(log.Weight, sum/propensity[a]/actions)
		log.Modeled, log.Direct = append(log.Modeled, rates[a]+off), append(log.Direct, truth+off)
	}
	return log, truth
}

// Where the logging policy covers everything, all estimators come to the truth.
func TestOffPolicyFindsTheTruth(t *testing.T) {
	log, truth := logging(rand.New(rand.NewPCG(1, 1)), 16_000, 0.2, 0)
	rep := OffPolicy(1, log)
	if len(rep.Estimates) != 6 || rep.Warning != "" || rep.Effective > 16_000 || rep.Effective < 4000 {
		t.Fatalf("%+v", rep)
	}
	for _, e := range rep.Estimates {
		if math.Abs(e.Value.Mean-truth) > 0.012 || e.Value.Low > e.Value.Mean+1e-9 || e.Value.High < e.Value.Mean-1e-9 || !(e.Error >= 0) {
			t.Errorf("%s: %+v, truth %g", e.Name, e, truth)
		}
	}
	if again := OffPolicy(1, log); again.Best != rep.Best {
		t.Error("another report of the same log")
	}
}

// Intervals cover the truth as often as they say, and the right model makes DR
// narrower than IPS.
func TestOffPolicyCovers(t *testing.T) {
	covered, narrower := map[string]int{}, 0
	const trials = 40
	for trial := range uint64(trials) {
		log, truth := logging(rand.New(rand.NewPCG(2, trial)), 1000, 0.3, 0)
		width := map[string]float64{}
		for _, e := range OffPolicy(trial, log).Estimates {
			width[e.Name] = e.Value.High - e.Value.Low
			if e.Value.Low <= truth && truth <= e.Value.High {
				covered[e.Name]++
			}
		}
		if width[DR] < width[IPS] {
			narrower++
		}
	}
	for _, name := range []string{IPS, SNIPS, DR} {
		if covered[name] < 32 { // 38 ± 4σ of 1.4
			t.Errorf("%s covers the truth in %d of %d", name, covered[name], trials)
		}
	}
	if narrower < 30 {
		t.Errorf("DR is narrower in %d of %d", narrower, trials)
	}
}

// Few and large: of weighted rewards of which a dozen are not 0, intervals cover the
// mean more often than percentiles of resamples, which lie too low.
func TestBootstrapRatiosOfSkewedSums(t *testing.T) {
	plain, better := 0, 0
	const trials, n = 200, 400
	for trial := range uint64(trials) {
		r := rand.New(rand.NewPCG(6, trial))
		values, truth := make([]float64, n), 0.03*math.Exp(0.5)
		for i := range values {
			if r.Float64() < 0.03 {
				values[i] = math.Exp(r.NormFloat64())
			}
		}
		covers := func(i Interval) bool { return i.Low <= truth && truth <= i.High }
		if covers(Bootstrap(trial, values)[0]) {
			plain++
		}
		if covers(BootstrapRatios(trial, Ratio{Over: values})[0]) {
			better++
		}
	}
	t.Logf("of %d: percentiles %d, BCa %d", trials, plain, better)
	if better < plain+4 || better < 174 {
		t.Errorf("of %d: percentiles %d, BCa %d", trials, plain, better)
	}
}

// A model that is off by much misleads DM and not DR.
func TestOffPolicyWithAWrongModel(t *testing.T) {
	log, truth := logging(rand.New(rand.NewPCG(3, 1)), 16_000, 0.2, 0.2)
	at := map[string]Estimate{}
	rep := OffPolicy(1, log)
	for _, e := range rep.Estimates {
		at[e.Name] = e
	}
	if math.Abs(at[DM].Value.Mean-truth-0.2) > 1e-9 {
		t.Errorf("DM %+v", at[DM])
	}
	for _, name := range []string{DR, SwitchDR, DRos, rep.Best.Name} {
		if math.Abs(at[name].Value.Mean-truth) > 0.02 {
			t.Errorf("%s is misled: %+v", name, at[name])
		}
	}
}

func TestOffPolicyWarns(t *testing.T) {
	log, _ := logging(rand.New(rand.NewPCG(4, 1)), 5000, 1.2, 0)
	if rep := OffPolicy(1, log); !strings.Contains(rep.Warning, "effective") || rep.Effective > 500 {
		t.Errorf("%g effective: %q", rep.Effective, rep.Warning)
	}
	log, _ = logging(rand.New(rand.NewPCG(4, 1)), 5000, 0, 0)
	log.Modeled, log.Direct = nil, nil
	rep := OffPolicy(1, log)
	if rep.Warning != "" || len(rep.Estimates) != 2 || math.Abs(rep.Effective-5000) > 1e-6 {
		t.Errorf("%+v", rep)
	}
	clear(log.Reward)
	if rep := OffPolicy(1, log); !strings.Contains(rep.Warning, "reward") {
		t.Errorf("%q", rep.Warning)
	}
	if rep := OffPolicy(1, Logged{}); rep.Warning == "" || rep.Estimates != nil {
		t.Errorf("nothing: %+v", rep)
	}
	for _, e := range OffPolicy(1, Logged{Reward: []float64{1}, Weight: []float64{0}}).Estimates {
		if math.IsNaN(e.Value.Mean) {
			t.Errorf("%+v", e)
		}
	}
}

// Ratios by unit are those by question, with wider intervals where the questions
// of a unit are alike.
func TestBootstrapRatios(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var over, under, each []float64
	for range 400 {
		n, v := float64(1+r.IntN(8)), r.Float64()
		over, under = append(over, n*v), append(under, n)
		for range int(n) {
			each = append(each, v)
		}
	}
	by, alone := BootstrapRatios(1, Ratio{over, under})[0], Bootstrap(1, each)[0]
	if math.Abs(by.Mean-alone.Mean) > 1e-12 || by.High-by.Low < 1.3*(alone.High-alone.Low) {
		t.Errorf("by unit %+v, by question %+v", by, alone)
	}
	ones := BootstrapRatios(1, Ratio{Over: each})[0]
	if math.Abs(ones.High-alone.High) > 0.01 {
		t.Errorf("%+v, %+v", ones, alone)
	}
	if BootstrapRatios(1, Ratio{Over: []float64{1}, Under: []float64{0}})[0].Mean != 0 || BootstrapRatios(1) == nil {
		t.Error("nothing")
	}
}
