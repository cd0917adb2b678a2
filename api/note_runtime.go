package api

// runtimeNotes tell what answers and the events about them do beside the published shapes.
func runtimeNotes() []Note {
	return []Note{
		{
			Operation: "GetRecommendations",
			Honoured: "Promotions: the nearest whole number of numResults × percentPromotedItems, at least one, at places drawn without replacement; each part under its own filter, " +
				"both without what the recipe leaves out. With too few items to promote the rest takes their places. New items that the model does not know are promoted too, without a score. " +
				"When a filter leaves fewer items than were asked for, new items that pass it and that the user has not touched are added, the most touched first, without a score. " +
				"`reason` is given by aws-user-personalization-v2. `itemId` with `userId` on related items: the user matters to filters and to what the recipe leaves out. " +
				"`context` names columns of the Interactions dataset, also as in properties (deviceType for DEVICE_TYPE); models for users that have learned from such a column answer by it.",
			Differs: "Names of `context` that the model does not know, and values that it has not learned enough of, change nothing. numResults 0 means the default of 25. " +
				"Metadata is given to whoever asks; --mode=strict wants enableMetadataWithRecommendations. A promotion needs filterArn and percentPromotedItems. " +
				"An answer that explores is in the order of its places, not of its scores; a drawn item that the model does not know has the score estimated from items with the same attributes.",
			Why: "Typed clients send 0 for nothing said. A campaign of one's own machine has no price for metadata.",
		},
		{
			Operation: "GetPersonalizedRanking",
			Honoured:  "Items that the model does not know come last, without a score, in the order given. What the filter leaves out is not in the answer. `context` as in GetRecommendations.",
			Differs:   "No exploration and no promotions, as in the service.",
		},
		{
			Operation: "CreateCampaign",
			Honoured: "itemExplorationConfig of aws-user-personalization: explorationWeight (0.3 where only the other is given) is the probability that a place is drawn from new and little met items instead of given to the best item left; " +
				"explorationItemAgeCutOff (30 days) is measured from the newest interaction of the group, by CREATION_TIMESTAMP, else the oldest interaction; an item with neither is new. " +
				"Items are drawn by relevance × 1/√(1 + interactions + impressions), counted a minute ago at most; the same holds of recommenders that can explore. The propensity of every item at its place is logged with the impression; the formula is in package serve.",
			Differs: "Without itemExplorationConfig nothing is explored, but in --mode=strict, where the published 0.3 holds. Every answer given counts as shown, not only those that an event came back for.",
			Why:     "A share of random items is for whoever asks for it; the same question should have the same answer. How the service draws is not published.",
		},
		{
			Operation: "PutEvents",
			Honoured: "recommendationId and impression are kept with the event. Answers are in the log with their items, so an event with a recommendationId needs no list; " +
				"a list counts as shown for exploration when the event has no recommendationId. Two events of a user with equal time and properties are one; of events with the same eventId the first counts.",
		},
	}
}
