// Package plan holds what a configuration wants against what is there, and takes
// one step from the one to the other. It speaks only the public API of
// Personalize and S3, so that it maintains a node of Attune and the real service
// with the same code.
//
// Takes:  a Config, and clients of the place where its resources live.
// Makes:  Steps in the order of their needs, a Result for each look or act; Reports and exports.
// Never:  waits, repeats, or remembers: a run (package maintain) does.
// Start:  steps.go, then decide.go, noun.go and jobs.go.
package plan
