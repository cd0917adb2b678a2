package ials

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "ials"

// The hyper-parameters. hidden_dimension is Personalize's; the others are the
// paper's: loss = Σ_seen w(1-x·y)² + unobserved_weight Σ_all (x·y)²
// + regularization (Σ_u λ_u|x|² + Σ_i λ_i|y|²), where λ_u = (n_u + unobserved_weight·|I|)^ν
// with n_u the user's items and ν the regularization_exponent; likewise λ_i.
const (
	ParamDimension  = "hidden_dimension"
	ParamRegularize = "regularization"
	ParamExponent   = "regularization_exponent"
	ParamUnobserved = "unobserved_weight"
	ParamIterations = "iterations"
	ParamSolver     = "solver"             // of one side: cg, cholesky or ialspp
	ParamSteps      = "solver_steps"       // of cg in one half step
	ParamBlock      = "block_size"         // factors that ialspp solves for together
	ParamRecency    = "recency_half_life"  // the asking user's interaction that many back weighs half of the newest; 0 weighs all alike
	ParamMask       = "recency_mask"       // Personalize's; false forbids weighing by recency
	ParamBias       = "apply_recency_bias" // the same, of the -v2 recipes
	ParamScale      = "score_scale"        // chosen by recipe.Fit so that softmax scores are calibrated
)

// The defaults, chosen on validation slices of several public data sets.
const (
	defaultDimension  = 64
	defaultRegularize = 0.01
	defaultExponent   = 1
	unobservedItems   = 700 // default unobserved_weight × items: all a user has not seen weighs as much as so many seen items
	minUnobserved     = 0.001
	maxUnobserved     = 1
	defaultIterations = 10
	defaultSteps      = 2
	defaultBlock      = 32
	defaultRecency    = 0
	defaultScale      = 1
)

// Tensors of the model.
const (
	tensorFactors = "item_factors" // items × dimension
	tensorCount   = "item_count"   // items: distinct users of each, for those who come without a history
)

// Recipe is implicit alternating least squares.
type Recipe struct{}

// New makes the recipe.
func New() Recipe { return Recipe{} }

// Name is "ials".
func (Recipe) Name() string { return Name }

// parameters as resolved.
type parameters struct {
	solver                              string
	dimension, iterations, steps, block int
	regularize, exponent, unobserved    float64
	recency, scale                      float64
}

func resolve(in recipe.Input) (p parameters, _ error) {
	r := recipe.Reader{Input: in}
	r.Int(&p.dimension, ParamDimension, defaultDimension, 1, 1024)
	r.Int(&p.iterations, ParamIterations, defaultIterations, 1, 1000)
	r.Int(&p.steps, ParamSteps, defaultSteps, 1, 100)
	r.Int(&p.block, ParamBlock, defaultBlock, 1, 1024)
	r.Float(&p.regularize, ParamRegularize, defaultRegularize, 0, 1e6)
	r.Float(&p.exponent, ParamExponent, defaultExponent, 0, 2)
	unobserved := unobservedItems / float64(max(1, len(in.Items)))
	unobserved = min(maxUnobserved, max(minUnobserved, math.Round(unobserved*1000)/1000))
	r.Float(&p.unobserved, ParamUnobserved, unobserved, 0, 1e3)
	r.Float(&p.recency, ParamRecency, defaultRecency, 0, 1e6)
	r.Float(&p.scale, ParamScale, defaultScale, 1e-6, 1e6)
	if p.solver = in.Params[ParamSolver]; p.solver == "" {
		p.solver = solverCG
	}
	if r.Err == nil && !slices.Contains(solvers[:], p.solver) {
		r.Err = attune.Errorf(attune.Invalid, "hyper-parameter %s is %q: give one of %s", ParamSolver, p.solver, strings.Join(solvers[:], ", "))
	}
	return p, r.Err
}

// The solvers: conjugate gradients, which improve all factors a little, whatever
// their number; the exact solution, which costs the cube of it; and in between
// the exact solution for some factors at a time.
const (
	solverCG       = "cg"
	solverCholesky = "cholesky"
	solverBlocks   = "ialspp"
)

var solvers = [...]string{solverCG, solverCholesky, solverBlocks}

// size is how many factors are solved for exactly together; 0 for conjugate gradients.
func (p parameters) size() int {
	switch p.solver {
	case solverCholesky:
		return p.dimension
	case solverBlocks:
		return min(p.block, p.dimension)
	}
	return 0
}

// strings is how the manifest remembers the parameters, along with those
// given that mean nothing here.
func (p parameters) strings(given map[string]string) map[string]string {
	out := recipe.With(given, ParamDimension, strconv.Itoa(p.dimension))
	out[ParamIterations] = strconv.Itoa(p.iterations)
	out[ParamSolver] = p.solver
	out[ParamSteps] = strconv.Itoa(p.steps)
	out[ParamBlock] = strconv.Itoa(p.block)
	out[ParamRegularize] = recipe.FormatFloat(p.regularize)
	out[ParamExponent] = recipe.FormatFloat(p.exponent)
	out[ParamUnobserved] = recipe.FormatFloat(p.unobserved)
	out[ParamRecency] = recipe.FormatFloat(p.recency)
	out[ParamScale] = recipe.FormatFloat(p.scale)
	return out
}

const (
	// tunedInteractions is up to how many interactions training is so quick that
	// a second regularisation is tried.
	tunedInteractions = 3_000_000
	// fewInteractions is up to how many more are: small shops differ most in how
	// much of what they show is noise.
	fewInteractions = 150_000
)

// Candidates tries a weaker regularisation, which suits sparse data, and on
// little data stronger ones, without which many factors learn single users by heart.
func (Recipe) Candidates(in recipe.Input) []map[string]string {
	out := []map[string]string{in.Params}
	if _, given := in.Params[ParamRegularize]; given || in.Events.Len() > tunedInteractions {
		return out
	}
	out = append(out, recipe.With(in.Params, ParamRegularize, "0.004"))
	if in.Events.Len() <= fewInteractions {
		out = append(out, recipe.With(in.Params, ParamRegularize, "0.02"), recipe.With(in.Params, ParamRegularize, "0.035"))
	}
	return out
}

// Refinements tries how much the newest interactions should outweigh older ones.
func (Recipe) Refinements(in recipe.Input) []map[string]string {
	if _, given := in.Params[ParamRecency]; given || strings.EqualFold(in.Params[ParamMask], "false") || strings.EqualFold(in.Params[ParamBias], "false") {
		return []map[string]string{in.Params}
	}
	out := []map[string]string{in.Params}
	for _, h := range []string{"1", "2", "4", "8", "20"} {
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
	_ model.Folder     = (*scorer)(nil)
)
