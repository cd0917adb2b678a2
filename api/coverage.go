package api

import "github.com/attune-io/attune/api/awsjson"

// Coverage lists all 79 published operations and whether this build answers
// them. It needs no running node: what is registered is a fact of the binary.
func Coverage() []awsjson.OperationCoverage {
	s := awsjson.New(nil, nil, nil)
	NewPersonalize(nil, nil).Register(s)
	NewRuntime(nil, nil, nil, nil).Register(s)
	return s.Coverage()
}

// Note is what a reader of the reference should know of one operation beside
// its published shapes. Area files add theirs; the reference pages and
// 'attune api coverage' print them.
type Note struct {
	Operation string `json:"operation"`          // as published, e.g. CreateCampaign
	Honoured  string `json:"honoured,omitempty"` // what is carried out, in a sentence; "" for all of it
	Differs   string `json:"differs,omitempty"`  // what is done otherwise than Amazon Personalize; "" for nothing
	Why       string `json:"why,omitempty"`      // the reason of the difference
}

// notes gathers those of every area, in no order.
func notes() []Note {
	var all []Note
	for _, of := range []func() []Note{
		recipeNotes,
		coreNotes,
		strictNotes,
		actionNotes,
		batchNotes,
		filterNotes,
		runtimeNotes,
		deletionNotes,
		lifecycleNotes,
		attributionNotes,
	} {
		all = append(all, of()...)
	}
	return all
}
