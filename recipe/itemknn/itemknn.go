package itemknn

import (
	"strconv"

	"github.com/attune-io/attune/model"
	"github.com/attune-io/attune/recipe"
)

// Name is the algorithm's, in model.Manifest.Algorithm.
const Name = "itemknn"

// The hyper-parameters. The first two are those of aws-sims.
const (
	// ParamDiscount f: similarity of j to i = n_ij / (n_i^(1-f) · n_j^f + shrinkage), with n_ij
	// the users of both. 0 prefers popular items, 0.5 is the cosine, 1 prefers rare ones.
	ParamDiscount = "popularity_discount_factor"
	// ParamMinimum is the fewest common users that make two items neighbours.
	ParamMinimum    = "min_cointeraction_count"
	ParamNeighbours = "neighbours" // kept, and used, of each item
	ParamShrinkage  = "shrinkage"  // pulls similarities of few users towards 0
)

const (
	defaultDiscount   = 0.5
	defaultMinimum    = 3
	defaultNeighbours = 500 // as many as an answer may hold
	defaultShrinkage  = 0
)

// Tensors of the model: neighbours of item i are those at [start[i], start[i+1]), most similar first.
const (
	tensorStart      = "neighbour_start"      // items+1
	tensorItem       = "neighbour_item"       // rows of items
	tensorSimilarity = "neighbour_similarity" // above 0
	tensorCount      = "item_count"           // items: distinct users of each
)

// Recipe is item–item nearest neighbours.
type Recipe struct{}

// New makes the recipe.
func New() Recipe { return Recipe{} }

// Name is "itemknn".
func (Recipe) Name() string { return Name }

type parameters struct {
	discount, shrinkage float64
	minimum, neighbours int
}

func resolve(in recipe.Input) (p parameters, _ error) {
	r := recipe.Reader{Input: in}
	r.Float(&p.discount, ParamDiscount, defaultDiscount, 0, 1)
	r.Float(&p.shrinkage, ParamShrinkage, defaultShrinkage, 0, 1e6)
	r.Int(&p.minimum, ParamMinimum, defaultMinimum, 0, 1000)
	r.Int(&p.neighbours, ParamNeighbours, defaultNeighbours, 1, 10000)
	return p, r.Err
}

func (p parameters) strings(given map[string]string) map[string]string {
	out := recipe.With(given, ParamDiscount, recipe.FormatFloat(p.discount))
	out[ParamShrinkage] = recipe.FormatFloat(p.shrinkage)
	out[ParamMinimum] = strconv.Itoa(p.minimum)
	out[ParamNeighbours] = strconv.Itoa(p.neighbours)
	return out
}

// Candidates varies the discount of popularity, since sparse catalogues want
// less than the cosine's. There is no minimum of common users unless one is
// given: adding up a whole history is its own protection from chance.
func (Recipe) Candidates(in recipe.Input) []map[string]string {
	base := in.Params
	if _, given := base[ParamMinimum]; !given {
		base = recipe.With(base, ParamMinimum, "1")
	}
	if _, given := base[ParamDiscount]; given {
		return []map[string]string{base}
	}
	return []map[string]string{base, recipe.With(base, ParamDiscount, "0.3")}
}

// Refinements varies how many of the neighbours that were found are used.
func (Recipe) Refinements(in recipe.Input) []map[string]string {
	if _, given := in.Params[ParamNeighbours]; given {
		return []map[string]string{in.Params}
	}
	var out []map[string]string
	for _, k := range []string{"20", "10", "50", "100", "200", "500"} {
		out = append(out, recipe.With(in.Params, ParamNeighbours, k))
	}
	return out
}

// Bytes estimates the peak memory of Train: the interactions from both sides,
// the neighbours twice, as found and as stored, and scratch of a few processors.
func (Recipe) Bytes(in recipe.Input) int64 {
	p, err := resolve(in)
	if err != nil {
		return 0 // Train says what is wrong
	}
	items, users, events := int64(len(in.Items)), int64(in.Users), int64(in.Events.Len())
	return 36*events + 16*users + (88+processors*24)*items + 2*8*in.Common(p.neighbours, p.minimum)
}

const processors = 4 // that scratch is counted for

// What two cores take, measured on data of 44,000 to 990,000 interactions: within
// a third of it.
const (
	secondsPair  = 2.4e-9 // for two items of one user
	secondsEntry = 1e-8   // for two items that have users in common
)

// Seconds estimates Train: counting pairs, and choosing among those found.
func (Recipe) Seconds(in recipe.Input) float64 {
	pairs, items := 0.0, float64(len(in.Items))
	in.Events.ByUser(func(_ int32, from, to int) {
		if n := float64(to - from); n <= maxUserItems {
			pairs += n * n
		}
	})
	return secondsPair*pairs + secondsEntry*min(pairs, items*items)
}

var (
	_ recipe.Recipe  = Recipe{}
	_ recipe.Sizer   = Recipe{}
	_ recipe.Coster  = Recipe{}
	_ recipe.Tuner   = Recipe{}
	_ recipe.Refiner = Recipe{}
	_ model.Scorer   = (*scorer)(nil)
)
