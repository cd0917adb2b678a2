package recipe

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/attune-io/attune/dataset"
	"github.com/attune-io/attune/evaluate"
	"github.com/attune-io/attune/model"
)

// Search asks for hyper-parameter optimisation: trainings with other values of
// some parameters, of which the best on the validation slice is kept.
//
// The values come from a Halton sequence, which fills the ranges evenly with any
// number of points (J. H. Halton, On the efficiency of certain quasi-random
// sequences of points in evaluating multi-dimensional integrals, Numerische
// Mathematik 2, 1960), shifted by the seed (R. Cranley and T. Patterson,
// Randomization of number theoretic methods for multiple integration, SIAM
// Journal on Numerical Analysis 13, 1976). That few of many parameters matter,
// which grids waste their points on, is from J. Bergstra and Y. Bengio, Random
// search for hyper-parameter optimization, JMLR 13, 2012.
type Search struct {
	Ranges []Range
	Jobs   int    // trainings at most, that with the parameters as given included; of a Searcher, see Validation
	Metric string // key of evaluate.Mean; "" for NDCG@25
	Least  bool   // the smallest value is the best
}

// Range is where one parameter may lie.
type Range struct {
	Name     string
	Values   []string // of a categorical parameter; then the rest is not looked at
	Min, Max float64  // both included
	Default  string   // what a recipe that does not tell the parameter takes it for
	Whole    bool     // integers only
}

const (
	// searchEvents bounds a search: trainings times interactions. On more data
	// there are fewer trainings, so that the time of a version stays bounded and
	// the result still follows from data, parameters and seed alone.
	searchEvents = 100_000_000
	// fewestJobs are made whatever the size of the data, if as many were asked for.
	fewestJobs = 3
	// wideRange is from which ratio of its ends a range of positive numbers is
	// searched by its logarithm.
	wideRange = 100
)

// primes are the bases of the Halton sequence, one for each parameter; with
// more parameters than primes they are used again, with another shift.
var primes = [...]int{2, 3, 5, 7, 11, 13, 17, 19, 23, 29}

// radicalInverse mirrors the digits of n in a base at the point: in [0, 1).
func radicalInverse(n, base int) float64 {
	x, digit := 0.0, 1/float64(base)
	for ; n > 0; n /= base {
		x += digit * float64(n%base)
		digit /= float64(base)
	}
	return x
}

// at is the value of the range at x in [0, 1).
func (r Range) at(x float64) string {
	switch {
	case len(r.Values) > 0:
		return r.Values[min(int(x*float64(len(r.Values))), len(r.Values)-1)]
	case r.Whole:
		return strconv.Itoa(int(min(r.Max, math.Floor(r.Min+x*(r.Max-r.Min+1)))))
	case r.Min > 0 && r.Max/r.Min >= wideRange:
		return shortNumber(math.Exp(math.Log(r.Min)+x*(math.Log(r.Max)-math.Log(r.Min))), r)
	}
	return shortNumber(r.Min+x*(r.Max-r.Min), r)
}

// shortNumber keeps four digits, inside the range: the rest is noise, and manifests are read by people.
func shortNumber(x float64, r Range) string {
	if short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64); err == nil {
		x = short
	}
	return FormatFloat(max(r.Min, min(r.Max, x)))
}

// Spread is up to n values of the range, evenly and in order, the first and the
// last of them its ends: for a Searcher. Of one it is the middle.
func (r Range) Spread(n int) []string {
	if len(r.Values) > 0 {
		return r.Values[:min(max(n, 1), len(r.Values))]
	}
	if n <= 1 {
		return []string{r.at(0.5)}
	}
	var out []string
	for i := range n {
		x := min(float64(i)/float64(n-1), math.Nextafter(1, 0))
		if v := r.at(x); len(out) == 0 || out[len(out)-1] != v {
			out = append(out, v)
		}
	}
	return out
}

// Holds says whether a value lies in the range.
func (r Range) Holds(value string) bool {
	if len(r.Values) > 0 {
		return slices.Contains(r.Values, value)
	}
	x, err := strconv.ParseFloat(value, 64)
	return err == nil && x >= r.Min && x <= r.Max
}

// points are up to n distinct sets of values, in the order of the sequence.
func (s *Search) points(n int, seed uint64) []map[string]string {
	shift := rand.New(rand.NewPCG(seed, 0x7365_6172_6368)) // the second word keeps this stream apart from others of the same seed
	shifts := make([]float64, len(s.Ranges))
	for i := range shifts {
		shifts[i] = shift.Float64()
	}
	var out []map[string]string
	seen := map[string]bool{}
	for k := 1; len(out) < n && k <= 8*n; k++ { // small ranges have fewer points than asked for
		point := map[string]string{}
		for i, r := range s.Ranges {
			_, x := math.Modf(radicalInverse(k, primes[i%len(primes)]) + shifts[i])
			point[r.Name] = r.at(x)
		}
		if text := fmt.Sprint(point); !seen[text] {
			seen[text] = true
			out = append(out, point)
		}
	}
	return out
}

// jobs is how many trainings the search makes on so many interactions.
func (s *Search) jobs(events int) int {
	if s == nil {
		return 0
	}
	return min(s.Jobs, max(fewestJobs, searchEvents/max(1, events)))
}

// metric is what the search compares.
func (s *Search) metric() string {
	if s == nil || s.Metric == "" {
		return evaluate.NDCG25
	}
	return s.Metric
}

// search looks for better parameters than those first chosen, which stand if
// they lie in the ranges and nothing is better.
func (f *fit) search(ctx context.Context, r Recipe, first choice, split *dataset.Split, did func()) (choice, error) {
	s := f.Search
	sign := 1.0
	if s.Least {
		sign = -1
	}
	var best choice
	found := false
	try := func(params map[string]string) error {
		c, err := f.choose(ctx, r, s, []map[string]string{params}, split, did)
		if err != nil {
			return err
		}
		values, inside := map[string]string{}, true
		for _, r := range s.Ranges {
			if values[r.Name] = c.model.Manifest.Parameters[r.Name]; values[r.Name] == "" {
				values[r.Name] = r.Default
			}
			inside = inside && r.Holds(values[r.Name])
		}
		f.trials = append(f.trials, model.Trial{Recipe: f.Name, Parameters: values, Value: c.value})
		if inside && (!found || sign*c.value > sign*best.value) {
			best, found = c, true
		}
		return nil
	}
	if err := try(first.trained); err != nil {
		return choice{}, err
	}
	for _, point := range s.points(s.jobs(split.Train.Len())-1, f.Seed) {
		params := maps.Clone(first.trained)
		if params == nil {
			params = map[string]string{}
		}
		maps.Copy(params, point)
		if !f.fits(r, params, split.Train) {
			f.trials = append(f.trials, f.tooLarge(f.Name, r, params, point, split.Train))
			continue
		}
		if err := try(params); err != nil {
			return choice{}, err
		}
	}
	if !found { // one training only, and its parameters lie outside
		return first, nil
	}
	return best, nil
}

// Contender is a recipe that FitBest may choose.
type Contender struct {
	Recipe Recipe
	Name   string
	Params map[string]string
	Search *Search // nil for the parameters as they are
}

// FitBest is Fit with the contender that does best on the validation slice; the
// first of equals. The manifest lists what was tried. spec's own Recipe, Name,
// Params and Search are not looked at, and its Search's metric decides. A
// contender above Memory is passed over; the error is the last one's where all are.
func FitBest(ctx context.Context, spec FitSpec, contenders []Contender) (*model.Model, error) {
	metric := spec.Search
	var all []model.Trial
	var winner *fit
	var refused error
	var chosen choice
	for _, c := range contenders {
		if c.Search == nil {
			c.Search = &Search{Metric: metric.metric()}
		}
		s := spec
		s.Recipe, s.Name, s.Params, s.Search, s.Baselines = c.Recipe, c.Name, c.Params, c.Search, nil
		if s.Checkpoint != nil { // it belongs to one FitSpec, and this is another
			s.Checkpoint = s.Checkpoint.Part(c.Name)
		}
		f, err := newFit(s)
		if err != nil {
			return nil, err
		}
		if err := f.checkMemory(); err != nil { // another may be smaller
			all, refused = append(all, model.Trial{Recipe: c.Name, Words: "passed over: " + err.Error()}), err
			continue
		}
		outer, err := dataset.NewSplit(f.events, f.Protocol, f.Seed)
		if err != nil {
			return nil, err
		}
		plans, err := f.tune(ctx, outer)
		if err != nil {
			return nil, fmt.Errorf("tune %s: %w", c.Name, err)
		}
		value := f.chosen
		value.params = plans[0].params
		if len(f.trials) == 0 {
			f.trials = []model.Trial{{Recipe: c.Name, Value: value.value}}
		}
		all = append(all, f.trials...)
		if winner == nil || value.value > chosen.value {
			winner, chosen = f, value
		}
	}
	if winner == nil {
		return nil, refused
	}
	spec.Recipe, spec.Name, spec.Params, spec.Search = winner.Recipe, winner.Name, chosen.params, nil
	spec.tried = &model.Search{Metric: metric.metric(), Trials: all}
	return Fit(ctx, spec)
}
