package api

// lifecycleNotes tell of solutions, their versions, campaigns, and datasets that are updated.
func lifecycleNotes() []Note {
	const latest = "solutionVersionArn may be a solution's ARN followed by /$LATEST: its newest ACTIVE version. With syncWithLatestSolutionVersion, which needs that form, the campaign moves to every newer version as soon as it is ACTIVE, shown in latestCampaignUpdate; one that cannot be deployed is left out, and the old version goes on serving."
	return []Note{
		{
			Operation: "CreateSolution",
			Honoured: "Automatic training (on unless performAutoTraining is false): the first version 55 minutes after the solution is ACTIVE, unless one was made by hand, then every schedulingExpression (rate(1 day) to rate(30 days), 7 days by default). " +
				"eventsConfig: each event counts as its type's weight, in training and in the history of who asks, if it has the threshold; other types do not count. " +
				"The hyper-parameter negative_outcomes (our own) names event types that tell against their item. " +
				"performHPO: the ranges (all tunable parameters without any) are searched by a Halton sequence on the validation slice; every trial is in the model's manifest. performAutoML: the listed or all built USER_PERSONALIZATION recipes are searched alike, four trainings each, and the best is kept. " +
				"optimizationObjective (recipes that recommend or rank for users): the score of an item is raised by its rank among the values of the attribute, times ln 1.5 (LOW), ln 3 (MEDIUM) or ln 10 (HIGH). trainingDataConfig limits the columns of Items that recipes learn from.",
			Differs: "A run that is due is left out while another version of the solution is being trained; without data the first hour begins again. What was missed while the server was down is one run. Trials run one after another whatever maxParallelTrainingJobs says, 10 unless told otherwise, fewer on very large data (trainings × interactions stay below 10⁸, at least 3). hpoObjective is honoured. " +
				"Columns of Users and Interactions in trainingDataConfig are checked and echoed: no built recipe reads them. performIncrementalUpdate is accepted for aws-semantic-similarity; its models are trained whole.",
			Why: "a training uses all processors and takes seconds to minutes; the published formulas are not known",
		},
		{Operation: "DescribeSolution", Honoured: "solutionConfig as given, with what updates changed since; autoMLResult of the newest ACTIVE version; latestSolutionUpdate."},
		{
			Operation: "UpdateSolution",
			Honoured:  "performAutoTraining, performIncrementalUpdate, and autoTrainingConfig and eventsConfig of solutionUpdateConfig, which take the place of the solution's own when the update is ACTIVE. Turned on again, automatic training begins with the first hour.",
			Differs:   "An update that asks for nothing is accepted and changes nothing.",
			Why:       "every member is optional in the published shape",
		},
		{
			Operation: "CreateSolutionVersion",
			Honoured:  "trainingMode UPDATE by the published rules: aws-user-personalization, after an ACTIVE version trained FULL.",
			Differs:   "UPDATE trains on all data, as FULL does.",
			Why:       "training takes seconds to minutes",
		},
		{Operation: "DescribeSolutionVersion", Honoured: "trainingMode AUTOTRAIN and trainingType AUTOMATIC of automatic runs; tunedHPOParams with every hyper-parameter of the best model; with AutoML, recipeArn once the version is ACTIVE."},
		{Operation: "StopSolutionVersionCreation", Honoured: "PENDING becomes STOPPED at once, IN_PROGRESS becomes STOPPING and, when its worker has been told, STOPPED."},
		{
			Operation: "CreateCampaign",
			Honoured:  latest + " rankingInfluence (aws-semantic-similarity): similarities are brought to 0…1, and popularity (logarithmic, 0…1) and freshness (halving every 30 days) are added with their weights.",
			Differs:   "DescribeCampaign shows the version that is served, not $LATEST. minProvisionedTPS is echoed and provisions nothing. enableMetadataWithRecommendations is echoed; metadata is given to whoever asks, except in strict mode, where it is refused for a campaign made without it, as the service does.",
			Why:       "what is served is what is shown; it is your machine",
		},
		{Operation: "UpdateCampaign", Honoured: latest, Differs: "A campaign that follows is told not to before it can be given a certain version.", Why: "the two contradict each other"},
		{
			Operation: "UpdateDataset",
			Honoured:  "The schema is swapped: imports and Put* that begin after latestDatasetUpdate is ACTIVE are checked by the new one, and old rows lack the new fields. It must fit the type and the domain.",
			Differs:   "It must keep every field of the old schema with its type, may add fields that can be null, and may let null into a field; to leave a field out is refused.",
			Why:       "rows and filters that are there stay true",
		},
		{Operation: "DescribeDataset", Honoured: "latestDatasetUpdate after an UpdateDataset."},
	}
}
