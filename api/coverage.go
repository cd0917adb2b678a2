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
