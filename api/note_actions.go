package api

func actionNotes() []Note {
	return []Note{
		{
			Operation: "PutActions",
			Differs:   "A call replaces the row, and every column that may not be null must be there; one bad action refuses the whole call.",
			Why:       "as an import would; better than a row that is lost later",
		},
		{
			Operation: "PutActionInteractions",
			Differs: "eventType is Viewed, Taken or Not Taken (NOT_TAKEN), in any case; others are InvalidInputException. " +
				"A trackingId that no Action_Interactions dataset has is ResourceNotFoundException. One bad event refuses the whole call. impression is kept and not learned from.",
			Why: "recipes know three outcomes; the published service does not learn from it either",
		},
	}
}
