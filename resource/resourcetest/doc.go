// Package resourcetest is the conformance suite of resource.Store: what every
// store must do, whatever database it is on.
//
// Takes:  a function that opens a store with nothing in it.
// Makes:  test failures.
// Never:  knows what is under the store.
// Start:  suite.go.
package resourcetest
