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
		{
			Operation: "GetActionRecommendations",
			Honoured:  "Propensities of 0 to 1, calibrated; 0.0 until an action has 50 Taken and 50 Viewed or Not Taken within six weeks of the newest event at training; VALUE decides between equals; expiry and repeat frequency by the clock, at once; ActionID filters.",
			Differs: "Behind aws-next-best-action is hashed logistic regression over actions, users' attributes and what users did with actions; interactions with items are not learned from, and nothing is explored: " +
				"an action that came after the training is recommended after the next one. REPEAT_FREQUENCY counts from when the action was taken. " +
				"An Actions dataset is all that training needs, and there is no limit of 1000 actions. Metrics add log_loss, area_under_roc_curve and expected_calibration_error to the published ones.",
			Why: "another algorithm; numbers that can be checked",
		},
	}
}
