// Package index finds the k best items: exactly, over scores or for a vector,
// leaving out the rows of a mask.
//
// Takes:  scores or a query vector, and a Mask of rows to leave out.
// Makes:  Hits, best first; equal scores keep the lower row first.
// Never:  approximates an answer, or knows what a row stands for.
// Start:  exact.go, then coarse.go for many items.
package index
