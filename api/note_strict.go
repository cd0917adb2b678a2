package api

// strictNotes are about limits and modes, which cut across operations.
func strictNotes() []Note {
	return []Note{
		{Operation: "CreateDatasetGroup", Honoured: "In strict mode 5 in the account, as Amazon Personalize has.", Differs: "By default there is no quota on any kind of resource; 1000 of a kind may be under way at once.", Why: "it is your machine"},
		{Operation: "CreateSolutionVersion", Honoured: "In strict mode the service's least data: 1000 interactions, 25 users and 1 % of users with two of them, at most 10 event types and optional columns.", Differs: "By default whatever can be measured is trained on: one user with two interactions. The quotas on interactions and items that training takes into account are not simulated: all are.", Why: "small data is tried first; large data is what tests do not have"},
		{Operation: "CreateDatasetImportJob", Honoured: "In strict mode at most 100 GB (FULL) or 1 GB (INCREMENTAL), and at least 1000 rows of a FULL import of interactions.", Differs: "By default no bound.", Why: "it is your machine"},
		{Operation: "PutEvents", Honoured: "In strict mode 1000 requests per second to a dataset group, then ThrottlingException (429); PutItems, PutUsers and PutActions 10.", Differs: "By default no rate; --rate sets one.", Why: "it is your machine"},
		{Operation: "GetRecommendations", Honoured: "In strict mode 2500 requests per second in all, and 500 to a campaign or recommender, then ThrottlingException (429).", Differs: "By default no rate; --rate sets one.", Why: "it is your machine"},
		{Operation: "ListDatasetGroups", Honoured: "In strict mode the control plane takes 50 requests per second, then ThrottlingException (400).", Differs: "Amazon Personalize publishes no figure; this one is Attune's.", Why: "clients should meet throttling in tests"},
	}
}
