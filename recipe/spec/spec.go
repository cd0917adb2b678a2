package spec

import (
	"strings"

	"github.com/attune-io/attune"
)

// Kind says what a recipe's campaigns are asked for.
type Kind string

// The kinds of recipes.
const (
	User    Kind = "user"    // items for a user
	Related Kind = "related" // items like an item
	Ranking Kind = "ranking" // a given list, ordered for a user
	Segment Kind = "segment" // users for an item; batch only
	Action  Kind = "action"  // actions for a user
)

// What a recipe's answers carry as scores.
const (
	ScoresSoftmax = "softmax" // they sum to one, over the catalogue or over the list that is ranked
	ScoresNone    = "none"
	// ScoresPropensity are probabilities, each by itself.
	ScoresPropensity = "propensity"
)

// The algorithms of this build, by the name of their room under recipe/.
const (
	Popularity = "popularity"
	Trending   = "trending"
	ItemKNN    = "itemknn"
	Content    = "content"
	Semantic   = "semantic"
	Similar    = "similar"
	IALS       = "ials"
	NextAction = "nextaction"
	EASE       = "ease"    // linear item-item model in closed form, or its sparse approximation
	Graph      = "graph"   // graph filters, which need no training
	Session    = "session" // neighbours of sessions
	Rule       = "rule"    // what follows what in sessions
	// Demographic is what people like the asker, by attributes, interact with.
	Demographic = "demographic"
	// Circumstance is what people choose under one context more than under others.
	Circumstance = "circumstance"
	Sequence     = "sequence" // transformer
	Blend        = "blend"    // several of the others, chosen and weighed by themselves
)

// Recipe is what is known of one recipe. Recipes that are not Built are only
// named: their Algorithm and parameters are empty.
type Recipe struct {
	Name           string      // e.g. aws-sims
	Type           string      // recipeType on the wire, e.g. RELATED_ITEMS
	Domain         string      // ECOMMERCE or VIDEO_ON_DEMAND; "" for custom dataset groups
	Kind           Kind        // what its campaigns are asked for
	Description    string      // what it is for, and which algorithm of this build stands behind it
	Learner        string      // name of its algorithm on the wire; "" when that is the recipe's
	Transformation string      // name of its feature transformation
	Algorithm      string      // the room that learns it; "" when not Built
	Scores         string      // ScoresSoftmax or ScoresNone; "" when not Built
	Update         bool        // may be trained with trainingMode UPDATE
	Exploration    bool        // campaigns take itemExplorationConfig
	Reasons        bool        // answers say why an item is in them
	Parameters     []Parameter // algorithmHyperParameters
	Features       []Parameter // featureTransformationParameters
	Built          bool        // this build trains and serves it

	Legacy   bool              // the service no longer offers it; existing code asks for it
	Same     bool              // everybody gets the same answer, so nothing of the asker's is left out
	Anybody  bool              // who asks need not be named
	Text     bool              // needs a textual column in the Items dataset
	Event    string            // of domain recipes: the event type they count, which the data must have; "" for all
	LeaveOut []string          // of domain recipes: items that the asker has done one of these with are left out
	Fixed    map[string]string // hyper-parameters of the algorithm that the recipe does not expose
}

// ARN is the recipe's name on the wire.
func (r Recipe) ARN() attune.ARN { return attune.Public("recipe", r.Name) }

// AlgorithmARN names the algorithm on the wire, which is mostly called like the recipe.
func (r Recipe) AlgorithmARN() attune.ARN {
	if r.Learner != "" {
		return attune.Public("algorithm", r.Learner)
	}
	return attune.Public("algorithm", r.Name)
}

// TransformationARN names the feature transformation on the wire.
func (r Recipe) TransformationARN() attune.ARN {
	return attune.Public("feature-transformation", r.Transformation)
}

// ByARN finds a recipe, built or not, by its ARN.
func ByARN(arn string) (Recipe, bool) {
	return find(func(r Recipe) bool { return string(r.ARN()) == arn })
}

// ByAlgorithmARN finds the built recipe whose algorithm an ARN names.
func ByAlgorithmARN(arn string) (Recipe, bool) {
	return find(func(r Recipe) bool { return r.Built && string(r.AlgorithmARN()) == arn })
}

// ByTransformationARN finds the first built recipe that sets parameters of a
// feature transformation, or else the first that uses it.
func ByTransformationARN(arn string) (Recipe, bool) {
	uses := func(r Recipe) bool { return r.Built && string(r.TransformationARN()) == arn }
	if r, ok := find(func(r Recipe) bool { return uses(r) && len(r.Features) > 0 }); ok {
		return r, true
	}
	return find(uses)
}

func find(is func(Recipe) bool) (Recipe, bool) {
	for _, r := range All() {
		if is(r) {
			return r, true
		}
	}
	return Recipe{}, false
}

// Built lists the recipes that this build trains and serves.
func Built() []Recipe {
	var built []Recipe
	for _, r := range All() {
		if r.Built {
			built = append(built, r)
		}
	}
	return built
}

// Names lists the built recipes that solutions can use, for a message:
// "aws-popularity-count, aws-sims, …".
func Names() string { return NamesOf("") }

// NamesOf lists the built recipes of a domain, for a message.
func NamesOf(domain string) string {
	var names []string
	for _, r := range Built() {
		if r.Domain == domain {
			names = append(names, r.Name)
		}
	}
	return strings.Join(names, ", ")
}
