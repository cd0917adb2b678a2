package spec

// The recipe types, feature transformations and domains of the service.
const (
	typeUser    = "USER_PERSONALIZATION"
	typePopular = "POPULAR_ITEMS"
	typeRanking = "PERSONALIZED_RANKING"
	typeRelated = "RELATED_ITEMS"
	typeSegment = "USER_SEGMENTATION"
	typeAction  = "PERSONALIZED_ACTIONS"

	transformPercentile = "JSON-percentile-filtering"
	transformSims       = "sims"

	ecommerce     = "ECOMMERCE"
	videoOnDemand = "VIDEO_ON_DEMAND"
)

// All lists every recipe of the service, the built ones first. Names, types
// and ranges are those of the service's developer guide.
func All() []Recipe { return append(built(), notBuilt()...) }

func built() []Recipe {
	return []Recipe{
		{
			Name: "aws-popularity-count", Type: typePopular, Kind: User, Transformation: transformSims,
			Description: "The most popular items, by the number of users who interacted with them. A baseline.",
			Algorithm:   Popularity, Scores: ScoresNone, Built: true,
		},
		{
			Name: "aws-user-personalization", Type: typeUser, Kind: User, Transformation: transformPercentile,
			Description: "Items for a user, learned from everybody's interactions by implicit matrix factorisation.",
			Algorithm:   IALS, Scores: ScoresSoftmax, Update: true, Exploration: true, Built: true,
			Parameters: factorParameters(), Features: percentiles("user_history_length"),
		},
		{
			Name: "aws-personalized-ranking", Type: typeRanking, Kind: Ranking, Transformation: transformPercentile,
			Description: "Orders a given list of items for a user, learned as in aws-user-personalization.",
			Algorithm:   IALS, Scores: ScoresSoftmax, Built: true,
			Parameters: factorParameters(), Features: percentiles("user_history_length"),
		},
		{
			Name: "aws-sims", Type: typeRelated, Kind: Related, Transformation: transformSims,
			Description: "Items that the same users interacted with, by the similarity of their columns.",
			Algorithm:   ItemKNN, Scores: ScoresNone, Built: true,
			Parameters: []Parameter{
				{Name: "popularity_discount_factor", Type: Continuous, Default: "0.5", Min: 0, Max: 1, Tunable: true},
				{Name: "min_cointeraction_count", Type: Integer, Default: "3", Min: 0, Max: 10, Tunable: true},
				{Name: "neighbours", Type: Integer, Default: "500", Min: 1, Max: 10000},
				{Name: "shrinkage", Type: Continuous, Default: "0", Min: 0, Max: 1e6},
			},
			Features: percentiles("user_history_length", "item_interaction_count"),
		},
	}
}

// factorParameters are those of the user-personalization family: the service's
// names, then what is our own in matrix factorisation (recipe/ials explains
// them). The service's own default of hidden_dimension is 149.
func factorParameters() []Parameter {
	return []Parameter{
		{Name: "hidden_dimension", Type: Integer, Default: "64", Min: 32, Max: 256, Tunable: true},
		{Name: "bptt", Type: Integer, Default: "32", Min: 2, Max: 32, Tunable: true}, // of recurrent networks: taken so that configurations work unchanged
		{Name: "recency_mask", Type: Categorical, Default: "true", Values: []string{"true", "false"}, Tunable: true},
		{Name: "regularization", Type: Continuous, Min: 0, Max: 1e6},
		{Name: "regularization_exponent", Type: Continuous, Default: "1", Min: 0, Max: 2},
		{Name: "unobserved_weight", Type: Continuous, Min: 0, Max: 1000},
		{Name: "iterations", Type: Integer, Default: "10", Min: 1, Max: 1000},
		{Name: "solver_steps", Type: Integer, Default: "3", Min: 1, Max: 100},
		{Name: "recency_half_life", Type: Continuous, Min: 0, Max: 1e6},
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

func notBuilt() []Recipe {
	named := func(domain, typ string, kind Kind, names ...string) []Recipe {
		rs := make([]Recipe, len(names))
		for i, name := range names {
			rs[i] = Recipe{Name: name, Type: typ, Domain: domain, Kind: kind}
		}
		return rs
	}
	var all []Recipe
	for _, rs := range [][]Recipe{
		named("", typeUser, User, "aws-user-personalization-v2", "aws-hrnn", "aws-hrnn-metadata", "aws-hrnn-coldstart"),
		named("", typePopular, User, "aws-trending-now"),
		named("", typeRanking, Ranking, "aws-personalized-ranking-v2"),
		named("", typeRelated, Related, "aws-similar-items", "aws-semantic-similarity"),
		named("", typeSegment, Segment, "aws-item-affinity", "aws-item-attribute-affinity"),
		named("", typeAction, Action, "aws-next-best-action"),
		named(ecommerce, typePopular, User, "aws-ecomm-popular-items-by-views", "aws-ecomm-popular-items-by-purchases"),
		named(ecommerce, typeRelated, Related, "aws-ecomm-frequently-bought-together", "aws-ecomm-customers-who-viewed-x-also-viewed"),
		named(ecommerce, typeUser, User, "aws-ecomm-recommended-for-you"),
		named(videoOnDemand, typeRelated, Related, "aws-vod-because-you-watched-x", "aws-vod-more-like-x"),
		named(videoOnDemand, typePopular, User, "aws-vod-most-popular", "aws-vod-trending-now"),
		named(videoOnDemand, typeUser, User, "aws-vod-top-picks"),
	} {
		all = append(all, rs...)
	}
	return all
}
