// Package matrix holds the two containers that recipes compute on: sparse rows
// of interactions, whose orientation is in the type, and dense row-major blocks,
// with the inverse of one that is too big for one processor.
//
// Takes:  columns of (user, item, weight).
// Makes:  UserItems, ItemUsers, Dense.
// Never:  does the arithmetic of small pieces; kernel does.
// Start:  sparse.go, then dense.go and inverse.go.
package matrix
