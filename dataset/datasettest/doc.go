// Package datasettest makes small worlds whose right answer is known.
//
// Takes:  sizes and a seed.
// Makes:  World: a snapshot in memory, and who truly likes what in it.
// Never:  does I/O; its worlds are for tests, and too clean to compare recipes by.
// Start:  world.go.
package datasettest
