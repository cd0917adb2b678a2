// Package matrix holds the containers that recipes compute on: sparse rows
// of interactions, whose orientation is in the type, sparse rows of anything, and
// dense row-major blocks. And what is computed of a whole matrix.
//
// Takes:  columns of (user, item, weight).
// Makes:  UserItems, ItemUsers, CSR, Dense, the SVD of a CSR, the inverse of a Dense.
// Never:  knows what a recipe makes of its rows.
// Start:  sparse.go and dense.go, then csr.go, svd.go and inverse.go.
package matrix
