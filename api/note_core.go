package api

// coreNotes are those of dataset groups, schemas, imports, event intake and metrics.
func coreNotes() []Note {
	return []Note{
		{Operation: "CreateDatasetGroup", Differs: "`roleArn` and `kmsKeyArn` are checked by pattern and echoed; nothing is encrypted with the key.", Why: "There is one root key pair and no key management service."},
		{Operation: "DeleteDatasetGroup", Differs: "Its filters go along.", Why: "Nothing else can use them."},
		{Operation: "CreateSchema", Differs: "Checked at once when the record is named like a dataset type, else when a dataset uses it.", Why: "Avro has no dataset type."},
		{Operation: "CreateDatasetImportJob", Differs: "`dataLocation` is `s3://bucket/key` in this server's object door; `http(s)://` is refused. `roleArn` is checked by pattern. " +
			"Up to 1 % of bad rows are left out and the job is ACTIVE; `failureReason` then says how many, and `attune job rejects` shows each with line, column and reason. More is CREATE FAILED, and nothing is applied.",
			Why: "One bad row in a million should not cost the import, nor be hidden; the wire has no other member for words."},
		{Operation: "CreateEventTracker", Differs: "A second one for a group is ResourceAlreadyExistsException, also while the first is being deleted. The group needs an ACTIVE Interactions dataset before events are taken.", Why: "The published contract does not say which error."},
		{Operation: "PutEvents", Differs: "`properties` are checked against the schema at once: an unknown key, a wrong type or a nested value refuses the whole call. `itemId` and `eventValue` are also read from `properties`, as early clients send them; the members win. " +
			"`sentAt` is in seconds: milliseconds are refused. An event of the future counts in profiles at once, in training when its time has come.", Why: "Better refused than lost later: an acknowledged event is on disk and counts."},
		{Operation: "PutItems", Differs: "A call replaces the row: every column that may not be null must be there. It is effective within milliseconds.", Why: "As an import would."},
		{Operation: "PutUsers", Differs: "A call replaces the row: every column that may not be null must be there. It is effective within milliseconds.", Why: "As an import would."},
		{Operation: "GetSolutionMetrics", Differs: "The protocol is named in the model's manifest (`attune model describe`), over all eligible users, with intervals beside popularity and item-kNN.", Why: "Numbers that can be checked."},
	}
}
