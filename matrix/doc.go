// Package matrix holds the two containers that recipes compute on: sparse rows
// of interactions, whose orientation is in the type, and dense row-major blocks.
//
// Takes:  columns of (user, item, weight).
// Makes:  UserItems, ItemUsers, Dense.
// Never:  does arithmetic beyond adding up duplicates; kernel does.
// Start:  sparse.go, then dense.go.
package matrix
