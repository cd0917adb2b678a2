package graph

import (
	"math"
	"strconv"
	"strings"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "graph"

// The hyper-parameters. With R the interactions, N = D_u^(-user) · R · D_i^(-item)
// divided by its largest singular value, and λ the eigenvalues of NᵀN, the score
// of items for a history r is r · D_i^(-input) · h(NᵀN) · D_i^(output), where
//
//	h(λ) = (λ + ideal) · exp(-sharpening·λ) / (1 + λ/damping)
//
// on the filter_rank largest eigenvalues, and c·λ below them, with c such that
// the response has no step but that of ideal.
const (
	ParamUser       = "user_degree_exponent"
	ParamItem       = "item_degree_exponent"
	ParamInput      = "input_degree_exponent"
	ParamOutput     = "output_degree_exponent"
	ParamRank       = "filter_rank"
	ParamIdeal      = "ideal_weight"       // of the ideal low-pass filter of GF-CF
	ParamSharpening = "sharpening_time"    // of BSPM
	ParamDamping    = "damping"            // ridge regression's; 0 for none
	ParamNeighbours = "neighbours"         // kept of an item beside the factors, on average
	ParamFactors    = "factors"            // largest eigenvectors kept whole
	ParamRecency    = "recency_half_life"  // the asking user's interaction that many back weighs half of the newest; 0 weighs all alike
	ParamMask       = "recency_mask"       // Personalize's; false forbids weighing by recency
	ParamBias       = "apply_recency_bias" // the same, of the -v2 recipes
	ParamScale      = "score_scale"        // chosen by recipe.Fit so that softmax scores are calibrated
)

// The defaults, chosen on validation slices of several public data sets.
const (
	defaultUser       = 0.3
	defaultItem       = 0.35
	defaultInput      = 0.25
	defaultOutput     = 0.2
	defaultRank       = 128
	defaultIdeal      = 0
	defaultSharpening = 0
	defaultDamping    = 0.05
	defaultNeighbours = 300
	defaultFactors    = 64
	defaultRecency    = 0
	defaultScale      = 10
)

// Recipe is a graph filter.
type Recipe struct{}

// New makes the recipe.
func New() Recipe { return Recipe{} }

// Name is "graph".
func (Recipe) Name() string { return Name }

// parameters as resolved.
type parameters struct {
	user, item, input, output  float64 // exponents
	ideal, sharpening, damping float64
	rank, neighbours, factors  int
	recency, scale             float64
}

func resolve(in recipe.Input) (p parameters, _ error) {
	r := recipe.Reader{Input: in}
	r.Float(&p.user, ParamUser, defaultUser, 0, 1)
	r.Float(&p.item, ParamItem, defaultItem, 0, 1)
	r.Float(&p.input, ParamInput, defaultInput, -1, 1)
	r.Float(&p.output, ParamOutput, defaultOutput, -1, 1)
	r.Float(&p.ideal, ParamIdeal, defaultIdeal, 0, 10)
	r.Float(&p.sharpening, ParamSharpening, defaultSharpening, 0, 20)
	r.Float(&p.damping, ParamDamping, defaultDamping, 0, 1e6)
	r.Int(&p.rank, ParamRank, defaultRank, 1, 2048)
	r.Int(&p.neighbours, ParamNeighbours, defaultNeighbours, 0, 100000)
	r.Int(&p.factors, ParamFactors, defaultFactors, 0, 2048)
	r.Float(&p.recency, ParamRecency, defaultRecency, 0, 1e6)
	r.Float(&p.scale, ParamScale, defaultScale, 1e-6, 1e6)
	return p, r.Err
}

// strings is how the manifest remembers the parameters, along with those
// given that mean nothing here.
func (p parameters) strings(given map[string]string) map[string]string {
	out := recipe.With(given, ParamRank, strconv.Itoa(p.rank))
	out[ParamNeighbours] = strconv.Itoa(p.neighbours)
	out[ParamFactors] = strconv.Itoa(p.factors)
	for name, value := range map[string]float64{ParamUser: p.user, ParamItem: p.item, ParamInput: p.input, ParamOutput: p.output,
		ParamIdeal: p.ideal, ParamSharpening: p.sharpening, ParamDamping: p.damping, ParamRecency: p.recency, ParamScale: p.scale} {
		out[name] = recipe.FormatFloat(value)
	}
	return out
}

// number is the parameter of that name, if it is one that is searched.
func (p *parameters) number(name string) *float64 {
	return map[string]*float64{ParamUser: &p.user, ParamItem: &p.item, ParamInput: &p.input, ParamOutput: &p.output, ParamIdeal: &p.ideal,
		ParamSharpening: &p.sharpening, ParamDamping: &p.damping, ParamRecency: &p.recency}[name]
}

// response is h(λ) on the eigenvalues that are known.
func (p parameters) response(lambda float64) float64 {
	h := (lambda + p.ideal) * math.Exp(-p.sharpening*lambda)
	if p.damping > 0 {
		h /= 1 + lambda/p.damping
	}
	return h
}

// tail is c, by which eigenvalues below the last that is known count.
func (p parameters) tail(last float64) float64 {
	c := math.Exp(-p.sharpening * last)
	if p.damping > 0 {
		c /= 1 + last/p.damping
	}
	return c
}

// Candidates tries weaker damping, which sparse catalogues want, and stronger:
// how far the strongest tastes are to be held down depends on how much noise the
// weaker ones carry.
func (Recipe) Candidates(in recipe.Input) []map[string]string {
	out := []map[string]string{in.Params}
	if seconds(in) > tunedSeconds {
		return out
	}
	if _, given := in.Params[ParamDamping]; !given {
		out = append(out, recipe.With(in.Params, ParamDamping, "0.15"), recipe.With(in.Params, ParamDamping, "0.02"))
	}
	return out
}

// tunedSeconds is up to how long a training may take for others to be tried.
const tunedSeconds = 60

// Refinements tries how much the newest interactions should outweigh older ones.
func (Recipe) Refinements(in recipe.Input) []map[string]string {
	if _, given := in.Params[ParamRecency]; given || strings.EqualFold(in.Params[ParamMask], "false") || strings.EqualFold(in.Params[ParamBias], "false") {
		return []map[string]string{in.Params}
	}
	out := []map[string]string{in.Params}
	for _, h := range []string{"2", "5", "20"} {
		out = append(out, recipe.With(in.Params, ParamRecency, h))
	}
	return out
}

var (
	_ recipe.Recipe    = Recipe{}
	_ recipe.Sizer     = Recipe{}
	_ recipe.Coster    = Recipe{}
	_ recipe.Tuner     = Recipe{}
	_ recipe.Refiner   = Recipe{}
	_ model.ManyScorer = (*scorer)(nil)
)
