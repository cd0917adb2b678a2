// Package index finds the k best items: exactly, over scores or for a vector,
// leaving out the rows of a mask.
//
// Answers are ranked from the scores of the whole catalogue: blends add them up
// over models, and softmax scores are shares of all. So serve takes no index but
// kernel's TopK, and measurements Top. Exact and Coarse are for who has one vector
// for each item and wants nothing but the best, such as a program that serves a
// factorisation alone: nothing in this repository does. Coarse reads a quarter of
// the memory, which is what a search of one vector waits for.
//
// Takes:  scores or a query vector, and a Mask of rows to leave out.
// Makes:  Hits, best first; equal scores keep the lower row first.
// Never:  approximates an answer, or knows what a row stands for.
// Start:  exact.go, then coarse.go for many items.
package index
