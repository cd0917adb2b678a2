package ease

import (
	"strconv"
	"strings"

	"github.com/attune-io/attune"
	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "ease"

// The hyper-parameters. With X users × items and G = XᵀX, the ridge of item i is
// λ_i = regularization·Ḡ + dropout/(1-dropout)·G_ii, where Ḡ is the mean of the diagonal of G.
const (
	ParamRegularize = "regularization"
	ParamDropout    = "dropout"            // as if that share of every history had been left out at random
	ParamUser       = "user_exponent"      // a user with n items counts n^-user_exponent
	ParamLocal      = "neighbourhood"      // items that may predict an item, the nearest; 0 for all, by a matrix of items × items
	ParamKept       = "kept_weights"       // of each item, the largest
	ParamRecency    = "recency_half_life"  // the asking user's interaction that many back weighs half of the newest; 0 weighs all alike
	ParamMask       = "recency_mask"       // Personalize's; false forbids weighing by recency
	ParamBias       = "apply_recency_bias" // the same, of the -v2 recipes
	ParamScale      = "score_scale"        // chosen by recipe.Fit so that softmax scores are calibrated
)

// The defaults, chosen on validation slices of several public data sets.
const (
	defaultRegularize = 3
	defaultDropout    = 0.5
	defaultUser       = 0.25
	defaultLocal      = 512 // where it is used: it is as good as all items, on sparse data and on dense
	defaultKept       = 500
	defaultRecency    = 0
	defaultScale      = 1
)

// Tensors of the model: what item i gives to others is at [start[i], start[i+1]), the largest weights first.
const (
	tensorStart  = "weight_start" // items+1
	tensorItem   = "weight_item"  // rows of items
	tensorWeight = "weight"       // of either sign
	tensorCount  = "item_count"   // items: distinct users of each
)

// denseItems is the largest catalogue of which the whole of G is inverted:
// 1.6 GB of float32, and half a minute on two cores.
const denseItems = 20_000

// Recipe is the closed form, or what comes near it in a catalogue too big for that.
type Recipe struct{}

// New makes the recipe.
func New() Recipe { return Recipe{} }

// Name is "ease".
func (Recipe) Name() string { return Name }

// parameters as resolved.
type parameters struct {
	regularize, dropout, user float64
	kept, neighbourhood       int
	recency, scale            float64
}

func resolve(in recipe.Input) (p parameters, _ error) {
	r := recipe.Reader{Input: in}
	r.Float(&p.regularize, ParamRegularize, defaultRegularize, 1e-4, 1e6) // above 0, so that G can be inverted
	r.Float(&p.dropout, ParamDropout, defaultDropout, 0, 0.99)
	r.Float(&p.user, ParamUser, defaultUser, 0, 2)
	r.Float(&p.recency, ParamRecency, defaultRecency, 0, 1e6)
	r.Float(&p.scale, ParamScale, defaultScale, 1e-6, 1e6)
	r.Int(&p.kept, ParamKept, defaultKept, 1, 100_000)
	local := 0
	if len(in.Items) > denseItems || sparing*localSeconds(in, defaultLocal) < denseSeconds(in) {
		local = defaultLocal
	}
	r.Int(&p.neighbourhood, ParamLocal, local, 0, 4096)
	if r.Err == nil && p.neighbourhood == 0 && len(in.Items) > denseItems {
		r.Err = attune.Errorf(attune.Invalid, "a catalogue of %d items is too big for a matrix of all of them, at most %d: give %s a number above 0",
			len(in.Items), denseItems, ParamLocal)
	}
	return p, r.Err
}

// strings is how the manifest remembers the parameters, along with those
// given that mean nothing here.
func (p parameters) strings(given map[string]string) map[string]string {
	out := recipe.With(given, ParamKept, strconv.Itoa(p.kept))
	out[ParamLocal] = strconv.Itoa(p.neighbourhood)
	out[ParamRegularize] = recipe.FormatFloat(p.regularize)
	out[ParamDropout] = recipe.FormatFloat(p.dropout)
	out[ParamUser] = recipe.FormatFloat(p.user)
	out[ParamRecency] = recipe.FormatFloat(p.recency)
	out[ParamScale] = recipe.FormatFloat(p.scale)
	return out
}

// tunedSeconds is up to how long a training takes for others to be tried.
const tunedSeconds = 10

// Candidates varies the ridge, of which sparse data want more, and how much less
// each interaction of a busy user counts, which does well where histories are long.
func (r Recipe) Candidates(in recipe.Input) []map[string]string {
	out := []map[string]string{in.Params}
	if r.Seconds(in) > tunedSeconds {
		return out
	}
	for _, c := range []struct{ name, value string }{{ParamRegularize, "1"}, {ParamRegularize, "10"}, {ParamUser, "0"}, {ParamUser, "0.5"}} {
		if _, given := in.Params[c.name]; !given {
			out = append(out, recipe.With(in.Params, c.name, c.value))
		}
	}
	return out
}

// Refinements tries how much the newest interactions should outweigh older ones.
func (Recipe) Refinements(in recipe.Input) []map[string]string {
	out := []map[string]string{in.Params}
	if _, given := in.Params[ParamRecency]; given || strings.EqualFold(in.Params[ParamMask], "false") || strings.EqualFold(in.Params[ParamBias], "false") {
		return out
	}
	for _, h := range []string{"1", "2", "4", "8", "20"} {
		out = append(out, recipe.With(in.Params, ParamRecency, h))
	}
	return out
}

var (
	_ recipe.Recipe  = Recipe{}
	_ recipe.Sizer   = Recipe{}
	_ recipe.Coster  = Recipe{}
	_ recipe.Tuner   = Recipe{}
	_ recipe.Refiner = Recipe{}
	_ model.Scorer   = (*scorer)(nil)
)
