// Package dataset reads uploads into Tables and freezes the event log and its Tables into columns a trainer can read.
//
// Takes:  CSV objects and their schema; a range of the event log and the Tables it names.
// Makes:  Table, checked rows of one import; Snapshot, immutable, named by what went into it; Split, a snapshot cut for measuring.
// Never:  trains, serves, decides when to import, or asks who the customer is.
// Start:  snapshot.go, then import.go and freeze.go.
package dataset
