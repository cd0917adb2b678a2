package api

// attributionNotes tell what tags and metric attributions do beside the published shapes.
func attributionNotes() []Note {
	return []Note{
		{
			Operation: "CreateMetricAttribution",
			Honoured: "SUM(Interactions.COLUMN), SUM(Items.COLUMN) and SAMPLECOUNT(), case aside, over events whose type is the metric's, case aside. A second one of a group is LimitExceededException. " +
				"Events are attributed to eventAttributionSource, else to the campaign or recommender of the recommendationId, else to SOURCE_NAME_UNDEFINED, as published; repeated events count once. " +
				"Windows are quarters of an hour, in which the log took the events; every event is in the file of exactly one, also over a kill. Files are named `AggregatedAttributionMetrics - PutEvents - 20260301T121500.000Z.csv`.",
			Differs: "There is no CloudWatch: the same numbers are the series attune_attribution_sum of /metrics, and events of PutEvents get files too, not only imports. " +
				"Prices of items are those at the end of the window. Answers are remembered for a day over restarts, the newest 262144 of a group. TIMESTAMP is the beginning of the window.",
			Why: "CloudWatch is not on your machine.",
		},
		{Operation: "UpdateMetricAttribution", Honoured: "A change holds for the whole window under way. A name to remove that is not there is ResourceNotFoundException, one to add that is there ResourceAlreadyExistsException."},
		{Operation: "DeleteMetricAttribution", Differs: "The window under way is not reported."},
		{
			Operation: "CreateDatasetImportJob",
			Honoured: "publishAttributionMetricsToS3 writes a report on the import's rows, by their own TIMESTAMP and the columns EVENT_ATTRIBUTION_SOURCE and RECOMMENDATION_ID where the schema has them, " +
				"before the import is ACTIVE; the file has FULL or INCREMENTAL and the job's creation time in its name.",
			Differs: "An import whose report cannot be written fails, and nothing is applied. Without publishAttributionMetricsToS3 an incremental import reports nothing.",
			Why:     "Asked for is asked for. There is no CloudWatch.",
		},
		{
			Operation: "TagResource",
			Honoured:  "Every kind whose creation takes tags. --mode=strict has the quota of 50 tags, else 200 as the shape says; more are TooManyTagsException.",
		},
		{Operation: "UntagResource", Honoured: "Keys that the resource does not have are no error. More keys than a resource can have tags are TooManyTagKeysException."},
	}
}
