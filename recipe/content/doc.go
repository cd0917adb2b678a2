// Package content finds items of which the same is said: the cosine of their
// metadata, where every text column and every categorical column speaks with
// one voice.
//
// A column of an item is a vector over its words or its categories, weighted
// (1+ln tf)·ln(N/df) as in Salton, Buckley: Term-Weighting Approaches in
// Automatic Text Retrieval (Information Processing & Management 1988), hashed
// into a fixed number of places (Weinberger et al.: Feature Hashing for Large
// Scale Multitask Learning, ICML 2009) and made of length 1. An item is its
// columns one after the other, again of length 1. Numbers are not looked at.
//
// Takes:  recipe.Input with ItemAttributes.
// Makes:  a model with a sparse vector for each item.
// Never:  knows what a word means: it is no language model.
// Start:  content.go, then score.go.
package content
