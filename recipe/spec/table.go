package spec

// The recipe types and feature transformations of the service.
const (
	typeUser    = "USER_PERSONALIZATION"
	typePopular = "POPULAR_ITEMS"
	typeRanking = "PERSONALIZED_RANKING"
	typeRelated = "RELATED_ITEMS"
	typeSegment = "USER_SEGMENTATION"
	typeAction  = "PERSONALIZED_ACTIONS"

	transformPercentile = "JSON-percentile-filtering"
	transformSims       = "sims"
)

// What stands behind recipes, for their descriptions: the nearest to the
// service's own algorithm that this build has.
const (
	behindBlend    = " Behind it is a blend of linear item-item models, graph filters, matrix factorisation, neighbours of sessions and a transformer: of those that suit the data, chosen and weighed on events held back."
	behindFactors  = " Behind it is implicit matrix factorisation by alternating least squares, the nearest that this server has."
	behindNearest  = " Behind it are item-item nearest neighbours by the cosine of their users, the nearest that this server has."
	behindSimilar  = " Behind it are item-item nearest neighbours by the cosine of their users, joined with the cosine of text, categories and numbers for items with few interactions, the nearest that this server has."
	behindSemantic = " Behind it is the cosine of TF-IDF weighted words, pieces of words and categories, joined with latent semantic analysis of them; or, on a server that was given an endpoint for embeddings, the cosine of what its language model makes of the texts."
	behindCount    = " Behind it is a count of distinct users."
	behindLogistic = " Behind it is logistic regression over hashed features of action, user and the user's history with actions, calibrated on newer events."
	behindRise     = " Behind it is the difference between the interactions of the latest window of time and of the one before."
)

// All lists every recipe of the service, the built ones first. Names, types
// and ranges are those of the service's developer guide.
func All() []Recipe {
	var all []Recipe
	for _, rs := range [][]Recipe{popular(), personal(), ranking(), related(), segments(), legacy(), ecommerceRecipes(), videoRecipes(), actions()} {
		all = append(all, rs...)
	}
	for i, r := range all {
		if r.outcomes() {
			all[i].Parameters = append(r.Parameters, Parameter{Name: ParamNegative, Type: Occasions})
		}
	}
	return all
}

// outcomes says whether interactions can tell against items: not where they are
// not learned from, nor of actions, which have outcomes of their own. Domain
// recipes have no hyper-parameters.
func (r Recipe) outcomes() bool { return r.Built && r.Domain == "" && !r.Text && r.Kind != Action }

func popular() []Recipe {
	return []Recipe{
		{
			Name: "aws-popularity-count", Type: typePopular, Kind: User, Transformation: transformSims,
			Description: "The most popular items, by the number of users who interacted with them. A baseline." + behindCount,
			Algorithm:   Popularity, Scores: ScoresNone, Built: true,
		},
		{
			Name: "aws-trending-now", Type: typePopular, Kind: User, Learner: "aws-trending-now-custom", Transformation: "aws-trending-now",
			Description: "The items whose interactions rise the most from one window of time to the next; looked at again by itself." + behindRise,
			Algorithm:   Trending, Scores: ScoresNone, Same: true, Anybody: true, Built: true,
			Features: []Parameter{{Name: ParamTrend, Type: Categorical, Default: DefaultTrend, Values: []string{"30 minutes", "1 hour", "2 hours", "3 hours", "1 day"}}},
		},
	}
}

func personal() []Recipe {
	return []Recipe{
		{
			Name: "aws-user-personalization-v2", Type: typeUser, Kind: User, Transformation: "aws-user-personalization-v2",
			Description: "Items for a user, learned from everybody's interactions." + behindBlend,
			Algorithm:   Blend, Scores: ScoresSoftmax, Reasons: true, Built: true,
			Parameters: append(recencyBias(), memberParameters()...),
		},
		{
			Name: "aws-user-personalization", Type: typeUser, Kind: User, Transformation: transformPercentile,
			Description: "Items for a user, learned from everybody's interactions." + behindBlend,
			Algorithm:   Blend, Scores: ScoresSoftmax, Update: true, Exploration: true, Built: true,
			Parameters: factorParameters(), Features: percentiles("user_history_length"),
		},
	}
}

func ranking() []Recipe {
	return []Recipe{
		{
			Name: "aws-personalized-ranking-v2", Type: typeRanking, Kind: Ranking, Transformation: "aws-personalized-ranking-v2",
			Description: "Orders a given list of items for a user, learned as in aws-user-personalization-v2." + behindBlend,
			Algorithm:   Blend, Scores: ScoresSoftmax, Built: true,
			Parameters: append(recencyBias(), memberParameters()...),
		},
		{
			Name: "aws-personalized-ranking", Type: typeRanking, Kind: Ranking, Transformation: transformPercentile,
			Description: "Orders a given list of items for a user, learned as in aws-user-personalization." + behindBlend,
			Algorithm:   Blend, Scores: ScoresSoftmax, Built: true,
			Parameters: factorParameters(), Features: percentiles("user_history_length"),
		},
	}
}

func related() []Recipe {
	return []Recipe{
		{
			Name: "aws-similar-items", Type: typeRelated, Kind: Related, Transformation: "aws-similar-items",
			Description: "Items like an item, by who interacted with them and by what is said of them; popular items for an item that is not known." + behindSimilar,
			Algorithm:   Similar, Scores: ScoresNone, Built: true,
			Parameters: append([]Parameter{
				{Name: "popularity_discount_factor", Type: Continuous, Default: "0.5", Min: 0, Max: 1},
				// Of embeddings: taken so that configurations work unchanged.
				{Name: "item_id_hidden_dim", Type: Integer, Default: "100", Min: 30, Max: 200, Tunable: true},
				{Name: "item_metadata_hidden_dim", Type: Integer, Default: "100", Min: 30, Max: 200, Tunable: true},
			}, neighbourParameters()...),
		},
		{
			Name: "aws-sims", Type: typeRelated, Kind: Related, Transformation: transformSims,
			Description: "Items that the same users interacted with." + behindNearest,
			Algorithm:   ItemKNN, Scores: ScoresNone, Built: true,
			Parameters: append([]Parameter{
				{Name: "popularity_discount_factor", Type: Continuous, Default: "0.5", Min: 0, Max: 1, Tunable: true},
				{Name: "min_cointeraction_count", Type: Integer, Default: "3", Min: 0, Max: 10, Tunable: true},
			}, neighbourParameters()...),
			Features: percentiles("user_history_length", "item_interaction_count"),
		},
		{
			Name: "aws-semantic-similarity", Type: typeRelated, Kind: Related, Transformation: "aws-semantic-similarity",
			Description: "Items of which the same is said in their texts and categories." + behindSemantic,
			Algorithm:   Semantic, Scores: ScoresNone, Text: true, Built: true,
			Parameters: []Parameter{ // our own (recipe/semantic explains them)
				{Name: "latent_dimension", Type: Integer, Default: "64", Min: 0, Max: 1024},
				{Name: "latent_weight", Type: Continuous, Default: "0.2", Min: 0, Max: 1},
			},
		},
	}
}

func segments() []Recipe {
	named := func(name, description string) Recipe {
		return Recipe{
			Name: "aws-" + name, Type: typeSegment, Kind: Segment, Transformation: name, Description: description + behindFactors,
			Algorithm: IALS, Scores: ScoresNone, Built: true,
			Parameters: append([]Parameter{{Name: "hidden_dimension", Type: Integer, Default: "64", Min: 32, Max: 256, Tunable: true}}, ownParameters()...),
		}
	}
	return []Recipe{
		named("item-affinity", "The users who will most likely interact with an item, by batch segment jobs only."),
		named("item-attribute-affinity", "The users who will most likely interact with items of an attribute, by batch segment jobs only."),
	}
}

// legacy are recipes that the service no longer offers. Code that was written
// for them asks for them all the same, and is served by their successor.
func legacy() []Recipe {
	named := func(name, transformation string, more ...Parameter) Recipe {
		return Recipe{
			Name: name, Type: typeUser, Kind: User, Transformation: transformation, Legacy: true,
			Description: "Items for a user; the service no longer offers it: use aws-user-personalization-v2." + behindBlend,
			Algorithm:   Blend, Scores: ScoresSoftmax, Built: true,
			Parameters: factorParameters(), Features: append(more, percentiles("user_history_length")...),
		}
	}
	coldstart := named("aws-hrnn-coldstart", "featurize_coldstart", // these three are taken without effect
		Parameter{Name: "cold_start_max_interactions", Type: Integer, Default: "15", Min: 1, Max: 1e6},
		Parameter{Name: "cold_start_max_duration", Type: Continuous, Default: "5.0", Min: 0, Max: 1e6},
		Parameter{Name: "cold_start_relative_from", Type: Categorical, Default: "latestItem", Values: []string{"currentTime", "latestItem"}})
	coldstart.Update = true // the one besides aws-user-personalization
	return []Recipe{named("aws-hrnn", transformPercentile), named("aws-hrnn-metadata", "featurize_metadata"), coldstart}
}

// factorParameters are those of the user-personalization family: the service's
// names, then what is our own. The service's own default of hidden_dimension is 149.
func factorParameters() []Parameter {
	return append([]Parameter{
		{Name: "hidden_dimension", Type: Integer, Default: "64", Min: 32, Max: 256, Tunable: true},
		{Name: "bptt", Type: Integer, Default: "32", Min: 2, Max: 32, Tunable: true}, // of recurrent networks: taken so that configurations work unchanged
		{Name: "recency_mask", Type: Categorical, Default: "true", Values: []string{"true", "false"}, Tunable: true},
	}, memberParameters()...)
}

// recencyBias is the one parameter of the -v2 recipes.
func recencyBias() []Parameter {
	return []Parameter{{Name: "apply_recency_bias", Type: Categorical, Default: "true", Values: []string{"true", "false"}}}
}

// memberParameters are our own, of a blend: who is in it, and the parameters of
// its matrix factorisation.
func memberParameters() []Parameter {
	all := []Parameter{{Name: "members", Type: Listing, Values: members()}}
	for _, p := range ownParameters() {
		p.Name, p.Default, p.Tunable = IALS+"."+p.Name, "", false
		all = append(all, p)
	}
	return all
}

// ownParameters are our own, of matrix factorisation (recipe/ials explains them).
func ownParameters() []Parameter {
	return []Parameter{
		{Name: "regularization", Type: Continuous, Min: 0, Max: 1e6},
		{Name: "regularization_exponent", Type: Continuous, Default: "1", Min: 0, Max: 2},
		{Name: "unobserved_weight", Type: Continuous, Min: 0, Max: 1000},
		{Name: "iterations", Type: Integer, Default: "10", Min: 1, Max: 1000},
		{Name: "solver_steps", Type: Integer, Default: "3", Min: 1, Max: 100},
		{Name: "recency_half_life", Type: Continuous, Min: 0, Max: 1e6},
	}
}

// neighbourParameters are our own, of nearest neighbours (recipe/itemknn explains them).
func neighbourParameters() []Parameter {
	return []Parameter{
		{Name: "neighbours", Type: Integer, Default: "500", Min: 1, Max: 10000},
		{Name: "shrinkage", Type: Continuous, Default: "0", Min: 0, Max: 1e6},
	}
}

// percentiles are the feature transformation of the service: who has fewer or
// more than these is left out of training. Nobody is unless asked for: the
// service's own defaults leave out the busiest.
func percentiles(of ...string) (ps []Parameter) {
	for _, what := range of {
		ps = append(ps,
			Parameter{Name: "min_" + what + "_percentile", Type: Continuous, Default: "0.0", Min: 0, Max: 1},
			Parameter{Name: "max_" + what + "_percentile", Type: Continuous, Default: "1.0", Min: 0, Max: 1})
	}
	return ps
}

func actions() []Recipe {
	return []Recipe{{
		Name: "aws-next-best-action", Type: typeAction, Kind: Action, Transformation: "aws-next-best-action",
		Description: "The actions that a user is likeliest to take, with the probability that they do." + behindLogistic,
		Algorithm:   NextAction, Scores: ScoresPropensity, Built: true,
		Parameters: []Parameter{
			{Name: "regularization", Type: Continuous, Min: 0, Max: 1e6},
			{Name: "hash_bits", Type: Integer, Min: 10, Max: 20},
		},
		Features: []Parameter{{Name: "action_optimization_period", Type: Integer, Default: "14", Min: 7, Max: 28}},
	}}
}
