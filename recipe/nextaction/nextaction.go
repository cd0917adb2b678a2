package nextaction

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "nextaction"

// The hyper-parameters.
const (
	paramPeriod         = "action_optimization_period" // days that an offer has to be taken
	paramRegularization = "regularization"             // λ of the equation
	paramBits           = "hash_bits"
	// paramColumns is told, not asked for: the user's columns that have features.
	paramColumns = "user_columns"
)

const (
	defaultRegularization = 3.0
	maxRegularization     = 1e6
	// minBits to maxBits: 4 KiB to 4 MiB of weights.
	minBits, maxBits = 10, 20
)

// The tensors: see docs/format/model.md.
const (
	tensorWeight = "weight"
	tensorBase   = "action_base"
	tensorScored = "action_scored"
	tensorMean   = "user_mean"
	tensorScale  = "user_scale"
)

// Recipe learns propensities.
type Recipe struct{}

// New makes the recipe.
func New() Recipe { return Recipe{} }

// Name is "nextaction".
func (Recipe) Name() string { return Name }

// settings are the parameters of one training.
type settings struct {
	period           time.Duration
	lambda           float64
	bits             int // 0 to choose by the number of features
	slope, intercept float64
}

func read(in recipe.Input) (s settings, err error) {
	if s.period, err = in.Period(); err != nil {
		return s, err
	}
	if s.lambda, err = in.Float(paramRegularization, defaultRegularization, 0, maxRegularization); err != nil {
		return s, err
	}
	if s.bits, err = in.Int(paramBits, 0, 0, maxBits); err != nil {
		return s, err
	}
	s.slope, s.intercept, err = recipe.Calibration(in)
	return s, err
}

// resolved are the parameters as they were used.
func (s settings) resolved(in recipe.Input, columns []userColumn) map[string]string {
	params := maps.Clone(in.Params)
	if params == nil {
		params = map[string]string{}
	}
	params[paramPeriod] = strconv.Itoa(int(s.period / (24 * time.Hour)))
	params[paramRegularization] = recipe.FormatFloat(s.lambda)
	params[paramBits] = strconv.Itoa(s.bits)
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	params[paramColumns] = strings.Join(names, ",")
	return params
}

// Candidates are strengths of the penalty, from hardly any to one under which
// only what thousands of offers show is believed.
func (Recipe) Candidates(in recipe.Input) []map[string]string {
	if _, given := in.Params[paramRegularization]; given {
		return []map[string]string{in.Params}
	}
	var all []map[string]string
	for _, lambda := range []float64{defaultRegularization, 0.3, 1, 10, 30, 100} {
		all = append(all, recipe.With(in.Params, paramRegularization, recipe.FormatFloat(lambda)))
	}
	return all
}

// Bytes estimates the peak memory of Train: the features of the offers that
// are learned from, and the events while offers are read out of them.
func (Recipe) Bytes(in recipe.Input) int64 {
	offers := int64(in.Events.Len())
	return 64*offers + min(offers, maxOffers)*int64(8*featuresOf(in)+48) + 8*5<<maxBits
}

// secondsFeature is what a feature of an offer takes in the whole descent,
// measured on 4,000 to 200,000 events: within a third of it.
const secondsFeature = 2.5e-7

// Seconds estimates Train: the descent.
func (Recipe) Seconds(in recipe.Input) float64 {
	return secondsFeature * float64(featuresOf(in)) * float64(min(in.Events.Len(), maxOffers))
}

// featuresOf is how many an offer has, about.
func featuresOf(in recipe.Input) int {
	features := 2 + 2*numHistory
	if in.UserAttributes != nil {
		features += 2 * len(in.UserAttributes.Columns)
	}
	if in.ItemAttributes != nil {
		features += len(in.ItemAttributes.Columns)
	}
	return features
}

// Train learns from the newest offers. Items are actions; a model of no
// offers at all gives every action the same estimate.
func (Recipe) Train(ctx context.Context, in recipe.Input) (*model.Model, error) {
	s, err := read(in)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	offers := recipe.Offers(in.Events, s.period)
	t := newTask(in, &s, offers[max(0, len(offers)-maxOffers):])
	w, err := t.minimise(ctx, s.lambda, in.Report)
	if err != nil {
		return nil, err
	}
	return t.model(in, s, w), nil
}

var (
	_ recipe.Recipe = Recipe{}
	_ recipe.Tuner  = Recipe{}
	_ recipe.Sizer  = Recipe{}
	_ recipe.Coster = Recipe{}
)
