package api

func deletionNotes() []Note {
	return []Note{
		{
			Operation: "CreateDataDeletionJob",
			Differs: "The whole CSV must be right, or nothing is deleted. At most 1,000,000 users a job. It begins when the imports, trainings, exports and batch jobs " +
				"of the dataset group that were asked for before have ended, and those that are asked for later wait for it. Deleted is what was known when the job began its work; " +
				"what is told of the same ids later is new data. Models need no deletion, since they hold no users; 'attune deletion receipt ARN' lists those that learned from " +
				"the users, with the date of their next training. Ids inside other people's properties, and files that customers uploaded, are not looked into.",
			Why: "a list read in part would leave people in; order makes sure that nothing brings them back; the receipt is evidence",
		},
		{
			Operation: "DescribeDataDeletionJob",
			Differs:   "numDeleted counts interactions, action interactions and rows of users, put and imported.",
			Why:       "the published text says records, not which",
		},
		{
			Operation: "ListDataDeletionJobs",
		},
	}
}
