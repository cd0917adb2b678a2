package api

// filterNotes tell what filters do beside the published shapes; the language
// itself is described in package filter.
func filterNotes() []Note {
	return []Note{
		{
			Operation: "CreateFilter",
			Honoured: "The whole language: INCLUDE and EXCLUDE of ItemID, ActionID and UserID, AND and OR (AND binds tighter), IF with CurrentUser, CurrentItem, " +
				"the id columns, all five datasets, parameters with IN, = and ranges, expressions joined with |. CurrentItem works behind IF too. " +
				"GetRecommendations and GetPersonalizedRanking take filters of ItemID; CurrentItem is for recipes of related items.",
			Differs: "A change of an item, a user or an event counts within milliseconds, where the service says 15 to 20 minutes for imports. " +
				"Filters know what the profile keeps of a user, without the service's bounds of 100 interactions of an event type and of three months without one; --mode=strict has both. " +
				"There is no bound on the fields of a filter or of a group's filters but with --mode=strict, where they are 10 and 20. != is taken, as the newest guide has it. " +
				"Messages begin as the service's where those are known; the others are our own.",
			Why: "Filters are matched against live profiles. The bounds protect the service, not the customer. The service's other messages are not published.",
		},
		{
			Operation: "DeleteFilter",
			Honoured:  "A filter that a batch job under way names stays until that is done.",
		},
	}
}
