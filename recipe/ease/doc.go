// Package ease is the linear model in which every item is predicted from all
// others at once: S = X·B, where B has a diagonal of zeros and is the least
// squares solution with a ridge, which has a closed form. Unlike neighbours by
// similarity it knows what an item adds to what the others already say, and
// weights may be negative.
//
// Steck: Embarrassingly Shallow Autoencoders for Sparse Data (WWW 2019); the
// ridge that grows with an item's popularity as in Steck: Autoencoders that
// don't overfit towards the Identity (NeurIPS 2020).
//
// Takes:  recipe.Input.
// Makes:  a model with, for each item, the weights it gives to others.
// Never:  stores users; a user is their history when they ask.
// Start:  ease.go, then train.go and score.go.
package ease
