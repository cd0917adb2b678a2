package api

// batchNotes tell of batch jobs and exports.
func batchNotes() []Note {
	const lines = "One JSON object a line, of one file or of every file below a folder; what is wrong with a line is said in its place of the output, and does not fail the job. Outputs appear whole, as <input>.out below the output folder, and replace what had the name."
	return []Note{
		{
			Operation: "CreateBatchInferenceJob",
			Honoured:  lines + " Lines are answered as live requests are at that moment, with filterValues and context, explored when itemExplorationConfig says so and influenced as rankingInfluence does, in shards that go on where a killed process left them. numResults is 25 unless given, at most 500; for rankings the whole itemList comes back.",
			Differs:   "batchInferenceJobMode THEME_GENERATION and themeGenerationConfig are refused. Events since the training count, as they do in live answers. An item without a score among items with scores has null. Files of a folder keep their path below it; names that begin with _ or . and those that end with .out are passed over. roleArn and kmsKeyArn are checked by pattern and echoed. http(s) paths are refused.",
			Why:       "themes are written by a language model, and this server has none; one way of scoring for all answers",
		},
		{Operation: "DescribeBatchInferenceJob", Differs: "numResults and batchInferenceJobMode show the defaults when none were given.", Why: "what was done is what is shown"},
		{Operation: "ListBatchInferenceJobs"},
		{
			Operation: "CreateBatchSegmentJob",
			Honoured:  lines + " aws-item-affinity takes itemId, aws-item-attribute-affinity itemAttributes with = and AND. A filter about UserID may narrow the users.",
			Differs:   "Users are those with a user id who did something with an item that the model knows, by what is known of them at the moment of the job. numResults is 25 unless given. Where users seldom repeat items, as seen in training, those who have the item are left out of its segment. Equal users come in the order of their ids.",
			Why:       "models hold no users: they are folded in from their profiles",
		},
		{Operation: "DescribeBatchSegmentJob"},
		{Operation: "ListBatchSegmentJobs"},
		{
			Operation: "CreateDatasetExportJob",
			Honoured:  "CSV with the columns of the schema in their order: rows of imports (BULK), what came by Put* (PUT, the default), or ALL. Rows that agree in every column are one; ALL has the newest row of each item and user. An import replaced by a FULL one is not exported.",
			Differs:   "One file, named <jobName>.csv, below the output folder; the service writes one or more. Anonymous events carry their session as USER_ID, and events without an item are left out; times are cut to seconds. Events that repeat an event id are one.",
			Why:       "the published contract does not name the files",
		},
		{Operation: "DescribeDatasetExportJob"},
		{Operation: "ListDatasetExportJobs"},
	}
}
