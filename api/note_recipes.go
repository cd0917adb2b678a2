package api

// recipeNotes are those of recipes, their algorithms, and recommenders.
func recipeNotes() []Note {
	return []Note{
		{
			Operation: "ListRecipes",
			Differs:   "Recipes of the legacy hrnn family are listed too.",
			Why:       "Code that was written for them asks for them.",
		},
		{
			Operation: "DescribeRecipe",
			Differs:   "The description says which algorithm stands behind a recipe: a blend behind user personalization, ranking and the hrnn family, matrix factorisation behind segments, item-item cosine behind aws-sims and its like, that joined with the cosine of metadata behind aws-similar-items and aws-vod-more-like-x, the cosine of TF-IDF weighted words and their latent directions, or of the vectors of a language model that the node was given, behind aws-semantic-similarity, counts behind what is popular and trending.",
			Why:       "The service's own algorithms are not published; each recipe has the nearest that this server has.",
		},
		{
			Operation: "DescribeAlgorithm",
			Differs:   "Parameters, defaults and ranges are those of this server: the published names are taken, some without effect (bptt, item_id_hidden_dim, item_metadata_hidden_dim), and more are offered. trainingInputMode, algorithmImage and roleArn are absent.",
			Why:       "Other algorithms have other parameters.",
		},
		{
			Operation: "DescribeFeatureTransformation",
			Differs:   "The percentiles leave nobody out unless asked to. The cold_start_… parameters of aws-hrnn-coldstart are taken without effect. trend_discovery_frequency is 3 hours by default.",
			Why:       "The busiest users are seldom noise in data of one's own.",
		},
		{
			Operation: "CreateRecommender",
			Honoured:  "Trains and deploys in one step; counts only the recipe's event type; leaves out what the user purchased or watched, as of the last event; trains again by itself every week; trends are looked at again every two hours.",
			Differs:   "The event type must be in the data; that there are 1000 of it is asked for in strict mode only. What a recipe of popular items counts is users, not events. Columns of Users are not learned from, and of Items only text and categories, by aws-vod-more-like-x, which also works without an Items dataset. A recommender that could not be trained again stays ACTIVE with a failureReason and tries again the next day.",
			Why:       "Small shops are shops.",
		},
		{
			Operation: "UpdateRecommender",
			Differs:   "The recommender must be ACTIVE. Members that are not given stay as they are.",
			Why:       "An update of one figure should not train again.",
		},
		{
			Operation: "DescribeRecommender",
			Differs:   "modelMetrics are measured by the protocol of solution versions; they include trend_prediction_accuracy for aws-vod-trending-now.",
			Why:       "One protocol for all numbers.",
		},
		{Operation: "ListRecommenders"},
		{Operation: "StartRecommender"},
		{Operation: "StopRecommender"},
		{Operation: "DeleteRecommender"},
	}
}
