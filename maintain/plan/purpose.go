package plan

// Purpose is what steps are taken for: which part of a configuration, and what
// is out of date in it.
type Purpose string

// The purposes.
const (
	ForApply     Purpose = "apply"           // everything there shall be; no new training because a file was applied
	ForImport    Purpose = "import"          // datasets: newer files only
	ForFull      Purpose = "full"            // one solution: a new version, and its campaigns
	ForUpdate    Purpose = "update"          // one solution: a version that learns on, and its campaigns
	ForInference Purpose = "batch-inference" // one solution's batch inference jobs, from its newest version
	ForSegment   Purpose = "batch-segment"   // one solution's batch segment jobs
	ForRefresh   Purpose = "refresh"         // new data was loaded: datasets, then a new version of one solution or of all
	ForDestroy   Purpose = "destroy"         // nothing of it shall be left
)
