package main

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
)

// impressions are a log: the item shown, whether it was clicked, and the
// probability with which the logging policy showed it.
type impressions struct {
	item       []int
	click      []float64
	propensity []float64
}

// readImpressions reads a log of the Open Bandit Dataset by the names of its columns.
func readImpressions(path string) (log impressions, err error) {
	f, err := os.Open(path)
	if err != nil {
		return log, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	head, err := r.Read()
	if err != nil {
		return log, fmt.Errorf("%s: %w", path, err)
	}
	at := map[string]int{}
	for i, name := range head {
		at[name] = i
	}
	var column [3]int
	for i, name := range []string{"item_id", "click", "propensity_score"} {
		place, ok := at[name]
		if !ok {
			return log, attune.Errorf(attune.Invalid, "%s has no column %s", path, name)
		}
		column[i] = place
	}
	for line := 2; ; line++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return log, nil
		}
		if err != nil {
			return log, fmt.Errorf("%s: %w", path, err)
		}
		item, err1 := strconv.Atoi(row[column[0]])
		click, err2 := strconv.ParseFloat(row[column[1]], 64)
		p, err3 := strconv.ParseFloat(row[column[2]], 64)
		if err := errors.Join(err1, err2, err3); err != nil || item < 0 || !(p > 0) || p > 1 {
			return log, attune.Errorf(attune.Invalid, "%s, line %d: item %q, click %q, propensity %q: %v", path, line, row[column[0]], row[column[1]], row[column[2]], err)
		}
		log.item, log.click, log.propensity = append(log.item, item), append(log.click, click), append(log.propensity, p)
	}
}

// rewardFolds are the parts of the log that the rates of the others are applied
// to, so that no impression is modelled by itself.
const rewardFolds = 5

// logged is the log as a uniform target policy over so many items is judged by,
// with click rates per item as the model of rewards.
func (l impressions) logged(items int) evaluate.Logged {
	out := evaluate.Logged{Reward: l.click, Weight: make([]float64, len(l.item)), Modeled: make([]float64, len(l.item)), Direct: make([]float64, len(l.item))}
	for fold := range rewardFolds {
		shown, clicked := make([]float64, items), make([]float64, items)
		for i, item := range l.item {
			if i%rewardFolds != fold {
				shown[item]++
				clicked[item] += l.click[i]
			}
		}
		rates := shrunkRates(shown, clicked)
		direct := 0.0
		for _, r := range rates {
			direct += r / float64(items)
		}
		for i := fold; i < len(l.item); i += rewardFolds {
			out.Weight[i] = 1 / float64(items) / l.propensity[i]
			out.Modeled[i], out.Direct[i] = rates[l.item[i]], direct
		}
	}
	return out
}

// shrunkRates are click rates by item, each (clicks + s·m)/(shown + s): the
// posterior mean under a beta prior of mean m and strength s, which make the
// counts of all items most likely (empirical Bayes; B. Efron and C. Morris, Data
// Analysis Using Stein's Estimator, JASA 1975).
func shrunkRates(shown, clicked []float64) []float64 {
	n, c := 0.0, 0.0
	for i := range shown {
		n += shown[i]
		c += clicked[i]
	}
	pooled := (c + 0.5) / (n + 1) // never 0 or 1
	mean, strength, most := pooled, 0.0, math.Inf(-1)
	for m := pooled / 8; m < min(1, 8*pooled); m *= 1.05 {
		for s := 10.0; s <= 1e6; s *= 1.5 {
			if l := betaBinomial(shown, clicked, m, s); l > most {
				mean, strength, most = m, s, l
			}
		}
	}
	out := make([]float64, len(shown))
	for i := range out {
		out[i] = (clicked[i] + strength*mean) / (shown[i] + strength)
	}
	return out
}

// betaBinomial is the log-likelihood of the counts, without what does not depend
// on the prior.
func betaBinomial(shown, clicked []float64, mean, strength float64) float64 {
	gamma := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	a, b := strength*mean, strength*(1-mean)
	prior, sum := gamma(strength)-gamma(a)-gamma(b), 0.0
	for i := range shown {
		sum += gamma(clicked[i]+a) + gamma(shown[i]-clicked[i]+b) - gamma(shown[i]+strength) + prior
	}
	return sum
}

// runBandit estimates the click rate of the uniform policy from the log of
// another, and then looks what it was.
func runBandit(_ context.Context, s set, root string, o options) (result, error) {
	began := time.Now()
	dir := filepath.Join(root, filepath.FromSlash(s.dir))
	log, err := readImpressions(filepath.Join(dir, filepath.FromSlash(s.train)))
	if err != nil {
		return result{}, err
	}
	if len(log.item) == 0 {
		return result{}, attune.Errorf(attune.Invalid, "%s has no impressions", s.train)
	}
	items := 0
	for _, item := range log.item {
		items = max(items, item+1)
	}
	rep := evaluate.OffPolicy(seed, log.logged(items))
	out := result{Set: s.name, Kind: s.kind, Protocol: "click rate of the uniform policy, from the log of another", Questions: rep.Impressions, Warning: rep.Warning, Tier: tier(),
		Data:       fmt.Sprintf("%d impressions of %d items, %d clicked, effective sample %.0f", rep.Impressions, items, rep.Rewarded, rep.Effective),
		Recipe:     rep.Best.Name,
		Parameters: map[string]string{}, Seconds: map[string]float64{}}
	out.Metrics = []measured{{"estimate", model.Interval(rep.Best.Value)}}
	for _, e := range rep.Estimates {
		out.Metrics = append(out.Metrics, measured{e.Name, model.Interval(e.Value)})
		out.Parameters[e.Name+".error"] = strconv.FormatFloat(e.Error, 'g', 4, 64)
		if e.Tuning != 0 {
			out.Parameters[e.Name+".tuning"] = strconv.FormatFloat(e.Tuning, 'g', 4, 64)
		}
	}
	text, err := json.Marshal(out.Metrics)
	if err != nil {
		return out, err
	}
	sum := sha256.Sum256(text)
	out.Digest = hex.EncodeToString(sum[:]) // the estimates are made; only now is the other log opened
	truth, err := readImpressions(filepath.Join(dir, filepath.FromSlash(s.test)))
	if err != nil {
		return out, err
	}
	v := evaluate.Bootstrap(seed, truth.click)[0]
	out.Metrics = append(out.Metrics, measured{"truth", model.Interval(v)})
	for _, e := range rep.Estimates {
		if v.Mean > 0 {
			out.Metrics = append(out.Metrics, measured{"relEE " + e.Name, model.Interval{Mean: math.Abs(e.Value.Mean-v.Mean) / v.Mean}})
		}
	}
	out.Seconds["wall"], out.Seconds["cpu"] = time.Since(began).Seconds(), cpuSeconds()
	out.PeakBytes, out.Environment = peakBytes(), surroundings(o.command)
	return out, nil
}
